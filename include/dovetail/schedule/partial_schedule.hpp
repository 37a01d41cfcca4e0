#pragma once
/// \file
/// The beginning of a schedule, and what it leaves to be decided.

#include <dovetail/schedule/small_block.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

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
    ticks front = 0;                       ///< the last start
    std::span<const running_task> running; ///< those that end after `front`, by their ends

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
    std::span<const running_task> running_;
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
            if (block.always_fits(r)) shared_[r] = 0;
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
    // were measured to refute nothing more.
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
