#pragma once
/// \file
/// Every formulation of a task graph by its name: as a model, and solved to a certificate.

#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/schedule/formulation/disjunctive.hpp>
#include <dovetail/schedule/formulation/phaze_lazy.hpp>
#include <dovetail/schedule/formulation/phaze_pairwise.hpp>
#include <dovetail/schedule/formulation/phaze_view.hpp>
#include <dovetail/schedule/formulation/resource_flow.hpp>
#include <dovetail/schedule/formulation/time_indexed.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::schedule::formulation {

/// The formulations of a task graph.
enum class program : std::uint8_t {
    phaze,        ///< `phaze_program`, of PHAZE's stricter problem
    time_indexed, ///< `time_indexed`
    disjunctive,  ///< `disjunctive`
    flow,         ///< `resource_flow`
};

/// All of them.
inline constexpr std::array programs{program::phaze, program::time_indexed, program::disjunctive,
                                     program::flow};

/// The word of a formulation on the command line.
[[nodiscard]] constexpr std::string_view to_string(program p) noexcept {
    switch (p) {
    case program::phaze:
        return phaze_program::name;
    case program::time_indexed:
        return time_indexed::name;
    case program::disjunctive:
        return disjunctive::name;
    case program::flow:
        return resource_flow::name;
    }
    return "unknown";
}

/// The formulation of that word, or nothing.
[[nodiscard]] constexpr std::optional<program> program_named(std::string_view word) noexcept {
    for (const program p : programs)
        if (to_string(p) == word) return p;
    return std::nullopt;
}

/// The whole program as a model, for solvers elsewhere. \returns errc::unsupported where PHAZE does not know
/// the problem.
[[nodiscard]] inline result<ilp::model> model_of(const task_graph& problem, program which,
                                                 const grid_options& grid = {}) {
    switch (which) {
    case program::phaze: {
        const result<phaze_view> view = view_as_phaze(problem);
        if (!view) return view.problem();
        return phaze_program(view->problem).model();
    }
    case program::time_indexed:
        return time_indexed(problem, grid).model();
    case program::disjunctive:
        return disjunctive(problem).model();
    case program::flow:
        return resource_flow(problem).model();
    }
    return ilp::model{};
}

/// Solves a task graph by one of its formulations and any solver.
///
///     program_scheduler<ext::glpk::solver>{.which = program::disjunctive, .solver = {.time_limit_s =
///     60}}(problem)
///
/// The answer is the shorter of what the values stand for and a list schedule, with the larger of their
/// bounds. `optimal` is what the solver proves, within its tolerances. For `program::phaze` all of it, the
/// bound included, is about PHAZE's stricter problem, whose schedules are ones of the task graph too; its
/// list schedule is the operators one after another.
template <ilp::solver Solver>
struct program_scheduler {
    program which = program::disjunctive; ///< how to write the problem
    Solver solver{};                      ///< what solves it
    grid_options grid{};                  ///< of `program::time_indexed`

    /// \returns an error of the solver as it is; errc::unsupported where PHAZE does not know the problem, or
    /// for values that break the model.
    [[nodiscard]] result<certificate> operator()(const task_graph& problem) const {
        switch (which) {
        case program::phaze:
            return solve_phaze(problem);
        case program::time_indexed:
            return solve(problem, time_indexed(problem, grid));
        case program::disjunctive:
            return solve(problem, disjunctive(problem));
        case program::flow:
            return solve(problem, resource_flow(problem));
        }
        return certificate{};
    }

private:
    template <ilp::formulation Formulation>
    [[nodiscard]] result<certificate> solve(const task_graph& problem, const Formulation& written) const {
        const auto place = [] { return std::string(Formulation::name) + " formulation"; };
        result<ilp::solution> found = solver(written.model());
        if (!found) return std::move(found).problem().within(place());
        if (found->ending == ilp::verdict::infeasible || found->ending == ilp::verdict::unbounded)
            return error{errc::unsupported, place(),
                         "the solver calls the program " + std::string(to_string(found->ending)),
                         "try a solver with a finer tolerance"};
        certificate answer = list_scheduler{}(problem);
        answer.nodes = found->nodes;
        answer.lower_bound_s = std::max(answer.lower_bound_s, written.bound(*found));
        if (found->has_values())
            if (schedule decoded = written.decode(*found); decoded.makespan_s < answer.best.makespan_s)
                answer.best = std::move(decoded);
        // What a solver has proved meets to its tolerances, not to the last digit.
        const bool proved = found->ending == ilp::verdict::optimal &&
                            answer.best.makespan_s <= answer.lower_bound_s * (1.0 + tolerance);
        const bool meet = proved || meets(answer.best.makespan_s, answer.lower_bound_s);
        if (meet) answer.lower_bound_s = answer.best.makespan_s;
        answer.status = meet                                    ? dovetail::status::optimal
                        : found->ending == ilp::verdict::budget ? dovetail::status::budget
                                                                : dovetail::status::feasible;
        return answer;
    }

    [[nodiscard]] result<certificate> solve_phaze(const task_graph& problem) const {
        const result<phaze_view> view = view_as_phaze(problem);
        if (!view) return view.problem();
        result<phaze_answer> found = phaze_lazy<Solver>{solver}(view->problem);
        if (!found) return std::move(found).problem();
        return certificate{.status = found->status,
                           .best = as_schedule(problem, *view, found->plan),
                           .lower_bound_s = std::min(found->lower_bound_s, found->plan.makespan_s),
                           .nodes = found->nodes};
    }

    static constexpr double tolerance = 1e-6; // relative, as solvers have it
};

} // namespace dovetail::schedule::formulation
