#pragma once
/// \file
/// Where the time of a batch goes, and what every stage of the pipeline spends it on.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/placement/pipeline.hpp>
#include <dovetail/placement/plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::search {

namespace detail {

/// What is left of `whole` beside a part of it. Both are sums of the same terms in another order: what is no
/// more than the rounding of such sums is nothing.
[[nodiscard]] inline double rest_beside(double part, double whole) {
    constexpr double rounding = 1e-12; // of sums of thousands of terms
    const double rest = whole - part;
    return rest > rounding * whole ? rest : 0.0;
}

} // namespace detail

/// The seconds of one batch, by what they are spent on; they add up to the plan's time per batch.
struct batch_breakdown {
    double forward_s = 0;
    double backward_s = 0;
    double recompute_s = 0;
    double transfer_s = 0;  ///< waiting for activations and gradients between stages
    double bubble_s = 0;    ///< filling and draining the pipeline
    double reduction_s = 0; ///< adding up gradients over the replicas
    double update_s = 0;    ///< the optimizer's step

    [[nodiscard]] double total_s() const noexcept {
        return forward_s + backward_s + recompute_s + transfer_s + bubble_s + reduction_s + update_s;
    }
};

/// The layers of a problem as the plan's tensor width makes them. The plan must be a plan of the problem.
[[nodiscard]] inline const placement::width_costs& costs_of(const placement::layer_graph& problem,
                                                            const placement::plan& plan) {
    const auto found = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const auto& costs) { return costs.width == plan.tensor_parallel; });
    DOVETAIL_ASSERT(found != problem.widths.end(), "the plan's width is one of the problem's");
    return *found;
}

/// The passes of one micro-batch through every stage; together they are the stage's load.
[[nodiscard]] inline std::vector<placement::stage_times> times_of(const placement::layer_graph& problem,
                                                                  const placement::plan& plan) {
    const placement::width_costs& costs = costs_of(problem, plan);
    std::vector<placement::stage_times> times;
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        const auto layers = plan.layers(s);
        double forward_s = 0;
        for (const graph::index v : layers) forward_s += costs.layers[v].forward_s;
        for (std::size_t e = 0; e < problem.edges.size(); ++e)
            if (problem.edges[e].target == layers.front() && layers.front() != 0)
                forward_s += costs.edge_bytes[e] / problem.link_bytes_per_s;
        forward_s = std::min(forward_s, plan.stages[s].load_s);
        times.push_back({.forward_s = forward_s, .backward_s = plan.stages[s].load_s - forward_s});
    }
    return times;
}

/// Splits the time of a batch: the heaviest stage sets the pace, the slowest reduction and update end it.
[[nodiscard]] inline batch_breakdown break_down(const placement::layer_graph& problem,
                                                const placement::plan& plan) {
    const placement::width_costs& costs = costs_of(problem, plan);
    const std::size_t pace = plan.heaviest_stage();
    const bool last = pace + 1 == plan.stages.size();
    const auto batches = static_cast<double>(ceil_div(problem.micro_batches, plan.data_parallel));
    batch_breakdown parts;
    for (const graph::index v : plan.layers(pace)) {
        parts.forward_s += costs.layers[v].forward_s * batches;
        parts.backward_s += costs.layers[v].backward_s * batches;
    }
    if (problem.recompute && !last) parts.recompute_s = parts.forward_s;
    const double paced_s = plan.stages[pace].load_s * batches;
    parts.transfer_s = detail::rest_beside(parts.forward_s + parts.backward_s + parts.recompute_s, paced_s);
    // What rounding left over stays in the sum.
    parts.backward_s = paced_s - parts.forward_s - parts.recompute_s - parts.transfer_s;
    parts.bubble_s = plan.stages[pace].load_s * static_cast<double>(plan.stages.size() - 1);

    const auto slowest = std::max_element(plan.stages.begin(), plan.stages.end(),
                                          [](const auto& a, const auto& b) { return a.tail_s < b.tail_s; });
    for (const graph::index v : plan.layers(static_cast<std::size_t>(slowest - plan.stages.begin())))
        parts.update_s += costs.layers[v].update_s;
    parts.reduction_s = detail::rest_beside(parts.update_s, slowest->tail_s);
    parts.update_s = slowest->tail_s - parts.reduction_s;
    return parts;
}

} // namespace dovetail::search
