#pragma once
/// \file
/// Points in the plane with a frontier: what a larger chip buys.

#include <dovetail/core/array_view.hpp>
#include <dovetail/report/axis.hpp>
#include <dovetail/report/svg.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
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
    array_view<const sample> cloud;
    array_view<const sample> frontier; ///< rising in x
    array_view<const marked_sample> marks;
};

namespace detail {

/// Where the label of a mark at `p` goes: beside it, and above or below by as much as keeps it inside `frame`
/// and off the labels in `occupied`; above where nothing is free.
[[nodiscard]] inline box place_of_label(point p, std::string_view words, bool to_the_left, const box& frame,
                                        array_view<const box> occupied) {
    constexpr double pixels_a_letter = 7;
    constexpr double height = 15;
    const double width = pixels_a_letter * static_cast<double>(words.size());
    box place{to_the_left ? p.x - 9 - width : p.x + 9, 0, width, height};
    const auto overlaps = [&](const box& other) {
        return place.x < other.x + other.width && other.x < place.x + place.width &&
               place.y < other.y + other.height && other.y < place.y + place.height;
    };
    for (const double offset : {-19.0, 4.0, -34.0, 19.0, -49.0, 34.0}) {
        place.y = p.y + offset;
        if (place.y >= frame.y && place.y + height <= frame.y + frame.height &&
            std::none_of(occupied.begin(), occupied.end(), overlaps))
            return place;
    }
    place.y = std::max(frame.y, p.y - 19);
    return place;
}

} // namespace detail

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
    std::vector<box> occupied;
    for (const marked_sample& m : chart.marks) {
        const point p{horizontal.pixel(m.at.x), vertical.pixel(m.at.y)};
        picture.circle(p, 5, m.style, m.label);
        const bool to_the_left = p.x > (left + right) / 2;
        const box place = detail::place_of_label(p, m.label, to_the_left,
                                                 {left, top, right - left, bottom - top}, occupied);
        occupied.push_back(place);
        picture.label({place.x + (to_the_left ? place.width : 0.0), place.y + 11}, m.label, "mark",
                      to_the_left ? "end" : "start");
    }
    return std::move(picture).take();
}

} // namespace dovetail::report
