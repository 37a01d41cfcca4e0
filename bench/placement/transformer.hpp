#pragma once
/// \file
/// A transformer as the placement benchmarks see it, in fixed storage and on the heap.

#include <dovetail/placement/layer_graph.hpp>

#include <cstddef>
#include <cstdint>

namespace dovetail::bench {

using placement::fixed_layer_chain;
using placement::layer;
using placement::layer_graph;
using placement::link_as_chain;
using placement::width_costs;

inline constexpr std::size_t widths = 3;

/// A transformer: an embedding, equal layers and a head, where a device holds few layers and their stashes.
template <std::size_t Layers>
fixed_layer_chain<Layers, widths> fixed_transformer() {
    fixed_layer_chain<Layers, widths> problem;
    link_as_chain(problem.edges);
    problem.devices = 1024;
    problem.micro_batches = 4096;
    problem.hbm_bytes = 64e9;
    problem.link_bytes_per_s = 4e9;
    for (std::size_t w = 0; w < widths; ++w) {
        auto& costs = problem.widths[w];
        costs.width = std::int64_t{1} << w;
        const double share = 1.0 / static_cast<double>(costs.width);
        for (layer& l : costs.layers)
            l = {.forward_s = 2e-3 * share + 2e-4,
                 .backward_s = 4e-3 * share + 4e-4,
                 .update_s = 1e-4 * share,
                 .resident_bytes = 4e9 * share,
                 .reduce_bytes = 5e8 * share,
                 .activation_bytes = 1e9 * share,
                 .stash_bytes = 1e9 * share,
                 .tensor_parallel = w > 0,
                 .weight_gradient_s = 2e-3 * share + 2e-4,
                 .attention_forward_s = 3e-4 * share,
                 .attention_stash_bytes = 4e8 * share,
                 .optimizer_bytes = 3e9 * share};
        costs.layers.front().resident_bytes *= 3.0;
        costs.layers.front().forward_s = 1e-4;
        costs.layers.back().reduce_bytes *= 2.0;
        for (double& bytes : costs.edge_bytes) bytes = 4e6;
    }
    return problem;
}

template <std::size_t Layers>
layer_graph transformer() {
    const auto fixed = fixed_transformer<Layers>();
    layer_graph problem;
    problem.edges.assign(fixed.edges.begin(), fixed.edges.end());
    problem.devices = fixed.devices;
    problem.micro_batches = fixed.micro_batches;
    problem.hbm_bytes = fixed.hbm_bytes;
    problem.link_bytes_per_s = fixed.link_bytes_per_s;
    for (const auto& costs : fixed.widths) {
        width_costs& copy = problem.widths.emplace_back();
        copy.width = costs.width;
        copy.layers.assign(costs.layers.begin(), costs.layers.end());
        copy.edge_bytes.assign(costs.edge_bytes.begin(), costs.edge_bytes.end());
    }
    return problem;
}

} // namespace dovetail::bench
