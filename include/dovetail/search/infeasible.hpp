#pragma once
/// \file
/// Why no plan fits: the smallest memory that would do, and who needs it.

#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/search/evaluate.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace dovetail::search {

/// The least memory with which some plan fits, and the stage of such a plan that fills it.
struct memory_need {
    double bytes = std::numeric_limits<double>::infinity();
    placement::plan plan;

    [[nodiscard]] std::size_t fullest_stage() const {
        std::size_t fullest = 0;
        for (std::size_t s = 1; s < plan.stages.size(); ++s)
            if (plan.stages[s].memory_bytes > plan.stages[fullest].memory_bytes) fullest = s;
        return fullest;
    }
};

/// The smallest memory of a device, to the byte, with which `problem` has a plan; infinite when the devices
/// are too few for any. \complexity about 50 placements.
[[nodiscard]] inline memory_need smallest_memory(placement::layer_graph problem) {
    placement::chain_workspace workspace;
    memory_need need;
    double too_small = 0;
    problem.hbm_bytes = std::numeric_limits<double>::infinity();
    while (problem.hbm_bytes > too_small) {
        const placement::plan& plan = placement::chain_program{}(problem, workspace);
        if (plan.outcome == status::optimal) {
            need.plan = plan;
            need.bytes = plan.stages[need.fullest_stage()].memory_bytes;
        } else {
            too_small = problem.hbm_bytes;
            if (need.plan.stages.empty()) break;
        }
        if (need.bytes - too_small < 1) break;
        problem.hbm_bytes = too_small + (need.bytes - too_small) / 2;
    }
    return need;
}

/// One line that says what keeps every setting from fitting, from the setting that comes closest.
/// \param problem the layers of the first micro-batch size, which needs least memory of all that were priced
template <class Evaluator>
[[nodiscard]] std::string binding_constraint(const placement::layer_graph& problem,
                                             std::span<const setting> settings, const Evaluator& evaluate) {
    memory_need least;
    double largest_offered = 0;
    for (const setting& s : settings) largest_offered = std::max(largest_offered, s.hbm_bytes);
    for (const bool recompute : {false, true}) {
        if (std::none_of(settings.begin(), settings.end(),
                         [&](const setting& s) { return s.recompute == recompute; }))
            continue;
        placement::layer_graph relaxed = problem;
        relaxed.recompute = recompute;
        memory_need need = smallest_memory(std::move(relaxed));
        if (need.bytes < least.bytes) least = std::move(need);
    }
    if (least.plan.stages.empty())
        return "devices: " + to_text(problem.devices) + " are too few for any plan";
    const auto gib = [](double bytes) { return to_text(bytes / static_cast<double>(gibibyte), 6) + " GiB"; };
    const std::size_t stage = least.fullest_stage();
    const auto layers = least.plan.layers(stage);
    return "memory: a device has at most " + gib(largest_offered) + ", and the leanest plan needs " +
           gib(least.bytes) + " for stage " + to_text(stage + 1) + " of " +
           to_text(least.plan.stages.size()) + " (layers " + evaluate.profile().layer_names[layers.front()] +
           " to " + evaluate.profile().layer_names[layers.back()] + ")";
}

} // namespace dovetail::search
