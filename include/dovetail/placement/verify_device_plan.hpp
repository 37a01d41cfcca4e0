#pragma once
/// \file
/// An independent check of a placement on devices: all of it recomputed from the nodes and edges alone.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Checks that a plan with devices places every node of a valid problem once, on no more devices than there
/// are; keeps colours together; puts on accelerators what they support and hold; lets no forward edge lead
/// back to an earlier device, nor, mirrored, a backward edge of nodes that belong to no forward node; and
/// that its figures are right, to a relative 1e-9.
/// \returns errc::shape or errc::out_of_range with the device, node or edge at fault.
[[nodiscard]] inline result<void> verify(const device_graph& problem, const device_plan& answer) {
    const std::size_t n = problem.nodes.size();
    const auto wrong = [](std::string place, std::string what, std::string expected) {
        return error{errc::shape, std::move(place), std::move(what), std::move(expected)};
    };
    const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(a, b); };

    std::vector<std::size_t> device_of(n, answer.devices.size());
    std::int64_t accelerators = 0;
    std::int64_t cpus = 0;
    for (std::size_t d = 0; d < answer.devices.size(); ++d) {
        ++(answer.devices[d].kind == device_kind::cpu ? cpus : accelerators);
        if (answer.devices[d].nodes.empty())
            return wrong("device " + to_text(d), "it holds nothing", "it must hold a node");
        for (const graph::index v : answer.devices[d].nodes) {
            if (v >= n || device_of[v] != answer.devices.size())
                return wrong("device " + to_text(d), "it holds node " + to_text(v),
                             "every node below " + to_text(n) + " must be held once");
            device_of[v] = d;
        }
    }
    for (std::size_t v = 0; v < n; ++v)
        if (device_of[v] == answer.devices.size())
            return wrong("node " + to_text(v), "no device holds it", "every node must be held once");
    if (accelerators > problem.accelerators)
        return error{errc::out_of_range, "accelerators", "the plan uses " + to_text(accelerators),
                     "there are " + to_text(problem.accelerators)};
    if (cpus > problem.cpus)
        return error{errc::out_of_range, "cpus", "the plan uses " + to_text(cpus),
                     "there are " + to_text(problem.cpus)};

    std::vector<std::size_t> device_of_colour(n, answer.devices.size());
    std::vector<bool> forward_colour(n, false);
    for (std::size_t v = 0; v < n; ++v) {
        const graph::index colour = problem.nodes[v].colour;
        if (colour == graph::none) continue;
        std::size_t& shared = device_of_colour[colour];
        if (shared == answer.devices.size()) shared = device_of[v];
        if (shared != device_of[v])
            return wrong("node " + to_text(v), "it is on device " + to_text(device_of[v]),
                         "its colour is on device " + to_text(shared));
        if (!problem.nodes[v].backward) forward_colour[colour] = true;
    }
    const auto belongs_to_forward = [&](graph::index v) {
        return problem.nodes[v].colour != graph::none && forward_colour[problem.nodes[v].colour];
    };
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const auto [source, target] = problem.edges[e];
        const bool forward = !problem.nodes[source].backward && !problem.nodes[target].backward;
        const bool mirrored = problem.nodes[source].backward && problem.nodes[target].backward &&
                              !(belongs_to_forward(source) && belongs_to_forward(target));
        if ((forward && device_of[source] > device_of[target]) ||
            (mirrored && device_of[source] < device_of[target]))
            return wrong("edge " + to_text(e),
                         "it leads from device " + to_text(device_of[source]) + " to device " +
                             to_text(device_of[target]),
                         "devices must follow one another");
    }

    double max_load_s = 0.0;
    for (std::size_t d = 0; d < answer.devices.size(); ++d) {
        const device_share& device = answer.devices[d];
        double load_s = 0.0;
        double bytes = 0.0;
        std::vector<bool> pays(n, false);
        for (const auto [source, target] : problem.edges)
            if ((device_of[source] == d) != (device_of[target] == d)) pays[source] = true;
        for (std::size_t v = 0; v < n; ++v) {
            const device_node& node = problem.nodes[v];
            if (device.kind == device_kind::accelerator && pays[v]) load_s += node.output_s;
            if (device_of[v] != d) continue;
            bytes += node.size_bytes;
            load_s += device.kind == device_kind::cpu ? node.cpu_s : node.accelerator_s;
            if (device.kind == device_kind::accelerator && !node.supported)
                return wrong("device " + to_text(d), "it holds node " + to_text(v),
                             "no accelerator can run this node");
        }
        if (device.kind == device_kind::accelerator && bytes > problem.memory_bytes)
            return error{errc::out_of_range, "device " + to_text(d), "it holds " + to_text(bytes) + " bytes",
                         "it has " + to_text(problem.memory_bytes)};
        if (!same(load_s, device.load_s) || !same(bytes, device.memory_bytes))
            return wrong("device " + to_text(d),
                         "the plan has it at " + to_text(device.load_s) + " s and " +
                             to_text(device.memory_bytes) + " bytes",
                         "it is at " + to_text(load_s) + " s and " + to_text(bytes) + " bytes");
        max_load_s = std::max(max_load_s, load_s);
    }
    if (!same(answer.max_load_s, max_load_s) || answer.lower_bound_s > answer.max_load_s)
        return wrong("plan",
                     "its largest load is " + to_text(answer.max_load_s) + " s, its bound " +
                         to_text(answer.lower_bound_s) + " s",
                     "the largest load is " + to_text(max_load_s) + " s, which bounds the bound");
    return {};
}

} // namespace dovetail::placement
