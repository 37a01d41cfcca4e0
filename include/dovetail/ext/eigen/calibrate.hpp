#pragma once
/// \file
/// Numbers of a model fitted to measurements, and how far the fit is to be trusted.

#include <dovetail/core/result.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/eigen/least_squares.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace dovetail::ext::eigen {

/// With fewer measurements than this, numbers are not fitted.
inline constexpr std::size_t fewest_measurements = 5;

/// Measurements are left out one by one, and of more than this many, in as many groups.
inline constexpr std::size_t most_groups = 20;

/// A fit with its errors: of the expected numbers, of the fitted ones, and of every measurement predicted by
/// numbers that were fitted without it.
struct calibration_report {
    std::vector<unknown> unknowns;
    fit found;
    accuracy before;
    accuracy after;
    accuracy left_out;
};

/// Fits `unknowns` to `measured`, where `predict(values, i)` is the prediction of measurement i. A number
/// that the measurements do not identify keeps its expected value, and the others are fitted again. \returns
/// errc::out_of_range for fewer than `fewest_measurements` or one that is not positive, and what
///          `levenberg_marquardt` refuses.
/// \complexity (groups + unknowns) fits.
template <class Predict>
    requires std::convertible_to < std::invoke_result_t<Predict&, std::span<const double>, std::size_t>,
double > [[nodiscard]] result<calibration_report> calibrate(std::vector<unknown> unknowns,
                                                            std::span<const double> measured,
                                                            Predict&& predict,
                                                            const levenberg_marquardt& method = {}) {
    if (measured.size() < fewest_measurements)
        return error{errc::out_of_range, "calibration",
                     "there are " + to_text(measured.size()) + " measurements",
                     "give at least " + to_text(fewest_measurements)};
    for (const double value : measured)
        if (!(value > 0 && std::isfinite(value)))
            return error{errc::out_of_range, "calibration", "a measured value is " + to_text(value),
                         "it is positive and finite"};
    const std::size_t groups = std::min(measured.size(), most_groups);
    const auto fit_without = [&](std::size_t group) {
        return method(unknowns, [&](std::span<const double> values) {
            std::vector<double> ratios;
            for (std::size_t i = 0; i < measured.size(); ++i)
                if (i % groups != group) ratios.push_back(std::log(predict(values, i) / measured[i]));
            return ratios;
        });
    };
    const auto errors_with = [&](std::span<const double> values) {
        std::vector<double> predicted;
        for (std::size_t i = 0; i < measured.size(); ++i) predicted.push_back(predict(values, i));
        return accuracy_of(predicted, measured);
    };
    auto found = fit_without(groups);
    if (!found) return std::move(found).problem();
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i < unknowns.size(); ++i) {
            if (found->numbers[i].identified || unknowns[i].lowest == unknowns[i].highest) continue;
            unknowns[i].lowest = unknowns[i].highest = unknowns[i].expected;
            again = true;
        }
        if (!again) break;
        found = fit_without(groups);
        if (!found) return std::move(found).problem();
    }
    std::vector<double> expected;
    for (const unknown& u : unknowns) expected.push_back(u.expected);
    std::vector<double> left_out(measured.size());
    for (std::size_t group = 0; group < groups; ++group) {
        const auto others = fit_without(group);
        const std::vector<double> values = others ? others->values() : expected;
        for (std::size_t i = group; i < measured.size(); i += groups) left_out[i] = predict(values, i);
    }
    const accuracy before = errors_with(expected);
    const accuracy after = errors_with(found->values());
    return calibration_report{std::move(unknowns), *std::move(found), before, after,
                              accuracy_of(left_out, measured)};
}

} // namespace dovetail::ext::eigen
