#pragma once
/// \file
/// Topological order, and the cycle that stands in its way.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace dovetail::graph {

/// The vertices of one cycle, in the order of its arcs; empty when the graph is acyclic.
/// \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<index> find_cycle(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> remaining_out(n, 0);
    std::vector<index> sinks;
    for (index v = 0; v < n; ++v) {
        remaining_out[v] = static_cast<index>(g.successors(v).size());
        if (remaining_out[v] == 0) sinks.push_back(v);
    }
    std::size_t removed = 0;
    for (; removed < sinks.size(); ++removed)
        for (const index u : g.predecessors(sinks[removed]))
            if (--remaining_out[u] == 0) sinks.push_back(u);
    if (removed == n) return {};

    // Every vertex left has a successor left, so walking along them must close a cycle.
    index v = 0;
    while (remaining_out[v] == 0) ++v;
    std::vector<index> position(n, none);
    std::vector<index> walk;
    while (position[v] == none) {
        position[v] = static_cast<index>(walk.size());
        walk.push_back(v);
        for (const index w : g.successors(v))
            if (remaining_out[w] != 0) {
                v = w;
                break;
            }
    }
    walk.erase(walk.begin(), walk.begin() + position[v]);
    return walk;
}

/// The topological order that always takes the smallest free vertex: unique, and the identity where the
/// numbering is topological already.
/// \returns errc::cycle, with the cycle spelled out by vertex number.
/// \complexity O((vertices + edges) log vertices).
[[nodiscard]] constexpr result<std::vector<index>> topological_order(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> remaining_in(n, 0);
    std::vector<index> free;
    for (index v = 0; v < n; ++v) {
        remaining_in[v] = static_cast<index>(g.predecessors(v).size());
        if (remaining_in[v] == 0) free.push_back(v);
    }
    std::make_heap(free.begin(), free.end(), std::greater<>{});
    std::vector<index> order;
    order.reserve(n);
    while (!free.empty()) {
        std::pop_heap(free.begin(), free.end(), std::greater<>{});
        const index v = free.back();
        free.pop_back();
        order.push_back(v);
        for (const index w : g.successors(v))
            if (--remaining_in[w] == 0) {
                free.push_back(w);
                std::push_heap(free.begin(), free.end(), std::greater<>{});
            }
    }
    if (order.size() == n) return order;

    std::string path;
    const std::vector<index> cycle = find_cycle(g);
    for (const index v : cycle) path += to_text(v) + " -> ";
    return error{errc::cycle, "graph", "it has a cycle: " + path + to_text(cycle.front()),
                 "the graph must be acyclic"};
}

} // namespace dovetail::graph
