// The largest load of accelerators and CPUs, as Tarnawski et al. (NeurIPS 2020) pose it, minimised exactly.

#include "command.hpp"
#include "place_formats.hpp"

#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/device_placement.hpp>
#include <dovetail/placement/max_load_program.hpp>
#include <dovetail/placement/smallest_device_memory.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace placement = dovetail::placement;
using dovetail::readable;
using dovetail::to_text;
using dovetail::ext::json::device_placement;

// The nodes that no device of the instance can run; there is no CPU.
std::string unsupported_nodes(const device_placement& instance) {
    std::vector<std::int64_t> ids;
    for (std::size_t v = 0; v < instance.node_ids.size(); ++v)
        if (!instance.problem.nodes[v].supported) ids.push_back(instance.node_ids[v]);
    std::sort(ids.begin(), ids.end());
    std::string list;
    for (std::size_t i = 0; i < ids.size() && i < 5; ++i) list += (i == 0 ? "" : ", ") + to_text(ids[i]);
    if (ids.size() > 5) list += " and " + to_text(ids.size() - 5) + " more";
    return list;
}

std::string binding_of(const device_placement& instance, const placement::device_plan& plan,
                       const placement::max_load_program& program) {
    const placement::device_graph& problem = instance.problem;
    if (!plan.devices.empty()) {
        const std::size_t d = plan.busiest_device();
        return "load of device " + to_text(d + 1) + " of this plan, " +
               std::string(to_string(plan.devices[d].kind));
    }
    if (plan.outcome == dovetail::status::budget) return "time: no plan was found in it";
    if (problem.accelerators == 0) return "devices: there is neither an accelerator nor a CPU";
    if (const std::string nodes = unsupported_nodes(instance); !nodes.empty())
        return "support: without a CPU nothing runs node " + nodes;
    const placement::device_plan need = placement::smallest_device_memory(problem, program);
    const bool exact = need.outcome == dovetail::status::optimal;
    return "memory: an accelerator needs at least " + readable(exact ? need.max_load_s : need.lower_bound_s) +
           " bytes in any plan";
}

void write_plan(const device_placement& instance, const placement::device_plan& plan,
                dovetail::json_writer& json) {
    json.key("stages").begin_array();
    for (const placement::device_share& device : plan.devices) {
        json.begin_object().member("kind", to_string(device.kind)).key("layers").begin_array();
        for (const auto v : device.nodes) json.value(instance.node_ids[v]);
        json.end_array()
            .member("load", device.load_s)
            .member("memory_bytes", device.memory_bytes)
            .end_object();
    }
    json.end_array();
}

} // namespace

dovetail::result<placement_answer> place_max_load(const place_request& request) {
    const auto text = read_file(request.file);
    if (!text) return text.problem();
    auto instance = dovetail::ext::json::read_device_placement(*text, input_name(request.file));
    if (!instance) return std::move(instance).problem();
    placement::max_load_program program;
    program.limits = request.limit.begin();
    const dovetail::stopwatch clock;
    placement_answer answer;
    auto plan = measure_solve(answer.effort, program.limits, request.repeat,
                              [&] { return program(instance->problem); });
    answer.outcome = plan.outcome;
    program.limits = program.limits.after(clock.seconds());
    answer.binding = binding_of(*instance, plan, program);
    if (plan.outcome != dovetail::status::infeasible) answer.lower_bound = plan.lower_bound_s;
    if (plan.devices.empty()) return answer;
    answer.objective = plan.max_load_s;
    answer.basis = {.host_route = true};
    answer.summary =
        "largest load " + readable(plan.max_load_s, 6) + " on " + readable(plan.devices.size()) + " devices";
    if (plan.outcome != dovetail::status::optimal)
        answer.summary += ", at least " + readable(plan.lower_bound_s, 6);
    answer.plan = [instance = *std::move(instance), plan = std::move(plan)](dovetail::json_writer& json) {
        write_plan(instance, plan, json);
    };
    return answer;
}

} // namespace cli
