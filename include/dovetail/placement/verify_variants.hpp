#pragma once
/// \file
/// An independent check of plans of layers with variants: every figure recomputed from the plan alone.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Evaluates stages straight from the definitions, edge by edge. It trusts that the stages' layers, widths
/// and variants exist.
class variant_evaluator {
public:
    /// \param problem a valid problem \param stages of a pipeline, first to last
    variant_evaluator(const variant_graph& problem, const std::vector<variant_stage>& stages)
        : problem_(problem), stages_(stages) {}

    /// Seconds per micro-batch of stage `s`: the compute and the traffic of its edges, both ways, shared by
    /// the replicas; and the exchange of the parameters, spread over the micro-batches.
    [[nodiscard]] double time_s(std::size_t s) const {
        const variant_stage& stage = stages_[s];
        const auto d = static_cast<double>(stage.replicas);
        double compute_s = 0.0;
        double parameter_bytes = 0.0;
        double edge_bytes = 0.0;
        for (std::size_t i = 0; i < stage.layers.size(); ++i) {
            const layer_variant& variant = chosen(stage, i);
            compute_s += variant.seconds;
            parameter_bytes += variant.parameter_bytes;
            edge_bytes += traffic_bytes(stage, stage.layers[i], variant);
        }
        const double exchange_bytes =
            4.0 * (d - 1.0) / d * parameter_bytes / static_cast<double>(problem_.micro_batches);
        return compute_s / d + (2.0 * edge_bytes / d + exchange_bytes) / problem_.link_bytes_per_s;
    }

    /// Micro-batches that each replica of stage `s` has in flight: the replicas of this and of all later
    /// stages, over its own, rounded up.
    [[nodiscard]] std::int64_t turns(std::size_t s) const {
        std::int64_t replicas = 0;
        for (std::size_t later = s; later < stages_.size(); ++later) replicas += stages_[later].replicas;
        return (replicas + stages_[s].replicas - 1) / stages_[s].replicas;
    }

    /// Memory of each device of stage `s`.
    [[nodiscard]] double memory_bytes(std::size_t s) const {
        const auto y = static_cast<double>(turns(s));
        double bytes = 0.0;
        for (std::size_t i = 0; i < stages_[s].layers.size(); ++i) {
            const layer_variant& variant = chosen(stages_[s], i);
            bytes += variant.bytes_per_turn * y + variant.fixed_bytes;
        }
        return bytes;
    }

private:
    [[nodiscard]] const layer_variant& chosen(const variant_stage& stage, std::size_t i) const {
        return problem_.layers[stage.layers[i]].at_width(stage.width)->variants[stage.variants[i]];
    }

    [[nodiscard]] double traffic_bytes(const variant_stage& stage, graph::index v,
                                       const layer_variant& variant) const {
        const auto inside = [&](graph::index u) {
            return std::find(stage.layers.begin(), stage.layers.end(), u) != stage.layers.end();
        };
        double bytes = 0.0;
        std::size_t in = 0;
        std::size_t out = 0;
        for (const variant_edge& e : problem_.edges) {
            if (e.target == v) {
                if (!inside(e.source)) bytes += e.bytes + variant.in_sync_bytes[in];
                ++in;
            }
            if (e.source == v) {
                if (!inside(e.target)) bytes += e.bytes + variant.out_sync_bytes[out];
                ++out;
            }
        }
        return bytes;
    }

    const variant_graph& problem_;
    const std::vector<variant_stage>& stages_;
};

namespace detail {

[[nodiscard]] inline error broken_variant_plan(std::string place, std::string wrong, std::string expected) {
    return {errc::out_of_range, "plan: " + std::move(place), std::move(wrong), std::move(expected)};
}

// What is wrong with the layers and variants of a plan's stages, if anything is.
[[nodiscard]] inline result<void> check_variant_stages(const variant_graph& problem,
                                                       const variant_plan& answer) {
    const std::size_t nowhere = answer.stages.size();
    std::vector<std::size_t> stage_of(problem.layers.size(), nowhere);
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const variant_stage& stage = answer.stages[s];
        const std::string place = "stage " + to_text(s);
        if (stage.layers.empty() || stage.layers.size() != stage.variants.size())
            return broken_variant_plan(place,
                                       "it has " + to_text(stage.layers.size()) + " layers and " +
                                           to_text(stage.variants.size()) + " variants",
                                       "a stage has a layer, and every layer a variant");
        for (std::size_t i = 0; i < stage.layers.size(); ++i) {
            const graph::index v = stage.layers[i];
            if (v >= stage_of.size() || stage_of[v] != nowhere)
                return broken_variant_plan(place, "it holds layer " + to_text(v),
                                           "every layer below " + to_text(stage_of.size()) +
                                               " is in one stage");
            stage_of[v] = s;
            const width_variants* const at = problem.layers[v].at_width(stage.width);
            if (at == nullptr || stage.variants[i] >= at->variants.size())
                return broken_variant_plan(place,
                                           "layer " + to_text(v) + " runs at width " + to_text(stage.width) +
                                               " as variant " + to_text(stage.variants[i]),
                                           "the layer has such a variant");
        }
    }
    for (std::size_t v = 0; v < stage_of.size(); ++v)
        if (stage_of[v] == nowhere)
            return broken_variant_plan("layer " + to_text(v), "it is in no stage", "it is in one");
    // Edges that never lead to an earlier stage leave no way out of a stage and back.
    for (const variant_edge& e : problem.edges)
        if (stage_of[e.source] > stage_of[e.target])
            return broken_variant_plan("layer " + to_text(e.target),
                                       "it is in stage " + to_text(stage_of[e.target]) +
                                           ", and needs layer " + to_text(e.source) + " of stage " +
                                           to_text(stage_of[e.source]),
                                       "layers need nothing from later stages");
    return {};
}

} // namespace detail

/// Checks a plan: each layer in one stage, no edge back, replicas that divide the batch, devices, memory, and
/// every figure within 1e-9 of its own. \returns the first violation.
/// \complexity O(layers * edges * stage size).
[[nodiscard]] inline result<void> verify(const variant_graph& problem, const variant_plan& answer) {
    using detail::broken_variant_plan;
    if (answer.stages.empty()) {
        if (answer.outcome == status::optimal || answer.outcome == status::feasible ||
            std::isfinite(answer.time_s))
            return broken_variant_plan("outcome", "it has no stage, and a time",
                                       "without stages it has none");
        return {};
    }
    if (auto checked = detail::check_variant_stages(problem, answer); !checked) return checked;
    const auto differ = [](double a, double b) {
        return !(std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)));
    };
    const variant_evaluator evaluate(problem, answer.stages);
    std::int64_t devices = 0;
    std::int64_t replicas = 0;
    double slowest_s = 0.0;
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const variant_stage& stage = answer.stages[s];
        const std::string place = "stage " + to_text(s);
        if (stage.replicas < 1 || problem.micro_batches % stage.replicas != 0)
            return broken_variant_plan(place, "it has " + to_text(stage.replicas) + " replicas",
                                       "they share " + to_text(problem.micro_batches) +
                                           " micro-batches evenly");
        devices += stage.width * stage.replicas;
        replicas += stage.replicas;
        const double memory = evaluate.memory_bytes(s);
        if (memory > problem.hbm_bytes * (1.0 + 1e-12))
            return broken_variant_plan(place, "it needs " + to_text(memory) + " bytes",
                                       "a device has " + to_text(problem.hbm_bytes));
        if (differ(stage.memory_bytes, memory))
            return broken_variant_plan(place, "memory_bytes is " + to_text(stage.memory_bytes),
                                       "its layers make it " + to_text(memory));
        if (const double time = evaluate.time_s(s); differ(stage.time_s, time))
            return broken_variant_plan(place, "time_s is " + to_text(stage.time_s),
                                       "its layers make it " + to_text(time));
        slowest_s = std::max(slowest_s, stage.time_s);
    }
    if (devices > problem.devices)
        return broken_variant_plan("devices", "it takes " + to_text(devices),
                                   "there are " + to_text(problem.devices));
    if (replicas > problem.most_replicas)
        return broken_variant_plan("replicas", "its stages have " + to_text(replicas),
                                   "there may be " + to_text(problem.most_replicas));
    if (differ(answer.time_s, slowest_s))
        return broken_variant_plan("time_s", "it is " + to_text(answer.time_s),
                                   "its slowest stage takes " + to_text(slowest_s));
    if (answer.lower_bound_s > answer.time_s * (1.0 + 1e-9))
        return broken_variant_plan("lower_bound_s", "it is " + to_text(answer.lower_bound_s),
                                   "the plan itself takes " + to_text(answer.time_s));
    return {};
}

} // namespace dovetail::placement
