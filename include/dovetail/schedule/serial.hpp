#pragma once
/// \file
/// The schedule that an order and a choice of modes stand for: each task in turn, as early as it can.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/profile.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule {

/// The topological order that always takes, of the tasks whose predecessors are taken, the one with the
/// smallest key (of equals, the smallest task). Keys that rounding left slightly out of order still give an
/// order. \param key one entry a task, such as its start \complexity O(tasks^2 + arcs).
[[nodiscard]] constexpr std::vector<graph::index> order_by(const task_graph& problem,
                                                           array_view<const double> key) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(key.size() == n, "one key a task");
    std::vector<std::size_t> waiting(n, 0);
    std::vector<graph::index> free;
    for (graph::index v = 0; v < n; ++v) {
        waiting[v] = problem.precedence().predecessors(v).size();
        if (waiting[v] == 0) free.push_back(v);
    }
    std::vector<graph::index> order;
    order.reserve(n);
    while (!free.empty()) {
        const auto next = std::min_element(free.begin(), free.end(), [&](graph::index a, graph::index b) {
            return key[a] < key[b] || (key[a] == key[b] && a < b);
        });
        const graph::index v = *next;
        free.erase(next);
        order.push_back(v);
        for (const graph::index w : problem.precedence().successors(v))
            if (--waiting[w] == 0) free.push_back(w);
    }
    return order;
}

/// Places the tasks one after another, each at the earliest start among those placed before. Taken in the
/// order of the starts of some schedule with the same modes, the result ends no later than that schedule.
/// \param order a topological order of the tasks
/// \param modes of every task, one that stays within the capacities
/// \complexity O(arcs + tasks * steps) with fewer than 2 * tasks steps.
[[nodiscard]] constexpr schedule serial_schedule(const task_graph& problem,
                                                 array_view<const graph::index> order,
                                                 array_view<const std::uint32_t> modes) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(order.size() == n && modes.size() == n, "an order and one mode a task");
    schedule plan;
    plan.start_s.assign(n, 0.0);
    plan.mode.assign(modes.begin(), modes.end());
    std::vector<double> end_s(n, 0.0);
    profile free;
    free.assign(problem.capacity());
    for (const graph::index v : order) {
        const mode& m = problem.modes(v)[modes[v]];
        double ready_s = 0.0;
        for (const graph::index u : problem.precedence().predecessors(v))
            ready_s = std::max(ready_s, end_s[u]);
        plan.start_s[v] = free.earliest_start(ready_s, m);
        end_s[v] = plan.start_s[v] + m.duration_s;
        plan.makespan_s = std::max(plan.makespan_s, end_s[v]);
        free.place(plan.start_s[v], m);
    }
    return plan;
}

} // namespace dovetail::schedule
