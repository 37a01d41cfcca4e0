#pragma once
/// \file
/// Seeded random problems of placement for latency, and the oracle for the small ones: every plan there is.

#include <dovetail/core/random.hpp>
#include <dovetail/placement/verify_latency.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::test {

/// What random problems look like.
struct device_shape {
    std::int64_t max_nodes = 7;
    std::int64_t max_accelerators = 3;
    double density = 0.35;   ///< of edges
    double colours = 0.3;    ///< share of nodes with a colour
    double free_nodes = 0.3; ///< share of nodes that take no time on the host
};

/// Nodes with whole bytes, some of cost 0, some unsupported; memory from none to plenty.
inline placement::device_graph random_device_graph(random_source& random, const device_shape& shape) {
    placement::device_graph problem;
    const auto n = static_cast<std::size_t>(random.integer(1, shape.max_nodes));
    const double dear_outputs = random.real() < 0.5 ? 2.0 : 20.0;
    for (std::size_t v = 0; v < n; ++v) {
        placement::device_node node;
        if (random.real() >= shape.free_nodes) node.cpu_s = static_cast<double>(random.integer(1, 40));
        node.accelerator_s = random.real() < 0.2 ? 0.0 : random.real(0.0, 8.0);
        node.size_bytes = static_cast<double>(random.integer(0, 10));
        node.output_s = random.real() < 0.2 ? 0.0 : random.real(0.0, dear_outputs);
        node.supported = random.real() < 0.9;
        if (random.real() < shape.colours)
            node.colour = static_cast<graph::index>(random.integer(0, n > 1 ? 1 : 0));
        problem.nodes.push_back(node);
    }
    for (graph::index u = 0; u < n; ++u)
        for (graph::index v = u + 1; v < n; ++v)
            if (random.real() < (v == u + 1 ? 0.6 : shape.density)) problem.edges.push_back({u, v});
    problem.accelerators = random.integer(0, shape.max_accelerators);
    problem.cpus = 1;
    problem.memory_bytes = static_cast<double>(random.integer(0, 10 * static_cast<std::int64_t>(n)));
    return problem;
}

/// The best of all placements, each of which `latency_of` times.
inline double best_latency_s(const placement::device_graph& problem) {
    double best_s = std::numeric_limits<double>::infinity();
    std::vector<graph::index> device(problem.nodes.size(), graph::none);
    const auto place = [&](const auto& self, std::size_t v, graph::index used) -> void {
        if (v == device.size()) {
            const auto latency_s = placement::latency_of(problem, device);
            if (latency_s) best_s = std::min(best_s, *latency_s);
            return;
        }
        device[v] = graph::none;
        self(self, v + 1, used);
        // Accelerators are alike: the first node of one takes the next number.
        for (graph::index a = 0; a <= used && a < problem.accelerators; ++a) {
            device[v] = a;
            self(self, v + 1, std::max(used, a + 1));
        }
        device[v] = graph::none;
    };
    place(place, 0, 0);
    return best_s;
}

} // namespace dovetail::test
