#pragma once
/// \file
/// The problem of placing operators on accelerators and CPUs: a weighted graph whose nodes cost one time on
/// the one and another on the other, whose outputs cost a transfer where they leave a device.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// One operator or layer, for one sample. Sums of bytes are exact as long as the bytes are whole and below
/// 2^53, and then "it fits" is exact too.
struct device_node {
    double cpu_s = 0.0;
    double accelerator_s = 0.0;        ///< means nothing where `supported` is false
    double size_bytes = 0.0;           ///< memory that it takes on an accelerator
    double output_s = 0.0;             ///< moves its output between an accelerator and the memory of the host
    bool supported = true;             ///< an accelerator can run it
    bool backward = false;             ///< belongs to the backward pass of training
    graph::index colour = graph::none; ///< nodes of one colour share a device; `none`: free

    friend constexpr bool operator==(const device_node&, const device_node&) = default;
};

/// Nodes to spread over accelerators and CPUs. The nodes are numbered in a topological order: every edge
/// leads from a lower to a higher number. Edges are sorted by source, then target, and all different.
struct device_graph {
    std::vector<device_node> nodes{};
    std::vector<graph::arc> edges{};
    std::int64_t accelerators = 0;
    std::int64_t cpus = 0;
    double memory_bytes = std::numeric_limits<double>::infinity(); ///< of one accelerator
};

/// Checks everything that the planners take for granted about a problem that nobody has checked.
/// \returns errc::empty_space without a node, errc::out_of_range for a number outside its range, errc::shape
/// where edges are not in topological order and sorted, repeat, or lead from a backward to a forward node.
[[nodiscard]] inline result<void> validate(const device_graph& problem) {
    const auto out_of_range = [](std::string place, auto value, std::string expected) {
        return error{errc::out_of_range, std::move(place), "it is " + to_text(value), std::move(expected)};
    };
    const std::size_t n = problem.nodes.size();
    if (n == 0)
        return error{errc::empty_space, "device graph", "it has no node", "there must be one at least"};
    if (problem.accelerators < 0)
        return out_of_range("accelerators", problem.accelerators, "it must be 0 or more");
    if (problem.cpus < 0) return out_of_range("cpus", problem.cpus, "it must be 0 or more");
    if (!(problem.memory_bytes >= 0.0))
        return out_of_range("memory_bytes", problem.memory_bytes, "it must be 0 or more");
    for (std::size_t v = 0; v < n; ++v) {
        const device_node& node = problem.nodes[v];
        const std::array<std::pair<const char*, double>, 4> fields{{{"cpu_s", node.cpu_s},
                                                                    {"accelerator_s", node.accelerator_s},
                                                                    {"size_bytes", node.size_bytes},
                                                                    {"output_s", node.output_s}}};
        const std::string place = "node " + to_text(v) + ": ";
        for (const auto& [name, value] : fields)
            if (!(value >= 0.0) || !std::isfinite(value))
                return out_of_range(place + name, value, "it must be a finite number, 0 or more");
        if (node.colour != graph::none && node.colour >= n)
            return out_of_range(place + "colour", node.colour, "colours are numbered below " + to_text(n));
    }
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const auto [source, target] = problem.edges[e];
        const auto wrong = [&, from = source, to = target](std::string expected) {
            return error{errc::shape, "edge " + to_text(e),
                         "it leads from node " + to_text(from) + " to node " + to_text(to),
                         std::move(expected)};
        };
        const graph::arc last = e == 0 ? graph::arc{0, 0} : problem.edges[e - 1];
        const bool sorted = last.source < source || (last.source == source && last.target < target);
        if (source >= target || target >= n || !sorted)
            return wrong("edges lead to a higher node below " + to_text(n) +
                         ", are sorted by source and target, and differ");
        if (problem.nodes[source].backward && !problem.nodes[target].backward)
            return wrong("no edge leads from a backward to a forward node");
    }
    return {};
}

} // namespace dovetail::placement
