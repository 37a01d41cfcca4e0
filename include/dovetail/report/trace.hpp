#pragma once
/// \file
/// A schedule in the trace event format, which Chrome and Perfetto open.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/schedule/timetable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::report {

/// Writes the timetable as JSON: one process called `title`, one thread a unit that is ever held, one
/// complete event ("ph": "X") for every unit that a task holds and one for a task that holds none. Times are
/// in microseconds, fractions included (Trace Event Format, Google, 2016, "Complete Events"). Tasks of the
/// critical chain are of the category "critical". \param names of the tasks, by number
[[nodiscard]] inline std::string to_trace(std::string_view title,
                                          array_view<const schedule::timetable_entry> table,
                                          array_view<const std::string> names,
                                          const resource_names& resources) {
    constexpr double microseconds = 1e6;
    json_writer json;
    json.begin_object().member("displayTimeUnit", "ns").key("traceEvents").begin_array();
    const auto metadata = [&](std::string_view what, std::size_t thread) -> json_writer& {
        json.begin_object().member("name", what).member("ph", "M").member("pid", 1).member("tid", thread);
        return json.key("args").begin_object();
    };
    metadata("process_name", 0).member("name", title).end_object().end_object();
    std::size_t thread = 0;
    for (const lane& l : lanes_of(table)) {
        ++thread;
        metadata("thread_name", thread).member("name", name_of(l, resources)).end_object().end_object();
        metadata("thread_sort_index", thread).member("sort_index", thread).end_object().end_object();
        for (const std::size_t k : l.entries) {
            const schedule::timetable_entry& e = table[k];
            json.begin_object()
                .member("name", names[e.task])
                .member("cat", e.critical ? "critical" : "task")
                .member("ph", "X")
                .member("pid", 1)
                .member("tid", thread)
                .member("ts", e.start_s * microseconds)
                .member("dur", (e.end_s - e.start_s) * microseconds)
                .key("args")
                .begin_object()
                .member("task", e.task)
                .member("mode", e.mode)
                .member("critical", e.critical);
            for (std::size_t r = 0; r < schedule::max_resources; ++r)
                if (!e.units[r].empty()) json.member(resources[r] + 's', e.units[r].size());
            json.end_object().end_object();
        }
    }
    json.end_array().end_object();
    return std::move(json).take();
}

} // namespace dovetail::report
