#pragma once
/// \file
/// The winner seen closely: the operator schedules of its layers.

#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/timetable.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace dovetail::search {

/// The schedule of one pass through one layer.
struct scheduled_pass {
    pass_time time;
    std::vector<schedule::timetable_entry> table; ///< resources as in `resource`
    std::vector<std::string> names;               ///< of the groups, by task
};

/// Schedules one pass on a chip and gives every group its cores.
template <cost::latency_model Model>
[[nodiscard]] scheduled_pass schedule_pass(const pass_profile& pass, const Model& model,
                                           const hardware::accelerator& chip, const tensor_group& group) {
    pass_timer timer(pass);
    schedule::workspace memory;
    const pass_time time = timer(model, chip, group, memory);
    return {.time = time,
            .table = schedule::make_timetable(timer.tasks(),
                                              schedule::list_scheduler{}(timer.tasks(), memory).best),
            .names = pass.names};
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
