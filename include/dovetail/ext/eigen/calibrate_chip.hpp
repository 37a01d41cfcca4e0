#pragma once
/// \file
/// A chip's calibration, fitted to measured matrix products.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/ext/eigen/calibrate.hpp>
#include <dovetail/ext/eigen/least_squares.hpp>
#include <dovetail/hardware/system.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::eigen {

/// A product and the seconds that it took.
struct measured_product {
    cost::gemm product;
    double time_s = 0.0;
};

/// A system whose chip has fitted numbers, and how well they fit.
struct calibrated_chip {
    hardware::system machine;
    calibration_report report;
};

/// Fits the calibration of the chip of `base` to `products`. What is known before: the calibration of `base`,
/// the launch within a factor of e, the fractions within a third.
/// \returns errc::unsupported for a product of a precision that the chip has no rate for, errc::out_of_range
///          for one whose extents are, and what `calibrate` refuses.
[[nodiscard]] inline result<calibrated_chip> calibrate_chip(const hardware::system& base,
                                                            array_view<const measured_product> products,
                                                            const cost::gemm_time_model& model = {},
                                                            const calibration_options& options = {}) {
    std::vector<double> measured_s;
    for (const measured_product& one : products) {
        if (!(base.chip.matrix_rate(one.product.operands) > 0))
            return error{errc::unsupported, "system '" + std::string(base.name) + "'",
                         "it has no rate of products in " + std::string(to_string(one.product.operands)),
                         "give products in another precision"};
        if (!one.product.in_range())
            return error{errc::out_of_range, "calibration", "a product has an extent out of range",
                         "give extents from 1 to " + readable(cost::gemm::most_extent)};
        measured_s.push_back(one.time_s);
    }
    const auto with = [&](array_view<const double> values) {
        hardware::system machine = base;
        machine.calibration = {.launch_s = values[0],
                               .matrix_fraction = values[1],
                               .sustained_fraction = values[2],
                               .memory_fraction = values[3],
                               .source = "fitted to measured products"};
        return machine;
    };
    const hardware::calibration& known = base.calibration;
    const auto fraction = [](std::string_view name, double expected) {
        return unknown{
            .name = name, .expected = expected, .log_spread = 0.33, .lowest = 0.01, .highest = 1.0};
    };
    auto report = calibrate(
        {{.name = "launch_s", .expected = known.launch_s, .log_spread = 1.0},
         fraction("matrix_fraction", known.matrix_fraction),
         fraction("sustained_fraction", known.sustained_fraction),
         fraction("memory_fraction", known.memory_fraction)},
        measured_s,
        [&](array_view<const double> values, std::size_t i) {
            return model(with(values), products[i].product);
        },
        options);
    if (!report) return std::move(report).problem();
    hardware::system machine = with(report->found.values());
    return calibrated_chip{machine, *std::move(report)};
}

} // namespace dovetail::ext::eigen
