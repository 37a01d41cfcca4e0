#pragma once
/// \file
/// The problem of placement: weighted layers, the bytes between them, and the devices to spread them over.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/storage.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace dovetail::placement {

/// What one layer costs on one of the devices that share it, for one micro-batch. Sums of bytes are exact
/// as long as the bytes are whole and below 2^53, and then "it fits" is exact too.
struct layer {
    double forward_s = 0.0;
    double backward_s = 0.0;
    double update_s = 0.0;         ///< the optimizer's step, once a batch
    double resident_bytes = 0.0;   ///< weights, gradients and optimizer state
    double reduce_bytes = 0.0;     ///< gradients that the data-parallel replicas add up
    double activation_bytes = 0.0; ///< working set of the micro-batch that is being computed
    double stash_bytes = 0.0;      ///< kept for every further micro-batch in flight, without recomputation
    bool tensor_parallel = false;  ///< split over the tensor width; otherwise it runs on one device

    // Parts of the above, which only a `plan_space` wider than PHAZE's asks for.
    double weight_gradient_s = 0.0;     ///< of `backward_s`: nobody waits for it
    double attention_forward_s = 0.0;   ///< of `forward_s`: what selective recomputation repeats
    double attention_stash_bytes = 0.0; ///< of `stash_bytes`: what it need not keep for that
    double optimizer_bytes = 0.0;       ///< of `resident_bytes`: state that replicas can share out

    friend constexpr bool operator==(const layer&, const layer&) = default;
};

/// The layers and edges of a graph as one tensor width makes them.
template <class Storage>
struct basic_width_costs {
    std::int64_t width = 1; ///< devices that share each tensor-parallel layer
    typename Storage::template per_layer<layer> layers{};
    typename Storage::template per_edge<double> edge_bytes{}; ///< for one micro-batch, aligned with `edges`
};

/// A model to be cut into stages. The layers are numbered in a topological order: every edge leads from a
/// lower to a higher number. Edges are sorted by source, then target. In fixed storage the graph is a chain.
template <class Storage>
struct basic_layer_graph {
    using storage = Storage;

    typename Storage::template per_edge<graph::arc> edges{};
    typename Storage::template per_width<basic_width_costs<Storage>> widths{}; ///< by ascending width
    std::int64_t devices = 1;
    std::int64_t micro_batches = 1;                             ///< in the global batch, over all replicas
    double hbm_bytes = std::numeric_limits<double>::infinity(); ///< memory of one device
    double link_bytes_per_s = std::numeric_limits<double>::infinity();
    bool recompute = false; ///< stages but the last keep their inputs only, and repeat the forward pass

    [[nodiscard]] constexpr std::size_t layer_count() const {
        return widths.size() == 0 ? 0 : widths[0].layers.size();
    }
};

using width_costs = basic_width_costs<dynamic_storage>;
using layer_graph = basic_layer_graph<dynamic_storage>;

/// A chain whose layers and widths are counted in its type: its programs need no heap.
template <std::size_t Layers, std::size_t Widths = 1>
using fixed_layer_chain = basic_layer_graph<fixed_storage<Layers, Widths>>;

/// Fills `edges` with the arcs 0 -> 1 -> … of a chain.
template <class Edges>
constexpr void link_as_chain(Edges& edges) {
    for (std::size_t e = 0; e < edges.size(); ++e)
        edges[e] = {static_cast<graph::index>(e), static_cast<graph::index>(e + 1)};
}

/// Whether the edges are exactly 0 -> 1 -> … over all layers. \complexity O(layers).
template <class Storage>
[[nodiscard]] constexpr bool is_chain(const basic_layer_graph<Storage>& problem) {
    if (problem.edges.size() + 1 != problem.layer_count()) return false;
    for (std::size_t e = 0; e < problem.edges.size(); ++e)
        if (problem.edges[e].source != e || problem.edges[e].target != e + 1) return false;
    return true;
}

namespace detail {

[[nodiscard]] inline error out_of_range(std::string place, double value, std::string_view expected) {
    return {errc::out_of_range, std::move(place), "it is " + to_text(value), std::string(expected)};
}

[[nodiscard]] inline result<void> check_width(const width_costs& costs, std::size_t layers,
                                              std::size_t edges) {
    const std::string place = "width " + to_text(costs.width);
    if (costs.layers.size() != layers || costs.edge_bytes.size() != edges)
        return error{errc::shape, place,
                     "it has " + to_text(costs.layers.size()) + " layers and " +
                         to_text(costs.edge_bytes.size()) + " edges",
                     "every width has the same " + to_text(layers) + " layers and " + to_text(edges) +
                         " edges"};
    constexpr std::string_view expected = "it must be a finite number, 0 or more";
    const auto bad = [](double x) { return !(x >= 0.0) || !std::isfinite(x); };
    for (std::size_t v = 0; v < layers; ++v) {
        const layer& l = costs.layers[v];
        const std::string at = place + ": layer " + to_text(v) + ": ";
        const std::array<std::pair<const char*, double>, 7> fields{{{"forward_s", l.forward_s},
                                                                    {"backward_s", l.backward_s},
                                                                    {"update_s", l.update_s},
                                                                    {"resident_bytes", l.resident_bytes},
                                                                    {"reduce_bytes", l.reduce_bytes},
                                                                    {"activation_bytes", l.activation_bytes},
                                                                    {"stash_bytes", l.stash_bytes}}};
        for (const auto& [name, value] : fields)
            if (bad(value)) return out_of_range(at + name, value, expected);
        const std::array<std::tuple<const char*, double, double>, 4> parts{
            {{"weight_gradient_s", l.weight_gradient_s, l.backward_s},
             {"attention_forward_s", l.attention_forward_s, l.forward_s},
             {"attention_stash_bytes", l.attention_stash_bytes, l.stash_bytes},
             {"optimizer_bytes", l.optimizer_bytes, l.resident_bytes}}};
        for (const auto& [name, value, whole] : parts)
            if (bad(value) || value > whole)
                return out_of_range(at + name, value, "it must be from 0 to the whole, " + to_text(whole));
    }
    for (std::size_t e = 0; e < edges; ++e)
        if (bad(costs.edge_bytes[e]))
            return out_of_range(place + ": edge " + to_text(e) + ": bytes", costs.edge_bytes[e], expected);
    return {};
}

} // namespace detail

/// Checks everything that the programs take for granted about a problem that nobody has checked.
/// \returns errc::empty_space without a layer or a width, errc::out_of_range for a number outside its range,
/// errc::shape where widths disagree or edges are not in topological order and sorted.
[[nodiscard]] inline result<void> validate(const layer_graph& problem) {
    if (problem.layer_count() == 0)
        return error{errc::empty_space, "layer graph", "it has no layer",
                     "there must be a tensor width with at least one layer"};
    if (problem.devices < 1)
        return detail::out_of_range("devices", static_cast<double>(problem.devices), "it must be 1 or more");
    if (problem.micro_batches < 1)
        return detail::out_of_range("micro_batches", static_cast<double>(problem.micro_batches),
                                    "it must be 1 or more");
    if (!(problem.hbm_bytes > 0.0))
        return detail::out_of_range("hbm_bytes", problem.hbm_bytes, "it must be positive");
    if (!(problem.link_bytes_per_s > 0.0))
        return detail::out_of_range("link_bytes_per_s", problem.link_bytes_per_s, "it must be positive");
    const std::size_t layers = problem.layer_count();
    for (std::size_t e = 0; e < problem.edges.size(); ++e) {
        const graph::arc& a = problem.edges[e];
        const graph::arc& last = problem.edges[e == 0 ? 0 : e - 1];
        const bool sorted = last.source < a.source || (last.source == a.source && last.target <= a.target);
        if (a.source >= a.target || a.target >= layers || !sorted)
            return error{errc::shape, "edge " + to_text(e),
                         "it leads from layer " + to_text(a.source) + " to layer " + to_text(a.target),
                         "edges lead to a higher layer below " + to_text(layers) +
                             ", and are sorted by source and target"};
    }
    std::int64_t narrower = 0;
    for (const width_costs& costs : problem.widths) {
        if (costs.width <= narrower)
            return detail::out_of_range("width", static_cast<double>(costs.width),
                                        "widths are 1 or more and ascend");
        narrower = costs.width;
        if (auto checked = detail::check_width(costs, layers, problem.edges.size()); !checked) return checked;
    }
    return {};
}

} // namespace dovetail::placement
