// Memory of transformer training as Korthikanti et al. list it.

#include "validate_layouts.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/training_memory.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace report = dovetail::report;
namespace workload = dovetail::workload;
using cost::recomputation;

// One figure of a row: the column, and what it is of.
struct figure {
    std::string_view column;
    bool activations;
    recomputation recompute;
    bool sequence_parallel;
};

constexpr std::array figures{
    figure{"blocks_parameters_and_optimizer_gib", false, recomputation::none, false},
    figure{"activations_none_gib", true, recomputation::none, false},
    figure{"activations_selective_sequence_parallel_gib", true, recomputation::selective, true}};

dovetail::result<validated_sets> predict_memory(const dovetail::csv_table& table) {
    report::measured_set set{.quantity = "memory [GiB]"};
    for (const auto& fields : table.rows) {
        std::array<std::int64_t, 9> sizes{};
        constexpr std::array<std::string_view, 9> columns{
            "hidden",       "layers",      "heads",           "seq",
            "global_batch", "micro_batch", "tensor_parallel", "pipeline_parallel",
            "interleave"};
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto size = table.number<std::int64_t>(fields[*table.find(columns[i])], columns[i], 1);
            if (!size) return size.problem();
            sizes[i] = *size;
        }
        const std::size_t line = fields.front().line;
        // The blocks know nothing of the vocabulary, which the table does not give.
        const auto m = workload::gpt_shape(sizes[0], sizes[1], sizes[2], sizes[3], 1);
        for (const figure& f : figures) {
            const auto measured = table.positive(fields[*table.find(f.column)], f.column);
            if (!measured) return measured.problem();
            const cost::training_plan plan{.tensor = sizes[6],
                                           .pipeline = sizes[7],
                                           .interleave = sizes[8],
                                           .micro_batch = sizes[5],
                                           .global_batch = sizes[4],
                                           .recompute = f.recompute,
                                           .sequence_parallel = f.sequence_parallel};
            if (auto valid = cost::validate(plan, m); !valid) {
                set.unpredicted.push_back({line, valid.problem().line()});
                continue;
            }
            constexpr auto gib = static_cast<double>(dovetail::gibibyte);
            const cost::block_memory memory = cost::memory_of(m, plan).blocks;
            const double parameters = memory.total() - memory.activations;
            set.lines.push_back(line);
            set.measured.push_back(*measured);
            set.predicted.push_back((f.activations ? memory.activations : parameters) / gib);
        }
    }
    return validated_sets{std::move(set)};
}

} // namespace

set_layout memory_layout() {
    set_layout layout{"training memory", {}, predict_memory};
    layout.columns = {"hidden",       "layers",      "heads",           "seq",
                      "global_batch", "micro_batch", "tensor_parallel", "pipeline_parallel",
                      "interleave"};
    for (const figure& f : figures) layout.columns.push_back(f.column);
    return layout;
}

} // namespace cli
