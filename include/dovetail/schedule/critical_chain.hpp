#pragma once
/// \file
/// Why a schedule is as long as it is: a chain of tasks without a gap, from its start to its end.

#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule {

/// What a task of a chain waited for.
enum class waits_for : std::uint8_t {
    nothing,     ///< it is the first of the chain
    predecessor, ///< the task before it in the chain precedes it
    resource,    ///< the task before it held units of a resource that it needs
};

/// A task of a critical chain.
struct chain_link {
    graph::index task = 0;
    waits_for reason = waits_for::nothing; ///< what it had in common with the link before

    friend bool operator==(const chain_link&, const chain_link&) = default;
};

/// The critical chain, first task first: each starts at the very time at which the one before it ends, for
/// the order or, failing that, for a resource that both use; the last ends with the schedule. Where every
/// task starts as early as those that came before allow (`serial_schedule`), the chain starts at 0, and its
/// durations add up to the makespan. In another schedule it starts with the first task behind a gap. Of
/// several reasons, precedence counts before resources, then the smaller task.
/// \param plan a schedule of `problem` that keeps precedence and capacities \complexity O(tasks^2 + arcs).
[[nodiscard]] inline std::vector<chain_link> critical_chain(const task_graph& problem, const schedule& plan) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(plan.start_s.size() == n && plan.mode.size() == n, "one start and one mode a task");
    const auto chosen = [&](graph::index v) -> const mode& { return problem.modes(v)[plan.mode[v]]; };
    const auto end_s = [&](graph::index v) { return plan.start_s[v] + chosen(v).duration_s; };
    const auto share = [&](graph::index u, graph::index v) {
        for (std::size_t r = 0; r < max_resources; ++r)
            if (chosen(u).use[r] > 0 && chosen(v).use[r] > 0) return true;
        return false;
    };

    std::vector<chain_link> chain;
    graph::index v = 0;
    while (v < n && end_s(v) != plan.makespan_s) ++v;
    if (v == n) return chain;
    chain.push_back({v, waits_for::nothing});
    for (;;) {
        // Precedence is acyclic and a resource is only handed over by a task that started before.
        chain_link before{static_cast<graph::index>(n), waits_for::nothing};
        for (const graph::index u : problem.precedence().predecessors(v))
            if (end_s(u) == plan.start_s[v] && u < before.task) before = {u, waits_for::predecessor};
        for (graph::index u = 0; before.task == n && u < n; ++u)
            if (plan.start_s[u] < plan.start_s[v] && end_s(u) == plan.start_s[v] && share(u, v))
                before = {u, waits_for::resource};
        if (before.task == n) break;
        chain.back().reason = before.reason;
        chain.push_back({before.task, waits_for::nothing});
        v = before.task;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
}

} // namespace dovetail::schedule
