// From flags to a scheduling problem.

#include "schedule_problem.hpp"

#include "command.hpp"

#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/schedule/psplib.hpp>
#include <dovetail/search/pass_memory.hpp>
#include <dovetail/search/pass_timer.hpp>

#include <filesystem>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;
using dovetail::result;
using dovetail::to_text;
namespace search = dovetail::search;

void schedule_request::add_to(command_syntax command) {
    command.add_option("--format", format, "what the file holds").one_of({"model", "psplib"});
    layer.model.add_to(command);
    command.option("--dimension").only_with("--format", {"model"});
    const std::string group = "A layer of a model on a chip";
    layer.add_to(command, group);
    command.add_option("--cost-model", cost_model, "how operators are priced").one_of({"sound"}).group(group);
    command.option("--family").one_of({"phaze"}); // energies aside, all families are the same
    for (const char* flag : {"--layer", "--pass", "--family", "--point", "--micro-batch", "--tensor-width",
                             "--link-gib", "--cost-model"})
        command.option(flag).only_with("--format", {"model"});
}

namespace {

result<schedule_problem> load_layer(const schedule_request& request) {
    auto chosen = choose(request.layer);
    if (!chosen) return std::move(chosen).problem();
    search::pass_timer timer(chosen->pass());
    dovetail::schedule::workspace memory;
    using published = dovetail::hardware::phaze_platform;
    timer(dovetail::cost::sound_model<published>{}, chosen->chip, chosen->group, memory);
    auto activations = search::memory_of(chosen->pass(), timer.tasks(), published::element_bytes);
    if (!activations) return std::move(activations).problem();
    return schedule_problem{.tasks = timer.tasks(),
                            .memory = std::move(activations).value(),
                            .names = chosen->pass().names,
                            .resources = dovetail::report::chip_resources(),
                            .unit = {.per_second = 1e6, .name = "µs"},
                            .title = std::move(chosen->title),
                            .subtitle = std::move(chosen->subtitle),
                            .basis = {.prices = dovetail::report::pricing::sound,
                                      .attention = chosen->layer().attention,
                                      .flat_network = chosen->group.width > 1,
                                      .isolated_durations = true,
                                      .live_memory = true}};
}

result<schedule_problem> load_project(const schedule_request& request) {
    const std::string& file = request.layer.model.model;
    const auto text = read_file(file);
    if (!text) return text.problem();
    auto project = dovetail::schedule::read_psplib(*text, input_name(file));
    if (!project) return std::move(project).problem();
    schedule_problem problem{.tasks = std::move(project->problem),
                             .memory = {},
                             .names = {},
                             .resources = {"R1", "R2", "R3", "R4"},
                             .unit = {.per_second = 1.0, .name = "periods"},
                             .title = std::filesystem::path(input_name(file)).filename().string(),
                             .subtitle = {},
                             .basis = {}};
    for (std::size_t v = 0; v < problem.tasks.task_count(); ++v)
        problem.names.push_back("job " + to_text(v + 1));
    problem.subtitle = dovetail::readable(problem.names.size()) + " jobs";
    return problem;
}

} // namespace

result<schedule_problem> load(const schedule_request& request) {
    if (request.format == "model") return load_layer(request);
    return load_project(request);
}

} // namespace cli
