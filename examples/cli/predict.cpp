// dovetail predict: seconds, memory and utilisation of a training plan on a machine of the catalogue.

#include "command.hpp"
#include "inputs.hpp"
#include "model.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/graph_prices.hpp>
#include <dovetail/cost/replica_prediction.hpp>
#include <dovetail/cost/system_kernels.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/cost/training_prediction.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/basis.hpp>
#include <dovetail/workload/attention_heads.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/find_transformer.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/rescale.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace cli {

namespace {

using dovetail::errc;
using dovetail::error;
using dovetail::option;
using dovetail::readable;
using dovetail::result;
namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
namespace report = dovetail::report;
namespace workload = dovetail::workload;

// Of every size: products of three stay within 64 bits.
constexpr double largest = 1 << 20;

/// A GPT by its sizes; 0 for one that is not given.
struct gpt_sizes {
    std::int64_t hidden = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t sequence = 0;
    std::int64_t vocabulary = 0;

    static constexpr auto table() {
        using o = gpt_sizes;
        return std::tuple{
            option<o, std::int64_t>{"hidden", "width of a GPT, instead of --model", &o::hidden, 0, largest},
            option<o, std::int64_t>{"layers", "its blocks", &o::layers, 0, largest},
            option<o, std::int64_t>{"heads", "its attention heads", &o::heads, 0, largest},
            option<o, std::int64_t>{"seq", "tokens of its sequences", &o::sequence, 0, largest},
            option<o, std::int64_t>{"vocab", "rows of its token table", &o::vocabulary, 0, largest},
        };
    }

    /// The first size that is given, or that is not.
    [[nodiscard]] std::string_view first(bool given) const {
        std::string_view name;
        const auto look = [&](const auto& row) {
            if (name.empty() && (this->*row.member != 0) == given) name = row.name;
        };
        std::apply([&](const auto&... row) { (look(row), ...); }, table());
        return name;
    }
};

struct degree_options {
    std::int64_t tensor = 1;
    std::int64_t pipeline = 1;
    std::int64_t data = 1;
    std::int64_t micro_batch = 1;
    std::int64_t global_batch = 0;
    std::int64_t interleave = 1;
    std::int64_t zero = 0;

    static constexpr auto table() {
        using o = degree_options;
        return std::tuple{
            option<o, std::int64_t>{"tp", "devices that share every layer", &o::tensor, 1, largest},
            option<o, std::int64_t>{"pp", "stages of the pipeline", &o::pipeline, 1, largest},
            option<o, std::int64_t>{"dp", "replicas", &o::data, 1, largest},
            option<o, std::int64_t>{"micro-batch", "sequences of a micro-batch", &o::micro_batch, 1, largest},
            option<o, std::int64_t>{"global-batch",
                                    "sequences of an iteration; 0 takes as many micro-batches as stages",
                                    &o::global_batch, 0, largest},
            option<o, std::int64_t>{"interleave", "chunks of layers on every stage", &o::interleave, 1,
                                    largest},
            option<o, std::int64_t>{"zero", "1 shares out the optimizer over replicas", &o::zero, 0, 1},
        };
    }
};

struct predict_command {
    common_options common;
    model_options model;
    gpt_sizes sizes;
    degree_options degrees;
    std::string system = "a100-sxm-80";
    std::string recompute = "none";
    bool sequence_parallel = false;

    /// A transformer by its sizes, or any model by its graph.
    struct described_model {
        std::optional<workload::transformer_shape> shape; ///< none for what is not a transformer
        workload::operator_graph graph;                   ///< recognised; empty where sizes are given
    };

    [[nodiscard]] result<described_model> describe() const {
        const std::string_view given = sizes.first(true);
        described_model described;
        if (model.model.empty()) {
            const std::string_view missing = sizes.first(false);
            if (!missing.empty())
                return error{errc::out_of_range, "option --" + std::string(missing), "it is not given",
                             "give --model, or all of --hidden --layers --heads --seq --vocab"};
            described.shape = workload::gpt_shape(sizes.hidden, sizes.layers, sizes.heads, sizes.sequence,
                                                  sizes.vocabulary);
            return described;
        }
        if (!given.empty())
            return error{errc::unsupported, "option --" + std::string(given), "it is given beside --model",
                         "it must be left out: a model has its own sizes"};
        auto graph = model.load();
        if (!graph) return std::move(graph).problem();
        described.graph = workload::recognise(*graph);
        const auto found = workload::find_transformer(described.graph);
        if (found) described.shape = *found;
        return described;
    }

    [[nodiscard]] static result<cost::training_prediction>
    predict(const described_model& m, const cost::training_plan& p, const hardware::system& machine) {
        if (m.shape) {
            if (auto valid = cost::validate(p, *m.shape); !valid) return valid.problem();
            return cost::predict_training(*m.shape, p, machine);
        }
        if (auto valid = cost::validate_replicas(p); !valid) return valid.problem();
        const auto scaled = workload::with_batch(m.graph, p.micro_batch);
        if (!scaled) return scaled.problem();
        const auto prices = cost::price_graph(cost::system_kernels{machine}, *scaled);
        if (!prices) return prices.problem();
        return cost::predict_replicas(*prices, p, machine);
    }

    [[nodiscard]] result<cost::training_plan> plan() const {
        const auto kept = cost::find_recomputation(recompute);
        if (!kept) return kept.problem();
        return cost::training_plan{
            .tensor = degrees.tensor,
            .pipeline = degrees.pipeline,
            .data = degrees.data,
            .interleave = degrees.interleave,
            .micro_batch = degrees.micro_batch,
            .global_batch = degrees.global_batch != 0 ? degrees.global_batch
                                                      : degrees.data * degrees.micro_batch * degrees.pipeline,
            .recompute = *kept,
            .sequence_parallel = sequence_parallel,
            .zero = degrees.zero};
    }

    exit_status run() {
        if (auto begun = common.begin(sources_of_model(model.model)); !begun)
            return complain(begun.problem());
        const auto machine = hardware::find_system(system);
        if (!machine) return complain(machine.problem());
        const auto planned = plan();
        if (!planned) return complain(planned.problem());
        if (planned->devices() > machine->links.devices())
            return complain({errc::out_of_range, "system '" + system + "'",
                             "the plan takes " + readable(planned->devices()) + " devices",
                             "it must take at most " + readable(machine->links.devices())});
        const auto described = describe();
        if (!described) return complain(described.problem());
        const auto answer = predict(*described, *planned, *machine);
        if (!answer) return complain(answer.problem());
        common.put_json(
            [&](dovetail::json_writer& json) { write(json, *described, *planned, *machine, *answer); });
        print(common.people(), *described, *planned, *machine, *answer);
        return common.finish(fits(*machine, *answer) ? solved : proven_infeasible);
    }

    [[nodiscard]] static bool fits(const hardware::system& machine, const cost::training_prediction& answer) {
        return answer.memory.device_bytes <= machine.chip.memory_bytes;
    }

    /// The constraint that a plan which does not fit breaks.
    [[nodiscard]] static std::string binding(const hardware::system& machine,
                                             const cost::training_prediction& answer) {
        return "memory: this plan needs " + gib(answer.memory.device_bytes) +
               " on its fullest device, which has " + gib(machine.chip.memory_bytes);
    }

    [[nodiscard]] static std::string gib(double bytes) {
        return readable(bytes / static_cast<double>(dovetail::gibibyte), 4) + " GiB";
    }

    [[nodiscard]] static std::vector<report::assumption> assumptions(const described_model& described,
                                                                     const cost::training_plan& p,
                                                                     const hardware::system& machine) {
        return report::assumptions_of(
            report::basis_of(machine, p, described.shape.has_value(),
                             described.shape || workload::find_attention_heads(described.graph) > 0));
    }

    [[nodiscard]] static std::array<std::pair<std::string_view, double>, 6>
    parts(const cost::iteration_breakdown& time) {
        return {{{"compute", time.compute},
                 {"tensor_comm", time.tensor_comm},
                 {"pipeline_bubble", time.pipeline_bubble},
                 {"pipeline_comm", time.pipeline_comm},
                 {"data_comm", time.data_comm},
                 {"optimizer", time.optimizer}}};
    }

    void write(dovetail::json_writer& json, const described_model& described, const cost::training_plan& p,
               const hardware::system& machine, const cost::training_prediction& answer) const {
        const cost::training_memory& memory = answer.memory;
        json.key("model").begin_object();
        if (!model.model.empty())
            json.member("name", described.graph.name)
                .member("parameters", workload::count_parameters(described.graph));
        if (described.shape) {
            const workload::transformer_shape& m = *described.shape;
            json.member("hidden", m.hidden)
                .member("layers", m.layers)
                .member("heads", m.heads)
                .member("key_value_heads", m.key_value_heads)
                .member("seq", m.sequence)
                .member("feed_forward", m.feed_forward)
                .member("vocab", m.vocabulary)
                .member("gated", m.gated);
        }
        json.end_object();
        json.member("system", machine.name)
            .member("precision", hardware::to_string(cost::half_precision(machine.chip)))
            .key("plan")
            .begin_object()
            .member("tp", p.tensor)
            .member("pp", p.pipeline)
            .member("dp", p.data)
            .member("devices", p.devices())
            .member("micro_batch", p.micro_batch)
            .member("micro_batches", p.micro_batches())
            .member("global_batch", p.global_batch)
            .member("interleave", p.interleave)
            .member("recompute", cost::to_string(p.recompute))
            .member("sequence_parallel", p.sequence_parallel)
            .member("zero", p.zero)
            .end_object();
        json.member("status", to_string(fits(machine, answer) ? dovetail::status::feasible
                                                              : dovetail::status::infeasible))
            .member("iteration_s", answer.iteration_s())
            .member("mfu", answer.mfu)
            .member("hfu", answer.hfu)
            .key("breakdown_s")
            .begin_object();
        for (const auto& [name, seconds] : parts(answer.time)) json.member(name, seconds);
        json.end_object()
            .key("memory_bytes")
            .begin_object()
            .member("parameters", memory.blocks.parameters)
            .member("gradients", memory.blocks.gradients)
            .member("optimizer", memory.blocks.optimizer)
            .member("activations", memory.blocks.activations)
            .member("total", memory.blocks.total())
            .end_object()
            .key("memory_beside_blocks_bytes")
            .begin_object()
            .member("embedding", memory.other.embedding)
            .member("head", memory.other.head)
            .member("biases_and_norms", memory.other.biases_and_norms)
            .member("logits", memory.other.logits)
            .member("recomputed", memory.other.recomputed)
            .end_object()
            .member("fullest_device_bytes", memory.device_bytes)
            .member("device_memory_bytes", machine.chip.memory_bytes)
            .member("fits", fits(machine, answer));
        if (!fits(machine, answer)) json.member("binding", binding(machine, answer));
        write_assumptions(json, assumptions(described, p, machine));
    }

    static void print(std::ostream& out, const described_model& described, const cost::training_plan& p,
                      const hardware::system& machine, const cost::training_prediction& answer) {
        const cost::training_memory& memory = answer.memory;
        out << readable(answer.iteration_s(), 5) << " s an iteration on " << readable(p.devices()) << " x "
            << machine.name << ": MFU " << readable(100 * answer.mfu, 3) << " %, HFU "
            << readable(100 * answer.hfu, 3) << " %\n";
        for (const auto& [name, seconds] : parts(answer.time))
            if (seconds > 0) out << "  " << name << ": " << readable(seconds, 4) << " s\n";
        out << "memory of the blocks: " << gib(memory.blocks.parameters) << " parameters, "
            << gib(memory.blocks.gradients) << " gradients, " << gib(memory.blocks.optimizer)
            << " optimizer, " << gib(memory.blocks.activations) << " activations\n"
            << "fullest device: " << gib(memory.device_bytes) << " of " << gib(machine.chip.memory_bytes)
            << '\n';
        if (!fits(machine, answer))
            out << to_string(dovetail::status::infeasible) << ": " << binding(machine, answer) << '\n';
        out << report::assumption_line(assumptions(described, p, machine)) << '\n';
    }
};

} // namespace

void add_predict(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("predict", "seconds, memory and utilisation of a training plan on a machine");
    const auto options = std::make_shared<predict_command>();
    command.add_example("dovetail predict gpt3-175b --tp 8 --pp 16 --micro-batch 1 --global-batch 64",
                        "64 A100 for a batch of 64 sequences");
    command.add_example(
        "dovetail predict --hidden 6144 --layers 48 --heads 64 --seq 2048 --vocab 51200 --tp 8 "
        "--micro-batch 4 --recompute selective --sequence-parallel",
        "a GPT by its sizes");
    options->model.add_to(command).required(false);
    add_options(command, options->sizes);
    std::vector<std::string> systems;
    for (const hardware::system& known : hardware::known_systems) systems.emplace_back(known.name);
    command.add_option("--system", options->system, "the machine").one_of(systems);
    add_options(command, options->degrees);
    command.add_option("--recompute", options->recompute, "what the backward pass computes again")
        .one_of({cost::recomputation_names.begin(), cost::recomputation_names.end()});
    command
        .add_flag("--sequence-parallel", options->sequence_parallel,
                  "split along the sequence what tensor parallelism leaves whole")
        .only_if([options] { return options->degrees.tensor > 1; }, "--tp of 2 or more");
    command.option("--dimension").only_with("--model");
    command.option("--interleave")
        .only_if([options] { return options->degrees.pipeline > 1 || options->degrees.interleave == 1; },
                 "--pp of 2 or more");
    command.option("--zero").only_if(
        [options] { return options->degrees.data > 1 || options->degrees.zero == 0; }, "--dp of 2 or more");
    options->common.add_to(command);
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
