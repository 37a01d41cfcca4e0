#pragma once
/// \file
/// What one stage of layers with variants costs, and the best variants of its layers.

#include <dovetail/core/array_view.hpp>
#include <dovetail/placement/upset_lattice.hpp>
#include <dovetail/placement/variant_choice.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::placement::detail {

/// The widths at which some layer runs and that the devices allow, ascending.
[[nodiscard]] inline std::vector<std::int64_t> usable_widths(const variant_graph& problem) {
    std::vector<std::int64_t> widths;
    for (const variant_layer& layer : problem.layers)
        for (const width_variants& w : layer.widths)
            if (!w.variants.empty() && w.width <= problem.devices) widths.push_back(w.width);
    std::sort(widths.begin(), widths.end());
    widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
    return widths;
}

/// The numbers of replicas that share the batch evenly, up to the devices, ascending.
/// \complexity O(square root of the micro-batches).
[[nodiscard]] inline std::vector<std::int64_t> usable_replicas(const variant_graph& problem) {
    const std::int64_t batch = problem.micro_batches;
    std::vector<std::int64_t> replicas;
    for (std::int64_t d = 1; d <= batch / d; ++d) {
        if (batch % d != 0) continue;
        replicas.push_back(d);
        if (d != batch / d) replicas.push_back(batch / d);
    }
    std::sort(replicas.begin(), replicas.end());
    const std::int64_t most = std::min(problem.devices, problem.most_replicas);
    replicas.erase(std::upper_bound(replicas.begin(), replicas.end(), most), replicas.end());
    return replicas;
}

/// Micro-batches that each of `replicas` has in flight, with `behind` replicas in all later stages.
[[nodiscard]] constexpr std::int64_t turns(std::int64_t behind, std::int64_t replicas) {
    return (behind + replicas + replicas - 1) / replicas;
}

/// One stage at a time, at one width: the layers between two states of a lattice.
class variant_stage_costs {
public:
    explicit variant_stage_costs(const variant_graph& problem) : problem_(problem) {
        in_.resize(problem.layers.size());
        out_.resize(problem.layers.size());
        for (const variant_edge& e : problem.edges) {
            out_[e.source].push_back({e.target, e.bytes});
            in_[e.target].push_back({e.source, e.bytes});
        }
    }

    /// Takes up the stage of the layers that state `larger` has and `smaller` lacks. \returns whether all of
    /// them run at that width. \complexity O(variants + variants * edges of the stage).
    [[nodiscard]] bool enter(const upset_lattice& lattice, std::size_t smaller, std::size_t larger,
                             std::int64_t width) {
        layers_.clear();
        width_ = width;
        terms_.clear();
        first_.assign(1, 0);
        bool runs = true;
        lattice.for_each_layer(smaller, larger, [&](graph::index v) {
            const width_variants* const at = problem_.layers[v].at_width(width);
            runs = runs && at != nullptr && !at->variants.empty();
            if (!runs) return;
            layers_.push_back(v);
            for (const layer_variant& variant : at->variants) {
                double bytes = 0.0;
                for (std::size_t e = 0; e < in_[v].size(); ++e)
                    if (!lattice.holds(larger, in_[v][e].layer))
                        bytes += in_[v][e].bytes + variant.in_sync_bytes[e];
                for (std::size_t e = 0; e < out_[v].size(); ++e)
                    if (lattice.holds(smaller, out_[v][e].layer))
                        bytes += out_[v][e].bytes + variant.out_sync_bytes[e];
                terms_.push_back({variant.seconds, bytes, variant.parameter_bytes, variant.bytes_per_turn,
                                  variant.fixed_bytes});
            }
            first_.push_back(terms_.size());
        });
        return runs;
    }

    /// Spreads the stage over replicas: from here on costs are those of that many.
    void replicate(std::int64_t replicas) {
        replicas_ = replicas;
        const auto d = static_cast<double>(replicas);
        const double link = problem_.link_bytes_per_s;
        const double exchange = 4.0 * (d - 1.0) / (d * static_cast<double>(problem_.micro_batches));
        costs_.clear();
        for (const term& t : terms_)
            costs_.push_back(t.seconds / d + (2.0 * t.edge_bytes / d + exchange * t.parameter_bytes) / link);
    }

    /// The least time, whatever the memory.
    [[nodiscard]] double fastest_s() const {
        double seconds = 0.0;
        for (std::size_t i = 0; i + 1 < first_.size(); ++i)
            seconds += *std::min_element(costs_.begin() + static_cast<std::ptrdiff_t>(first_[i]),
                                         costs_.begin() + static_cast<std::ptrdiff_t>(first_[i + 1]));
        return seconds;
    }

    /// The least memory with `y` micro-batches in flight.
    [[nodiscard]] double lightest_bytes(std::int64_t y) const {
        double bytes = 0.0;
        for (std::size_t i = 0; i + 1 < first_.size(); ++i) {
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t at = first_[i]; at < first_[i + 1]; ++at)
                least = std::min(least, bytes_of(terms_[at], y));
            bytes += least;
        }
        return bytes;
    }

    /// The memory of every variant of every layer, as `items` weighs them.
    void weigh(std::int64_t y) {
        weights_.clear();
        for (const term& t : terms_) weights_.push_back(bytes_of(t, y));
    }

    /// The layers as a knapsack: costs of `replicate`, weights of `weigh`.
    [[nodiscard]] choice_items items() const { return {costs_, weights_, first_}; }

    /// The stage with these variants, and what it comes to.
    [[nodiscard]] variant_stage build(array_view<const std::uint32_t> variants) const {
        variant_stage stage;
        stage.layers = layers_;
        stage.variants.assign(variants.begin(), variants.end());
        stage.width = width_;
        stage.replicas = replicas_;
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            stage.time_s += costs_[first_[i] + variants[i]];
            stage.memory_bytes += weights_[first_[i] + variants[i]];
        }
        return stage;
    }

private:
    struct half_edge {
        graph::index layer{};
        double bytes = 0.0;
    };
    struct term {
        double seconds = 0.0;
        double edge_bytes = 0.0; // that leave or enter the stage, one way
        double parameter_bytes = 0.0;
        double bytes_per_turn = 0.0;
        double fixed_bytes = 0.0;
    };

    [[nodiscard]] static double bytes_of(const term& t, std::int64_t y) {
        return t.bytes_per_turn * static_cast<double>(y) + t.fixed_bytes;
    }

    const variant_graph& problem_;
    std::vector<std::vector<half_edge>> in_, out_; // by layer
    std::int64_t width_ = 1;
    std::int64_t replicas_ = 1;
    std::vector<graph::index> layers_;
    std::vector<term> terms_;
    std::vector<std::size_t> first_;
    std::vector<double> costs_, weights_;
};

} // namespace dovetail::placement::detail
