#pragma once
/// \file
/// Placements for latency that take no search: accelerators filled one after another along an order.

#include <dovetail/core/random.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/latency_units.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// A topological order of the units that goes on with the consumers of the last one where it can, in an order
/// drawn from `random`.
[[nodiscard]] inline std::vector<graph::index> depth_first_order(const latency_units& units,
                                                                 random_source& random) {
    std::vector<std::vector<graph::index>> consumers(units.size());
    std::vector<std::size_t> waits(units.size(), 0);
    for (std::size_t u = 0; u < units.size(); ++u)
        for (const graph::index v : units.nodes(u))
            for (const graph::index w : units.edges().successors(v)) {
                const graph::index to = units.unit_of(w);
                if (to == graph::none || to == u) continue;
                consumers[u].push_back(to);
                ++waits[to];
            }
    std::vector<graph::index> ready, order;
    for (std::size_t u = units.size(); u-- > 0;)
        if (waits[u] == 0) ready.push_back(static_cast<graph::index>(u));
    while (!ready.empty()) {
        const graph::index u = ready.back();
        ready.pop_back();
        order.push_back(u);
        const std::size_t first = ready.size();
        for (const graph::index w : consumers[u])
            if (--waits[w] == 0) ready.push_back(w);
        for (std::size_t i = ready.size(); i > first + 1; --i) {
            const auto j = static_cast<std::size_t>(
                random.integer(static_cast<std::int64_t>(first), static_cast<std::int64_t>(i) - 1));
            std::swap(ready[i - 1], ready[j]);
        }
    }
    return order;
}

/// A placement and its latency.
struct timed_placement {
    double latency_s = 0.0;
    std::vector<graph::index> device{}; ///< by node
};

/// Takes the units in order and puts as many on an accelerator as it can run and hold, then turns to the next
/// one; what is left over stays on the host.
class latency_fill {
public:
    latency_fill(const device_graph& problem, const latency_units& units)
        : problem_(problem), units_(units) {}

    /// \complexity O(units + edges).
    [[nodiscard]] timed_placement operator()(const std::vector<graph::index>& order,
                                             std::size_t accelerators) const {
        timed_placement answer{0.0, std::vector<graph::index>(problem_.nodes.size(), graph::none)};
        std::vector<double> done_s(problem_.nodes.size(), 0.0);
        graph::index used = 0;
        for (std::size_t begin = 0; begin < order.size();) {
            const std::size_t end = used < accelerators ? group_end(order, begin) : begin;
            std::vector<graph::index> nodes;
            for (std::size_t i = begin; i < std::max(end, begin + 1); ++i)
                nodes.insert(nodes.end(), units_.nodes(order[i]).begin(), units_.nodes(order[i]).end());
            if (end == begin) {
                for (const graph::index v : nodes) done_s[v] = ready_s(v, done_s) + problem_.nodes[v].cpu_s;
            } else {
                with_sinks(nodes);
                for (const graph::index v : nodes) answer.device[v] = used;
                run(nodes, answer.device, done_s);
                ++used;
            }
            for (const graph::index v : nodes) answer.latency_s = std::max(answer.latency_s, done_s[v]);
            begin = std::max(end, begin + 1);
        }
        return answer;
    }

private:
    // The end of the longest group that begins at a place of the order; the place itself where there is none.
    [[nodiscard]] std::size_t group_end(const std::vector<graph::index>& order, std::size_t begin) const {
        double size_bytes = 0.0;
        std::size_t end = begin;
        std::vector<graph::index> missing; // tied units of those taken
        std::vector<graph::index> taken;
        for (std::size_t i = begin; i < order.size(); ++i) {
            for (const graph::index v : units_.nodes(order[i])) {
                size_bytes += problem_.nodes[v].size_bytes;
                if (!problem_.nodes[v].supported) return end;
            }
            if (size_bytes > problem_.memory_bytes) return end;
            taken.push_back(order[i]);
            std::erase(missing, order[i]);
            for (const graph::index other : units_.tied(order[i]))
                if (std::find(taken.begin(), taken.end(), other) == taken.end() &&
                    std::find(missing.begin(), missing.end(), other) == missing.end())
                    missing.push_back(other);
            if (missing.empty()) end = i + 1;
        }
        return end;
    }

    // Takes along the sinks that hang on the nodes of a group, as far as they fit.
    void with_sinks(std::vector<graph::index>& nodes) const {
        double room = problem_.memory_bytes;
        for (const graph::index v : nodes) room -= problem_.nodes[v].size_bytes;
        for (std::size_t i = nodes.size(); i-- > 0;) {
            const hanging_sinks* sinks = units_.sinks_of(nodes[i]);
            if (sinks == nullptr || !sinks->supported || sinks->size_bytes > room) continue;
            room -= sinks->size_bytes;
            nodes.insert(nodes.end(), sinks->nodes.begin(), sinks->nodes.end());
        }
    }

    [[nodiscard]] double ready_s(graph::index v, const std::vector<double>& done_s) const {
        double start_s = 0.0;
        for (const graph::index u : units_.edges().predecessors(v)) start_s = std::max(start_s, done_s[u]);
        return start_s;
    }

    void run(const std::vector<graph::index>& nodes, const std::vector<graph::index>& device,
             std::vector<double>& done_s) const {
        const graph::index here = device[nodes.front()];
        std::vector<graph::index> producers;
        double start_s = 0.0;
        double load_s = 0.0;
        for (const graph::index v : nodes) {
            load_s += problem_.nodes[v].accelerator_s;
            for (const graph::index u : units_.edges().predecessors(v))
                if (device[u] != here) {
                    producers.push_back(u);
                    start_s = std::max(start_s, done_s[u]);
                }
            const auto out = units_.edges().successors(v);
            if (std::any_of(out.begin(), out.end(), [&](graph::index w) { return device[w] != here; }))
                load_s += problem_.nodes[v].output_s;
        }
        std::sort(producers.begin(), producers.end());
        producers.erase(std::unique(producers.begin(), producers.end()), producers.end());
        for (const graph::index u : producers) load_s += problem_.nodes[u].output_s;
        for (const graph::index v : nodes) done_s[v] = start_s + load_s;
    }

    const device_graph& problem_;
    const latency_units& units_;
};

} // namespace dovetail::placement::detail
