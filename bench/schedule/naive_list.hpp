#pragma once
/// \file
/// The list scheduler of a textbook, as plain as it can be: what the library's own is measured against.

#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace dovetail::bench {

/// Longest tail first, each task in the mode and at the time that ends it first; candidate times are all ends
/// so far, and capacity is summed up over all tasks at each of them.
inline schedule::schedule naive_list(const schedule::task_graph& problem) {
    const std::size_t n = problem.task_count();
    std::vector<double> remaining(n, -1.0);
    const std::function<double(graph::index)> measure = [&](graph::index v) {
        if (remaining[v] >= 0.0) return remaining[v];
        double shortest = std::numeric_limits<double>::infinity();
        for (const schedule::mode& m : problem.modes(v))
            if (schedule::fits(m.use, problem.capacity())) shortest = std::min(shortest, m.duration_s);
        double tail = 0.0;
        for (const graph::index w : problem.precedence().successors(v)) tail = std::max(tail, measure(w));
        return remaining[v] = shortest + tail;
    };
    std::vector<graph::index> list(problem.order().begin(), problem.order().end());
    std::stable_sort(list.begin(), list.end(),
                     [&](graph::index a, graph::index b) { return measure(a) > measure(b); });

    schedule::schedule plan;
    plan.start_s.assign(n, 0.0);
    plan.mode.assign(n, 0);
    std::vector<double> end(n, 0.0);
    std::vector<graph::index> placed;
    const auto fits_at = [&](double time, const schedule::demand& use) {
        schedule::demand held = use;
        for (const graph::index u : placed)
            if (plan.start_s[u] <= time && time < end[u])
                for (std::size_t r = 0; r < held.size(); ++r)
                    held[r] += problem.modes(u)[plan.mode[u]].use[r];
        return schedule::fits(held, problem.capacity());
    };
    for (const graph::index v : list) {
        double ready = 0.0;
        for (const graph::index u : problem.precedence().predecessors(v)) ready = std::max(ready, end[u]);
        std::set<double> times{ready};
        for (const graph::index u : placed)
            for (const double time : {plan.start_s[u], end[u]})
                if (time > ready) times.insert(time);
        double best_end = std::numeric_limits<double>::infinity();
        for (std::uint32_t k = 0; k < problem.modes(v).size(); ++k) {
            const schedule::mode& m = problem.modes(v)[k];
            if (!schedule::fits(m.use, problem.capacity())) continue;
            for (const double start : times) {
                bool free = true;
                for (const double time : times)
                    if (time >= start && time < start + m.duration_s) free = free && fits_at(time, m.use);
                if (!free) continue;
                if (start + m.duration_s < best_end) {
                    best_end = start + m.duration_s;
                    plan.start_s[v] = start;
                    plan.mode[v] = k;
                }
                break;
            }
        }
        end[v] = best_end;
        plan.makespan_s = std::max(plan.makespan_s, best_end);
        placed.push_back(v);
    }
    return plan;
}

} // namespace dovetail::bench
