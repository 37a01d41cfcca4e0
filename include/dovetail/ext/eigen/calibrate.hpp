#pragma once
/// \file
/// Numbers of a model fitted to measurements, and how far the fit is to be trusted.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/eigen/least_squares.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::ext::eigen {

/// With fewer measurements than this, numbers are not fitted.
inline constexpr std::size_t fewest_measurements = 5;

/// How well numbers that were fitted to half of the measurements predict the other half, over random halves;
/// mean errors in percent.
struct half_study {
    std::int64_t halves = 0;
    double fitted_percent = 0.0; ///< of the half that they were fitted to
    double other_percent = 0.0;
    double worst_other_percent = 0.0; ///< of the least lucky half
};

/// A fit with its errors: of the expected numbers, of the fitted ones, and of every measurement predicted by
/// numbers that were fitted without it.
struct calibration_report {
    std::vector<unknown> unknowns;
    fit found;
    accuracy before;
    accuracy after;
    accuracy left_out;
    half_study study;
};

/// How numbers are fitted, and what is tried to tell how far they are to be trusted.
struct calibration_options {
    levenberg_marquardt method{};
    std::size_t groups = 20; ///< left out in turn: at least 2, and no more than there are measurements
    std::int64_t halves = 0; ///< of the study
    std::uint64_t seed = 1;
};

/// What predicts measurement i with a value of every unknown.
template <class Function>
concept predictor = requires(Function function, array_view<const double> values, std::size_t i) {
    { function(values, i) } -> std::convertible_to<double>;
};

/// Fits `unknowns` to `measured`. A number that the measurements do not identify keeps its expected value,
/// and the others are fitted again.
/// \returns errc::out_of_range for fewer than `fewest_measurements` or one that is not positive, and what
///          `levenberg_marquardt` refuses.
/// \complexity (groups + unknowns + halves) fits.
template <predictor Predict>
[[nodiscard]] result<calibration_report> calibrate(std::vector<unknown> unknowns,
                                                   array_view<const double> measured, Predict&& predict,
                                                   const calibration_options& options = {}) {
    if (measured.size() < fewest_measurements)
        return error{errc::out_of_range, "calibration",
                     "there are " + to_text(measured.size()) + " measurements",
                     "give at least " + to_text(fewest_measurements)};
    for (const double value : measured)
        if (!(value > 0 && std::isfinite(value)))
            return error{errc::out_of_range, "calibration", "a measured value is " + to_text(value),
                         "it is positive and finite"};
    std::vector<std::size_t> all(measured.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const auto fit_to = [&](array_view<const std::size_t> rows) {
        return options.method(unknowns, [&](array_view<const double> values) {
            std::vector<double> ratios;
            for (const std::size_t i : rows) ratios.push_back(std::log(predict(values, i) / measured[i]));
            return ratios;
        });
    };
    const auto errors_with = [&](array_view<const double> values, array_view<const std::size_t> rows) {
        std::vector<double> predicted;
        std::vector<double> truth;
        for (const std::size_t i : rows) {
            predicted.push_back(predict(values, i));
            truth.push_back(measured[i]);
        }
        return accuracy_of(predicted, truth);
    };
    auto found = fit_to(all);
    if (!found) return std::move(found).problem();
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i < unknowns.size(); ++i) {
            if (found->numbers[i].identified || unknowns[i].lowest == unknowns[i].highest) continue;
            unknowns[i].lowest = unknowns[i].highest = unknowns[i].expected;
            again = true;
        }
        if (!again) break;
        found = fit_to(all);
        if (!found) return std::move(found).problem();
    }
    std::vector<double> expected;
    for (const unknown& u : unknowns) expected.push_back(u.expected);
    // Where the rows that are left identify nothing, what was known before predicts the others.
    const auto values_of = [&](array_view<const std::size_t> rows) {
        const auto fitted = fit_to(rows);
        return fitted ? fitted->values() : expected;
    };

    const std::size_t groups = std::clamp<std::size_t>(options.groups, 2, measured.size());
    std::vector<double> left_out(measured.size());
    for (std::size_t group = 0; group < groups; ++group) {
        std::vector<std::size_t> others;
        for (const std::size_t i : all)
            if (i % groups != group) others.push_back(i);
        const std::vector<double> values = values_of(others);
        for (std::size_t i = group; i < measured.size(); i += groups) left_out[i] = predict(values, i);
    }

    half_study study{.halves = options.halves};
    random_source random(options.seed);
    std::vector<std::size_t> order = all;
    for (std::int64_t half = 0; half < options.halves; ++half) {
        for (std::size_t i = order.size() - 1; i > 0; --i)
            std::swap(order[i],
                      order[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i)))]);
        const auto one = array_view<const std::size_t>(order).first(order.size() / 2);
        const auto other = array_view<const std::size_t>(order).subspan(order.size() / 2);
        const std::vector<double> values = values_of(one);
        const double error_percent = errors_with(values, other).mean_abs_percent;
        const auto count = static_cast<double>(options.halves);
        study.fitted_percent += errors_with(values, one).mean_abs_percent / count;
        study.other_percent += error_percent / count;
        study.worst_other_percent = std::max(study.worst_other_percent, error_percent);
    }

    const accuracy before = errors_with(expected, all);
    const accuracy after = errors_with(found->values(), all);
    return calibration_report{
        std::move(unknowns), *std::move(found), before, after, accuracy_of(left_out, measured), study};
}

} // namespace dovetail::ext::eigen
