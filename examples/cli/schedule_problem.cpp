// From flags to a scheduling problem.

#include "schedule_problem.hpp"

#include "command.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/point.hpp>
#include <dovetail/schedule/psplib.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/workload/recognise.hpp>

#include <filesystem>
#include <limits>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;
using dovetail::result;
using dovetail::to_text;
namespace search = dovetail::search;

void schedule_request::add_to(CLI::App& command) {
    command.add_option("--format", format, "what the file holds")
        ->check(CLI::IsMember({"model", "psplib"}))
        ->capture_default_str();
    model.add_to(command, true);
    const std::string group = "A layer of a model on a chip (--format model)";
    command.add_option("--layer", layer, "the layer, counted from 0")->type_name("NUMBER")->group(group);
    command.add_option("--pass", pass, "which pass through it")
        ->check(CLI::IsMember({"forward", "backward"}))
        ->capture_default_str()
        ->group(group);
    command.add_option("--family", family, "the family of chips")
        ->check(CLI::IsMember({"phaze"}))
        ->group(group);
    command
        .add_option("--point", point,
                    "the chip: num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128; the family's "
                    "reference if not given")
        ->group(group);
    command.add_option("--cost-model", cost_model, "how operators are priced")
        ->check(CLI::IsMember({"sound"}))
        ->capture_default_str()
        ->group(group);
    add_options(command, *this);
}

namespace {

/// The layers of the chain, equal neighbours together: "0 (3 tasks), 1 to 12 (25 tasks)".
std::string list_of_layers(const search::slice_profile& slice, bool backward) {
    std::string list;
    for (std::size_t first = 0, last = 0; first < slice.chain.size(); first = ++last) {
        while (last + 1 < slice.chain.size() && slice.chain[last + 1] == slice.chain[first]) ++last;
        const search::layer_profile& layer = slice.structures[slice.chain[first]];
        const std::size_t tasks = (backward ? layer.backward : layer.forward).groups.size();
        list += (first == 0 ? "" : ", ") + to_text(first) + (last == first ? "" : " to " + to_text(last)) +
                " (" + to_text(tasks) + (tasks == 1 ? " task)" : " tasks)");
    }
    return list;
}

result<schedule_problem> load_layer(const schedule_request& request) {
    dovetail::hardware::accelerator chip = dovetail::hardware::phaze_family::reference();
    if (!request.point.empty()) {
        auto given = dovetail::hardware::parse_point(request.point);
        if (!given) return std::move(given).problem().within("option --point");
        chip = *given;
    }
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (chip.num_tc > most || chip.num_vc > most)
        return error{errc::out_of_range, "option --point", "it has more than 2^31 - 1 cores of a type",
                     "a schedule counts cores in 32 bits"};
    const auto graph = request.model.load();
    if (!graph) return graph.problem();
    const auto profile = search::profile_workload(dovetail::workload::recognise(*graph),
                                                  {.micro_batches = {request.micro_batch},
                                                   .tensor_widths = {request.tensor_width},
                                                   .link_gib_per_s = request.link_gib_per_s});
    if (!profile) return profile.problem();
    const search::slice_profile& slice = profile->slices.front();
    const bool backward = request.pass == "backward";
    const auto number = dovetail::parse_number<std::size_t>(request.layer);
    if (!number || *number >= slice.chain.size())
        return error{errc::out_of_range, "option --layer",
                     request.layer.empty() ? "it is missing" : "there is no layer '" + request.layer + "'",
                     "layers of " + profile->model + ": " + list_of_layers(slice, backward)};

    const search::layer_profile& layer = slice.structures[slice.chain[*number]];
    const search::pass_profile& pass = backward ? layer.backward : layer.forward;
    search::pass_timer timer(pass);
    dovetail::schedule::workspace memory;
    using platform = dovetail::hardware::phaze_platform;
    timer(dovetail::cost::sound_model<platform>{}, chip,
          {.width = request.tensor_width,
           .link_bytes_per_s = request.link_gib_per_s * static_cast<double>(dovetail::gibibyte)},
          memory);
    return schedule_problem{
        .tasks = timer.tasks(),
        .names = pass.names,
        .resources = dovetail::report::chip_resources(),
        .unit = {.per_second = 1e6, .name = "µs"},
        .title = profile->model + ", layer " + to_text(*number) + ", " + request.pass + " pass",
        .subtitle = to_text(chip.num_tc) + " tensor cores of " + to_text(chip.width) + " x " +
                    to_text(chip.depth) + ", " + to_text(chip.num_vc) + " vector cores of " +
                    to_text(chip.width_vc) + " lanes, " + to_text(chip.glb_bytes / dovetail::mebibyte) +
                    " MiB; micro-batch " + to_text(request.micro_batch) + ", tensor width " +
                    to_text(request.tensor_width)};
}

result<schedule_problem> load_project(const schedule_request& request) {
    const std::string& file = request.model.model;
    const auto text = read_file(file);
    if (!text) return text.problem();
    auto project = dovetail::schedule::read_psplib(*text, file);
    if (!project) return std::move(project).problem();
    schedule_problem problem{.tasks = std::move(project->problem),
                             .names = {},
                             .resources = {"R1", "R2", "R3", "R4"},
                             .unit = {.per_second = 1.0, .name = "periods"},
                             .title = std::filesystem::path(file).filename().string(),
                             .subtitle = {}};
    for (std::size_t v = 0; v < problem.tasks.task_count(); ++v)
        problem.names.push_back("job " + to_text(v + 1));
    problem.subtitle = to_text(problem.names.size()) + " jobs";
    return problem;
}

} // namespace

result<schedule_problem> load(const schedule_request& request) {
    if (request.format == "model") return load_layer(request);
    if (!request.layer.empty() || !request.point.empty())
        return error{errc::unsupported, "option --format", "it is 'psplib', with --layer or --point",
                     "layers and chips go with --format model"};
    return load_project(request);
}

} // namespace cli
