// Measured training iterations of GPT models on clusters, one a row, from several sources.

#include "validate_layouts.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/cost/training_prediction.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/report/basis.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
namespace report = dovetail::report;
namespace workload = dovetail::workload;
using cost::recomputation;
using dovetail::errc;
using dovetail::error;
using dovetail::result;
using dovetail::to_text;

// What the published tables leave out: GPT-2's vocabulary, padded as Megatron-LM does; a micro-batch of one
// sequence; no interleaving.
constexpr std::int64_t unstated_vocabulary = 51200;

// The peak rate that large models reach on A100, recomputation included: the smallest models of Narayanan et
// al., SC 2021, table 1, print 44 %.
constexpr double constant_utilisation = 0.44;

// The systems that the column "gpu" names, by the rate between nodes that the row states, if it does.
struct named_gpu {
    std::string_view gpu;
    double node_gbit_per_s; // 0 where none is stated
    std::string_view system;
};
constexpr std::array gpus{
    named_gpu{"A100", 0, "a100-sxm-80"},      named_gpu{"A100", 800, "a100-sxm-80-800g"},
    named_gpu{"A100-80GB", 0, "a100-sxm-80"}, named_gpu{"A100-80GB", 800, "a100-sxm-80-800g"},
    named_gpu{"A100-40GB", 0, "a100-sxm-40"}, named_gpu{"V100", 0, "v100"},
    named_gpu{"H100", 0, "h100-sxm"},         named_gpu{"H200", 0, "h200-sxm"},
    named_gpu{"B200", 0, "b200-sxm"}};

// The rate in a note that says "inter-node <number> Gb/s per node"; 0 for any other note.
double stated_gbit_per_s(std::string_view note) {
    constexpr std::string_view before = "inter-node ";
    constexpr std::string_view after = " Gb/s per node";
    const std::size_t first = note.find(before);
    const std::size_t last = note.find(after, first);
    if (first == std::string_view::npos || last == std::string_view::npos) return 0;
    const std::size_t number = first + before.size();
    return dovetail::parse_number<double>(note.substr(number, last - number)).value_or(0);
}

// A row: its columns by name, where an empty field means "not stated".
class iteration_row {
public:
    iteration_row(const dovetail::csv_table& table, const std::vector<dovetail::csv_field>& fields)
        : table_(table), fields_(fields) {}

    [[nodiscard]] std::size_t line() const { return fields_.front().line; }
    [[nodiscard]] const dovetail::csv_field& field(std::string_view column) const {
        return fields_[*table_.find(column)];
    }
    [[nodiscard]] const std::string& text(std::string_view column) const { return field(column).text; }
    // A number of at least 1, or `otherwise`; a broken one is noted and becomes `otherwise` as well.
    [[nodiscard]] std::int64_t count(std::string_view column, std::int64_t otherwise) {
        if (text(column).empty()) return otherwise;
        const auto value = table_.number<std::int64_t>(field(column), column, 1);
        if (!value && broken_) broken_ = value.problem();
        return value ? *value : otherwise;
    }
    [[nodiscard]] const result<void>& broken() const { return broken_; }

private:
    const dovetail::csv_table& table_;
    const std::vector<dovetail::csv_field>& fields_;
    result<void> broken_;
};

// What a row says of the model, the plan and the machine, or why it cannot be predicted.
struct described_iteration {
    workload::transformer_shape model;
    cost::training_plan plan;
    hardware::system machine;
    std::string why_not;
};

result<described_iteration> describe(iteration_row& row) {
    described_iteration it;
    const auto without = [&](std::string why) {
        it.why_not = std::move(why);
        return it;
    };
    for (const char* column : {"hidden", "layers", "heads", "seq", "n_gpus", "TP", "PP", "GBS"})
        if (row.text(column).empty()) return without(std::string("its ") + column + " is not stated");
    it.model = workload::gpt_shape(row.count("hidden", 1), row.count("layers", 1), row.count("heads", 1),
                                   row.count("seq", 1), row.count("vocab", unstated_vocabulary));
    it.model.key_value_heads = row.count("kv_heads", it.model.heads);
    it.plan.tensor = row.count("TP", 1);
    it.plan.pipeline = row.count("PP", 1);
    const std::int64_t devices = row.count("n_gpus", 1);
    it.plan.data = row.count("DP", devices / (it.plan.tensor * it.plan.pipeline));
    it.plan.interleave = row.count("VPP", 1);
    it.plan.global_batch = row.count("GBS", 1);
    it.plan.micro_batch = row.count("MBS", 1);
    if (!row.broken()) return row.broken().problem();

    if (row.text("kind") != "measured") return without("it is '" + row.text("kind") + "', not measured");
    for (const char* column : {"CP", "EP"})
        if (!row.text(column).empty() && row.text(column) != "1")
            return without(std::string(column) + " parallelism is not modelled");
    const std::string& zero = row.text("zero");
    if (!zero.empty() && zero != "0" && zero != "1") return without("ZeRO-" + zero + " is not modelled");
    it.plan.zero = zero == "1" ? 1 : 0;
    const std::string& precision = row.text("precision");
    if (!precision.empty() && precision != "fp16" && precision != "bf16")
        return without("precision '" + precision + "' is not modelled");
    std::string_view kept = row.text("recompute");
    constexpr std::string_view split = "+seq-par";
    it.plan.sequence_parallel = kept.ends_with(split);
    if (it.plan.sequence_parallel) kept.remove_suffix(split.size());
    const auto recompute = cost::find_recomputation(kept.empty() ? "none" : kept);
    if (!recompute) return without("recomputation '" + std::string(kept) + "' is not modelled");
    it.plan.recompute = *recompute;

    if (it.plan.devices() != devices)
        return without("TP x PP x DP is " + to_text(it.plan.devices()) + " and n_gpus " + to_text(devices));
    if (auto valid = cost::validate(it.plan, it.model); !valid) return without(valid.problem().line());
    for (const named_gpu& known : gpus)
        if (known.gpu == row.text("gpu") && known.node_gbit_per_s == stated_gbit_per_s(row.text("note"))) {
            auto machine = hardware::find_system(known.system);
            if (!machine) return std::move(machine).problem();
            it.machine = *machine;
            return it;
        }
    return without("gpu '" + row.text("gpu") + "' with this network is not in the catalogue");
}

// Seconds of a row: measured, or those in which the FLOPs that HFU counts take the published rate; 0 for
// neither.
result<double> measured_s(const dovetail::csv_table& table, const iteration_row& row,
                          const described_iteration& it) {
    if (!row.text("iter_s").empty()) return table.positive(row.field("iter_s"), "iter_s");
    if (row.text("tflops_per_gpu").empty()) return 0.0;
    const auto rate = table.positive(row.field("tflops_per_gpu"), "tflops_per_gpu");
    if (!rate) return rate.problem();
    return cost::count_flops(it.model, it.plan).hardware /
           (static_cast<double>(it.plan.devices()) * *rate * 1e12);
}

result<validated_sets> predict_iterations(const dovetail::csv_table& table) {
    validated_sets sets;
    for (const auto& fields : table.rows) {
        iteration_row row{table, fields};
        const auto it = describe(row);
        if (!it) return it.problem();
        report::measured_set& set = set_of(sets, row.text("source"));
        set.quantity = "iteration [s]";
        if (set.baselines.empty()) set.baselines = {{"datasheet roofline", {}}, {"one constant MFU", {}}};
        if (!it->why_not.empty()) {
            set.unpredicted.push_back({row.line(), it->why_not});
            continue;
        }
        const auto seconds = measured_s(table, row, *it);
        if (!seconds) return seconds.problem();
        if (*seconds == 0) {
            set.unpredicted.push_back({row.line(), "it states neither seconds nor a rate"});
            continue;
        }
        const double peak = it->machine.chip.matrix_rate(cost::half_precision(it->machine.chip));
        const double at_peak_s = cost::count_flops(it->model, it->plan).hardware /
                                 (static_cast<double>(it->plan.devices()) * peak);
        set.lines.push_back(row.line());
        set.bases.push_back(report::basis_of(it->machine, it->plan, true, true));
        set.measured.push_back(*seconds);
        set.predicted.push_back(cost::predict_training(it->model, it->plan, it->machine).iteration_s());
        set.baselines[0].predicted.push_back(at_peak_s);
        set.baselines[1].predicted.push_back(at_peak_s / constant_utilisation);
    }
    return sets;
}

} // namespace

set_layout iterations_layout() {
    return {"training iterations",
            {"source",
             "kind",
             "hidden",
             "layers",
             "heads",
             "kv_heads",
             "seq",
             "vocab",
             "gpu",
             "n_gpus",
             "TP",
             "PP",
             "DP",
             "CP",
             "EP",
             "VPP",
             "GBS",
             "MBS",
             "precision",
             "recompute",
             "zero",
             "iter_s",
             "tflops_per_gpu",
             "note"},
            predict_iterations};
}

} // namespace cli
