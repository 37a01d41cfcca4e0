#pragma once
/// \file
/// Checks placements for latency against the original graph alone. Shares no code with the search.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/latency_plan.hpp>
#include <dovetail/placement/verify.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace dovetail::placement {

/// The latency of a placement, straight from the definition (`latency_plan`).
/// \param device by node: the number of its accelerator, or `none`
/// \returns errc::out_of_range where a device does not exist, cannot run a node or hold its nodes, where a
/// colour is on two devices, or where an accelerator would wait for itself: the nodes of one that are not
/// contiguous, or of several that are not so together. \complexity O((accelerators + nodes) * edges).
[[nodiscard]] inline result<double> latency_of(const device_graph& problem,
                                               const std::vector<graph::index>& device) {
    const std::size_t n = problem.nodes.size();
    if (device.size() != n)
        return detail::broken_plan("device", "it has " + to_text(device.size()) + " entries",
                                   "there are " + to_text(n) + " nodes");
    std::vector<graph::index> of_colour(n, graph::none);
    std::vector<bool> coloured(n, false);
    // The tasks: every node on the host, and every accelerator, after them.
    std::vector<std::size_t> task(n);
    std::vector<double> load_s(n, 0.0), size_bytes;
    for (std::size_t v = 0; v < n; ++v) {
        const device_node& node = problem.nodes[v];
        const std::string place = "node " + to_text(v);
        if (node.colour != graph::none) {
            if (coloured[node.colour] && of_colour[node.colour] != device[v])
                return detail::broken_plan(place, "it is apart from another node of its colour",
                                           "a colour is on one device");
            coloured[node.colour] = true;
            of_colour[node.colour] = device[v];
        }
        if (device[v] == graph::none) {
            task[v] = v;
            load_s[v] = node.cpu_s;
            continue;
        }
        if (device[v] >= problem.accelerators)
            return detail::broken_plan(place, "it is on accelerator " + to_text(device[v]),
                                       "there are " + to_text(problem.accelerators));
        if (!node.supported)
            return detail::broken_plan(place, "it is on an accelerator", "it can only run on the host");
        task[v] = n + device[v];
        if (load_s.size() <= task[v]) load_s.resize(task[v] + 1, 0.0);
        if (size_bytes.size() <= device[v]) size_bytes.resize(device[v] + std::size_t{1}, 0.0);
        load_s[task[v]] += node.accelerator_s;
        size_bytes[device[v]] += node.size_bytes;
    }
    for (std::size_t a = 0; a < size_bytes.size(); ++a)
        if (size_bytes[a] > problem.memory_bytes * (1 + 1e-12))
            return detail::broken_plan("accelerator " + to_text(a),
                                       "its nodes take " + to_text(size_bytes[a]) + " bytes",
                                       "it has " + to_text(problem.memory_bytes));

    // Transfers: an accelerator pays for an output once, whoever on the other side takes it.
    for (std::size_t u = 0; u < n; ++u) {
        std::vector<std::size_t> takers;
        for (const graph::arc& e : problem.edges)
            if (e.source == u && task[e.target] != task[u]) takers.push_back(task[e.target]);
        if (takers.empty()) continue;
        if (task[u] >= n) load_s[task[u]] += problem.nodes[u].output_s;
        std::sort(takers.begin(), takers.end());
        takers.erase(std::unique(takers.begin(), takers.end()), takers.end());
        for (const std::size_t t : takers)
            if (t >= n) load_s[t] += problem.nodes[u].output_s;
    }

    // A task is done its load after the last task that it waits for; tasks in a cycle never are.
    std::vector<std::size_t> waits(load_s.size(), 0);
    for (const graph::arc& e : problem.edges)
        if (task[e.source] != task[e.target]) ++waits[task[e.target]];
    std::vector<double> start_s(load_s.size(), 0.0);
    std::vector<std::size_t> ready;
    for (std::size_t t = 0; t < load_s.size(); ++t)
        if (waits[t] == 0) ready.push_back(t);
    double latency_s = 0.0;
    for (std::size_t next = 0; next < ready.size(); ++next) {
        const std::size_t t = ready[next];
        const double done_s = start_s[t] + load_s[t];
        latency_s = std::max(latency_s, done_s);
        for (const graph::arc& e : problem.edges) {
            const std::size_t after = task[e.target];
            if (task[e.source] != t || after == t) continue;
            start_s[after] = std::max(start_s[after], done_s);
            if (--waits[after] == 0) ready.push_back(after);
        }
    }
    for (std::size_t a = n; a < load_s.size(); ++a)
        if (waits[a] != 0)
            return detail::broken_plan("accelerator " + to_text(a - n),
                                       "it waits for itself, or for one that does",
                                       "no way leads out of an accelerator and back");
    return latency_s;
}

/// Checks a plan: its devices, its latency within 1e-9 of its own, and its claim to be the best.
/// \returns the first violation.
[[nodiscard]] inline result<void> verify(const device_graph& problem, const latency_plan& answer) {
    const auto latency_s = latency_of(problem, answer.device);
    if (!latency_s) return latency_s.problem();
    const double tolerance_s = 1e-9 * *latency_s;
    if (!(std::abs(answer.latency_s - *latency_s) <= tolerance_s))
        return detail::broken_plan("latency_s", "it is " + to_text(answer.latency_s),
                                   "its devices make it " + to_text(*latency_s));
    if (!(answer.lower_bound_s <= answer.latency_s))
        return detail::broken_plan("lower_bound_s", "it is " + to_text(answer.lower_bound_s),
                                   "the plan takes " + to_text(answer.latency_s));
    if (answer.outcome != status::optimal && answer.outcome != status::budget)
        return detail::broken_plan("outcome", "it is " + std::string(to_string(answer.outcome)),
                                   "it is optimal or budget");
    if (answer.outcome == status::optimal && answer.latency_s - answer.lower_bound_s > tolerance_s)
        return detail::broken_plan("outcome",
                                   "it is optimal above a bound of " + to_text(answer.lower_bound_s),
                                   "an optimal plan meets its bound");
    return {};
}

} // namespace dovetail::placement
