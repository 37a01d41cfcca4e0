#pragma once
/// \file
/// PHAZE's way through its integer program: cores are counted after solving, and constrained only where
/// short.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/schedule/formulation/phaze_pairwise.hpp>
#include <dovetail/schedule/formulation/phaze_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::schedule::formulation {

/// What the procedure gives.
struct phaze_answer {
    dovetail::status status = dovetail::status::budget; ///< `optimal` where the solver proved every program
    phaze_schedule plan;                                ///< obeys the strict problem: `verify` says so
    double lower_bound_s = 0.0;                         ///< no schedule of the strict problem is shorter
    int solves = 0;                                     ///< integer programs solved
    std::int64_t nodes = 0;                             ///< of their search trees
    bool tensor_rows = false;                           ///< whether the tensor cores had to be constrained
    bool vector_rows = false;                           ///< whether the vector cores had to be constrained
};

namespace detail {

/// Numbers the cores of a replayed schedule: first fit by start, with a bounded number of second thoughts
/// because the pairs of fused operators may stand in the way. False where it finds none, which is no proof.
class core_numbering {
public:
    core_numbering(const phaze_problem& problem, phaze_schedule& plan) : problem_(problem), plan_(plan) {
        for (std::size_t i = 0; i < problem.size(); ++i) {
            end_s_.push_back(plan.start_s[i] + problem.operators[i].one_s);
            if (plan.on_all_cores[i] == 0) by_start_.push_back(i);
        }
        sort_stably(by_start_.begin(), by_start_.end(),
                    [&](std::size_t a, std::size_t b) { return plan.start_s[a] < plan.start_s[b]; });
    }

    bool run() { return number(0); }

private:
    bool number(std::size_t position) {
        if (position == by_start_.size()) return true;
        if (++tries_ > try_limit) return false;
        const std::size_t i = by_start_[position];
        const phaze_operator& op = problem_.operators[i];
        const std::int32_t cores = op.runs_on == core_type::tensor ? problem_.num_tc
                                   : op.runs_on == core_type::vector
                                       ? problem_.num_vc
                                       : std::min(problem_.num_tc, problem_.num_vc);
        for (std::int32_t core = 0; core < cores; ++core) {
            if (op.uses_tensor() && taken(plan_.tensor_core, i, core, position)) continue;
            if (op.uses_vector() && taken(plan_.vector_core, i, core, position)) continue;
            plan_.tensor_core[i] = op.uses_tensor() ? core : phaze_schedule::no_core;
            plan_.vector_core[i] = op.uses_vector() ? core : phaze_schedule::no_core;
            if (number(position + 1)) return true;
        }
        plan_.tensor_core[i] = plan_.vector_core[i] = phaze_schedule::no_core;
        return false;
    }

    [[nodiscard]] bool taken(const std::vector<std::int32_t>& core_of, std::size_t i, std::int32_t core,
                             std::size_t position) const {
        for (std::size_t k = 0; k < position; ++k) {
            const std::size_t j = by_start_[k];
            if (core_of[j] == core && plan_.start_s[i] < end_s_[j] && plan_.start_s[j] < end_s_[i])
                return true;
        }
        return false;
    }

    static constexpr int try_limit = 10'000;

    const phaze_problem& problem_;
    phaze_schedule& plan_;
    std::vector<double> end_s_;
    std::vector<std::size_t> by_start_;
    int tries_ = 0;
};

/// The most operators on one core each of the type that run at one time; 0 for all-cores operators, which are
/// alone anyway.
[[nodiscard]] inline std::int32_t peak_use(const phaze_problem& problem, const phaze_schedule& plan,
                                           bool tensor) {
    const auto uses = [&](std::size_t i) {
        const phaze_operator& op = problem.operators[i];
        return plan.on_all_cores[i] == 0 && (tensor ? op.uses_tensor() : op.uses_vector());
    };
    std::int32_t peak = 0;
    for (std::size_t i = 0; i < problem.size(); ++i) {
        std::int32_t running = 0;
        for (std::size_t j = 0; j < problem.size(); ++j)
            if (uses(j) && plan.start_s[j] <= plan.start_s[i] &&
                plan.start_s[i] < plan.start_s[j] + problem.operators[j].one_s)
                ++running;
        peak = std::max(peak, running);
    }
    return peak;
}

/// All operators one after another, each in its faster way, on core 0: the schedule behind the horizon H.
[[nodiscard]] inline phaze_schedule one_after_another(const phaze_problem& problem,
                                                      const std::vector<graph::index>& order) {
    const std::size_t n = problem.size();
    phaze_schedule plan{std::vector<double>(n), std::vector<std::uint8_t>(n, 0),
                        std::vector<std::int32_t>(n, phaze_schedule::no_core),
                        std::vector<std::int32_t>(n, phaze_schedule::no_core), 0.0};
    for (const graph::index i : order) {
        const phaze_operator& op = problem.operators[i];
        plan.start_s[i] = plan.makespan_s;
        plan.on_all_cores[i] = op.all_s < op.one_s ? 1 : 0;
        plan.makespan_s += std::min(op.all_s, op.one_s);
        if (plan.on_all_cores[i] != 0) continue;
        if (op.uses_tensor()) plan.tensor_core[i] = 0;
        if (op.uses_vector()) plan.vector_core[i] = 0;
    }
    return plan;
}

} // namespace detail

/// Solves without core constraints, replays the order, counts the cores in use at one time, adds the rows of
/// every type that has too few, and solves again: at most three programs. Where the counts fit but the pairs
/// of fused operators find no numbers, which the published procedure does not look at, all missing rows are
/// added. Every program is a relaxation of the strict problem, so the first schedule that obeys it is optimal
/// if the solver's answer is.
template <ilp::solver Solver>
struct phaze_lazy {
    Solver solver{}; ///< solves each program; where it has a `time_limit_s`, that is of all together

    /// \returns the schedule and its bound; when the solver's budget ends without values, the operators one
    /// after another. An error of the solver comes back as it is; errc::unsupported for values that break the
    /// model.
    [[nodiscard]] result<phaze_answer> operator()(const phaze_problem& problem) const {
        phaze_answer answer;
        answer.plan =
            detail::one_after_another(problem, graph::topological_order(problem.precedence).value());
        if (problem.size() == 0) {
            answer.status = dovetail::status::optimal;
            return answer;
        }
        phaze_pairwise program(problem);
        const stopwatch clock;
        for (;;) {
            ++answer.solves;
            Solver timed = solver;
            if constexpr (requires { timed.time_limit_s; })
                timed.time_limit_s = std::max(0.0, solver.time_limit_s - clock.seconds());
            result<ilp::solution> found = timed(program.model());
            if (!found) return std::move(found).problem().within("PHAZE formulation");
            const bool has_values = found->has_values();
            answer.nodes += found->nodes;
            answer.lower_bound_s = std::max(answer.lower_bound_s, found->bound * program.unit_s());
            if (!has_values) {
                if (found->ending == ilp::verdict::budget) return answer;
                return broken("the solver calls the program " + std::string(to_string(found->ending)));
            }
            phaze_schedule plan = program.decode(*found);
            bool short_of_tensor = detail::peak_use(problem, plan, true) > problem.num_tc;
            bool short_of_vector = detail::peak_use(problem, plan, false) > problem.num_vc;
            if (!short_of_tensor && !short_of_vector) {
                if (program.has_all_core_rows() || detail::core_numbering(problem, plan).run()) {
                    answer.plan = std::move(plan);
                    answer.status = found->ending == ilp::verdict::optimal    ? dovetail::status::optimal
                                    : found->ending == ilp::verdict::feasible ? dovetail::status::feasible
                                                                              : dovetail::status::budget;
                    if (answer.status == dovetail::status::optimal)
                        answer.lower_bound_s = answer.plan.makespan_s;
                    return answer;
                }
                short_of_tensor = short_of_vector = true;
            }
            const bool add_tensor = short_of_tensor && !answer.tensor_rows;
            const bool add_vector = short_of_vector && !answer.vector_rows;
            if (!add_tensor && !add_vector) return broken("more cores are in use than its rows allow");
            if (add_tensor) program.add_core_rows(core_type::tensor);
            if (add_vector) program.add_core_rows(core_type::vector);
            answer.tensor_rows |= add_tensor;
            answer.vector_rows |= add_vector;
        }
    }

private:
    [[nodiscard]] static error broken(std::string wrong) {
        return {errc::unsupported, "PHAZE formulation", std::move(wrong),
                "try a solver with a finer tolerance"};
    }
};

} // namespace dovetail::schedule::formulation
