#pragma once
/// \file
/// The units of every resource that are free over time, as steps.

#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/mode_table.hpp>

#include <cstddef>
#include <vector>

namespace dovetail::schedule {

/// What is free from a time on, until the next step.
struct free_step {
    double from_s = 0.0;
    demand free{};
};

/// What is free from time 0 on, while tasks are placed one after another. A step begins where a task that was
/// placed starts or ends, so its times are those of the tasks, without rounding. \tparam Steps a sequence of
/// `free_step` such as `std::vector`, of room for two steps a task and one more
template <class Steps>
class basic_profile {
public:
    /// Everything is free for ever. Keeps the memory.
    constexpr void assign(const demand& capacity) {
        steps_.clear();
        steps_.push_back({0.0, capacity});
    }

    /// The first time from `ready_s` on at which `m` can run undisturbed. `m` must stay within the
    /// capacities. \complexity O(steps) at worst; near the end of what is placed, O(1).
    [[nodiscard]] constexpr double earliest_start(double ready_s, const mode& m) const {
        if (m.duration_s == 0.0) return ready_s;
        double start_s = ready_s;
        for (std::size_t k = step_at(ready_s); k < steps_.size(); ++k) {
            if (!fits(m.use, steps_[k].free)) {
                // The last step has everything free, so there is always another.
                start_s = steps_[k + 1].from_s;
            } else if (k + 1 < steps_.size() && steps_[k + 1].from_s >= start_s + m.duration_s) {
                break;
            }
        }
        return start_s;
    }

    /// Holds `m.use` from `start_s` on.
    constexpr void place(double start_s, const mode& m) {
        const double end_s = start_s + m.duration_s;
        if (m.use == demand{} || !(end_s > start_s)) return;
        const std::size_t begin = split(start_s);
        const std::size_t end = split(end_s);
        for (std::size_t k = begin; k < end; ++k)
            for (std::size_t r = 0; r < max_resources; ++r) steps_[k].free[r] -= m.use[r];
    }

private:
    // Lists are mostly placed in the order of time, so the search comes from the end.
    [[nodiscard]] constexpr std::size_t step_at(double time_s) const {
        DOVETAIL_ASSERT(time_s >= 0.0, "time begins at 0");
        std::size_t k = steps_.size() - 1;
        while (steps_[k].from_s > time_s) --k;
        return k;
    }

    // The step that begins at `time_s`, made if need be.
    constexpr std::size_t split(double time_s) {
        const std::size_t k = step_at(time_s);
        if (steps_[k].from_s == time_s) return k;
        const free_step tail{time_s, steps_[k].free};
        steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(k + 1), tail);
        return k + 1;
    }

    Steps steps_;
};

/// A profile of any number of steps. Keeps its memory.
using profile = basic_profile<std::vector<free_step>>;

} // namespace dovetail::schedule
