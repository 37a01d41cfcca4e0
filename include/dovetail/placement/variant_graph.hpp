#pragma once
/// \file
/// Piper's problem: layers that run in several variants, stages that are replicated each by its own degree.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// One way to run a layer at one tensor width, on each of the devices that share it: "vanilla", "activation
/// recomp". Sums of bytes are exact as long as the bytes are whole and below 2^53.
struct layer_variant {
    std::string name{};
    double seconds = 0.0;                ///< forward and backward, of one micro-batch
    double parameter_bytes = 0.0;        ///< what replicas of the stage exchange once a batch
    double bytes_per_turn = 0.0;         ///< kept once for every micro-batch that a replica has in flight
    double fixed_bytes = 0.0;            ///< kept whatever is in flight
    std::vector<double> in_sync_bytes{}; ///< beside an edge's own, should it enter the stage here
    std::vector<double>
        out_sync_bytes{}; ///< and should it leave the stage here; both in the order of `edges`

    friend bool operator==(const layer_variant&, const layer_variant&) = default;
};

/// The variants of a layer at one tensor width.
struct width_variants {
    std::int64_t width = 1; ///< devices that share the layer
    std::vector<layer_variant> variants{};

    friend bool operator==(const width_variants&, const width_variants&) = default;
};

/// A layer: what it can be run as. A width that is not listed is a width at which it cannot run.
struct variant_layer {
    std::vector<width_variants> widths{}; ///< by ascending width

    /// The variants at a width, or none.
    [[nodiscard]] const width_variants* at_width(std::int64_t width) const {
        const auto found = std::find_if(widths.begin(), widths.end(),
                                        [&](const width_variants& w) { return w.width == width; });
        return found == widths.end() ? nullptr : &*found;
    }
};

/// Bytes that one layer hands to another, for one micro-batch.
struct variant_edge {
    graph::index source{};
    graph::index target{};
    double bytes = 0.0;

    friend bool operator==(const variant_edge&, const variant_edge&) = default;
};

/// A model to be cut into stages that differ in width and in replicas. The layers are numbered in a
/// topological order: every edge leads from a lower to a higher number. Edges are sorted by source, then
/// target, and no two join the same layers.
struct variant_graph {
    std::vector<variant_layer> layers;
    std::vector<variant_edge> edges;
    std::int64_t devices = 1;
    std::int64_t micro_batches = 1; ///< in the global batch; the replicas of a stage share them evenly
    double hbm_bytes = std::numeric_limits<double>::infinity(); ///< memory of one device
    double link_bytes_per_s = std::numeric_limits<double>::infinity();
    /// Of all stages together. Piper's own planner allows no more replicas than micro-batches.
    std::int64_t most_replicas = std::numeric_limits<std::int64_t>::max();
};

namespace detail {

[[nodiscard]] inline result<void> check_variant(const layer_variant& variant, std::size_t in_edges,
                                                std::size_t out_edges, const std::string& place) {
    const auto bad = [](double x) { return !(x >= 0.0) || !std::isfinite(x); };
    const auto wrong = [&](std::string_view name, double value) {
        return error{errc::out_of_range, place + ": " + std::string(name), "it is " + to_text(value),
                     "it must be a finite number, 0 or more"};
    };
    const std::array<std::pair<std::string_view, double>, 4> fields{
        {{"seconds", variant.seconds},
         {"parameter_bytes", variant.parameter_bytes},
         {"bytes_per_turn", variant.bytes_per_turn},
         {"fixed_bytes", variant.fixed_bytes}}};
    for (const auto& [name, value] : fields)
        if (bad(value)) return wrong(name, value);
    if (variant.in_sync_bytes.size() != in_edges || variant.out_sync_bytes.size() != out_edges)
        return error{errc::shape, place,
                     "it synchronises " + to_text(variant.in_sync_bytes.size()) + " edges in and " +
                         to_text(variant.out_sync_bytes.size()) + " out",
                     "the layer has " + to_text(in_edges) + " edges in and " + to_text(out_edges) + " out"};
    for (const double bytes : variant.in_sync_bytes)
        if (bad(bytes)) return wrong("in_sync_bytes", bytes);
    for (const double bytes : variant.out_sync_bytes)
        if (bad(bytes)) return wrong("out_sync_bytes", bytes);
    return {};
}

[[nodiscard]] inline result<void> check_layer(const variant_layer& layer, std::size_t in_edges,
                                              std::size_t out_edges, const std::string& place) {
    bool runs = false;
    std::int64_t narrower = 0;
    for (const width_variants& w : layer.widths) {
        if (w.width <= narrower)
            return error{errc::out_of_range, place + ": width", "it is " + to_text(w.width),
                         "widths are 1 or more and ascend"};
        narrower = w.width;
        for (std::size_t l = 0; l < w.variants.size(); ++l) {
            runs = true;
            const std::string at = place + ": width " + to_text(w.width) + ": variant " + to_text(l);
            if (auto checked = check_variant(w.variants[l], in_edges, out_edges, at); !checked)
                return checked;
        }
    }
    if (!runs) return error{errc::empty_space, place, "it has no variant", "it must have one at some width"};
    return {};
}

[[nodiscard]] inline result<void> check_limits(const variant_graph& problem) {
    const auto wrong = [](std::string_view name, double value, std::string_view expected) {
        return error{errc::out_of_range, std::string(name), "it is " + to_text(value), std::string(expected)};
    };
    const std::array<std::pair<std::string_view, std::int64_t>, 3> counts{
        {{"devices", problem.devices},
         {"micro_batches", problem.micro_batches},
         {"most_replicas", problem.most_replicas}}};
    for (const auto& [name, value] : counts)
        if (value < 1) return wrong(name, static_cast<double>(value), "it must be 1 or more");
    if (!(problem.hbm_bytes > 0.0)) return wrong("hbm_bytes", problem.hbm_bytes, "it must be positive");
    if (!(problem.link_bytes_per_s > 0.0))
        return wrong("link_bytes_per_s", problem.link_bytes_per_s, "it must be positive");
    return {};
}

} // namespace detail

/// Checks everything that the programs take for granted about a problem that nobody has checked.
/// \returns errc::empty_space without a layer, or for a layer without a variant, errc::out_of_range for a
/// number outside its range, errc::shape for edges that are not in topological order, sorted and single, and
/// for a variant that does not synchronise the edges of its layer.
[[nodiscard]] inline result<void> validate(const variant_graph& problem) {
    if (problem.layers.empty())
        return error{errc::empty_space, "variant graph", "it has no layer", "there must be one at least"};
    if (auto checked = detail::check_limits(problem); !checked) return checked;
    std::vector<std::size_t> in(problem.layers.size(), 0);
    std::vector<std::size_t> out(problem.layers.size(), 0);
    const variant_edge* last = nullptr;
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const variant_edge& edge = problem.edges[e];
        const std::string place = "edge " + to_text(e);
        const bool sorted = last == nullptr || last->source < edge.source ||
                            (last->source == edge.source && last->target < edge.target);
        if (edge.source >= edge.target || edge.target >= problem.layers.size() || !sorted)
            return error{errc::shape, place,
                         "it leads from layer " + to_text(edge.source) + " to layer " + to_text(edge.target),
                         "edges lead to a higher layer below " + to_text(problem.layers.size()) +
                             ", and ascend by source and target"};
        if (!(edge.bytes >= 0.0) || !std::isfinite(edge.bytes))
            return error{errc::out_of_range, place + ": bytes", "it is " + to_text(edge.bytes),
                         "it must be a finite number, 0 or more"};
        ++out[edge.source];
        ++in[edge.target];
        last = &edge;
    }
    for (std::size_t v = 0; v < problem.layers.size(); ++v)
        if (auto checked = detail::check_layer(problem.layers[v], in[v], out[v], "layer " + to_text(v));
            !checked)
            return checked;
    return {};
}

} // namespace dovetail::placement
