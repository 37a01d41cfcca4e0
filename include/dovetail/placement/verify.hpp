#pragma once
/// \file
/// An independent check of a plan: every number recomputed from the plan's layers and the problem alone.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/placement/plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Evaluates assignments of layers to stages straight from the definitions, one layer at a time.
class plan_evaluator {
public:
    /// \param problem a valid problem \param costs one of its widths
    /// \param stage_of the stage of every layer, 0 first \param stages their number
    plan_evaluator(const layer_graph& problem, const width_costs& costs,
                   array_view<const std::size_t> stage_of, std::size_t stages)
        : problem_(problem), costs_(costs), stage_of_(stage_of), stages_(stages) {}

    /// One micro-batch through stage `s`: forward and backward, each layer as soon as its inputs are there,
    /// and with recomputation the forward pass again in between, without transfers.
    [[nodiscard]] double load_s(std::size_t s) const {
        const double forward = forward_s(s, true);
        if (!problem_.recompute || s + 1 == stages_) return forward + backward_s(s, 0.0);
        return forward + backward_s(s, forward_s(s, false));
    }

    /// Memory of a device of stage `s`, which keeps something of every micro-batch that is further on.
    [[nodiscard]] double memory_bytes(std::size_t s) const {
        double bytes = 0.0;
        double stash = 0.0;
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s) {
                bytes += costs_.layers[v].resident_bytes + costs_.layers[v].activation_bytes;
                if (!problem_.recompute) stash += costs_.layers[v].stash_bytes;
            }
        if (problem_.recompute)
            for (std::size_t e = 0; e < problem_.edges.size(); ++e)
                if (stage_of_[problem_.edges[e].target] == s && stage_of_[problem_.edges[e].source] != s)
                    stash += costs_.edge_bytes[e];
        return bytes + static_cast<double>(stages_ - 1 - s) * stash;
    }

    /// Devices of one replica of stage `s`.
    [[nodiscard]] std::int64_t devices(std::size_t s) const {
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s && costs_.layers[v].tensor_parallel) return costs_.width;
        return 1;
    }

    /// Seconds in which stage `s` adds up its gradients over `replicas` replicas, and, if asked, updates.
    [[nodiscard]] double tail_s(std::size_t s, std::int64_t replicas, bool update) const {
        double bytes = 0.0;
        double seconds = 0.0;
        for (std::size_t v = 0; v < costs_.layers.size(); ++v)
            if (stage_of_[v] == s) {
                bytes += costs_.layers[v].reduce_bytes;
                if (update) seconds += costs_.layers[v].update_s;
            }
        const auto d = static_cast<double>(replicas);
        return seconds + 2.0 * (d - 1.0) / d * bytes / problem_.link_bytes_per_s;
    }

    /// Time of a batch on `replicas` replicas.
    [[nodiscard]] double time_per_batch_s(std::int64_t replicas, objective charge) const {
        double load = 0.0;
        double tail = charge == objective::phaze ? tail_s(0, replicas, false) : 0.0;
        for (std::size_t s = 0; s < stages_; ++s) {
            load = std::max(load, load_s(s));
            if (charge == objective::every_stage) tail = std::max(tail, tail_s(s, replicas, true));
        }
        const double each =
            std::ceil(static_cast<double>(problem_.micro_batches) / static_cast<double>(replicas));
        return load * (each + static_cast<double>(stages_) - 1.0) + tail;
    }

private:
    [[nodiscard]] double forward_s(std::size_t s, bool with_transfers) const {
        std::vector<double> finish(costs_.layers.size(), 0.0);
        double end = 0.0;
        for (std::size_t v = 0; v < finish.size(); ++v) {
            if (stage_of_[v] != s) continue;
            double start = 0.0;
            for (std::size_t e = 0; e < problem_.edges.size(); ++e) {
                if (problem_.edges[e].target != v) continue;
                const std::size_t u = problem_.edges[e].source;
                if (stage_of_[u] == s)
                    start = std::max(start, finish[u]);
                else if (with_transfers)
                    start = std::max(start, costs_.edge_bytes[e] / problem_.link_bytes_per_s);
            }
            end = std::max(end, finish[v] = start + costs_.layers[v].forward_s);
        }
        return end;
    }

    [[nodiscard]] double backward_s(std::size_t s, double from_s) const {
        std::vector<double> finish(costs_.layers.size(), 0.0);
        double end = from_s;
        for (std::size_t v = finish.size(); v-- > 0;) {
            if (stage_of_[v] != s) continue;
            double start = from_s;
            for (std::size_t e = 0; e < problem_.edges.size(); ++e) {
                if (problem_.edges[e].source != v) continue;
                const std::size_t w = problem_.edges[e].target;
                start = std::max(start, stage_of_[w] == s ? finish[w]
                                                          : costs_.edge_bytes[e] / problem_.link_bytes_per_s);
            }
            end = std::max(end, finish[v] = start + costs_.layers[v].backward_s);
        }
        return end;
    }

    const layer_graph& problem_;
    const width_costs& costs_;
    array_view<const std::size_t> stage_of_;
    std::size_t stages_;
};

namespace detail {

[[nodiscard]] inline error broken_plan(std::string place, std::string wrong, std::string expected) {
    return {errc::out_of_range, "plan: " + std::move(place), std::move(wrong), std::move(expected)};
}

[[nodiscard]] inline bool nearly_equal(double a, double b) {
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

// The stage of every layer, or what is wrong with the plan's lists.
[[nodiscard]] inline result<std::vector<std::size_t>> stages_of_layers(const layer_graph& problem,
                                                                       const plan& answer) {
    const std::size_t n = problem.layer_count();
    const std::size_t nowhere = answer.stages.size();
    std::vector<std::size_t> stage_of(n, nowhere);
    std::size_t position = 0;
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const stage& part = answer.stages[s];
        if (part.begin != position || part.end <= part.begin || part.end > answer.order.size())
            return broken_plan("stage " + to_text(s),
                               "it takes the positions " + to_text(part.begin) + " to " + to_text(part.end),
                               "stages follow one another from position 0 on and are not empty");
        for (; position < part.end; ++position) {
            const graph::index v = answer.order[position];
            if (v >= n || stage_of[v] != nowhere)
                return broken_plan("stage " + to_text(s), "it holds layer " + to_text(v),
                                   "every layer below " + to_text(n) + " is in one stage");
            stage_of[v] = s;
        }
    }
    if (position != n || answer.order.size() != n)
        return broken_plan("stages", "they hold " + to_text(position) + " layers", "there are " + to_text(n));
    // Edges that never lead to an earlier stage leave no way out of a stage and back.
    for (const graph::arc& a : problem.edges)
        if (stage_of[a.source] > stage_of[a.target])
            return broken_plan("layer " + to_text(a.target),
                               "it is in stage " + to_text(stage_of[a.target]) + ", and needs layer " +
                                   to_text(a.source) + " of stage " + to_text(stage_of[a.source]),
                               "layers need nothing from later stages");
    return stage_of;
}

} // namespace detail

/// Checks a plan that holds stages: each layer in one stage, no edge back, devices, memory, and every figure
/// within 1e-9 of its own. \returns the first violation. \complexity O(stages * layers * edges).
[[nodiscard]] inline result<void> verify(const layer_graph& problem, const plan& answer, objective charge) {
    using detail::broken_plan;
    if (answer.outcome == status::infeasible) {
        if (!answer.stages.empty() || std::isfinite(answer.time_per_batch_s))
            return broken_plan("outcome", "it is infeasible, with stages or a time",
                               "an infeasible plan has neither");
        return {};
    }
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const width_costs& w) { return w.width == answer.tensor_parallel; });
    if (costs == problem.widths.end())
        return broken_plan("tensor_parallel", "it is " + to_text(answer.tensor_parallel),
                           "it is one of the problem's widths");
    const auto stage_of = detail::stages_of_layers(problem, answer);
    if (!stage_of) return stage_of.problem();
    if (answer.data_parallel < 1 || answer.data_parallel > problem.micro_batches)
        return broken_plan("data_parallel", "it is " + to_text(answer.data_parallel),
                           "it is from 1 to the " + to_text(problem.micro_batches) + " micro-batches");

    const plan_evaluator evaluate(problem, *costs, *stage_of, answer.stages.size());
    std::int64_t replica = 0;
    for (std::size_t s = 0; s < answer.stages.size(); ++s) {
        const stage& part = answer.stages[s];
        const std::string place = "stage " + to_text(s);
        replica += evaluate.devices(s);
        if (part.devices != evaluate.devices(s))
            return broken_plan(place, "it takes " + to_text(part.devices) + " devices",
                               "its layers take " + to_text(evaluate.devices(s)));
        const double memory = evaluate.memory_bytes(s);
        if (memory > problem.hbm_bytes * (1.0 + 1e-12))
            return broken_plan(place, "it needs " + to_text(memory) + " bytes",
                               "a device has " + to_text(problem.hbm_bytes));
        const std::pair<std::string, std::pair<double, double>> figures[] = {
            {"memory_bytes", {part.memory_bytes, memory}},
            {"load_s", {part.load_s, evaluate.load_s(s)}},
            {"tail_s", {part.tail_s, evaluate.tail_s(s, answer.data_parallel, true)}}};
        for (const auto& [name, values] : figures)
            if (!detail::nearly_equal(values.first, values.second))
                return broken_plan(place, name + " is " + to_text(values.first),
                                   "its layers make it " + to_text(values.second));
    }
    if (answer.data_parallel > problem.devices / replica)
        return broken_plan("devices", "it takes " + to_text(answer.data_parallel) + " x " + to_text(replica),
                           "there are " + to_text(problem.devices));
    const double time = evaluate.time_per_batch_s(answer.data_parallel, charge);
    if (!detail::nearly_equal(answer.time_per_batch_s, time))
        return broken_plan("time_per_batch_s", "it is " + to_text(answer.time_per_batch_s),
                           "its stages make it " + to_text(time));
    return {};
}

} // namespace dovetail::placement
