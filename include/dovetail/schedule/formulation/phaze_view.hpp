#pragma once
/// \file
/// The library's own scheduling problem as PHAZE sees it, where it can, and the way back.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/schedule/formulation/phaze_problem.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::schedule::formulation {

/// A problem in PHAZE's words. Tasks that can run in no time are no operators: they only hand on precedence.
struct phaze_view {
    phaze_problem problem;
    std::vector<graph::index> task;       ///< of every operator, in the task graph
    std::vector<std::uint32_t> one_mode;  ///< of every operator, on one core
    std::vector<std::uint32_t> all_mode;  ///< of every operator, on all cores; `one_mode` where there is none
    std::vector<std::uint32_t> free_mode; ///< of every task that is no operator; of the others, unused
};

namespace detail {

/// What a task is to PHAZE, from its modes.
struct operator_modes {
    phaze_operator op;
    std::optional<std::uint32_t> one, all, free;

    operator_modes(array_view<const mode> modes, const demand& capacity) {
        for (std::uint32_t k = 0; k < modes.size(); ++k) {
            const mode& m = modes[k];
            if (!fits(m.use, capacity)) continue;
            if (m.duration_s == 0.0) {
                if (!free) free = k;
                continue;
            }
            const bool tensor = m.use[0] > 0, vector = m.use[1] > 0;
            const core_type type =
                tensor ? (vector ? core_type::fused : core_type::tensor) : core_type::vector;
            const auto holds = [&](bool whole) {
                for (std::size_t r = 0; r < 2; ++r)
                    if (m.use[r] != 0 && m.use[r] != (whole ? capacity[r] : 1)) return false;
                return true;
            };
            const bool of_cores = (tensor || vector) && m.use[2] == 0 && m.use[3] == 0;
            strange |= !of_cores || !(holds(false) || holds(true)) || ((one || all) && type != op.runs_on);
            op.runs_on = type;
            std::optional<std::uint32_t>& place = holds(false) ? one : all;
            if (!place || m.duration_s < modes[*place].duration_s) place = k;
        }
        if (one) op.one_s = modes[*one].duration_s;
        // PHAZE lets every operator run on all cores: without such a mode, as slowly as on one, and alone.
        if (one && !all) all = one;
        if (all) op.all_s = modes[*all].duration_s;
    }
    [[nodiscard]] bool is_operator() const { return one && !strange; }

    bool strange = false; ///< some mode is none of PHAZE's
};

} // namespace detail

/// Reads resource 0 as the tensor cores, resource 1 as the vector cores, modes that hold one of each that
/// they use as "on one core", others that hold all as "on all cores".
/// \returns errc::unsupported for a task with any other mode that takes time, with the task. \complexity
/// O(modes + tasks^2).
[[nodiscard]] inline result<phaze_view> view_as_phaze(const task_graph& problem) {
    phaze_view view;
    view.free_mode.resize(problem.task_count());
    std::vector<phaze_operator> operators;
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        const detail::operator_modes modes(problem.modes(v), problem.capacity());
        if (modes.free) {
            view.free_mode[v] = *modes.free;
            continue;
        }
        if (!modes.is_operator())
            return error{errc::unsupported, "PHAZE formulation: task " + to_text(v),
                         "it has a mode that PHAZE does not know, or none on one core",
                         "a task takes no time, or runs on one or on all of resources 0 and 1 alone"};
        view.task.push_back(v);
        view.one_mode.push_back(*modes.one);
        view.all_mode.push_back(*modes.all);
        operators.push_back(modes.op);
    }
    std::vector<graph::arc> arcs;
    for (graph::index i = 0; i < view.task.size(); ++i)
        for (graph::index j = 0; j < view.task.size(); ++j)
            if (problem.reaches().reaches(view.task[i], view.task[j])) arcs.push_back({i, j});
    graph::digraph precedence(view.task.size(), arcs);
    // A chip without cores of a type has no operator for them either.
    result<phaze_problem> made =
        make_phaze_problem(std::move(precedence), std::move(operators), std::max(1, problem.capacity()[0]),
                           std::max(1, problem.capacity()[1]));
    if (!made) return std::move(made).problem();
    view.problem = std::move(made).value();
    return view;
}

/// The same schedule of the task graph; tasks that are no operators start when they can.
[[nodiscard]] inline schedule as_schedule(const task_graph& problem, const phaze_view& view,
                                          const phaze_schedule& plan) {
    schedule same{.start_s = std::vector<double>(problem.task_count(), 0.0),
                  .mode = view.free_mode,
                  .makespan_s = plan.makespan_s};
    for (std::size_t i = 0; i < view.task.size(); ++i) {
        same.start_s[view.task[i]] = plan.start_s[i];
        same.mode[view.task[i]] = plan.on_all_cores[i] != 0 ? view.all_mode[i] : view.one_mode[i];
    }
    for (const graph::index v : problem.order())
        for (const graph::index u : problem.precedence().predecessors(v)) {
            const double end_s = same.start_s[u] + problem.modes(u)[same.mode[u]].duration_s;
            same.start_s[v] = std::max(same.start_s[v], end_s);
        }
    return same;
}

} // namespace dovetail::schedule::formulation
