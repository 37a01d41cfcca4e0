#pragma once
/// \file
/// One self-contained page about a schedule: what is proved, who runs where, and why it takes so long.

#include <dovetail/core/text.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/origin.hpp>
#include <dovetail/report/schedule_chart.hpp>
#include <dovetail/report/style.hpp>
#include <dovetail/report/svg.hpp>
#include <dovetail/schedule/critical_chain.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/timetable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {

/// What a page says of a schedule besides its picture.
struct schedule_summary {
    std::string title;
    std::string subtitle;
    std::vector<std::pair<std::string, std::string>> facts; ///< name and value, a row each
    schedule::demand capacity{};                            ///< units of every resource
    std::vector<schedule::chain_link> chain;                ///< the critical chain
    std::vector<assumption> held{};                         ///< what the durations rest on
};

namespace detail {

/// "Idle throughout: tensor cores 3–8, vector core 2", or nothing.
[[nodiscard]] inline std::string idle_units(const drawn_schedule& drawn, const schedule::demand& capacity) {
    std::vector<std::vector<bool>> busy;
    for (const std::int32_t units : capacity) busy.emplace_back(static_cast<std::size_t>(units), false);
    for (const schedule::timetable_entry& e : drawn.table)
        for (std::size_t r = 0; r < busy.size(); ++r)
            for (const std::int32_t unit : e.units[r]) busy[r][static_cast<std::size_t>(unit)] = true;
    std::string text;
    for (std::size_t r = 0; r < busy.size(); ++r) {
        std::vector<std::int32_t> idle;
        for (std::size_t unit = 0; unit < busy[r].size(); ++unit)
            if (!busy[r][unit]) idle.push_back(static_cast<std::int32_t>(unit));
        if (!idle.empty())
            text += (text.empty() ? " Idle throughout: " : ", ") +
                    name_of({.resource = r, .units = std::move(idle), .entries = {}}, drawn.resources);
    }
    return text.empty() ? text : text + '.';
}

} // namespace detail

/// The page of a schedule; `unit` is the unit of its times, `from` is told at the end.
[[nodiscard]] inline std::string to_html(const schedule_summary& about, const drawn_schedule& drawn,
                                         const time_unit& unit, const origin& from = {}) {
    std::string page = page_head("Dovetail: " + about.title);
    page += "<h1>" + escaped(about.title) + "</h1>\n<p>" + escaped(about.subtitle) + "</p>\n<table>\n";
    for (const auto& [name, value] : about.facts)
        page += "<tr><td>" + escaped(name) + "</td><td>" + escaped(value) + "</td></tr>\n";
    page += "</table>\n" + assumption_section(about.held) +
            "<h2>Schedule</h2>\n<p>Units that run the same share a row." +
            escaped(detail::idle_units(drawn, about.capacity));
    for (std::size_t r = 0; r < schedule::max_resources; ++r)
        if (about.capacity[r] > 0) page += key(resource_styles[r], drawn.resources[r]);
    page += key("critical", "critical chain") + "</p>\n" + schedule_chart(about.title, drawn, unit);

    page += "<h2>Critical chain</h2>\n<p>Each starts the moment the one before it ends.</p>\n"
            "<table><tr><th>task</th><th>starts [" +
            escaped(unit.name) + "]</th><th>takes [" + escaped(unit.name) +
            "]</th><th>waited for the one before because of</th></tr>\n";
    for (const schedule::chain_link& link : about.chain)
        for (const schedule::timetable_entry& e : drawn.table) {
            if (e.task != link.task) continue;
            const auto cell = [](std::string_view text) { return "<td>" + escaped(text) + "</td>"; };
            page += "<tr>" + cell(drawn.names[e.task]) + cell(readable(e.start_s * unit.per_second, 5)) +
                    cell(readable((e.end_s - e.start_s) * unit.per_second, 4)) +
                    cell(link.reason == schedule::waits_for::nothing       ? "–"
                         : link.reason == schedule::waits_for::predecessor ? "its result"
                                                                           : "its units") +
                    "</tr>\n";
        }
    return page + "</table>\n" + origin_section(from) + "</body></html>\n";
}

} // namespace dovetail::report
