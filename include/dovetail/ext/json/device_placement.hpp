#pragma once
/// \file
/// The instances of Tarnawski et al. (NeurIPS 2020) for placing operators on accelerators and CPUs.

#include <dovetail/core/read_file.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/members.hpp>
#include <dovetail/ext/json/reading.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/placement/device_graph.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

/// A problem of placement on devices and what its file calls the nodes.
struct device_placement {
    placement::device_graph problem;
    std::vector<std::int64_t> node_ids; ///< by node of the problem
};

namespace detail {

// The keys of the format, object by object. Published files carry the unused ones as "debug information".
struct device_keys {
    static constexpr std::array<std::string_view, 5> instance{"maxSizePerFPGA", "maxFPGAs", "maxCPUs",
                                                              "nodes", "edges"};
    static constexpr std::array<std::string_view, 7> node{
        "id", "supportedOnFpga", "cpuLatency", "fpgaLatency", "isBackwardNode", "size", "colorClass"};
    static constexpr std::array<std::string_view, 2> unused_of_node{"name", "layerId"};
    static constexpr std::array<std::string_view, 3> edge{"sourceId", "destId", "cost"};
    static constexpr std::array<std::string_view, 1> unused_of_edge{"size"};
};

// A node or an edge as the file lists it, before nodes are renumbered.
struct listed_node {
    std::int64_t id = 0;
    placement::device_node node;
};

// Instances write yes and no as true and false or as 1 and 0, both in one file at times.
[[nodiscard]] inline result<bool> yes_or_no(const place& p) {
    if (auto truth = p.boolean()) return truth;
    const auto number = p.integer(0, 1);
    if (!number)
        return error{number.problem().code, p.path(), number.problem().wrong,
                     "it must be true or false, or 1 or 0"};
    return *number == 1;
}

[[nodiscard]] inline auto any_id() { return from_to(-exact_integers, exact_integers); }

// \param colours the number of each colour, in the order in which the file first names them
[[nodiscard]] inline result<listed_node> read_node(const place& where,
                                                   std::unordered_map<std::int64_t, graph::index>& colours) {
    listed_node listed;
    placement::device_node& node = listed.node;
    std::int64_t colour = 0;
    if (auto known = where.only({device_keys::node, device_keys::unused_of_node}); !known)
        return std::move(known).problem();
    if (auto read = first_problem(
            read_member(where, "id", listed.id, any_id()),
            read_member(where, "supportedOnFpga", node.supported, yes_or_no),
            read_member(where, "cpuLatency", node.cpu_s, at_least(0.0)),
            read_member(where, "fpgaLatency", node.accelerator_s, at_least(0.0)),
            read_member(where, "isBackwardNode", node.backward, yes_or_no),
            where.has("size") ? read_member(where, "size", node.size_bytes, at_least(0.0)) : result<void>{},
            where.has("colorClass") ? read_member(where, "colorClass", colour, any_id()) : result<void>{});
        !read)
        return read.problem();
    if (where.has("colorClass"))
        node.colour = colours.emplace(colour, static_cast<graph::index>(colours.size())).first->second;
    return listed;
}

[[nodiscard]] inline result<std::vector<listed_node>> read_nodes(const place& list) {
    const auto elements = list.elements();
    if (!elements) return elements.problem();
    if (elements->empty())
        return list.wrong(errc::empty_space, "it lists no node", "it must list one at least");
    std::vector<listed_node> nodes;
    std::unordered_map<std::int64_t, graph::index> colours;
    for (const place& element : *elements) {
        auto node = read_node(element, colours);
        if (!node) return std::move(node).problem();
        nodes.push_back(*std::move(node));
    }
    return nodes;
}

// Reads the edges; what one costs is a cost of its source, which keeps it.
[[nodiscard]] inline result<std::vector<graph::arc>>
read_edges_of_devices(const place& list, const std::unordered_map<std::int64_t, graph::index>& position,
                      std::vector<listed_node>& nodes) {
    const auto elements = list.elements();
    if (!elements) return elements.problem();
    std::vector<graph::arc> edges;
    std::vector<std::optional<double>> charged(nodes.size());
    for (const place& element : *elements) {
        std::int64_t source = 0;
        std::int64_t target = 0;
        double cost = 0.0;
        if (auto known = element.only({device_keys::edge, device_keys::unused_of_edge}); !known)
            return std::move(known).problem();
        if (auto read = first_problem(read_member(element, "sourceId", source, any_id()),
                                      read_member(element, "destId", target, any_id()),
                                      read_member(element, "cost", cost, at_least(0.0)));
            !read)
            return read.problem();
        for (const std::int64_t id : {source, target})
            if (!position.contains(id))
                return element.wrong(errc::unknown_name, "it joins node " + to_text(id),
                                     "edges join nodes that 'nodes' lists");
        const graph::arc ends{position.at(source), position.at(target)};
        if (nodes[ends.source].node.backward && !nodes[ends.target].node.backward)
            return element.wrong(errc::shape,
                                 "it leads from backward node " + to_text(source) + " to forward node " +
                                     to_text(target),
                                 "no edge leads from a backward to a forward node");
        // One tensor has one cost; the last digits may differ where a program computed it edge by edge.
        const double first = charged[ends.source].value_or(cost);
        if (std::abs(cost - first) > 1e-9 * std::max(cost, first))
            return element.wrong(errc::shape,
                                 "its cost is " + to_text(cost) + ", but " + to_text(first) +
                                     " on another edge out of node " + to_text(source),
                                 "all edges out of one node carry the same cost");
        charged[ends.source] = nodes[ends.source].node.output_s = first;
        edges.push_back(ends);
    }
    return edges;
}

} // namespace detail

/// Reads an instance from its text; errors call it `name`. Nodes are renumbered topologically, colours from
/// 0 on; an edge that is listed twice is kept once.
/// Keys that the format does not have are refused.
/// \returns errc::parse, errc::out_of_range, errc::unknown_name, errc::shape, errc::empty_space or
/// errc::cycle, with line, column and the way to the value at fault.
[[nodiscard]] inline result<device_placement> read_device_placement(std::string_view text,
                                                                    std::string_view name) {
    using namespace detail;
    const auto document = parse(text, name);
    if (!document) return document.problem();
    const place root(*document);
    if (auto known = root.only({device_keys::instance}); !known) return std::move(known).problem();
    device_placement instance;
    placement::device_graph& problem = instance.problem;
    if (auto read =
            first_problem(read_member(root, "maxSizePerFPGA", problem.memory_bytes, at_least(0.0)),
                          read_member(root, "maxFPGAs", problem.accelerators, from_to(0, most_devices)),
                          read_member(root, "maxCPUs", problem.cpus, from_to(0, most_devices)));
        !read)
        return read.problem();
    const auto node_list = root.member("nodes");
    if (!node_list) return node_list.problem();
    auto nodes = read_nodes(*node_list);
    if (!nodes) return std::move(nodes).problem();
    std::unordered_map<std::int64_t, graph::index> position;
    for (std::size_t v = 0; v < nodes->size(); ++v)
        if (!position.emplace((*nodes)[v].id, static_cast<graph::index>(v)).second)
            return node_list->wrong(errc::shape, "it lists node " + to_text((*nodes)[v].id) + " twice",
                                    "every node has an id of its own");
    const auto edge_list = root.member("edges");
    if (!edge_list) return edge_list.problem();
    auto arcs = read_edges_of_devices(*edge_list, position, *nodes);
    if (!arcs) return std::move(arcs).problem();

    const graph::digraph edges(nodes->size(), *arcs);
    const auto order = graph::topological_order(edges);
    if (!order) {
        const std::vector<graph::index> cycle = graph::find_cycle(edges);
        std::string way;
        for (const graph::index v : cycle) way += to_text((*nodes)[v].id) + " -> ";
        return edge_list->wrong(errc::cycle, "they form a cycle: " + way + to_text((*nodes)[cycle[0]].id),
                                "no node may need itself");
    }
    std::vector<graph::index> number(nodes->size());
    for (const graph::index v : *order) {
        number[v] = static_cast<graph::index>(problem.nodes.size());
        problem.nodes.push_back((*nodes)[v].node);
        instance.node_ids.push_back((*nodes)[v].id);
    }
    for (const graph::arc& a : *arcs) problem.edges.push_back({number[a.source], number[a.target]});
    std::sort(problem.edges.begin(), problem.edges.end(), [](const graph::arc& a, const graph::arc& b) {
        return std::pair(a.source, a.target) < std::pair(b.source, b.target);
    });
    problem.edges.erase(std::unique(problem.edges.begin(), problem.edges.end()), problem.edges.end());
    if (auto valid = placement::validate(problem); !valid) return error(valid.problem()).within(name);
    return instance;
}

/// Reads an instance from a file. \returns what `read_device_placement` or `read_file` returns.
[[nodiscard]] inline result<device_placement> load_device_placement(const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) return text.problem();
    return read_device_placement(*text, path.string());
}

} // namespace dovetail::ext::json
