#pragma once
/// \file
/// An independent check of a schedule, from the definition of the problem alone.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/cores.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace dovetail::schedule {

namespace detail {

[[nodiscard]] inline error broken(std::string place, std::string wrong, std::string expected) {
    return {errc::out_of_range, "schedule: " + std::move(place), std::move(wrong), std::move(expected)};
}

// Start and end of a task whose mode is known to exist.
struct interval {
    double start_s;
    double end_s;

    interval(const task_graph& problem, const schedule& plan, graph::index task)
        : start_s(plan.start_s[task]),
          end_s(plan.start_s[task] + problem.modes(task)[plan.mode[task]].duration_s) {}

    [[nodiscard]] bool runs_at(double time_s) const noexcept { return start_s <= time_s && time_s < end_s; }
};

} // namespace detail

/// Checks every start, mode, precedence, capacity at all times, and the makespan. Times must hold exactly: a
/// task may start at the very number at which another ends, not before. \returns the first violation, with
/// tasks, times and resource. \complexity O(arcs + tasks^2).
[[nodiscard]] inline result<void> verify(const task_graph& problem, const schedule& plan) {
    using detail::broken;
    using detail::interval;
    const std::size_t n = problem.task_count();
    if (plan.start_s.size() != n || plan.mode.size() != n)
        return broken("size",
                      "it holds " + to_text(plan.start_s.size()) + " starts and " +
                          to_text(plan.mode.size()) + " modes",
                      "the problem has " + to_text(n) + " tasks");
    double last_end_s = 0.0;
    for (graph::index v = 0; v < n; ++v) {
        if (plan.mode[v] >= problem.modes(v).size())
            return broken("task " + to_text(v), "it runs in mode " + to_text(plan.mode[v]),
                          "it has " + to_text(problem.modes(v).size()));
        if (!(plan.start_s[v] >= 0.0 && plan.start_s[v] <= std::numeric_limits<double>::max()))
            return broken("task " + to_text(v), "it starts at " + to_text(plan.start_s[v]) + " s",
                          "a start is finite and at least 0");
        last_end_s = std::max(last_end_s, interval(problem, plan, v).end_s);
    }
    for (const graph::arc& a : problem.precedence().arcs()) {
        const double end_s = interval(problem, plan, a.source).end_s;
        if (plan.start_s[a.target] < end_s)
            return broken("task " + to_text(a.target),
                          "it starts at " + to_text(plan.start_s[a.target]) + " s",
                          "its predecessor " + to_text(a.source) + " ends at " + to_text(end_s) + " s");
    }
    // What is held grows only where a task starts, so those times are enough.
    for (graph::index v = 0; v < n; ++v) {
        std::array<std::int64_t, max_resources> held{};
        const double time_s = plan.start_s[v];
        for (graph::index u = 0; u < n; ++u) {
            if (!interval(problem, plan, u).runs_at(time_s)) continue;
            for (std::size_t r = 0; r < max_resources; ++r) held[r] += problem.modes(u)[plan.mode[u]].use[r];
        }
        for (std::size_t r = 0; r < max_resources; ++r)
            if (held[r] > problem.capacity()[r])
                return broken("resource " + to_text(r),
                              to_text(held[r]) + " units are held at " + to_text(time_s) + " s",
                              "there are " + to_text(problem.capacity()[r]));
    }
    if (plan.makespan_s != last_end_s)
        return broken("makespan", "it is given as " + to_text(plan.makespan_s) + " s",
                      "the last task ends at " + to_text(last_end_s) + " s");
    return {};
}

/// Checks a schedule together with its cores: each task holds as many different units as its mode asks for,
/// within the capacity, and no unit serves two tasks at once. A task of no duration needs none. \complexity
/// O(tasks^2 * capacity).
[[nodiscard]] inline result<void> verify(const task_graph& problem, const schedule& plan,
                                         const core_assignment& cores) {
    using detail::broken;
    using detail::interval;
    if (result<void> sound = verify(problem, plan); !sound) return sound;
    const std::size_t n = problem.task_count();
    for (graph::index v = 0; v < n; ++v) {
        const interval time = interval(problem, plan, v);
        for (std::size_t r = 0; r < max_resources; ++r) {
            const array_view<const std::int32_t> units = cores.units(v, r);
            const std::int32_t needed = time.end_s > time.start_s ? problem.modes(v)[plan.mode[v]].use[r] : 0;
            const std::string place = "task " + to_text(v) + ", resource " + to_text(r);
            if (units.size() != static_cast<std::size_t>(needed))
                return broken(place, "it holds " + to_text(units.size()) + " units",
                              "its mode needs " + to_text(needed));
            for (std::size_t k = 0; k < units.size(); ++k) {
                if (units[k] < 0 || units[k] >= problem.capacity()[r])
                    return broken(place, "it holds unit " + to_text(units[k]),
                                  "units are numbered below " + to_text(problem.capacity()[r]));
                if (std::count(units.begin(), units.end(), units[k]) != 1)
                    return broken(place, "it holds unit " + to_text(units[k]) + " twice",
                                  "its units must differ");
            }
            for (graph::index u = 0; u < v; ++u) {
                const interval other = interval(problem, plan, u);
                if (!(other.start_s < time.end_s && time.start_s < other.end_s)) continue;
                for (const std::int32_t unit : cores.units(u, r))
                    if (std::find(units.begin(), units.end(), unit) != units.end())
                        return broken(
                            place, "it holds unit " + to_text(unit) + " while task " + to_text(u) + " does",
                            "a unit serves one task at a time");
            }
        }
    }
    return {};
}

} // namespace dovetail::schedule
