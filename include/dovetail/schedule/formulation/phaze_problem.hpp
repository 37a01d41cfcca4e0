#pragma once
/// \file
/// PHAZE's own operator scheduling problem, stricter than the library's, and an independent check of its
/// schedules.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::schedule::formulation {

/// Which cores an operator runs on.
enum class core_type : std::uint8_t { tensor, vector, fused };

/// An operator on one core of its type (of each type, where it is fused) or on all of them.
struct phaze_operator {
    core_type runs_on = core_type::tensor; ///< the cores that it needs
    double one_s = 0.0;                    ///< on one core
    double all_s = 0.0;                    ///< on all cores of its type

    /// Whether it needs a tensor core.
    [[nodiscard]] constexpr bool uses_tensor() const noexcept { return runs_on != core_type::vector; }
    /// Whether it needs a vector core.
    [[nodiscard]] constexpr bool uses_vector() const noexcept { return runs_on != core_type::tensor; }
};

/// Operators of one layer on a chip, as PHAZE (Wang et al., ICML 2024) schedules them: one that runs on all
/// cores overlaps with no other operator of whatever type, and one that is fused takes a tensor core and the
/// vector core of the same number. To minimise: the makespan.
struct phaze_problem {
    graph::digraph precedence;                         ///< arcs to the operators that wait
    std::vector<phaze_operator> operators;             ///< one a vertex
    std::int32_t num_tc = 1;                           ///< tensor cores of the chip
    std::int32_t num_vc = 1;                           ///< vector cores of the chip
    graph::reachability reaches{graph::digraph{}, {}}; ///< who waits for whom, directly or not

    /// Operators are numbered below this.
    [[nodiscard]] std::size_t size() const noexcept { return operators.size(); }
};

/// Builds the problem from input that nobody has checked.
/// \returns errc::cycle; errc::out_of_range for a latency that is not finite or not above 0, a core count
/// below 1, or another number of operators than vertices.
[[nodiscard]] inline result<phaze_problem> make_phaze_problem(graph::digraph precedence,
                                                              std::vector<phaze_operator> operators,
                                                              std::int32_t num_tc, std::int32_t num_vc) {
    const auto bad = [](std::string place, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "PHAZE problem: " + std::move(place), std::move(wrong),
                     std::move(expected)};
    };
    result<std::vector<graph::index>> order = graph::topological_order(precedence);
    if (!order) return std::move(order).problem().within("PHAZE problem");
    if (operators.size() != precedence.vertex_count())
        return bad("operators", "there are " + to_text(operators.size()),
                   "the graph has " + to_text(precedence.vertex_count()) + " vertices");
    if (num_tc < 1 || num_vc < 1)
        return bad("cores",
                   "there are " + to_text(num_tc) + " tensor and " + to_text(num_vc) + " vector cores",
                   "there is at least one of each");
    for (std::size_t i = 0; i < operators.size(); ++i)
        for (const double latency_s : {operators[i].one_s, operators[i].all_s})
            if (!(latency_s > 0.0 && latency_s <= std::numeric_limits<double>::max()))
                return bad("operator " + to_text(i), "a latency is " + to_text(latency_s) + " s",
                           "a latency is finite and above 0");
    graph::reachability reaches(precedence, *order);
    return phaze_problem{std::move(precedence), std::move(operators), num_tc, num_vc, std::move(reaches)};
}

/// The same operators as the library's own problem sees them: they conflict only over cores, which a fused
/// one pairs at will. Its optimum is never longer. Resource 0 is the tensor cores, resource 1 the vector
/// cores; mode 0 is one core, mode 1 all.
[[nodiscard]] inline task_graph own_problem(const phaze_problem& problem) {
    mode_table table;
    for (const phaze_operator& op : problem.operators) {
        const bool tensor = op.uses_tensor();
        const bool vector = op.uses_vector();
        table.add_task({op.one_s, {tensor ? 1 : 0, vector ? 1 : 0}});
        table.add_mode({op.all_s, {tensor ? problem.num_tc : 0, vector ? problem.num_vc : 0}});
    }
    return make_task_graph(problem.precedence, {problem.num_tc, problem.num_vc}, std::move(table)).value();
}

/// When and where each operator of a `phaze_problem` runs.
struct phaze_schedule {
    static constexpr std::int32_t no_core = -1; ///< "not on one core of the type"

    std::vector<double> start_s;            ///< one entry an operator, from 0
    std::vector<std::uint8_t> on_all_cores; ///< 1 for an operator on all cores of its type
    std::vector<std::int32_t> tensor_core;  ///< the core of an operator on one; `no_core` for the others
    std::vector<std::int32_t> vector_core;  ///< likewise, of the vector cores
    double makespan_s = 0.0;                ///< the end of the operator that ends last
};

/// Checks a schedule against the strict problem, from its definition alone.
/// \returns the first violation. \complexity O(arcs + operators^2).
[[nodiscard]] inline result<void> verify(const phaze_problem& problem, const phaze_schedule& plan) {
    const auto bad = [](std::size_t i, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "PHAZE schedule: operator " + to_text(i), std::move(wrong),
                     std::move(expected)};
    };
    const std::size_t n = problem.size();
    if (plan.start_s.size() != n || plan.on_all_cores.size() != n || plan.tensor_core.size() != n ||
        plan.vector_core.size() != n)
        return error{errc::out_of_range, "PHAZE schedule", "its lists differ in length",
                     "each has one entry an operator"};
    std::vector<double> end_s(n);
    double last_end_s = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const phaze_operator& op = problem.operators[i];
        if (!(plan.start_s[i] >= 0.0))
            return bad(i, "it starts at " + to_text(plan.start_s[i]) + " s", "not before 0");
        end_s[i] = plan.start_s[i] + (plan.on_all_cores[i] != 0 ? op.all_s : op.one_s);
        last_end_s = std::max(last_end_s, end_s[i]);
        const auto wants = [&](bool uses, std::int32_t core, std::int32_t count) {
            return uses && plan.on_all_cores[i] == 0 ? core >= 0 && core < count
                                                     : core == phaze_schedule::no_core;
        };
        if (!wants(op.uses_tensor(), plan.tensor_core[i], problem.num_tc))
            return bad(i, "its tensor core is " + to_text(plan.tensor_core[i]),
                       "one of the chip's if it runs on one tensor core, else none");
        if (!wants(op.uses_vector(), plan.vector_core[i], problem.num_vc))
            return bad(i, "its vector core is " + to_text(plan.vector_core[i]),
                       "one of the chip's if it runs on one vector core, else none");
        if (op.runs_on == core_type::fused && plan.tensor_core[i] != plan.vector_core[i])
            return bad(i,
                       "it is fused on tensor core " + to_text(plan.tensor_core[i]) + " and vector core " +
                           to_text(plan.vector_core[i]),
                       "their numbers are the same");
    }
    for (const graph::arc& a : problem.precedence.arcs())
        if (plan.start_s[a.target] < end_s[a.source])
            return bad(a.target, "it starts at " + to_text(plan.start_s[a.target]) + " s",
                       "operator " + to_text(a.source) + " before it ends at " + to_text(end_s[a.source]) +
                           " s");
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (!(plan.start_s[i] < end_s[j] && plan.start_s[j] < end_s[i])) continue;
            if (plan.on_all_cores[i] != 0 || plan.on_all_cores[j] != 0)
                return bad(i, "it overlaps with operator " + to_text(j),
                           "one of them runs on all cores, so nothing may overlap");
            const auto shares = [&](const std::vector<std::int32_t>& core) {
                return core[i] != phaze_schedule::no_core && core[i] == core[j];
            };
            if (shares(plan.tensor_core) || shares(plan.vector_core))
                return bad(i, "it shares a core with operator " + to_text(j) + " at the same time",
                           "a core serves one operator at a time");
        }
    if (plan.makespan_s != last_end_s)
        return error{errc::out_of_range, "PHAZE schedule: makespan",
                     "it is given as " + to_text(plan.makespan_s) + " s",
                     "the last operator ends at " + to_text(last_end_s) + " s"};
    return {};
}

} // namespace dovetail::schedule::formulation
