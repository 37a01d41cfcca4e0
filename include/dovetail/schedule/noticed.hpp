#pragma once
/// \file
/// When one beginning of a schedule is as good as another.

#include <dovetail/schedule/partial_schedule.hpp>
#include <dovetail/schedule/small_block.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// What the tasks that have not started can notice of those that have, as numbers of which the smaller one is
/// the better: the front; the end of the last task; of every task that is waited for, its end, or the front
/// where that is later; of every resource, when so many units are free, for as many as the tasks left can
/// share, and for all where one of them may take all. A partial schedule none of whose numbers is larger than
/// those of another with the same tasks dominates it: whatever completes the other completes it, and ends no
/// later. This is the cutset rule (Demeulemeester and Herroelen, Management Science 38, 1992), here for
/// several modes.
class noticed {
public:
    /// For partial schedules that have started these tasks.
    void assign(const small_block& block, task_set started) {
        block_ = &block;
        const task_set left = block.all() & ~started;
        count_ = 2;
        for_each(started, [&](std::size_t v) {
            if ((block[v].after & left) != 0) place_[v] = count_++;
        });
        shared_ = {};
        whole_ = {};
        for_each(left, [&](std::size_t v) {
            const demand& most = block[v].most_shared;
            for (std::size_t r = 0; r < max_resources; ++r) {
                whole_[r] = whole_[r] || block[v].needs[r].full_s < std::numeric_limits<double>::infinity();
                shared_[r] = std::min(shared_[r] + most[r], block.capacity()[r]);
            }
        });
        for (std::size_t r = 0; r < max_resources; ++r) {
            // Then what is shared keeps no one waiting, and who holds all of it everybody.
            if (block.always_fits(r)) shared_[r] = std::min(shared_[r], 1);
            count_ += static_cast<std::size_t>(shared_[r]) + (whole_[r] ? 1 : 0);
        }
    }

    /// How many numbers there are.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// Writes the numbers of a partial schedule behind others.
    void append(const partial_schedule& begun, std::vector<ticks>& numbers) const {
        const std::size_t first = numbers.size();
        numbers.resize(first + count_, begun.front);
        const auto number = numbers.begin() + static_cast<std::ptrdiff_t>(first);
        number[1] = begun.last_end();
        for (const running_task& t : begun.running) {
            const std::uint8_t v = block_->ways(t.way).task;
            if (((*block_)[v].after & ~begun.started) != 0)
                number[static_cast<std::ptrdiff_t>(place_[v])] = t.end;
        }
        auto next = numbers.end();
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (shared_[r] == 0 && !whole_[r]) continue;
            // From the last task to the first: fewer and fewer units are free before its end.
            next -= shared_[r] + (whole_[r] ? 1 : 0);
            auto unit = next + shared_[r];
            std::int32_t free = block_->capacity()[r];
            if (whole_[r]) *unit = std::max(begun.front, last_holder_end(begun, r));
            for (auto t = begun.running.rbegin(); t != begun.running.rend(); ++t) {
                const std::int32_t use = block_->ways(t->way).use[r];
                for (std::int32_t k = std::min(free, shared_[r]); k > free - use && k > 0; --k)
                    next[k - 1] = t->end;
                free -= use;
            }
        }
    }

private:
    [[nodiscard]] ticks last_holder_end(const partial_schedule& begun, std::size_t r) const {
        const auto holder = std::find_if(begun.running.rbegin(), begun.running.rend(),
                                         [&](const auto& t) { return block_->ways(t.way).use[r] > 0; });
        return holder == begun.running.rend() ? 0 : holder->end;
    }

    const small_block* block_ = nullptr;
    std::size_t count_ = 0;
    std::array<std::size_t, small_block::most_tasks> place_{}; // of the tasks that are waited for
    demand shared_{};                                          // units of which the first free time counts
    std::array<bool, max_resources> whole_{};                  // whether that of all units counts
};

} // namespace dovetail::schedule::detail
