#pragma once
/// \file
/// Predictions beside measurements, and a page that draws one against the other.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/axis.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/origin.hpp>
#include <dovetail/report/style.hpp>
#include <dovetail/report/svg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {

/// A simple predictor of the same rows, to tell how much a model is worth.
struct baseline {
    std::string name;
    std::vector<double> predicted; ///< of every row
};

/// A row without a prediction.
struct unpredicted_row {
    std::size_t line = 0; ///< in its file
    std::string why;
};

/// Measurements of one quantity from one source, and what was predicted for them; `lines`, `measured`,
/// `predicted` and the predictions of every baseline go together, row by row.
struct measured_set {
    std::string name{};
    std::string quantity{}; ///< with its unit, as an axis names it: "time [us]"
    std::vector<std::size_t> lines{};
    std::vector<double> measured{}; ///< positive
    std::vector<double> predicted{};
    std::vector<baseline> baselines{};
    std::vector<unpredicted_row> unpredicted{};
    std::vector<answer_basis>
        bases{}; ///< what the predictions rest on: of every row, or of all that share one
};

/// What the predictions of `sets` rest on: each that holds for some row of some set.
[[nodiscard]] inline std::vector<assumption> assumptions_of(array_view<const measured_set> sets) {
    std::vector<assumption> held;
    const auto somewhere = [&](const assumption& known) {
        return std::any_of(sets.begin(), sets.end(), [&](const measured_set& set) {
            return std::any_of(set.bases.begin(), set.bases.end(), known.holds);
        });
    };
    std::copy_if(known_assumptions.begin(), known_assumptions.end(), std::back_inserter(held), somewhere);
    return held;
}

/// Percent with three digits, and no more than two decimals.
[[nodiscard]] inline std::string readable_percent(double value) {
    return readable(std::round(value * 100) / 100, 3);
}

namespace detail {

// Points that fall on the same pixel are drawn once.
template <class Horizontal, class Vertical>
void draw_points(svg& picture, const Horizontal& horizontal, const Vertical& vertical,
                 array_view<const double> x, array_view<const double> y, std::string_view style) {
    std::set<std::pair<long, long>> taken;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const point p{horizontal.pixel(x[i]), vertical.pixel(y[i])};
        if (taken.emplace(static_cast<long>(p.x), static_cast<long>(p.y)).second)
            picture.circle(p, 2.5, style);
    }
}

} // namespace detail

/// Predicted against measured, both on the same logarithmic axis: on the diagonal they are equal. The last
/// baseline is drawn behind. Every value is positive.
[[nodiscard]] inline std::string predicted_against_measured(const measured_set& set) {
    DOVETAIL_ASSERT(!set.measured.empty(), "there is something to draw");
    double smallest = set.measured.front();
    double largest = smallest;
    const auto widen = [&](const std::vector<double>& values) {
        for (const double value : values) {
            smallest = std::min(smallest, value);
            largest = std::max(largest, value);
        }
    };
    widen(set.measured);
    widen(set.predicted);
    if (!set.baselines.empty()) widen(set.baselines.back().predicted);
    svg picture(960, 448, set.name + ": predicted against measured");
    const log_axis horizontal(smallest, largest, 84, 916);
    const log_axis vertical(smallest, largest, 400, 16);
    draw_frame(picture, horizontal, vertical, "measured " + set.quantity, "predicted " + set.quantity);
    const double low = horizontal.lower();
    const double high = horizontal.upper();
    picture.line({horizontal.pixel(low), vertical.pixel(low)}, {horizontal.pixel(high), vertical.pixel(high)},
                 "exact");
    if (!set.baselines.empty())
        detail::draw_points(picture, horizontal, vertical, set.measured, set.baselines.back().predicted,
                            "baseline");
    detail::draw_points(picture, horizontal, vertical, set.measured, set.predicted, "predicted");
    return std::move(picture).take();
}

/// Predicted over measured, against measured: small errors show. What is above 2 is drawn at 2.
[[nodiscard]] inline std::string ratio_against_measured(const measured_set& set) {
    DOVETAIL_ASSERT(!set.measured.empty(), "there is something to draw");
    const auto [smallest, largest] = std::minmax_element(set.measured.begin(), set.measured.end());
    svg picture(960, 328, set.name + ": ratio of predicted to measured");
    const log_axis horizontal(*smallest, *largest, 84, 916);
    const axis vertical(2.0, 280, 16, 8);
    draw_frame(picture, horizontal, vertical, "measured " + set.quantity, "predicted / measured");
    picture.line({84, vertical.pixel(1)}, {916, vertical.pixel(1)}, "exact");
    const auto draw = [&](const std::vector<double>& predicted, std::string_view style) {
        std::vector<double> ratio;
        for (std::size_t i = 0; i < predicted.size(); ++i)
            ratio.push_back(std::min(2.0, predicted[i] / set.measured[i]));
        detail::draw_points(picture, horizontal, vertical, set.measured, ratio, style);
    };
    if (!set.baselines.empty()) draw(set.baselines.back().predicted, "baseline");
    draw(set.predicted, "predicted");
    return std::move(picture).take();
}

/// The page about `sets`: one table, and two pictures of every set that has predictions; `from` is told
/// at the end.
[[nodiscard]] inline std::string to_html(array_view<const measured_set> sets, const origin& from = {}) {
    std::string page =
        page_head("Dovetail: validation") +
        "<h1>Predicted against measured</h1>\n<table><tr><th>set</th><th>rows</th><th>mean "
        "error</th><th>worst</th><th>bias</th><th>Spearman</th><th>mean error of baselines</th></tr>\n";
    for (const measured_set& set : sets) {
        const accuracy a = accuracy_of(set.predicted, set.measured);
        const auto percent = [&](double value) {
            return a.rows > 0 ? readable_percent(value) + "\u00a0%" : std::string("–");
        };
        std::string baselines;
        for (const baseline& b : set.baselines)
            baselines += (baselines.empty() ? "" : "; ") + b.name + " " +
                         percent(accuracy_of(b.predicted, set.measured).mean_abs_percent);
        page += "<tr><td>" + escaped(set.name) + "</td>";
        for (const std::string& cell :
             {readable(a.rows), percent(a.mean_abs_percent), percent(a.worst_percent),
              percent(a.bias_percent), std::isfinite(a.spearman) ? readable(a.spearman, 4) : "–", baselines})
            page += "<td>" + escaped(cell) + "</td>";
        page += "</tr>\n";
    }
    page += "</table>\n" + assumption_section(assumptions_of(sets));
    for (const measured_set& set : sets) {
        page += "<h2>" + escaped(set.name) + "</h2>\n<p>" + key("predicted", "predicted");
        if (!set.baselines.empty()) page += key("baseline", set.baselines.back().name);
        if (!set.unpredicted.empty())
            page += "</p>\n<p>Rows without a prediction: " + readable(set.unpredicted.size());
        page += "</p>\n";
        if (!set.measured.empty()) page += predicted_against_measured(set) + ratio_against_measured(set);
    }
    return page + origin_section(from) + "</body></html>\n";
}

} // namespace dovetail::report
