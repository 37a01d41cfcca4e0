#pragma once
/// \file
/// A few tasks as bit sets and whole numbers.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/occupancy.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/schedule/tick_scale.hpp>
#include <dovetail/schedule/useful_modes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// Tasks of a block, a bit each.
using task_set = std::uint64_t;

/// The number of the first task of a set that is not empty.
[[nodiscard]] constexpr std::size_t first_of(task_set tasks) noexcept {
    return static_cast<std::size_t>(std::countr_zero(tasks));
}

/// Calls `visit` with the number of every task of a set, rising.
template <class Visit>
constexpr void for_each(task_set tasks, const Visit& visit) {
    for (; tasks != 0; tasks &= tasks - 1) visit(first_of(tasks));
}

/// A problem of at most 64 tasks, numbered in a topological order.
class small_block {
public:
    static constexpr std::size_t most_tasks = 64;
    static constexpr ticks never = std::numeric_limits<ticks>::max() / 4; ///< sums of a few do not overflow

    /// One way to run a task: a useful mode.
    struct way {
        ticks length;
        demand use; ///< what is held; nothing where the length is 0
        std::uint8_t task;
        std::uint32_t mode; ///< of the task in the problem
    };

    struct task {
        std::uint32_t first_way = 0, way_end = 0;
        task_set before = 0;      ///< what it waits for, directly
        task_set after = 0;       ///< what waits for it, directly
        task_set descendants = 0; ///< what waits for it
        task_set stand_ins = 0;   ///< tasks that may take its place: the same ways, and all of `after`
        ticks shortest = never;   ///< of the ways
        ticks tail = 0;           ///< from its end to that of the block, at least
        std::array<resource_need, max_resources> needs; ///< in ticks
        demand most_shared{};                           ///< of the ways that do not take all of a resource
    };

    /// \param tail_s of every task: no schedule of interest ends sooner after the end of the task
    template <class Tail>
    void assign(const task_graph& problem, const tick_scale& scale, const Tail& tail_s) {
        DOVETAIL_ASSERT(problem.task_count() <= most_tasks, "one bit a task");
        capacity_ = problem.capacity();
        tasks_.assign(problem.task_count(), {});
        ways_.clear();
        for (std::size_t v = tasks_.size(); v-- > 0;) {
            task& t = tasks_[v];
            for (const graph::index u : problem.precedence().predecessors(static_cast<graph::index>(v))) {
                DOVETAIL_ASSERT(u < v, "the tasks are numbered in a topological order");
                t.before |= task_set{1} << u;
            }
            for (const graph::index w : problem.precedence().successors(static_cast<graph::index>(v))) {
                t.after |= task_set{1} << w;
                t.descendants |= task_set{1} << w | tasks_[w].descendants;
            }
            add_ways(v, problem.modes(static_cast<graph::index>(v)), scale);
            t.tail = scale.within(tail_s(v));
            for_each(t.after,
                     [&](std::size_t w) { t.tail = std::max(t.tail, tasks_[w].shortest + tasks_[w].tail); });
        }
        for (std::size_t v = 0; v < tasks_.size(); ++v)
            for (std::size_t u = 0; u < tasks_.size(); ++u)
                if (replaces(u, v)) tasks_[v].stand_ins |= task_set{1} << u;
        for (std::size_t r = 0; r < max_resources; ++r) {
            by_part_[r].clear();
            for (std::size_t v = 0; v < tasks_.size(); ++v)
                if (tasks_[v].needs[r].always) by_part_[r].push_back(static_cast<std::uint8_t>(v));
            std::sort(by_part_[r].begin(), by_part_[r].end(), [&](std::uint8_t a, std::uint8_t b) {
                const double x = tasks_[a].needs[r].part_s, y = tasks_[b].needs[r].part_s;
                return x < y || (x == y && a < b);
            });
        }
    }

    [[nodiscard]] const task& operator[](std::size_t v) const { return tasks_[v]; }
    [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
    [[nodiscard]] task_set all() const noexcept {
        return tasks_.size() == most_tasks ? ~task_set{0} : (task_set{1} << tasks_.size()) - 1;
    }
    [[nodiscard]] const demand& capacity() const noexcept { return capacity_; }
    /// By number: those of a task are `first_way` to `way_end`.
    [[nodiscard]] const way& ways(std::uint32_t number) const { return ways_[number]; }
    [[nodiscard]] std::size_t way_count() const noexcept { return ways_.size(); }
    /// Whether all tasks that share a resource fit together.
    [[nodiscard]] bool always_fits(std::size_t r) const {
        std::int64_t all = 0;
        for (const task& t : tasks_) all += t.most_shared[r];
        return all <= capacity_[r];
    }
    /// Those that cannot do without a resource, by the shortest way that takes less than all of it.
    [[nodiscard]] array_view<const std::uint8_t> by_part(std::size_t r) const noexcept { return by_part_[r]; }

private:
    void add_ways(std::size_t v, array_view<const mode> modes, const tick_scale& scale) {
        task& t = tasks_[v];
        t.first_way = static_cast<std::uint32_t>(ways_.size());
        for (const std::uint32_t k : useful_modes(modes, capacity_)) {
            const way w{scale.length(modes[k].duration_s), held_by(modes[k]), static_cast<std::uint8_t>(v),
                        k};
            ways_.push_back(w);
            t.shortest = std::min(t.shortest, w.length);
            for (std::size_t r = 0; r < max_resources; ++r) {
                t.needs[r].add(static_cast<double>(w.length), w.use[r], capacity_[r]);
                if (w.use[r] < capacity_[r]) t.most_shared[r] = std::max(t.most_shared[r], w.use[r]);
            }
        }
        t.way_end = static_cast<std::uint32_t>(ways_.size());
    }

    // Whoever starts v while u waits may start u instead, and v when u would have started.
    [[nodiscard]] bool replaces(std::size_t u, std::size_t v) const {
        const task &a = tasks_[u], &b = tasks_[v];
        if (u == v || (b.after & ~a.after) != 0 || (a.after == b.after && u > v)) return false;
        return std::equal(ways_.begin() + a.first_way, ways_.begin() + a.way_end, ways_.begin() + b.first_way,
                          ways_.begin() + b.way_end,
                          [](const way& x, const way& y) { return x.length == y.length && x.use == y.use; });
    }

    demand capacity_{};
    std::vector<task> tasks_;
    std::vector<way> ways_;
    std::array<std::vector<std::uint8_t>, max_resources> by_part_;
};

} // namespace dovetail::schedule::detail
