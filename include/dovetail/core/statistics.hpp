#pragma once
/// \file
/// How well predictions agree with measurements.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace dovetail {

/// Errors in percent of the measured value, and whether the order is right.
struct accuracy {
    std::size_t rows = 0;
    double mean_abs_percent = 0.0;
    double worst_percent = 0.0; ///< the largest in size, without its sign
    double bias_percent = 0.0;  ///< the mean with signs: above zero where predictions are too large
    double spearman = 0.0;      ///< rank correlation in [-1, 1]; NaN where either side is constant
    std::size_t worst_row = 0;
};

/// The rank of every value, from 1; equal values share the mean of their ranks. \complexity O(n log n).
[[nodiscard]] inline std::vector<double> ranks_of(array_view<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
        const double shared = (static_cast<double>(first + last) + 1.0) / 2.0;
        for (std::size_t i = first; i < last; ++i) ranks[order[i]] = shared;
    }
    return ranks;
}

/// Spearman's rank correlation, with ties (Kendall and Gibbons, Rank Correlation Methods, 1990): Pearson's
/// correlation of the ranks. NaN where either side is constant. \complexity O(n log n).
[[nodiscard]] inline double spearman(array_view<const double> a, array_view<const double> b) {
    DOVETAIL_ASSERT(a.size() == b.size(), "values are compared in pairs");
    const std::vector<double> x = ranks_of(a);
    const std::vector<double> y = ranks_of(b);
    const double mean = (static_cast<double>(a.size()) + 1.0) / 2.0;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - mean) * (y[i] - mean);
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
    }
    if (xx == 0 || yy == 0) return std::numeric_limits<double>::quiet_NaN();
    return xy / std::sqrt(xx * yy);
}

/// Compares predictions with measurements, pair by pair; what is measured is positive. Without a pair there
/// are no errors, and the correlation is NaN. \complexity O(n log n).
[[nodiscard]] inline accuracy accuracy_of(array_view<const double> predicted,
                                          array_view<const double> measured) {
    DOVETAIL_ASSERT(predicted.size() == measured.size(), "predictions and measurements come in pairs");
    accuracy a{.rows = predicted.size(), .spearman = spearman(predicted, measured)};
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        DOVETAIL_ASSERT(measured[i] > 0, "a measured value is positive");
        const double percent = 100.0 * (predicted[i] / measured[i] - 1.0);
        a.mean_abs_percent += std::abs(percent) / static_cast<double>(a.rows);
        a.bias_percent += percent / static_cast<double>(a.rows);
        if (std::abs(percent) > a.worst_percent) {
            a.worst_percent = std::abs(percent);
            a.worst_row = i;
        }
    }
    return a;
}

} // namespace dovetail
