// dovetail place: the placement of a published planner's instance.

#include "command.hpp"
#include "inputs.hpp"
#include "place_formats.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

struct place_format {
    const char* name;
    dovetail::result<placement_answer> (*place)(const place_request&);
};

constexpr std::array formats{place_format{"phaze", place_phaze}, place_format{"max-load", place_max_load},
                             place_format{"latency", place_latency}, place_format{"piper", place_piper}};

void write(dovetail::json_writer& json, const placement_answer& answer) {
    const auto number = [&](std::string_view key, const std::optional<double>& value) {
        json.key(key);
        value ? json.value(*value) : json.null();
    };
    json.member("status", to_string(answer.outcome));
    number("objective", answer.objective);
    number("lower_bound", answer.lower_bound);
    json.member("proved_optimal", answer.outcome == dovetail::status::optimal).key("plan");
    if (answer.objective) {
        json.begin_object();
        answer.plan(json);
        json.end_object();
    } else {
        json.null();
    }
    json.member("binding", answer.binding);
    if (answer.more) answer.more(json);
    json.member("solve_seconds", answer.effort.seconds)
        .member("peak_bytes", answer.effort.peak_bytes)
        .member("solves", answer.effort.solves);
    write_assumptions(json, assumptions_of(answer.basis));
}

struct place_command {
    common_options common;
    place_request request;
    std::string format = "phaze";
    std::optional<flag_syntax> limited;

    exit_status run() {
        if (auto begun = common.begin(sources_of(request.file)); !begun) return complain(begun.problem());
        request.threads = common.threads;
        request.seed = common.seed;
        request.has_time_limit = limited && limited->is_given();
        const auto chosen = std::find_if(formats.begin(), formats.end(),
                                         [&](const place_format& f) { return f.name == format; });
        const auto answer = chosen->place(request);
        if (!answer) return complain(answer.problem());
        common.put_json([&](dovetail::json_writer& json) { write(json, *answer); });
        std::ostream& out = common.people();
        out << to_string(answer->outcome);
        if (!answer->summary.empty()) out << ": " << answer->summary;
        out << "; binding: " << answer->binding << '\n';
        if (!answer->comparison.empty()) out << answer->comparison << '\n';
        if (const auto held = assumptions_of(answer->basis); !held.empty())
            out << assumption_line(held) << '\n';
        return common.finish(exit_of(answer->outcome));
    }
};

} // namespace

void add_place(command_syntax app, int& status) {
    const command_syntax command = app.add_subcommand("place", "the best placement of a planner's instance");
    const auto options = std::make_shared<place_command>();
    std::vector<std::string> names;
    for (const place_format& f : formats) names.emplace_back(f.name);
    command.add_example("dovetail place instance.json --json plan.json", "PHAZE's problem, solved exactly");
    command.add_example(
        "dovetail place instance.json --schedule zb-h1 --choose-recomputation --shard-optimizer",
        "beyond it: another schedule, and more to choose from");
    command.add_example("dovetail place graph.json --format max-load", "the least largest load of devices");
    command.add_option("file", options->request.file, "the instance").type_name("FILE").required();
    command.add_option("--format", options->format, "the format of the instance").one_of(names);
    options->limited = options->request.limit.add_to(command).default_text("inf; latency: 20");
    command
        .add_flag("--repeat", options->request.repeat,
                  "solve again for 50 ms, so that solve_seconds is a precise mean")
        .no_part_of_answer();
    schedule_options& more = options->request.options;
    command.add_option("--schedule", more.schedule, "the pipeline's schedule")
        .one_of({"1f1b", "gpipe", "interleaved", "zb-h1", "zb-h2"});
    command.add_flag("--every-stage", more.every_stage, "charge the reduction to every stage, not the first");
    command.add_flag("--choose-recomputation", more.choose_recomputation, "stage by stage: none or full");
    command.add_flag("--shard-optimizer", more.shard_optimizer, "replicas share its state out (ZeRO-1)");
    command.add_flag("--overlap-reduction", more.overlap_reduction,
                     "beside the last micro-batch's backward pass");
    add_options(command, more);
    command.add_flag("--tensor-across-nodes", more.tensor_across, "let a tensor group span nodes");
    for (const char* flag :
         {"--schedule", "--stages-per-device", "--every-stage", "--choose-recomputation", "--shard-optimizer",
          "--overlap-reduction", "--node-devices", "--node-gb-per-s", "--tensor-across-nodes"})
        command.option(flag).group("Beyond PHAZE's problem").only_with("--format", {"phaze"});
    command.option("--stages-per-device").only_with("--schedule", {"interleaved"});
    for (const char* flag : {"--node-gb-per-s", "--tensor-across-nodes"})
        command.option(flag).only_if([options] { return options->request.options.node_devices > 0; },
                                     "--node-devices of 1 or more");
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
