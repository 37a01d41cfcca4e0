// PHAZE's stage planning problem, solved exactly.

#include "place_formats.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/phaze_placement.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/smallest_hbm.hpp>

namespace cli {

namespace {

namespace placement = dovetail::placement;

std::string binding_of(const placement::layer_graph& problem, const placement::plan& plan) {
    if (!plan.stages.empty()) {
        const std::size_t stage = plan.heaviest_stage();
        return "load of stage " + dovetail::to_text(stage + 1);
    }
    const auto need = placement::smallest_hbm(problem);
    if (!need) return need.problem().line();
    if (need->binding() == placement::constraint::devices)
        return "devices: a replica takes at least " + dovetail::to_text(need->fewest_devices);
    return "memory: stage " + dovetail::to_text(need->stage + 1) + " of " + dovetail::to_text(need->stages) +
           " needs " + dovetail::to_text(need->bytes) + " bytes of a device";
}

void write_plan(const dovetail::ext::json::phaze_placement& instance, const placement::plan& plan,
                dovetail::json_writer& json) {
    json.member("tensor_parallel", plan.tensor_parallel)
        .member("data_parallel", plan.data_parallel)
        .key("stages")
        .begin_array();
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        json.begin_object().key("layers").begin_array();
        for (const auto v : plan.layers(s)) json.value(instance.layer_ids[v]);
        json.end_array()
            .member("devices", plan.stages[s].devices)
            .member("load_s", plan.stages[s].load_s)
            .member("memory_bytes", plan.stages[s].memory_bytes)
            .end_object();
    }
    json.end_array();
}

} // namespace

dovetail::result<placement_answer> place_phaze(const place_request& request) {
    auto instance = dovetail::ext::json::load_phaze_placement(request.file);
    if (!instance) return std::move(instance).problem();
    const placement::exact_program program{.charge = placement::objective::phaze};
    placement_answer answer;
    auto solved = measure_solve(answer.effort, [&] { return program(instance->problem); });
    if (!solved) return std::move(solved).problem().within(request.file);
    answer.outcome = solved->outcome;
    answer.binding = binding_of(instance->problem, *solved);
    if (solved->stages.empty()) return answer;
    answer.objective = answer.lower_bound = solved->time_per_batch_s;
    answer.summary = dovetail::to_text(solved->time_per_batch_s) + " s per batch, " +
                     dovetail::to_text(solved->data_parallel) + " x " +
                     dovetail::to_text(solved->stages.size()) + " x " +
                     dovetail::to_text(solved->tensor_parallel) + " (data x pipeline x tensor)";
    answer.plan = [instance = *std::move(instance), plan = *std::move(solved)](dovetail::json_writer& json) {
        write_plan(instance, plan, json);
    };
    return answer;
}

} // namespace cli
