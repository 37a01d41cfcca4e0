// The placement of operators on accelerators and CPUs for the least latency of one sample.

#include "command.hpp"
#include "place_formats.hpp"

#include <dovetail/core/parallel.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/ext/json/device_placement.hpp>
#include <dovetail/placement/device_plan.hpp>
#include <dovetail/placement/latency_program.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace cli {

namespace {

namespace placement = dovetail::placement;
namespace graph = dovetail::graph;

constexpr double default_limit_s = 20.0;

std::size_t accelerators_used(const placement::latency_plan& plan) {
    std::size_t used = 0;
    for (const graph::index a : plan.device)
        if (a != graph::none) used = std::max(used, a + std::size_t{1});
    return used;
}

std::string binding_of(const placement::device_graph& problem, const placement::latency_plan& plan) {
    const std::size_t used = accelerators_used(plan);
    if (plan.outcome != dovetail::status::optimal) return "time limit";
    if (std::none_of(plan.device.begin(), plan.device.end(), [](graph::index a) { return a == graph::none; }))
        return "accelerators and transfers: this plan has no node on the host";
    if (static_cast<std::int64_t>(used) == problem.accelerators)
        return "accelerators: this plan uses all of them";
    return "transfers and memory: another accelerator would not pay for this plan";
}

// What an accelerator holds, or the host, by the ids of the file.
void write_stage(const dovetail::ext::json::device_placement& instance, const placement::latency_plan& plan,
                 graph::index device, dovetail::json_writer& json) {
    const auto kind =
        device == graph::none ? placement::device_kind::cpu : placement::device_kind::accelerator;
    json.begin_object().member("kind", to_string(kind)).key("layers").begin_array();
    for (std::size_t v = 0; v < plan.device.size(); ++v)
        if (plan.device[v] == device) json.value(instance.node_ids[v]);
    json.end_array().end_object();
}

} // namespace

dovetail::result<placement_answer> place_latency(const place_request& request) {
    const auto text = read_file(request.file);
    if (!text) return text.problem();
    auto instance = dovetail::ext::json::read_device_placement(*text, input_name(request.file));
    if (!instance) return std::move(instance).problem();
    const auto& nodes = instance->problem.nodes;
    if (std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return node.backward; }))
        return dovetail::error{dovetail::errc::unsupported, request.file, "it has a backward pass",
                               "a placement for latency is of inference"};
    dovetail::budget limits = request.limit.begin();
    if (!request.has_time_limit) limits.seconds = default_limit_s;
    const placement::latency_program program{.limits = limits,
                                             .threads = request.threads > 0
                                                            ? static_cast<std::size_t>(request.threads)
                                                            : dovetail::hardware_threads(),
                                             .seed = request.seed};
    placement_answer answer;
    auto solved =
        measure_solve(answer.effort, limits, request.repeat, [&] { return program(instance->problem); });
    if (!solved) return std::move(solved).problem().within(request.file);
    answer.outcome = solved->outcome;
    answer.objective = solved->latency_s;
    answer.lower_bound = solved->lower_bound_s;
    answer.binding = binding_of(instance->problem, *solved);
    answer.basis = {.host_route = true, .endless_host = true};
    answer.summary = "latency " + dovetail::readable(solved->latency_s, 6) + ", at least " +
                     dovetail::readable(solved->lower_bound_s, 6) + ", on " +
                     dovetail::readable(accelerators_used(*solved)) + " accelerators and the host";
    answer.plan = [instance = *std::move(instance), plan = *std::move(solved)](dovetail::json_writer& json) {
        json.key("stages").begin_array();
        for (graph::index a = 0; a < accelerators_used(plan); ++a) write_stage(instance, plan, a, json);
        write_stage(instance, plan, graph::none, json);
        json.end_array();
    };
    return answer;
}

} // namespace cli
