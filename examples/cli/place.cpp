// dovetail place: the exact placement of a published planner's instance.

#include "command.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/ext/json/phaze_placement.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/smallest_hbm.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <utility>

namespace cli {

namespace {

namespace placement = dovetail::placement;

/// Seconds of one solve, repeated until the clock can tell.
double seconds_of_solve(const placement::exact_program& program, const placement::layer_graph& problem) {
    const dovetail::stopwatch clock;
    int solves = 0;
    do {
        static_cast<void>(program(problem));
        ++solves;
    } while (clock.seconds() < 0.05);
    return clock.seconds() / solves;
}

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

struct place_command {
    common_options common;
    std::string file;
    std::string format = "phaze";

    exit_status run() const {
        const auto instance = dovetail::ext::json::load_phaze_placement(file);
        if (!instance) return complain(instance.problem());
        const placement::layer_graph& problem = instance->problem;
        const placement::exact_program program{.charge = placement::objective::phaze};
        const auto plan = program(problem);
        if (!plan) return complain(dovetail::error(plan.problem()).within(file));
        const std::string binding = binding_of(problem, *plan);

        if (!common.json_file.empty()) {
            const std::string json = to_json(*instance, *plan, binding, seconds_of_solve(program, problem));
            if (auto written = write_file(common.json_file, json); !written)
                return complain(written.problem());
        }
        if (!common.quiet) {
            std::ostream& out = common.people();
            out << to_string(plan->outcome);
            if (!plan->stages.empty())
                out << ": " << dovetail::to_text(plan->time_per_batch_s) << " s per batch, "
                    << plan->data_parallel << " x " << plan->stages.size() << " x " << plan->tensor_parallel
                    << " (data x pipeline x tensor)";
            out << "; binding: " << binding << '\n';
        }
        return exit_of(plan->outcome);
    }

    static std::string to_json(const dovetail::ext::json::phaze_placement& instance,
                               const placement::plan& plan, const std::string& binding,
                               double solve_seconds) {
        const bool solved = plan.outcome == dovetail::status::optimal;
        dovetail::json_writer json;
        json.begin_object().member("status", to_string(plan.outcome));
        json.key("objective");
        solved ? json.value(plan.time_per_batch_s) : json.null();
        json.key("lower_bound");
        solved ? json.value(plan.time_per_batch_s) : json.null();
        json.member("proved_optimal", solved).key("plan");
        if (solved) {
            json.begin_object()
                .member("tensor_parallel", plan.tensor_parallel)
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
            json.end_array().end_object();
        } else {
            json.null();
        }
        json.member("binding", binding).member("solve_seconds", solve_seconds).end_object();
        return std::move(json).take();
    }
};

} // namespace

void add_place(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("place", "the best placement of a planner's instance");
    const auto options = std::make_shared<place_command>();
    command->add_option("file", options->file, "the instance")->required();
    command->add_option("--format", options->format, "the format of the instance")
        ->check(CLI::IsMember({"phaze"}));
    options->common.add_to(*command);
    command->callback([options, &status] { status = options->run(); });
}

} // namespace cli
