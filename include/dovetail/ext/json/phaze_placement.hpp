#pragma once
/// \file
/// The stage planner's instances of PHAZE (Wang et al., ICML 2024) as a placement problem.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/read_file.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/members.hpp>
#include <dovetail/ext/json/reading.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/plan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

/// The plan that a file brings along to compare with, as an expert would have it: as many of the L layers
/// with ids 0 to L - 1 in every stage, in topological order, and what is left in the last of them; layers
/// with ids below 0, as the embedding, are in the first stage, those from L on, as the head, in the last.
struct fixed_plan {
    std::int64_t pipeline = 1;           ///< stages
    std::int64_t tensor = 1;             ///< the tensor width
    std::int64_t data = 1;               ///< replicas of the whole pipeline
    std::int64_t transformer_layers = 1; ///< the layers that the stages share out

    friend bool operator==(const fixed_plan&, const fixed_plan&) = default;
};

/// A placement problem and what its file calls the layers.
struct phaze_placement {
    placement::layer_graph problem;
    std::vector<std::int64_t> layer_ids; ///< by layer of the problem
    std::optional<fixed_plan> expert;    ///< where the file has one
};

namespace detail {

// The keys of the format, object by object. PHAZE's own program writes the unused one: the energy of a layer,
// which its planner does not read.
struct phaze_keys {
    static constexpr std::array<std::string_view, 12> instance{"maxMemoryPerDevice",
                                                               "maxDevices",
                                                               "bandwidth",
                                                               "mbsInBatch",
                                                               "activationRecomputation",
                                                               "optimizerAlgorithm",
                                                               "nodes",
                                                               "edges",
                                                               "fixedPP",
                                                               "fixedTMPC",
                                                               "fixedDP",
                                                               "numTransformerLayers"};
    static constexpr std::array<std::string_view, 6> layer{"id",
                                                           "parameterSize",
                                                           "activationSize",
                                                           "optimalLatencyFw",
                                                           "optimalLatencyBw",
                                                           "isTensorParallelized"};
    static constexpr std::array<std::string_view, 1> unused_of_layer{"energy"};
    static constexpr std::array<std::string_view, 3> edge{"sourceId", "destId", "communicationCost"};
};

struct phaze_edge {
    std::int64_t source = 0;
    std::int64_t target = 0;
    double bytes = 0.0;

    [[nodiscard]] auto ends() const { return std::tie(source, target); }
};

// One tensor width as the file lists it.
struct phaze_width {
    std::int64_t width = 0;
    std::string path; // with line and column
    std::string way;  // without
    std::vector<std::int64_t> ids;
    std::vector<placement::layer> layers;
    std::vector<phaze_edge> edges;
};

// \param copies of the parameters that stay resident: weights, gradients and the optimizer's own
[[nodiscard]] inline result<void> read_layers(const place& list, double copies, phaze_width& into) {
    const auto nodes = list.elements();
    if (!nodes) return nodes.problem();
    if (nodes->empty())
        return list.wrong(errc::empty_space, "it lists no layer", "it must list one at least");
    for (const place& node : *nodes) {
        std::int64_t id = 0;
        double parameters = 0.0;
        placement::layer l;
        if (auto read = first_problem(
                node.only({phaze_keys::layer, phaze_keys::unused_of_layer}),
                read_member(node, "id", id, from_to(-exact_integers, exact_integers)),
                read_member(node, "parameterSize", parameters, at_least(0.0)),
                read_member(node, "activationSize", l.activation_bytes, at_least(0.0)),
                read_member(node, "optimalLatencyFw", l.forward_s, at_least(0.0)),
                read_member(node, "optimalLatencyBw", l.backward_s, at_least(0.0)),
                read_member(node, "isTensorParallelized", l.tensor_parallel, std::mem_fn(&place::boolean)));
            !read)
            return read;
        l.resident_bytes = copies * parameters;
        l.optimizer_bytes = (copies - 2.0) * parameters; // all but weights and gradients
        // The format times the backward pass as a whole: its two gradients do the same arithmetic.
        l.weight_gradient_s = 0.5 * l.backward_s;
        l.reduce_bytes = 2.0 * parameters; // the format charges 4 (d - 1) / d of the parameters for a ring
        l.stash_bytes = l.activation_bytes;
        into.ids.push_back(id);
        into.layers.push_back(l);
    }
    return {};
}

[[nodiscard]] inline result<void> read_edges(const place& list, phaze_width& into) {
    const auto edges = list.elements();
    if (!edges) return edges.problem();
    for (const place& edge : *edges) {
        phaze_edge e;
        if (auto read = first_problem(
                edge.only({phaze_keys::edge}),
                read_member(edge, "sourceId", e.source, from_to(-exact_integers, exact_integers)),
                read_member(edge, "destId", e.target, from_to(-exact_integers, exact_integers)),
                read_member(edge, "communicationCost", e.bytes, at_least(0.0)));
            !read)
            return read;
        for (const std::int64_t id : {e.source, e.target})
            if (std::find(into.ids.begin(), into.ids.end(), id) == into.ids.end())
                return edge.wrong(errc::unknown_name, "it joins layer " + to_text(id),
                                  "edges join layers that '" + into.way + "' lists");
        into.edges.push_back(e);
    }
    sort_stably(into.edges.begin(), into.edges.end(),
                [](const phaze_edge& a, const phaze_edge& b) { return a.ends() < b.ends(); });
    return {};
}

[[nodiscard]] inline result<std::vector<phaze_width>> read_widths(const place& root, double copies) {
    const auto nodes = root.member("nodes");
    if (!nodes) return nodes.problem();
    const auto edges = root.member("edges");
    if (!edges) return edges.problem();
    const auto lists = nodes->members();
    if (!lists) return lists.problem();
    if (lists->empty())
        return nodes->wrong(errc::empty_space, "it has no tensor width", "it must have one at least");
    std::vector<phaze_width> widths;
    for (const auto& [key, list] : *lists) {
        const auto width = parse_number<std::int64_t>(key);
        if (!width || *width < 1 || *width > most_devices)
            return list.wrong(errc::out_of_range, "the tensor width is '" + key + "'",
                              "it must be a whole number from 1 to " + readable(most_devices));
        phaze_width& into = widths.emplace_back();
        into.width = *width;
        into.path = list.path();
        into.way = list.way();
        if (auto read = read_layers(list, copies, into); !read) return read.problem();
        const auto edge_list = edges->member(key);
        if (!edge_list) return edge_list.problem();
        if (auto read = read_edges(*edge_list, into); !read) return read.problem();
    }
    std::sort(widths.begin(), widths.end(),
              [](const phaze_width& a, const phaze_width& b) { return a.width < b.width; });
    return widths;
}

// The expert's plan: all of it or nothing.
[[nodiscard]] inline result<std::optional<fixed_plan>> read_fixed_plan(const place& root) {
    const auto part = from_to(1, most_devices);
    if (!root.has("fixedPP") && !root.has("fixedTMPC") && !root.has("fixedDP"))
        return std::optional<fixed_plan>();
    fixed_plan plan;
    if (auto read = first_problem(read_member(root, "fixedPP", plan.pipeline, part),
                                  read_member(root, "fixedTMPC", plan.tensor, part),
                                  read_member(root, "fixedDP", plan.data, part),
                                  read_member(root, "numTransformerLayers", plan.transformer_layers, part));
        !read)
        return read.problem();
    return std::optional(plan);
}

// Positions of the layers of `ids` by id, or the id that stands there twice.
[[nodiscard]] inline result<std::map<std::int64_t, graph::index>> number_layers(const phaze_width& w) {
    std::map<std::int64_t, graph::index> number;
    for (std::size_t v = 0; v < w.ids.size(); ++v)
        if (!number.emplace(w.ids[v], static_cast<graph::index>(v)).second)
            return error{errc::shape, w.path, "it lists layer " + to_text(w.ids[v]) + " twice",
                         "every layer has an id of its own"};
    return number;
}

// Checks that a width has the layers and edges of the first one.
[[nodiscard]] inline result<void> check_agreement(const phaze_width& first, const phaze_width& other) {
    const auto differ = [&](const std::string& what) {
        return error{errc::shape, other.path, "its " + what + " differ from those of '" + first.way + "'",
                     "every tensor width has the same layers and edges"};
    };
    std::vector<std::int64_t> a = first.ids;
    std::vector<std::int64_t> b = other.ids;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    if (a != b) return differ("layers");
    const auto same = [](const phaze_edge& x, const phaze_edge& y) { return x.ends() == y.ends(); };
    if (!std::equal(first.edges.begin(), first.edges.end(), other.edges.begin(), other.edges.end(), same))
        return differ("edges");
    return {};
}

} // namespace detail

/// Reads an instance from its text; errors call it `name`. Layers are renumbered topologically, widths
/// sorted. An expert's plan (`fixedPP` and its kin, all or none) is no part of the problem, and may be one
/// that does not fit. Keys that the format does not have are refused. \returns errc::parse,
/// errc::out_of_range, errc::unknown_name, errc::shape or errc::cycle, with line, column and the way to the
/// value at fault.
[[nodiscard]] inline result<phaze_placement> read_phaze_placement(std::string_view text,
                                                                  std::string_view name) {
    using namespace detail;
    const auto document = parse(text, name);
    if (!document) return document.problem();
    const place root(*document);
    if (auto known = root.only({phaze_keys::instance}); !known) return std::move(known).problem();
    phaze_placement instance;
    placement::layer_graph& problem = instance.problem;
    std::string optimizer;
    if (auto read = first_problem(
            read_member(root, "maxMemoryPerDevice", problem.hbm_bytes, positive()),
            read_member(root, "maxDevices", problem.devices, from_to(1, most_devices)),
            read_member(root, "bandwidth", problem.link_bytes_per_s, positive()),
            read_member(root, "mbsInBatch", problem.micro_batches, from_to(1, most_devices)),
            read_member(root, "activationRecomputation", problem.recompute, std::mem_fn(&place::boolean)),
            read_member(root, "optimizerAlgorithm", optimizer, std::mem_fn(&place::text)));
        !read)
        return read.problem();
    if (optimizer != "SGD" && optimizer != "Adam")
        return root.member("optimizerAlgorithm")
            ->wrong(errc::unknown_name, "it is '" + optimizer + "'", "it must be 'SGD' or 'Adam'");
    auto expert = read_fixed_plan(root);
    if (!expert) return std::move(expert).problem();
    instance.expert = *std::move(expert);
    const auto widths = read_widths(root, optimizer == "Adam" ? 3.0 : 2.0);
    if (!widths) return widths.problem();

    const phaze_width& first = widths->front();
    const auto listed = number_layers(first);
    if (!listed) return listed.problem();
    std::vector<graph::arc> arcs;
    for (const phaze_edge& e : first.edges) arcs.push_back({listed->at(e.source), listed->at(e.target)});
    const graph::digraph edges(first.ids.size(), arcs);
    const auto order = graph::topological_order(edges);
    if (!order) {
        const std::vector<graph::index> cycle = graph::find_cycle(edges);
        std::string way;
        for (const graph::index v : cycle) way += to_text(first.ids[v]) + " -> ";
        return error{errc::cycle, first.path,
                     "its layers form a cycle: " + way + to_text(first.ids[cycle[0]]),
                     "no layer may need itself"};
    }
    std::map<std::int64_t, graph::index> number;
    for (const graph::index v : *order) {
        number.emplace(first.ids[v], static_cast<graph::index>(number.size()));
        instance.layer_ids.push_back(first.ids[v]);
    }

    for (const phaze_width& w : *widths) {
        if (auto agreed = check_agreement(first, w); !agreed) return agreed.problem();
        placement::width_costs& costs = problem.widths.emplace_back();
        costs.width = w.width;
        costs.layers.resize(w.layers.size());
        for (std::size_t v = 0; v < w.ids.size(); ++v) costs.layers[number.at(w.ids[v])] = w.layers[v];
        std::vector<std::pair<std::pair<graph::index, graph::index>, double>> numbered;
        for (const phaze_edge& e : w.edges)
            numbered.push_back({{number.at(e.source), number.at(e.target)}, e.bytes});
        sort_stably(numbered.begin(), numbered.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
        problem.edges.clear();
        for (const auto& [ends, bytes] : numbered) {
            problem.edges.push_back({ends.first, ends.second});
            costs.edge_bytes.push_back(bytes);
        }
    }
    if (auto valid = placement::validate(problem); !valid) return error(valid.problem()).within(name);
    return instance;
}

/// The cut of a file's fixed plan, for `placement::evaluate`: figures are not filled in, and stages may be
/// empty, as where 32 stages share out 48 layers two by two. The instance must have a fixed plan.
/// \returns errc::out_of_range for more stages than the cluster has devices, or more than 2^16.
[[nodiscard]] inline result<placement::plan> cut_of_fixed_plan(const phaze_placement& instance) {
    DOVETAIL_ASSERT(instance.expert.has_value(), "the instance has no fixed plan");
    constexpr std::int64_t most_stages = std::int64_t{1} << 16;
    const fixed_plan& fixed = *instance.expert;
    if (fixed.pipeline > instance.problem.devices || fixed.pipeline > most_stages)
        return error{errc::out_of_range, "plan: stages", "there are " + to_text(fixed.pipeline),
                     "there are " + to_text(instance.problem.devices) + " devices, and at most " +
                         to_text(most_stages) + " stages"};
    const std::int64_t each = (fixed.transformer_layers - 1) / fixed.pipeline + 1;
    std::vector<std::vector<graph::index>> stages(static_cast<std::size_t>(fixed.pipeline));
    std::int64_t shared_out = 0;
    for (std::size_t v = 0; v < instance.layer_ids.size(); ++v) {
        const std::int64_t id = instance.layer_ids[v];
        auto& stage = id < 0 ? stages.front()
                      : id >= fixed.transformer_layers
                          ? stages.back()
                          : stages[static_cast<std::size_t>(shared_out++ / each)];
        stage.push_back(static_cast<graph::index>(v));
    }
    placement::plan plan{.tensor_parallel = fixed.tensor, .data_parallel = fixed.data};
    for (const std::vector<graph::index>& layers : stages) {
        const auto begin = static_cast<std::uint32_t>(plan.order.size());
        plan.order.insert(plan.order.end(), layers.begin(), layers.end());
        plan.stages.push_back({.begin = begin, .end = static_cast<std::uint32_t>(plan.order.size())});
    }
    return plan;
}

/// Reads an instance from a file. \returns what `read_phaze_placement` or `read_file` returns.
[[nodiscard]] inline result<phaze_placement> load_phaze_placement(const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) return text.problem();
    return read_phaze_placement(*text, path.string());
}

} // namespace dovetail::ext::json
