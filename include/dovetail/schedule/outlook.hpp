#pragma once
/// \file
/// What the beginning of a schedule means for the tasks that have not started.

#include <dovetail/schedule/occupancy.hpp>
#include <dovetail/schedule/partial_schedule.hpp>
#include <dovetail/schedule/small_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// What follows from a partial schedule for the tasks that have not started: when they can end at the
/// earliest, how long all of it takes at least, and whether one of them may start without loss. The memory is
/// kept from one use to the next.
class outlook {
public:
    static constexpr std::uint32_t no_way = std::numeric_limits<std::uint32_t>::max();

    /// Looks at `begun`. \returns a bound on every completion; once it exceeds `limit`, any such bound.
    /// \complexity O(tasks^2 * resources).
    ticks operator()(const small_block& block, const partial_schedule& begun, ticks limit) {
        const room free(block, begun);
        const task_set left = block.all() & ~begun.started;
        head_.assign(block.size(), begun.front);
        first_.resize(block.way_count());
        for (const running_task& t : begun.running)
            for_each(block[block.ways(t.way).task].after,
                     [&](std::size_t w) { head_[w] = std::max(head_[w], t.end); });
        ticks bound = begun.last_end();
        for (const running_task& t : begun.running)
            bound = std::max(bound, t.end + block[block.ways(t.way).task].tail);
        for_each(left, [&](std::size_t v) {
            const small_block::task& t = block[v];
            ticks end = small_block::never;
            ticks start = small_block::never;
            for (std::uint32_t k = t.first_way; k < t.way_end; ++k) {
                first_[k] = std::max(head_[v], free.fits_from(block.ways(k).use));
                start = std::min(start, first_[k]);
                end = std::min(end, first_[k] + block.ways(k).length);
            }
            head_[v] = start;
            for_each(t.after, [&](std::size_t w) { head_[w] = std::max(head_[w], end); });
            bound = std::max(bound, end + t.tail);
        });
        for (std::size_t r = 0; r < max_resources && bound <= limit; ++r)
            bound = std::max(bound, occupied_until(block, begun, free, r, left));
        return bound;
    }

    /// A way to run a task, from the front on, that is in the way of nothing: some best completion begins
    /// with it. `no_way` where no such one is seen. Of the partial schedule that was looked at last, the
    /// bound of which is `bound`.
    [[nodiscard]] std::uint32_t harmless(const small_block& block, const partial_schedule& begun,
                                         ticks bound) const {
        const room free(block, begun);
        const task_set left = block.all() & ~begun.started;
        for (task_set rest = left; rest != 0; rest &= rest - 1) {
            const std::size_t v = first_of(rest);
            if ((block[v].before & left) != 0 || head_[v] > begun.front) continue;
            for (std::uint32_t k = block[v].first_way; k < block[v].way_end; ++k)
                if (is_harmless(block, begun, free, left, k, bound)) return k;
        }
        return no_way;
    }

private:
    // The way runs from the front, ends before any other way of the task could, unless nobody waits for that,
    // and leaves enough for all that may run beside it.
    [[nodiscard]] bool is_harmless(const small_block& block, const partial_schedule& begun, const room& free,
                                   task_set left, std::uint32_t way, ticks bound) const {
        const small_block::way& w = block.ways(way);
        const small_block::task& t = block[w.task];
        const ticks end = begun.front + w.length;
        if (first_[way] > begun.front) return false;
        if (t.after != 0 || end > bound)
            for (std::uint32_t k = t.first_way; k < t.way_end; ++k)
                if (first_[k] + block.ways(k).length < end) return false;
        demand rest{};
        for (std::size_t r = 0; r < max_resources; ++r)
            rest[r] = w.use[r] == 0 ? std::numeric_limits<std::int32_t>::max()
                                    : block.capacity()[r] - free.used(r) - w.use[r];
        for (task_set others = left & ~(task_set{1} << w.task) & ~t.descendants; others != 0;
             others &= others - 1) {
            const std::size_t u = first_of(others);
            if (head_[u] >= end) continue;
            demand most{};
            for (std::uint32_t k = block[u].first_way; k < block[u].way_end; ++k)
                if (first_[k] < end)
                    for (std::size_t r = 0; r < max_resources; ++r)
                        most[r] = std::max(most[r], block.ways(k).use[r]);
            for (std::size_t r = 0; r < max_resources; ++r)
                if (w.use[r] > 0 && (rest[r] -= most[r]) < 0) return false;
        }
        return true;
    }

    // When the tasks left that always need resource r have ended and the shortest tail of them is over, at
    // least: see `occupancy`. What runs already is in the way of those that take all of it, and works beside
    // them; of those that share, it may outlast the last. Sets of the later tasks alone, by head or by tail,
    // refute hardly more on layers.
    ticks occupied_until(const small_block& block, const partial_schedule& begun, const room& free,
                         std::size_t r, task_set left) {
        set_.clear();
        ticks head = small_block::never, tail = small_block::never;
        for (const std::uint8_t v : block.by_part(r)) {
            if ((left >> v & 1) == 0) continue;
            set_.push_back(v);
            head = std::min(head, head_[v]);
            tail = std::min(tail, block[v].tail);
        }
        if (set_.empty()) return 0;
        double held = 0.0, work = 0.0;
        if (free.empty_from(r) > head) {
            held = static_cast<double>(free.empty_from(r) - head);
            for (const running_task& t : begun.running)
                if (t.end > head)
                    work +=
                        static_cast<double>(t.end - head) * block.ways(t.way).use[r] / block.capacity()[r];
        }
        return head + static_cast<ticks>(occupied(block, r, held, work)) + tail;
    }

    // How long the tasks of `set_` take at least, from a time at which running ones hold some of the resource
    // for `held` more and have `work`, over its capacity, to do.
    double occupied(const small_block& block, std::size_t r, double held, double work) {
        beside_.resize(set_.size());
        double beside = 0.0;
        for (std::size_t k = 0; k < set_.size(); ++k) beside_[k] = beside += block[set_[k]].needs[r].least_s;
        double least = std::numeric_limits<double>::infinity();
        double alone = 0.0; // of those that last longer
        for (std::size_t k = set_.size(); k-- > 0;) {
            const resource_need& need = block[set_[k]].needs[r];
            double shared = std::max(need.part_s, beside_[k]);
            if (alone > 0.0) shared = std::max({shared, held, beside_[k] + work});
            least = std::min(least, alone + shared);
            alone += need.full_s;
        }
        return std::min(least, alone + held);
    }

    std::vector<ticks> head_;  // of the tasks left: no completion starts them earlier
    std::vector<ticks> first_; // the same, of their ways
    std::vector<std::uint8_t> set_;
    std::vector<double> beside_;
};

} // namespace dovetail::schedule::detail
