#pragma once
/// \file
/// Strongly connected components: which vertices reach each other.

#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::graph {

/// The component of every vertex, numbered so that no arc leads from a component to a higher one: a reverse
/// topological order of the graph that contraction makes. Tarjan's algorithm (SIAM J. Comput. 1972) without
/// recursion. \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<index> strong_components(const digraph& g) {
    const std::size_t n = g.vertex_count();
    std::vector<index> component(n, none);
    std::vector<index> seen(n, none); // when the walk first came by
    std::vector<index> low(n, none);  // the earliest vertex still open that it is known to reach
    std::vector<index> next(n, 0);    // the next successor to look at
    std::vector<index> path;
    std::vector<index> open; // seen, component still unknown
    index seen_count = 0;
    index components = 0;
    for (index root = 0; root < n; ++root) {
        if (seen[root] != none) continue;
        path.push_back(root);
        while (!path.empty()) {
            const index v = path.back();
            if (seen[v] == none) {
                seen[v] = low[v] = seen_count++;
                open.push_back(v);
            }
            if (next[v] < g.successors(v).size()) {
                const index w = g.successors(v)[next[v]++];
                if (seen[w] == none)
                    path.push_back(w);
                else if (component[w] == none)
                    low[v] = std::min(low[v], seen[w]);
                continue;
            }
            path.pop_back();
            if (!path.empty()) low[path.back()] = std::min(low[path.back()], low[v]);
            if (low[v] != seen[v]) continue;
            while (component[v] == none) {
                component[open.back()] = components;
                open.pop_back();
            }
            ++components;
        }
    }
    return component;
}

} // namespace dovetail::graph
