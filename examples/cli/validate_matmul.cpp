// Measured matrix products: the model of time, and what it is compared with.

#include "measured_products.hpp"
#include "validate_layouts.hpp"

#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/hardware/system_catalogue.hpp>
#include <dovetail/report/basis.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace cost = dovetail::cost;
namespace hardware = dovetail::hardware;
namespace report = dovetail::report;

// Adds a row to its set: its time in microseconds, or the part of the peak that it reaches.
void add(report::measured_set& set, const measured_product_row& row) {
    const auto without = [&](std::string why) { set.unpredicted.push_back({row.line, std::move(why)}); };
    if (!row.why_not.empty()) return without(row.why_not);
    const auto machine = hardware::find_system(catalogue_name(row.system));
    if (!machine) return without("'" + row.system + "' names no system of the catalogue");
    if (!(machine->chip.matrix_rate(row.product.operands) > 0))
        return without("system '" + std::string(machine->name) + "' has no rate of products in " +
                       std::string(to_string(row.product.operands)));
    const auto shown = [&](double time_s) {
        return row.peak_flop_per_s > 0 ? row.product.flops() / (row.peak_flop_per_s * time_s) : time_s * 1e6;
    };
    set.quantity = row.peak_flop_per_s > 0 ? "part of peak" : "time [us]";
    if (set.baselines.empty())
        set.baselines = {{"datasheet roofline", {}},
                         {"one constant fraction", {}},
                         {"calibrated roofline", {}},
                         {"uncalibrated", {}}};
    const double rate = machine->chip.matrix_rate(row.product.operands);
    set.lines.push_back(row.line);
    set.bases.push_back({.prices = report::pricing::system,
                         .library_products = true,
                         .uncalibrated_chip = report::is_uncalibrated(*machine)});
    set.measured.push_back(shown(row.time_s));
    set.predicted.push_back(shown(cost::gemm_time_model{}(*machine, row.product)));
    set.baselines[0].predicted.push_back(shown(cost::roofline_s(machine->chip, row.product)));
    set.baselines[1].predicted.push_back(shown(row.product.flops() / rate));
    const hardware::calibration& fitted = machine->calibration;
    const double streamed_s =
        row.product.bytes() / (machine->chip.memory_bytes_per_s * fitted.memory_fraction);
    set.baselines[2].predicted.push_back(shown(
        fitted.launch_s + std::max(row.product.flops() / (rate * fitted.sustained_fraction), streamed_s)));
    set.baselines[3].predicted.push_back(shown(cost::gemm_time_model{}(datasheet(*machine), row.product)));
}

// The best that one constant fraction of the peak rate can do, told from the measurements themselves.
void fit_constant_fraction(validated_sets& sets) {
    for (report::measured_set& set : sets) {
        if (set.measured.empty()) continue;
        std::vector<double>& predicted = set.baselines[1].predicted;
        std::vector<double> ratios;
        for (std::size_t i = 0; i < predicted.size(); ++i) ratios.push_back(set.measured[i] / predicted[i]);
        const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
        std::nth_element(ratios.begin(), middle, ratios.end());
        for (double& value : predicted) value *= *middle;
    }
}

dovetail::result<validated_sets> predict_products(const dovetail::csv_table& table) {
    const auto rows = read_products(table);
    if (!rows) return rows.problem();
    validated_sets sets;
    for (const measured_product_row& row : *rows) add(set_of(sets, {}), row);
    fit_constant_fraction(sets);
    return sets;
}

dovetail::result<validated_sets> predict_efficiencies(const dovetail::csv_table& table) {
    const auto rows = read_efficiencies(table);
    if (!rows) return rows.problem();
    validated_sets sets;
    for (const measured_product_row& row : *rows)
        add(set_of(sets, row.product.batch > 1 ? row.system + " grouped" : row.system), row);
    fit_constant_fraction(sets);
    return sets;
}

} // namespace

set_layout matmul_layout() {
    return {"matmul", {std::begin(product_columns), std::end(product_columns)}, predict_products};
}

set_layout gemm_efficiency_layout() {
    return {"gemm efficiency",
            {std::begin(efficiency_columns), std::end(efficiency_columns)},
            predict_efficiencies};
}

} // namespace cli
