#pragma once
/// \file
/// Bars on rows over time: operator schedules by core, pipelines by stage.

#include <dovetail/core/array_view.hpp>
#include <dovetail/report/axis.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/svg.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {

/// One bar: a half-open interval of time on consecutive rows.
struct bar {
    std::size_t row = 0;
    std::size_t rows = 1; ///< rows that it covers, from `row` on
    double start = 0;
    double end = 0;
    std::string style; ///< class of the style sheet
    std::string label; ///< written inside where it fits
    std::string hint;  ///< shown when the pointer rests on it
};

/// Draws `bars` over the rows named `row_names`; `time_name` says the unit.
[[nodiscard]] inline std::string gantt(std::string_view title, array_view<const std::string> row_names,
                                       array_view<const bar> bars, std::string_view time_name) {
    constexpr double right = 936;
    constexpr double top = 12;
    constexpr double pixels_a_letter = 6.2;
    std::size_t longest_name = 0;
    for (const std::string& name : row_names) longest_name = std::max(longest_name, name.size());
    const double left = std::max(92.0, pixels_a_letter * static_cast<double>(longest_name) + 14);
    const double row_height = row_names.size() > 24 ? 12 : 24;
    const double bottom = top + row_height * static_cast<double>(row_names.size());
    double latest = 0;
    for (const bar& b : bars) latest = std::max(latest, b.end);

    svg picture(960, bottom + 44, title);
    const axis time(latest, left, right, 8);
    for (const double tick : time.ticks()) {
        const double x = time.pixel(tick);
        picture.line({x, top}, {x, bottom}, "grid");
        picture.label({x, bottom + 15}, readable(tick, 6), "tick", "middle");
    }
    for (std::size_t row = 0; row < row_names.size(); ++row)
        picture.label({left - 8, top + row_height * (static_cast<double>(row) + 0.5) + 4}, row_names[row],
                      "tick", "end");
    for (const bar& b : bars) {
        const double x = time.pixel(b.start);
        const double width = std::max(0.75, time.pixel(b.end) - x);
        const double y = top + row_height * static_cast<double>(b.row) + 1;
        const double height = row_height * static_cast<double>(b.rows) - 2;
        picture.rectangle({x, y, width, height}, b.style, b.hint);
        if (pixels_a_letter * static_cast<double>(b.label.size()) + 6 <= width && height >= 16)
            picture.label({x + width / 2, y + height / 2 + 4}, b.label, "inside", "middle");
    }
    picture.label({(left + right) / 2, bottom + 34}, time_name, "name", "middle");
    return std::move(picture).take();
}

} // namespace dovetail::report
