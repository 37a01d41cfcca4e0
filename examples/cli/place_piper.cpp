// Piper's placement problem, solved exactly.

#include "command.hpp"
#include "place_formats.hpp"

#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/piper_placement.hpp>
#include <dovetail/placement/smallest_variant_hbm.hpp>
#include <dovetail/placement/variant_program.hpp>

namespace cli {

namespace {

namespace placement = dovetail::placement;

std::string binding_of(const placement::variant_graph& problem, const placement::variant_plan& plan,
                       const dovetail::budget& limits) {
    if (!plan.stages.empty())
        return "time of stage " + dovetail::to_text(plan.slowest_stage() + 1) + " of " +
               dovetail::to_text(plan.stages.size()) + " of this plan";
    if (plan.outcome != dovetail::status::infeasible) return "time: it ended before the first plan";
    const auto need = placement::smallest_hbm(problem, placement::variant_program{}.downset_limit, limits);
    if (!need) return need.problem().line();
    if (!need->proved) return "devices or memory: the time ended before it was known which";
    if (need->stages.empty())
        return "devices: a pipeline takes at least " + dovetail::readable(need->fewest_devices);
    return "memory: stage " + dovetail::to_text(need->stage + 1) + " of " +
           dovetail::to_text(need->stages.size()) + " of the leanest plan needs " +
           dovetail::readable(need->bytes) + " bytes of a device, which has " +
           dovetail::readable(problem.hbm_bytes);
}

void write_plan(const dovetail::ext::json::piper_placement& instance, const placement::variant_plan& plan,
                dovetail::json_writer& json) {
    json.member("devices", plan.devices()).key("stages").begin_array();
    for (const placement::variant_stage& stage : plan.stages) {
        json.begin_object().key("layers").begin_array();
        for (const auto v : stage.layers) json.value(instance.layer_ids[v]);
        json.end_array()
            .member("devices", stage.devices())
            .member("tensor_parallel", stage.width)
            .member("data_parallel", stage.replicas)
            .key("variants")
            .begin_array();
        for (std::size_t i = 0; i < stage.layers.size(); ++i)
            json.value(instance.problem.layers[stage.layers[i]]
                           .at_width(stage.width)
                           ->variants[stage.variants[i]]
                           .name);
        json.end_array()
            .member("time_s", stage.time_s)
            .member("memory_bytes", stage.memory_bytes)
            .end_object();
    }
    json.end_array();
}

} // namespace

dovetail::result<placement_answer> place_piper(const place_request& request) {
    const auto text = read_file(request.file);
    if (!text) return text.problem();
    auto instance = dovetail::ext::json::read_piper_placement(*text, input_name(request.file));
    if (!instance) return std::move(instance).problem();
    placement::variant_program program;
    const dovetail::budget limits = request.limit.begin();
    program.seconds = limits.seconds;
    program.stop = limits.stop;
    const dovetail::stopwatch clock;
    placement_answer answer;
    auto solved =
        measure_solve(answer.effort, limits, request.repeat, [&] { return program(instance->problem); });
    if (!solved) return std::move(solved).problem().within(request.file);
    answer.outcome = solved->outcome;
    answer.binding = binding_of(instance->problem, *solved, limits.after(clock.seconds()));
    if (solved->outcome != dovetail::status::infeasible) answer.lower_bound = solved->lower_bound_s;
    if (solved->stages.empty()) return answer;
    answer.objective = solved->time_s;
    const bool exchanges = solved->devices() > 1;
    answer.basis = {.flat_network = exchanges,
                    .exposed_transfers = exchanges,
                    .unfilled_pipeline = solved->stages.size() > 1};
    answer.summary = dovetail::readable(solved->time_s, 6) + " s per micro-batch, " +
                     dovetail::readable(solved->stages.size()) + " stages on " +
                     dovetail::readable(solved->devices()) + " devices";
    answer.plan = [instance = *std::move(instance), plan = *std::move(solved)](dovetail::json_writer& json) {
        write_plan(instance, plan, json);
    };
    return answer;
}

} // namespace cli
