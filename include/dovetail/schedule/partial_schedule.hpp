#pragma once
/// \file
/// The beginning of a schedule.

#include <dovetail/core/array_view.hpp>
#include <dovetail/schedule/small_block.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace dovetail::schedule::detail {

/// A task that has started, until it ends.
struct running_task {
    ticks end;
    std::uint32_t way;
};

/// The tasks of a schedule that start first. All others start at `front` or later, and only the tasks that
/// run beyond it still matter to them.
struct partial_schedule {
    task_set started = 0;
    ticks front = 0;                        ///< the last start
    array_view<const running_task> running; ///< those that end after `front`, by their ends

    [[nodiscard]] ticks last_end() const noexcept { return running.empty() ? front : running.back().end; }
};

/// What the running tasks leave of every resource. The longer one waits, the more.
class room {
public:
    room(const small_block& block, const partial_schedule& begun) : block_(block), running_(begun.running) {
        for (const running_task& t : running_)
            for (std::size_t r = 0; r < max_resources; ++r) {
                const std::int32_t held = block.ways(t.way).use[r];
                used_[r] += held;
                if (held > 0) empty_from_[r] = t.end;
            }
    }

    /// Units of a resource that are held at the front.
    [[nodiscard]] std::int32_t used(std::size_t r) const { return used_[r]; }
    /// When the last running task that holds some of a resource ends; 0 where none does.
    [[nodiscard]] ticks empty_from(std::size_t r) const { return empty_from_[r]; }
    /// From when on there is room for `use`.
    [[nodiscard]] ticks fits_from(const demand& use) const {
        ticks from = 0;
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (use[r] == 0) continue;
            std::int32_t used = used_[r];
            for (auto t = running_.begin(); used + use[r] > block_.capacity()[r]; ++t) {
                used -= block_.ways(t->way).use[r];
                from = std::max(from, t->end);
            }
        }
        return from;
    }

private:
    const small_block& block_;
    array_view<const running_task> running_;
    std::array<std::int32_t, max_resources> used_{};
    std::array<ticks, max_resources> empty_from_{};
};

/// When the predecessors of a task have ended, all of which have started.
[[nodiscard]] inline ticks ready_at(const small_block& block, const partial_schedule& begun, std::size_t v) {
    ticks ready = begun.front;
    for (const running_task& t : begun.running)
        if ((block[v].before >> block.ways(t.way).task & 1) != 0) ready = std::max(ready, t.end);
    return ready;
}

} // namespace dovetail::schedule::detail
