#pragma once
/// \file
/// What a device carries: load and memory of the nodes that it holds.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// A device of a plan with the sums of its nodes, as `max_load_program` defines them: an accelerator also
/// pays for every output that crosses its border, once. \param nodes in any order, each once \complexity
/// O(nodes log nodes + edges).
[[nodiscard]] inline device_share share_of(const device_graph& problem, device_kind kind,
                                           std::vector<graph::index> nodes) {
    device_share device{.kind = kind, .nodes = std::move(nodes)};
    std::sort(device.nodes.begin(), device.nodes.end());
    std::vector<std::uint8_t> held(problem.nodes.size());
    for (const graph::index v : device.nodes) {
        const device_node& node = problem.nodes[v];
        held[v] = 1;
        device.memory_bytes += node.size_bytes;
        device.load_s += kind == device_kind::cpu ? node.cpu_s : node.accelerator_s;
    }
    if (kind == device_kind::cpu) return device;
    graph::index charged = graph::none; // edges of one source stand together
    for (const auto [source, target] : problem.edges)
        if (held[source] != held[target] && std::exchange(charged, source) != source)
            device.load_s += problem.nodes[source].output_s;
    return device;
}

} // namespace dovetail::placement
