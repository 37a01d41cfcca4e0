#pragma once
/// \file
/// Longest paths by vertex weight: earliest starts (heads) and the work that must follow (tails).

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <vector>

namespace dovetail::graph {

/// For every vertex the weight of the heaviest path that ends just before it. `order` is a topological order,
/// `weight` has one entry a vertex. \complexity O(vertices + edges).
[[nodiscard]] constexpr std::vector<double> heads(const digraph& g, array_view<const index> order,
                                                  array_view<const double> weight) {
    DOVETAIL_ASSERT(weight.size() == g.vertex_count(), "one weight a vertex");
    std::vector<double> head(g.vertex_count(), 0.0);
    for (const index v : order)
        for (const index w : g.successors(v)) head[w] = std::max(head[w], head[v] + weight[v]);
    return head;
}

/// For every vertex the weight of the heaviest path that starts just after it.
[[nodiscard]] constexpr std::vector<double> tails(const digraph& g, array_view<const index> order,
                                                  array_view<const double> weight) {
    DOVETAIL_ASSERT(weight.size() == g.vertex_count(), "one weight a vertex");
    std::vector<double> tail(g.vertex_count(), 0.0);
    for (auto v = order.rbegin(); v != order.rend(); ++v)
        for (const index w : g.successors(*v)) tail[*v] = std::max(tail[*v], weight[w] + tail[w]);
    return tail;
}

/// The weight of the heaviest path of the graph; 0 for an empty one.
[[nodiscard]] constexpr double longest_path(const digraph& g, array_view<const index> order,
                                            array_view<const double> weight) {
    const std::vector<double> head = heads(g, order, weight);
    double longest = 0.0;
    for (const index v : order) longest = std::max(longest, head[v] + weight[v]);
    return longest;
}

} // namespace dovetail::graph
