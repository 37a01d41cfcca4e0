#pragma once
/// \file
/// The instances of Piper (Tarnawski et al., NeurIPS 2021) as placement problems.

#include <dovetail/core/read_file.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/reading.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/placement/variant_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

/// A problem of layers with variants and what its file calls the layers.
struct piper_placement {
    placement::variant_graph problem;
    std::vector<std::int64_t> layer_ids; ///< by layer of the problem
};

namespace detail {

inline constexpr std::int64_t piper_most_id = std::int64_t{1} << 53;
inline constexpr std::int64_t piper_most_devices = 1'000'000'000;

// The keys of the format, object by object. Published files carry the unused one as "debug information".
struct piper_keys {
    static constexpr std::array<std::string_view, 7> instance{
        "maxMemoryPerDevice", "maxDevices", "bandwidth", "mbsInBatch", "maxBatchSize", "nodes", "edges"};
    static constexpr std::array<std::string_view, 2> layer{"id", "TMPCs"};
    static constexpr std::array<std::string_view, 1> unused_of_layer{"name"};
    static constexpr std::array<std::string_view, 7> variant{
        "id", "timePerSample", "parameterSize", "memoryUsageA", "memoryUsageB", "syncTimeFw", "syncTimeBw"};
    static constexpr std::array<std::string_view, 3> edge{"sourceId", "destId", "communicationCost"};
};

// Every member that a file of this format has, one at a time; the first problem stops the rest.
class piper_members {
public:
    piper_members(const place& where, const known_keys& known) : where_(where), outcome_(where.only(known)) {}

    piper_members& number(std::string_view key, double& target, bool positive = false) {
        return read(key, target, [&](const place& p) -> result<double> {
            auto x = p.number(0.0);
            if (x && positive && *x == 0.0)
                return p.wrong(errc::out_of_range, "it is 0", "it must be positive");
            return x;
        });
    }
    piper_members& integer(std::string_view key, std::int64_t& target, std::int64_t least,
                           std::int64_t most) {
        return read(key, target, [&](const place& p) { return p.integer(least, most); });
    }
    piper_members& text(std::string_view key, std::string& target) {
        return read(key, target, [](const place& p) { return p.text(); });
    }
    [[nodiscard]] const result<void>& outcome() const { return outcome_; }

private:
    template <class Target, class Read>
    piper_members& read(std::string_view key, Target& target, Read read_value) {
        if (!outcome_) return *this;
        const auto member = where_.member(key);
        if (!member) {
            outcome_ = member.problem();
            return *this;
        }
        auto value = read_value(*member);
        if (value)
            target = std::move(*value);
        else
            outcome_ = std::move(value).problem();
        return *this;
    }

    const place& where_;
    result<void> outcome_;
};

struct piper_edge {
    std::int64_t source = 0;
    std::int64_t target = 0;
    double bytes = 0.0;
};

// A variant as the file lists it: what it synchronises by the id of the layer at the other end.
struct piper_variant {
    placement::layer_variant costs;
    std::string in_path, out_path; // of the two tables
    std::map<std::int64_t, double> in_sync;
    std::map<std::int64_t, double> out_sync;
};

struct piper_layer {
    std::int64_t id = 0;
    std::map<std::int64_t, std::vector<piper_variant>> widths;
};

[[nodiscard]] inline result<std::map<std::int64_t, double>> read_sync(const place& variant,
                                                                      std::string_view key) {
    const auto table = variant.member(key);
    if (!table) return table.problem();
    const auto entries = table->members();
    if (!entries) return entries.problem();
    std::map<std::int64_t, double> bytes;
    for (const auto& [text, value] : *entries) {
        const auto id = parse_number<std::int64_t>(text);
        if (!id)
            return value.wrong(errc::parse, "the layer is '" + text + "'", "it must be the id of a layer");
        const auto x = value.number(0.0);
        if (!x) return x.problem();
        if (!bytes.emplace(*id, *x).second)
            return value.wrong(errc::shape, "layer " + to_text(*id) + " is there twice",
                               "every edge has one entry");
    }
    return bytes;
}

[[nodiscard]] inline result<piper_variant> read_variant(const place& where) {
    piper_variant variant;
    placement::layer_variant& costs = variant.costs;
    piper_members members(where, {piper_keys::variant});
    members.text("id", costs.name)
        .number("timePerSample", costs.seconds)
        .number("parameterSize", costs.parameter_bytes)
        .number("memoryUsageA", costs.bytes_per_turn)
        .number("memoryUsageB", costs.fixed_bytes);
    if (!members.outcome()) return members.outcome().problem();
    auto in = read_sync(where, "syncTimeFw");
    if (!in) return std::move(in).problem();
    variant.in_sync = *std::move(in);
    variant.in_path = where.member("syncTimeFw")->path();
    auto out = read_sync(where, "syncTimeBw");
    if (!out) return std::move(out).problem();
    variant.out_sync = *std::move(out);
    variant.out_path = where.member("syncTimeBw")->path();
    return variant;
}

[[nodiscard]] inline result<piper_layer> read_layer(const place& where) {
    piper_layer layer;
    piper_members members(where, {piper_keys::layer, piper_keys::unused_of_layer});
    members.integer("id", layer.id, -piper_most_id, piper_most_id);
    if (!members.outcome()) return members.outcome().problem();
    const auto table = where.member("TMPCs");
    if (!table) return table.problem();
    const auto widths = table->members();
    if (!widths) return widths.problem();
    bool runs = false;
    for (const auto& [key, list] : *widths) {
        const auto width = parse_number<std::int64_t>(key);
        if (!width || *width < 1 || *width > piper_most_devices)
            return list.wrong(errc::out_of_range, "the tensor width is '" + key + "'",
                              "it must be a whole number from 1 to " + readable(piper_most_devices));
        const auto variants = list.elements();
        if (!variants) return variants.problem();
        const auto [into, fresh] = layer.widths.try_emplace(*width);
        if (!fresh)
            return list.wrong(errc::shape, "the tensor width " + to_text(*width) + " is there twice",
                              "every width has one list");
        std::set<std::string> names;
        for (const place& p : *variants) {
            auto variant = read_variant(p);
            if (!variant) return std::move(variant).problem();
            if (!names.insert(variant->costs.name).second)
                return p.wrong(errc::shape, "its id '" + variant->costs.name + "' is there twice",
                               "every variant of a width has an id of its own");
            into->second.push_back(*std::move(variant));
            runs = true;
        }
    }
    if (!runs)
        return table->wrong(errc::empty_space, "it lists no variant",
                            "the layer must have one at some width");
    return layer;
}

[[nodiscard]] inline result<std::vector<piper_layer>> read_piper_layers(const place& root) {
    const auto list = root.member("nodes");
    if (!list) return list.problem();
    const auto nodes = list->elements();
    if (!nodes) return nodes.problem();
    if (nodes->empty())
        return list->wrong(errc::empty_space, "it lists no layer", "it must list one at least");
    std::vector<piper_layer> layers;
    std::set<std::int64_t> ids;
    for (const place& node : *nodes) {
        auto layer = read_layer(node);
        if (!layer) return std::move(layer).problem();
        if (!ids.insert(layer->id).second)
            return node.wrong(errc::shape, "its id " + to_text(layer->id) + " is there twice",
                              "every layer has an id of its own");
        layers.push_back(*std::move(layer));
    }
    return layers;
}

[[nodiscard]] inline result<std::vector<piper_edge>> read_piper_edges(const place& root,
                                                                      const std::set<std::int64_t>& ids) {
    const auto list = root.member("edges");
    if (!list) return list.problem();
    const auto elements = list->elements();
    if (!elements) return elements.problem();
    std::vector<piper_edge> edges;
    std::set<std::pair<std::int64_t, std::int64_t>> ends;
    for (const place& p : *elements) {
        piper_edge edge;
        piper_members members(p, {piper_keys::edge});
        members.integer("sourceId", edge.source, -piper_most_id, piper_most_id)
            .integer("destId", edge.target, -piper_most_id, piper_most_id)
            .number("communicationCost", edge.bytes);
        if (!members.outcome()) return members.outcome().problem();
        for (const std::int64_t id : {edge.source, edge.target})
            if (!ids.contains(id))
                return p.wrong(errc::unknown_name, "it joins layer " + to_text(id),
                               "edges join layers that 'nodes' lists");
        if (!ends.emplace(edge.source, edge.target).second)
            return p.wrong(errc::shape,
                           "the edge from " + to_text(edge.source) + " to " + to_text(edge.target) +
                               " is there twice",
                           "two layers have one edge at most");
        edges.push_back(edge);
    }
    return edges;
}

// The bytes of `table` in the order of `others`, which must be exactly its layers.
[[nodiscard]] inline result<std::vector<double>> aligned_sync(const std::map<std::int64_t, double>& table,
                                                              const std::vector<std::int64_t>& others,
                                                              const std::string& path,
                                                              std::string_view expected) {
    std::vector<double> bytes;
    for (const std::int64_t id : others) {
        const auto entry = table.find(id);
        if (entry == table.end())
            return error{errc::parse, path, "the key '" + to_text(id) + "' is missing",
                         std::string(expected)};
        bytes.push_back(entry->second);
    }
    for (const auto& [id, value] : table)
        if (std::find(others.begin(), others.end(), id) == others.end())
            return error{errc::unknown_name, path, "it has an entry for layer " + to_text(id),
                         std::string(expected)};
    return bytes;
}

// Numbers the layers topologically and hands everything over to the problem.
[[nodiscard]] inline result<void> build_problem(std::vector<piper_layer> layers,
                                                const std::vector<piper_edge>& edges,
                                                const std::string& nodes_path, piper_placement& into) {
    std::map<std::int64_t, graph::index> listed;
    for (const piper_layer& l : layers) listed.emplace(l.id, static_cast<graph::index>(listed.size()));
    std::vector<graph::arc> arcs;
    for (const piper_edge& e : edges) arcs.push_back({listed.at(e.source), listed.at(e.target)});
    const graph::digraph g(layers.size(), arcs);
    const auto order = graph::topological_order(g);
    if (!order) {
        const std::vector<graph::index> cycle = graph::find_cycle(g);
        std::string way;
        for (const graph::index v : cycle) way += to_text(layers[v].id) + " -> ";
        return error{errc::cycle, nodes_path,
                     "its layers form a cycle: " + way + to_text(layers[cycle[0]].id),
                     "no layer may need itself"};
    }
    std::vector<graph::index> number(layers.size());
    for (const graph::index v : *order) {
        number[v] = static_cast<graph::index>(into.layer_ids.size());
        into.layer_ids.push_back(layers[v].id);
    }
    placement::variant_graph& problem = into.problem;
    for (std::size_t e = 0; e < edges.size(); ++e)
        problem.edges.push_back({number[arcs[e].source], number[arcs[e].target], edges[e].bytes});
    std::sort(problem.edges.begin(), problem.edges.end(), [](const auto& a, const auto& b) {
        return a.source != b.source ? a.source < b.source : a.target < b.target;
    });
    std::vector<std::vector<std::int64_t>> producers(layers.size());
    std::vector<std::vector<std::int64_t>> consumers(layers.size());
    for (const placement::variant_edge& e : problem.edges) {
        producers[e.target].push_back(into.layer_ids[e.source]);
        consumers[e.source].push_back(into.layer_ids[e.target]);
    }
    for (const graph::index v : *order) {
        const std::size_t at = problem.layers.size();
        placement::variant_layer& layer = problem.layers.emplace_back();
        for (auto& [width, variants] : layers[v].widths) {
            placement::width_variants& target = layer.widths.emplace_back();
            target.width = width;
            for (piper_variant& variant : variants) {
                auto in = aligned_sync(variant.in_sync, producers[at], variant.in_path,
                                       "it has one for every edge into the layer");
                if (!in) return std::move(in).problem();
                auto out = aligned_sync(variant.out_sync, consumers[at], variant.out_path,
                                        "it has one for every edge out of the layer");
                if (!out) return std::move(out).problem();
                variant.costs.in_sync_bytes = *std::move(in);
                variant.costs.out_sync_bytes = *std::move(out);
                target.variants.push_back(std::move(variant.costs));
            }
        }
    }
    return {};
}

} // namespace detail

/// Reads an instance from its text; errors call it `name`. Layers are renumbered topologically.
/// Keys that the format does not have are refused.
/// \returns errc::parse, errc::out_of_range, errc::unknown_name, errc::shape, errc::empty_space or
/// errc::cycle, with line, column and the way to the value at fault.
[[nodiscard]] inline result<piper_placement> read_piper_placement(std::string_view text,
                                                                  std::string_view name) {
    const auto document = parse(text, name);
    if (!document) return document.problem();
    const place root(*document);
    piper_placement instance;
    placement::variant_graph& problem = instance.problem;
    // What the files call mbsInBatch is maxBatchSize in the published description of the format.
    const std::string_view batch =
        root.has("maxBatchSize") && !root.has("mbsInBatch") ? "maxBatchSize" : "mbsInBatch";
    if (root.has("mbsInBatch") && root.has("maxBatchSize"))
        return root.wrong(errc::shape, "it has 'mbsInBatch' and 'maxBatchSize'",
                          "both are the micro-batches");
    detail::piper_members members(root, {detail::piper_keys::instance});
    members.number("maxMemoryPerDevice", problem.hbm_bytes, true)
        .integer("maxDevices", problem.devices, 1, detail::piper_most_devices)
        .number("bandwidth", problem.link_bytes_per_s, true)
        .integer(batch, problem.micro_batches, 1, detail::piper_most_devices);
    if (!members.outcome()) return members.outcome().problem();
    auto layers = detail::read_piper_layers(root);
    if (!layers) return std::move(layers).problem();
    std::set<std::int64_t> ids;
    for (const detail::piper_layer& l : *layers) ids.insert(l.id);
    const auto edges = detail::read_piper_edges(root, ids);
    if (!edges) return edges.problem();
    if (auto built =
            detail::build_problem(*std::move(layers), *edges, root.member("nodes")->path(), instance);
        !built)
        return std::move(built).problem();
    if (auto valid = placement::validate(problem); !valid) return error(valid.problem()).within(name);
    return instance;
}

/// Reads an instance from a file. \returns what `read_piper_placement` or `read_file` returns.
[[nodiscard]] inline result<piper_placement> load_piper_placement(const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) return text.problem();
    return read_piper_placement(*text, path.string());
}

} // namespace dovetail::ext::json
