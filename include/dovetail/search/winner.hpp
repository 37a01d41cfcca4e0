#pragma once
/// \file
/// The winner seen closely: the operator schedules of its layers.

#include <dovetail/schedule/cores.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::search {

/// One group of operators on the cores that it holds.
struct scheduled_group {
    std::string name;
    double start_s = 0;
    double end_s = 0;
    std::vector<std::int32_t> tensor_cores;
    std::vector<std::int32_t> vector_cores;
    bool link = false;
};

/// The schedule of one pass through one layer.
struct scheduled_pass {
    pass_time time;
    std::vector<scheduled_group> groups; ///< in the order of their starts
};

/// Schedules one pass on a chip and gives every group its cores.
template <cost::latency_model Model>
[[nodiscard]] scheduled_pass schedule_pass(const pass_profile& pass, const Model& model,
                                           const hardware::accelerator& chip, const tensor_group& group) {
    pass_timer timer(pass);
    schedule::workspace memory;
    scheduled_pass scheduled{.time = timer(model, chip, group, memory), .groups = {}};
    const schedule::schedule best = schedule::list_scheduler{}(timer.tasks(), memory).best;
    const schedule::core_assignment cores = schedule::assign_cores(timer.tasks(), best);
    const auto held = [&](graph::index v, resource r) {
        const auto numbers = cores.units(v, static_cast<std::size_t>(r));
        return std::vector<std::int32_t>(numbers.begin(), numbers.end());
    };
    for (graph::index v = 0; v < pass.groups.size(); ++v) {
        const double duration_s = timer.tasks().modes(v)[best.mode[v]].duration_s;
        if (!(duration_s > 0)) continue;
        scheduled.groups.push_back({.name = pass.names[v],
                                    .start_s = best.start_s[v],
                                    .end_s = best.start_s[v] + duration_s,
                                    .tensor_cores = held(v, resource::tensor_core),
                                    .vector_cores = held(v, resource::vector_core),
                                    .link = !held(v, resource::link).empty()});
    }
    std::stable_sort(scheduled.groups.begin(), scheduled.groups.end(),
                     [](const auto& a, const auto& b) { return a.start_s < b.start_s; });
    return scheduled;
}

/// The slice of the model that a solution runs.
[[nodiscard]] inline const slice_profile& slice_of(const workload_profile& profile, const solution& found) {
    const auto width =
        std::find(profile.tensor_widths.begin(), profile.tensor_widths.end(), found.plan.tensor_parallel);
    return profile.slice(found.setting.micro_batch,
                         static_cast<std::size_t>(width - profile.tensor_widths.begin()));
}

/// The structure whose layers take most of the time of a micro-batch.
[[nodiscard]] inline graph::index heaviest_structure(const slice_profile& slice,
                                                     const placement::width_costs& costs) {
    std::vector<double> seconds(slice.structures.size(), 0.0);
    for (std::size_t i = 0; i < slice.chain.size(); ++i)
        seconds[slice.chain[i]] += costs.layers[i].forward_s + costs.layers[i].backward_s;
    return static_cast<graph::index>(std::max_element(seconds.begin(), seconds.end()) - seconds.begin());
}

} // namespace dovetail::search
