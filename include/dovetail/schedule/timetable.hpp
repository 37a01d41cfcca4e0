#pragma once
/// \file
/// A schedule as people read it: who runs when, on which units, and who decides how long it takes.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/schedule/cores.hpp>
#include <dovetail/schedule/critical_chain.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// One task of a timetable.
struct timetable_entry {
    graph::index task = 0;
    std::uint32_t mode = 0; ///< a position in `task_graph::modes(task)`
    double start_s = 0.0;
    double end_s = 0.0;
    bool critical = false; ///< whether it is in the `critical_chain`
    /// Numbers of the units that it holds, of every resource, rising.
    std::array<std::vector<std::int32_t>, max_resources> units;
};

/// The tasks of a schedule by start, then by number, each with its units as `assign_cores` deals them.
/// \param plan a schedule of `problem` that keeps precedence and capacities \complexity that of
/// `assign_cores` and `critical_chain`.
[[nodiscard]] inline std::vector<timetable_entry> make_timetable(const task_graph& problem,
                                                                 const schedule& plan) {
    const core_assignment cores = assign_cores(problem, plan);
    std::vector<timetable_entry> entries;
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        timetable_entry e;
        e.task = v;
        e.mode = plan.mode[v];
        e.start_s = plan.start_s[v];
        e.end_s = plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s;
        for (std::size_t r = 0; r < max_resources; ++r) {
            const array_view<const std::int32_t> units = cores.units(v, r);
            e.units[r].assign(units.begin(), units.end());
        }
        entries.push_back(std::move(e));
    }
    for (const chain_link& link : critical_chain(problem, plan)) entries[link.task].critical = true;
    sort_stably(entries.begin(), entries.end(),
                [](const timetable_entry& a, const timetable_entry& b) { return a.start_s < b.start_s; });
    return entries;
}

} // namespace dovetail::schedule
