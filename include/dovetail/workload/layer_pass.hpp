#pragma once
/// \file
/// What runs in a layer: its fused groups in one pass, and the order among them.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::workload {

/// The groups of one layer in one pass that cost anything, and who waits for whom among them.
struct layer_pass {
    std::vector<index> groups; ///< as numbers of the fusion, ascending: a topological order
    graph::digraph precedence; ///< over positions in `groups`
};

/// The passes of all layers in the phases `first` to `last`: (forward, forward) is the forward pass,
/// (input_gradient, weight_gradient) the backward pass.
/// \param fused the fusion of `g` by `labels`
/// \param labels the layer of every operation
/// \complexity O((layers + operands) log operands).
[[nodiscard]] inline std::vector<layer_pass> passes(const operator_graph& g, const fusion& fused,
                                                    array_view<const index> labels, phase first, phase last) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const demand price(g);
    const graph::digraph quotient = precedence(g, fused);
    std::vector<layer_pass> layers;
    std::vector<std::vector<graph::arc>> arcs;
    std::vector<index> place(fused.groups.size(), none);
    // The nearest groups before each group that cost anything: groups of views are passed through.
    std::vector<std::vector<index>> before(fused.groups.size());
    for (index k = 0; k < fused.groups.size(); ++k) {
        const std::vector<index>& members = fused.groups[k].operations;
        const index label = labels[members.front()];
        const phase now = g.operations[members.front()].phase;
        if (now < first || now > last || label == none) continue;
        std::vector<index>& nearest = before[k];
        for (const index u : quotient.predecessors(k)) {
            if (labels[fused.groups[u].operations.front()] != label) continue;
            if (place[u] != none)
                nearest.push_back(u);
            else
                nearest.insert(nearest.end(), before[u].begin(), before[u].end());
        }
        if (std::all_of(members.begin(), members.end(), [&](index v) { return price.free(v); })) continue;
        std::sort(nearest.begin(), nearest.end());
        nearest.erase(std::unique(nearest.begin(), nearest.end()), nearest.end());
        if (layers.size() <= label) {
            layers.resize(label + std::size_t{1});
            arcs.resize(label + std::size_t{1});
        }
        place[k] = static_cast<index>(layers[label].groups.size());
        layers[label].groups.push_back(k);
        for (const index u : nearest) arcs[label].push_back({place[u], place[k]});
    }
    for (std::size_t l = 0; l < layers.size(); ++l)
        layers[l].precedence = graph::digraph(layers[l].groups.size(), arcs[l]);
    return layers;
}

} // namespace dovetail::workload
