#pragma once
/// \file
/// The lanes that a timetable is drawn in: one a unit of a resource.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/timetable.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::report {

/// What the units of every resource are called, "tensor core" say; empty for a resource that is not there.
using resource_names = std::array<std::string, schedule::max_resources>;

/// Units of one resource that hold the same tasks all the time.
struct lane {
    /// The lanes of tasks that hold no unit, but take their time.
    static constexpr std::size_t no_resource = schedule::max_resources;

    std::size_t resource = 0;
    std::vector<std::int32_t> units;  ///< rising, from 0
    std::vector<std::size_t> entries; ///< of the timetable, by start
};

/// Numbers as ranges of neighbours: {first, last} each. `units` are rising.
[[nodiscard]] inline std::vector<std::pair<std::int32_t, std::int32_t>>
ranges_of(array_view<const std::int32_t> units) {
    std::vector<std::pair<std::int32_t, std::int32_t>> ranges;
    for (const std::int32_t unit : units)
        if (!ranges.empty() && ranges.back().second + 1 == unit)
            ++ranges.back().second;
        else
            ranges.emplace_back(unit, unit);
    return ranges;
}

/// One lane for every unit that is ever held, by resource and number; then lanes for tasks that take time but
/// hold nothing, as few as do not overlap. A task of no duration is in none. \complexity O(units held by all
/// tasks together).
[[nodiscard]] inline std::vector<lane> lanes_of(array_view<const schedule::timetable_entry> table) {
    std::vector<lane> lanes;
    for (std::size_t r = 0; r < schedule::max_resources; ++r) {
        std::vector<std::vector<std::size_t>> held;
        for (std::size_t e = 0; e < table.size(); ++e)
            for (const std::int32_t unit : table[e].units[r]) {
                if (held.size() <= static_cast<std::size_t>(unit))
                    held.resize(static_cast<std::size_t>(unit) + 1);
                held[static_cast<std::size_t>(unit)].push_back(e);
            }
        for (std::size_t unit = 0; unit < held.size(); ++unit)
            if (!held[unit].empty())
                lanes.push_back({r, {static_cast<std::int32_t>(unit)}, std::move(held[unit])});
    }
    const std::size_t first = lanes.size();
    for (std::size_t e = 0; e < table.size(); ++e) {
        const auto holds = [](const std::vector<std::int32_t>& units) { return !units.empty(); };
        if (!(table[e].end_s > table[e].start_s) ||
            std::any_of(table[e].units.begin(), table[e].units.end(), holds))
            continue;
        std::size_t at = first;
        while (at < lanes.size() && table[lanes[at].entries.back()].end_s > table[e].start_s) ++at;
        if (at == lanes.size())
            lanes.push_back({lane::no_resource, {static_cast<std::int32_t>(at - first)}, {}});
        lanes[at].entries.push_back(e);
    }
    return lanes;
}

/// The same, with units of a resource that hold the same tasks in one lane, where its first unit was.
[[nodiscard]] inline std::vector<lane> shared_lanes_of(array_view<const schedule::timetable_entry> table) {
    std::vector<lane> shared;
    for (lane& l : lanes_of(table)) {
        const auto same = std::find_if(shared.begin(), shared.end(), [&](const lane& s) {
            return s.resource == l.resource && s.entries == l.entries;
        });
        if (same == shared.end())
            shared.push_back(std::move(l));
        else
            same->units.insert(same->units.end(), l.units.begin(), l.units.end());
    }
    return shared;
}

/// What a lane is called: "tensor core 3", "tensor core 3–8", "tensor core ×5" where its units are no
/// neighbours. Counted from 1.
[[nodiscard]] inline std::string name_of(const lane& l, const resource_names& names) {
    const std::string name = l.resource == lane::no_resource ? "none" : names[l.resource];
    const auto ranges = ranges_of(l.units);
    if (ranges.size() > 1) return name + " ×" + to_text(l.units.size());
    const auto [first, last] = ranges.front();
    return name + ' ' + to_text(first + 1) + (first == last ? "" : "–" + to_text(last + 1));
}

} // namespace dovetail::report
