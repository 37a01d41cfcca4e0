#pragma once
/// \file
/// Points in the plane with a frontier: what a larger chip buys.

#include <dovetail/report/axis.hpp>
#include <dovetail/report/svg.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {

/// One value pair.
struct sample {
    double x = 0;
    double y = 0;
};

/// A sample that is named in the picture.
struct marked_sample {
    sample at;
    std::string style;
    std::string label;
};

/// What a scatter chart shows, from the background to the front.
struct scatter {
    std::string title;
    std::string x_name;
    std::string y_name;
    std::span<const sample> cloud;
    std::span<const sample> frontier; ///< rising in x
    std::span<const marked_sample> marks;
};

/// Draws the chart. Samples of the cloud that fall on the same pixel are drawn once, which keeps a picture of
/// tens of thousands of them small without changing how it looks. \complexity O(n log n).
[[nodiscard]] inline std::string draw(const scatter& chart) {
    constexpr double left = 84;
    constexpr double right = 936;
    constexpr double top = 16;
    constexpr double bottom = 400;
    sample largest;
    const auto widen = [&](const sample& s) {
        largest = {std::max(largest.x, s.x), std::max(largest.y, s.y)};
    };
    for (const sample& s : chart.cloud) widen(s);
    for (const sample& s : chart.frontier) widen(s);
    for (const marked_sample& m : chart.marks) widen(m.at);

    svg picture(960, bottom + 48, chart.title);
    const axis horizontal(largest.x, left, right, 8);
    const axis vertical(largest.y, bottom, top);
    draw_frame(picture, horizontal, vertical, chart.x_name, chart.y_name);

    std::set<std::pair<long, long>> taken;
    for (const sample& s : chart.cloud) {
        const point p{horizontal.pixel(s.x), vertical.pixel(s.y)};
        if (taken.emplace(static_cast<long>(p.x), static_cast<long>(p.y)).second)
            picture.circle(p, 1.5, "cloud");
    }
    std::vector<point> steps;
    for (const sample& s : chart.frontier) {
        const point p{horizontal.pixel(s.x), vertical.pixel(s.y)};
        if (!steps.empty()) steps.push_back({p.x, steps.back().y});
        steps.push_back(p);
    }
    if (!steps.empty()) picture.polyline(steps, "frontier");
    for (const marked_sample& m : chart.marks) {
        const point p{horizontal.pixel(m.at.x), vertical.pixel(m.at.y)};
        picture.circle(p, 5, m.style, m.label);
        const bool near_right_edge = p.x > (left + right) / 2;
        picture.label({p.x + (near_right_edge ? -9 : 9), std::max(top + 10, p.y - 8)}, m.label, "mark",
                      near_right_edge ? "end" : "start");
    }
    return std::move(picture).take();
}

} // namespace dovetail::report
