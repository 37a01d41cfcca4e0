#pragma once
/// \file
/// What a given plan costs: a cut that somebody else chose, priced by the same rules as the best one.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Computes the figures of `draft`, of which it reads width, replicas, order and cut. Unlike in a plan that
/// was searched for, a stage may hold no layer: it does nothing, and takes as many devices as the width.
/// \returns the plan with every figure filled in and `status::feasible`, or the first reason why it is none:
/// layers, width, replicas, devices, memory. \complexity O(stages * layers + layers * edges).
[[nodiscard]] inline result<plan> evaluate(const layer_graph& problem, plan draft, objective charge) {
    using detail::broken_plan;
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const width_costs& w) { return w.width == draft.tensor_parallel; });
    if (costs == problem.widths.end())
        return broken_plan("tensor_parallel", "it is " + to_text(draft.tensor_parallel),
                           "it is one of the problem's widths");
    if (draft.data_parallel < 1 || draft.data_parallel > problem.micro_batches)
        return broken_plan("data_parallel", "it is " + to_text(draft.data_parallel),
                           "it is from 1 to the " + to_text(problem.micro_batches) + " micro-batches");
    if (draft.stages.empty()) return broken_plan("stages", "there is none", "there is one at least");
    // The stages that hold layers are checked as those of any plan; then each gets back its own number.
    plan filled = draft;
    std::vector<std::size_t> number;
    filled.stages.clear();
    for (std::size_t s = 0; s < draft.stages.size(); ++s)
        if (draft.stages[s].begin != draft.stages[s].end) {
            filled.stages.push_back(draft.stages[s]);
            number.push_back(s);
        }
    auto stage_of = detail::stages_of_layers(problem, filled);
    if (!stage_of) return std::move(stage_of).problem();
    for (std::size_t& s : *stage_of) s = number[s];

    const std::size_t stages = draft.stages.size();
    const plan_evaluator priced(problem, *costs, *stage_of, stages);
    std::int64_t replica = 0;
    for (std::size_t s = 0; s < stages; ++s) {
        stage& part = draft.stages[s];
        part.devices = part.begin == part.end ? costs->width : priced.devices(s);
        part.load_s = priced.load_s(s);
        part.memory_bytes = priced.memory_bytes(s);
        part.tail_s = priced.tail_s(s, draft.data_parallel, true);
        part.repeats = problem.recompute && s + 1 < stages ? recomputation::full : recomputation::none;
        replica += part.devices;
    }
    if (draft.data_parallel > problem.devices / replica)
        return broken_plan("devices", "it takes " + to_text(draft.data_parallel) + " x " + to_text(replica),
                           "there are " + to_text(problem.devices));
    for (std::size_t s = 0; s < stages; ++s)
        if (draft.stages[s].memory_bytes > problem.hbm_bytes * (1.0 + 1e-12))
            return broken_plan("stage " + to_text(s),
                               "it needs " + to_text(draft.stages[s].memory_bytes) + " bytes",
                               "a device has " + to_text(problem.hbm_bytes));
    draft.time_per_batch_s = priced.time_per_batch_s(draft.data_parallel, charge);
    draft.outcome = status::feasible;
    return draft;
}

} // namespace dovetail::placement
