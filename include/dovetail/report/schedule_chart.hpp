#pragma once
/// \file
/// A timetable as a Gantt chart: by unit of every resource, the critical chain outlined.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/report/gantt.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/schedule/timetable.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::report {

/// A schedule and what its parts are called.
struct drawn_schedule {
    array_view<const schedule::timetable_entry> table;
    array_view<const std::string> names; ///< of the tasks, by number
    resource_names resources;
};

/// The unit of time of a picture.
struct time_unit {
    double per_second = 1.0;
    std::string_view name = "s";
};

/// What the resources of a chip are called, in the order of `search::resource`.
[[nodiscard]] inline resource_names chip_resources() { return {"tensor core", "vector core", "link", ""}; }

/// The style of every resource, and of what needs none.
inline constexpr std::array<std::string_view, schedule::max_resources + 1> resource_styles{
    "tensor", "vector", "link", "other", "unused"};

/// Draws the tasks in the lanes of `shared_lanes_of`; a task in neighbouring lanes of one resource is one
/// bar. Units that hold nothing are left out.
[[nodiscard]] inline std::string schedule_chart(std::string_view title, const drawn_schedule& drawn,
                                                const time_unit& unit) {
    const std::vector<lane> lanes = shared_lanes_of(drawn.table);
    std::vector<std::string> rows;
    for (const lane& l : lanes) rows.push_back(name_of(l, drawn.resources));
    std::vector<bar> bars;
    const auto in = [&](std::size_t row, std::size_t entry) {
        return std::binary_search(lanes[row].entries.begin(), lanes[row].entries.end(), entry);
    };
    for (std::size_t e = 0; e < drawn.table.size(); ++e) {
        const schedule::timetable_entry& entry = drawn.table[e];
        const std::string& name = drawn.names[entry.task];
        const auto time = [&](double seconds) {
            return readable(seconds * unit.per_second, 4) + ' ' + std::string(unit.name);
        };
        const std::string hint = name + ": " + time(entry.start_s) + " + " +
                                 time(entry.end_s - entry.start_s) + (entry.critical ? ", critical" : "");
        for (std::size_t row = 0; row < lanes.size(); ++row) {
            if (!in(row, e)) continue;
            const std::size_t first = row;
            while (row + 1 < lanes.size() && lanes[row + 1].resource == lanes[first].resource &&
                   in(row + 1, e))
                ++row;
            bars.push_back({.row = first,
                            .rows = row - first + 1,
                            .start = entry.start_s * unit.per_second,
                            .end = entry.end_s * unit.per_second,
                            .style = std::string(resource_styles[lanes[first].resource]) +
                                     (entry.critical ? " critical" : " slack"),
                            .label = name,
                            .hint = hint});
        }
    }
    // What is outlined lies on top.
    const auto is_slack = [](const bar& b) { return b.style.ends_with("slack"); };
    sort_stably(bars.begin(), bars.end(),
                [&](const bar& a, const bar& b) { return is_slack(a) && !is_slack(b); });
    return gantt(title, rows, bars, "time [" + std::string(unit.name) + "]");
}

} // namespace dovetail::report
