#pragma once
/// \file
/// The scheduling problem: tasks with modes, the order between them, and the units of every resource.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/schedule/mode_table.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// A multi-mode project with renewable resources: each task runs once, in one of its modes, after all its
/// predecessors; at no time do running tasks hold more of a resource than its capacity. To minimise: the
/// makespan. An operator that runs on one core or on all cores of its type is a task with two modes.
///
/// The order, the topological order and the reachability are computed once; `refill` changes modes and
/// capacities alone, and allocates nothing once the memory has grown.
class task_graph {
public:
    constexpr task_graph() = default;

    /// Tasks are numbered below this.
    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return precedence_.vertex_count(); }
    /// Arcs from every task to those that wait for it.
    [[nodiscard]] constexpr const graph::digraph& precedence() const noexcept { return precedence_; }
    /// A topological order of the tasks.
    [[nodiscard]] constexpr array_view<const graph::index> order() const noexcept { return order_; }
    /// Which tasks wait for which, directly or not.
    [[nodiscard]] constexpr const graph::reachability& reaches() const noexcept { return reach_; }
    /// The order cut wherever all tasks before the cut precede all after it, as the end position of every
    /// block. A schedule is one of each block after another: makespans add up, and bounds do.
    [[nodiscard]] constexpr array_view<const graph::index> block_ends() const noexcept { return block_ends_; }
    /// The block of a task, counted from 0.
    [[nodiscard]] constexpr graph::index block(graph::index task) const { return block_[task]; }
    /// Units of every resource.
    [[nodiscard]] constexpr const demand& capacity() const noexcept { return capacity_; }
    /// The modes of a task, those included that need more than there is: they can never be chosen.
    [[nodiscard]] constexpr array_view<const mode> modes(graph::index task) const {
        return table_.modes(task);
    }

    /// Gives the same tasks other modes and capacities. On an error the graph keeps its old ones.
    /// \returns errc::out_of_range when the table has another number of tasks, a capacity or use is negative,
    /// a duration is negative or not finite, or a task has no mode within the capacities. \complexity
    /// O(modes).
    [[nodiscard]] constexpr result<void> refill(const demand& capacity, const mode_table& table) {
        if (result<void> sound = check(task_count(), capacity, table); !sound) return sound;
        capacity_ = capacity;
        table_ = table;
        return {};
    }

    /// What `make_task_graph` and `refill` check.
    [[nodiscard]] static constexpr result<void> check(std::size_t task_count, const demand& capacity,
                                                      const mode_table& table);

private:
    friend constexpr result<task_graph> make_task_graph(graph::digraph precedence, const demand& capacity,
                                                        mode_table table);

    graph::digraph precedence_;
    std::vector<graph::index> order_;
    graph::reachability reach_{graph::digraph{}, {}};
    std::vector<graph::index> block_ends_, block_;
    demand capacity_{};
    mode_table table_;
};

namespace detail {

/// The cuts of a topological order behind which every task waits for all tasks before. O(tasks^2).
[[nodiscard]] constexpr std::vector<graph::index> series_cuts(const graph::reachability& reach,
                                                              array_view<const graph::index> order) {
    std::vector<graph::index> ends;
    std::size_t not_before = 0; // a block that holds the tasks so far ends behind this position
    for (std::size_t position = 0; position < order.size(); ++position) {
        std::size_t last = order.size() - 1;
        while (last > position && reach.reaches(order[position], order[last])) --last;
        not_before = std::max(not_before, last);
        if (not_before == position) ends.push_back(static_cast<graph::index>(position + 1));
    }
    return ends;
}

} // namespace detail

/// Builds the problem from input that nobody has checked.
/// \param precedence arcs from a task to those that must wait for it
/// \param capacity units of every resource; 0 for a resource that does not exist
/// \param table the modes, one row a vertex of `precedence`
/// \returns errc::cycle, or errc::out_of_range as `task_graph::refill`, naming the task.
/// \complexity O((tasks + arcs) log tasks + arcs * tasks / 64 + tasks^2 + modes).
[[nodiscard]] constexpr result<task_graph> make_task_graph(graph::digraph precedence, const demand& capacity,
                                                           mode_table table) {
    result<std::vector<graph::index>> order = graph::topological_order(precedence);
    if (!order) return std::move(order).problem().within("task graph");
    result<void> sound = task_graph::check(precedence.vertex_count(), capacity, table);
    if (!sound) return std::move(sound).problem();
    task_graph problem;
    problem.precedence_ = std::move(precedence);
    problem.order_ = std::move(order).value();
    problem.reach_ = graph::reachability(problem.precedence_, problem.order_);
    problem.block_ends_ = detail::series_cuts(problem.reach_, problem.order_);
    problem.block_.assign(problem.order_.size(), 0);
    for (graph::index position = 0, block = 0; position < problem.order_.size(); ++position) {
        if (position == problem.block_ends_[block]) ++block;
        problem.block_[problem.order_[position]] = block;
    }
    problem.capacity_ = capacity;
    problem.table_ = std::move(table);
    return problem;
}

namespace detail {

/// Why no mode of a task can run: the first resource that its first mode lacks.
[[nodiscard]] inline std::string shortage(const mode& m, const demand& capacity) {
    std::size_t r = 0;
    while (m.use[r] <= capacity[r]) ++r;
    return to_text(m.use[r]) + " of resource " + to_text(r) + ", where there are " + to_text(capacity[r]);
}

} // namespace detail

constexpr result<void> task_graph::check(std::size_t task_count, const demand& capacity,
                                         const mode_table& table) {
    const auto bad = [](std::string place, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "task graph: " + std::move(place), std::move(wrong),
                     std::move(expected)};
    };
    if (table.task_count() != task_count)
        return bad("modes", "they are given for " + to_text(table.task_count()) + " tasks",
                   "the graph has " + to_text(task_count));
    for (std::size_t r = 0; r < max_resources; ++r)
        if (capacity[r] < 0)
            return bad("resource " + to_text(r), "its capacity is " + to_text(capacity[r]),
                       "a capacity is at least 0");
    for (graph::index task = 0; task < task_count; ++task) {
        bool runnable = false;
        for (const mode& m : table.modes(task)) {
            if (!(m.duration_s >= 0.0 && m.duration_s <= std::numeric_limits<double>::max()))
                return bad("task " + to_text(task), "a mode takes " + to_text(m.duration_s) + " s",
                           "a duration is finite and at least 0");
            for (std::size_t r = 0; r < max_resources; ++r)
                if (m.use[r] < 0)
                    return bad("task " + to_text(task),
                               "a mode holds " + to_text(m.use[r]) + " of resource " + to_text(r),
                               "a demand is at least 0");
            runnable |= fits(m.use, capacity);
        }
        if (runnable) continue;
        if (table.modes(task).empty())
            return bad("task " + to_text(task), "it has no mode", "a task has at least one");
        return bad("task " + to_text(task),
                   "it can never run: it needs " + detail::shortage(table.modes(task).front(), capacity),
                   "at least one mode must stay within the capacities");
    }
    return {};
}

} // namespace dovetail::schedule
