// dovetail inspect: what a model is made of.

#include "command.hpp"
#include "inputs.hpp"
#include "model.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/layers.hpp>
#include <dovetail/workload/recognise.hpp>

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace cli {

namespace {

struct inspect_command {
    common_options common;
    model_options model;

    exit_status run() {
        namespace workload = dovetail::workload;
        using dovetail::readable;
        if (auto begun = common.begin(sources_of_model(model.model)); !begun)
            return complain(begun.problem());
        const auto graph = model.load();
        if (!graph) return complain(graph.problem());
        const workload::operator_graph recognised = workload::recognise(*graph);
        const workload::layer_structure layers =
            workload::detect_layers(recognised, workload::fuse(recognised));
        const std::vector<workload::layer_run> runs = workload::layer_summary(layers);
        // What a layer is fused to when it runs by itself: the rows that `price --layer` has for it.
        std::vector<std::size_t> tasks(layers.layers.size(), 0);
        for (const workload::fused_group& group : workload::fuse(recognised, layers.layer_of).groups)
            ++tasks[layers.layer_of[group.head]];

        common.put_json([&](dovetail::json_writer& json) {
            json.member("model", graph->name)
                .member("batch", graph->batch)
                .member("parameters", workload::count_parameters(*graph))
                .member("macs", workload::count_macs(*graph))
                .member("nodes", graph->operations.size())
                .member("edges", workload::count_edges(*graph))
                .member("attention_heads", graph->attention_heads)
                .key("operators")
                .begin_object();
            for (const auto& [type, count] : workload::count_operators(*graph)) json.member(type, count);
            json.end_object().key("layers").begin_array();
            for (const workload::layer_run& run : runs)
                json.begin_object()
                    .member("id", run.id)
                    .member("first", run.first)
                    .member("last", run.last())
                    .member("repeats", run.repeats)
                    .member("operators", run.operators)
                    .member("tasks", tasks[run.first])
                    .end_object();
            json.end_array();
        });
        std::ostream& out = common.people();
        out << graph->name << ": " << readable(workload::count_parameters(*graph)) << " parameters, "
            << readable(workload::count_macs(*graph), 15) << " multiply-accumulates at batch "
            << readable(graph->batch) << ", " << readable(graph->operations.size()) << " operators\n";
        for (const workload::layer_run& run : runs) {
            out << "  layer" << (run.repeats == 1 ? " " : "s ") << run.first;
            if (run.repeats > 1) out << " to " << run.last();
            out << ": " << (run.repeats > 1 ? readable(run.repeats) + " x " : "") << readable(run.operators)
                << (run.operators == 1 ? " operator" : " operators") << ", fused to "
                << readable(tasks[run.first]) << '\n';
        }
        return common.finish(solved);
    }
};

} // namespace

void add_inspect(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("inspect", "parameters, multiply-accumulates, operators and layers of a model");
    const auto options = std::make_shared<inspect_command>();
    command.add_example("dovetail inspect bert-large", "a model of the zoo");
    command.add_example("dovetail inspect model.onnx --json model.json", "a file, for a program");
    options->model.add_to(command);
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
