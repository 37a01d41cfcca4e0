// doors: glpk
#include <dovetail/schedule/formulation/phaze_lazy.hpp>
#include <dovetail/schedule/formulation/phaze_view.hpp>
#include <dovetail/schedule/formulation/resource_flow.hpp>

#include "schedule/problems.hpp"

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/verify.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using formulation::core_type;
using formulation::make_phaze_problem;
using formulation::phaze_problem;
using formulation::phaze_schedule;

void expect_agreement(const task_graph& problem, int instance) {
    const double optimum_s = test::brute_force(problem).makespan_s();
    const formulation::resource_flow program(problem);
    const result<ilp::solution> found = ext::glpk::solver{.time_limit_s = 60}(program.model());
    ASSERT_TRUE(found) << found.problem().line();
    ASSERT_EQ(found->ending, ilp::verdict::optimal) << instance;
    EXPECT_TRUE(ilp::verify(program.model(), found->values).holds(1e-6)) << instance;
    EXPECT_NEAR(found->objective * program.unit_s(), optimum_s, 1e-6) << instance;
    const dovetail::schedule::schedule plan = program.decode(*found);
    const result<void> sound = verify(problem, plan);
    EXPECT_TRUE(sound) << sound.problem().line();
    EXPECT_EQ(plan.makespan_s, optimum_s) << instance;
    EXPECT_EQ(branch_and_bound{}(problem).best.makespan_s, optimum_s) << instance;
}

TEST(resource_flow, agrees_with_brute_force_and_branch_and_bound_on_layers) {
    random_source random(41);
    for (int instance = 0; instance < 60; ++instance)
        expect_agreement(test::random_layer(random, static_cast<std::size_t>(random.integer(1, 6))),
                         instance);
}

TEST(resource_flow, agrees_with_brute_force_and_branch_and_bound_on_projects) {
    random_source random(42);
    for (int instance = 0; instance < 60; ++instance)
        expect_agreement(test::random_project(random, static_cast<std::size_t>(random.integer(1, 5))),
                         instance);
}

// The strict problem by trying every order, every way to run and every core: in the order of their starts,
// each operator follows at once what it may not overlap with.
class strict_brute_force {
public:
    explicit strict_brute_force(const phaze_problem& problem) : problem_(problem), placed_(problem.size()) {
        extend(0, 0.0);
    }
    double makespan_s = std::numeric_limits<double>::infinity();

private:
    struct placing {
        bool done = false, all = false;
        int tensor = -1, vector = -1;
        double end_s = 0.0;
    };

    void extend(std::size_t count, double last_s) {
        if (last_s >= makespan_s) return;
        if (count == problem_.size()) {
            makespan_s = last_s;
            return;
        }
        for (std::size_t i = 0; i < problem_.size(); ++i) {
            if (placed_[i].done) continue;
            bool eligible = true;
            double ready_s = 0.0;
            for (const graph::index u : problem_.precedence.predecessors(static_cast<graph::index>(i))) {
                eligible &= placed_[u].done;
                ready_s = std::max(ready_s, placed_[u].end_s);
            }
            if (!eligible) continue;
            place(i, true, -1, -1, ready_s, count, last_s);
            const formulation::phaze_operator& op = problem_.operators[i];
            for (int t = op.uses_tensor() ? 0 : -1; t < (op.uses_tensor() ? problem_.num_tc : 0); ++t)
                for (int v = op.uses_vector() ? 0 : -1; v < (op.uses_vector() ? problem_.num_vc : 0); ++v)
                    if (!(op.uses_tensor() && op.uses_vector()) || t == v)
                        place(i, false, t, v, ready_s, count, last_s);
        }
    }

    void place(std::size_t i, bool all, int t, int v, double start_s, std::size_t count, double last_s) {
        for (const placing& other : placed_)
            if (other.done &&
                (all || other.all || (t >= 0 && t == other.tensor) || (v >= 0 && v == other.vector)))
                start_s = std::max(start_s, other.end_s);
        const formulation::phaze_operator& op = problem_.operators[i];
        placed_[i] = {true, all, t, v, start_s + (all ? op.all_s : op.one_s)};
        extend(count + 1, std::max(last_s, placed_[i].end_s));
        placed_[i] = {};
    }

    const phaze_problem& problem_;
    std::vector<placing> placed_;
};

phaze_problem random_strict(random_source& random, std::size_t n) {
    std::vector<formulation::phaze_operator> operators;
    for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t one = random.integer(1, 9);
        operators.push_back({static_cast<core_type>(random.integer(0, 2)), static_cast<double>(one) * 1e-4,
                             static_cast<double>(random.integer((one + 1) / 2, one)) * 1e-4});
    }
    graph::digraph order = test::random_order(random, n, random.real(0.0, 0.4));
    const auto cores = [&] { return static_cast<std::int32_t>(random.integer(1, 3)); };
    const std::int32_t num_tc = cores();
    return make_phaze_problem(std::move(order), std::move(operators), num_tc, cores()).value();
}

TEST(phaze_lazy, finds_the_strict_optimum) {
    random_source random(43);
    int constrained = 0, longer = 0;
    for (int instance = 0; instance < 50; ++instance) {
        const phaze_problem problem = random_strict(random, static_cast<std::size_t>(random.integer(1, 5)));
        const double optimum_s = strict_brute_force(problem).makespan_s;
        const auto answer = formulation::phaze_lazy<ext::glpk::solver>{}(problem);
        ASSERT_TRUE(answer) << answer.problem().line();
        EXPECT_EQ(answer->status, dovetail::status::optimal);
        const result<void> sound = verify(problem, answer->plan);
        EXPECT_TRUE(sound) << sound.problem().line();
        EXPECT_NEAR(answer->plan.makespan_s, optimum_s, 1e-9 * optimum_s) << instance;
        EXPECT_LE(answer->solves, 3);
        constrained += answer->tensor_rows || answer->vector_rows ? 1 : 0;

        // The library's own problem has fewer conflicts.
        const task_graph own = own_problem(problem);
        const certificate exact = branch_and_bound{}(own);
        ASSERT_EQ(exact.status, dovetail::status::optimal);
        EXPECT_LE(exact.best.makespan_s, optimum_s * (1 + 1e-12));
        longer += exact.best.makespan_s < optimum_s * (1 - 1e-9) ? 1 : 0;
    }
    EXPECT_GT(constrained, 5);
    EXPECT_GT(longer, 3);
}

// The program with all its core rows at once has the same optimum as the lazy way, and so has its LP text.
TEST(phaze_pairwise, has_the_same_optimum_with_all_rows_at_once) {
    random_source random(44);
    for (int instance = 0; instance < 15; ++instance) {
        const phaze_problem problem = random_strict(random, 4);
        const formulation::phaze_program program(problem);
        const ilp::solution found = ext::glpk::solver{}(program.model()).value();
        ASSERT_EQ(found.ending, ilp::verdict::optimal);
        EXPECT_TRUE(ilp::verify(program.model(), found.values).holds(1e-6));
        EXPECT_NEAR(program.bound(found), strict_brute_force(problem).makespan_s, 1e-9);
        const phaze_schedule plan = program.decode(found);
        const result<void> sound = verify(problem, plan);
        EXPECT_TRUE(sound) << sound.problem().line();
        EXPECT_NEAR(plan.makespan_s, program.bound(found), 1e-9);
        EXPECT_TRUE(ilp::lp_text(program.model()));
    }
}

// The strict problem is found again in the library's own view of it, and solved to the same optimum.
TEST(phaze_view, reads_back_what_own_problem_wrote) {
    random_source random(46);
    for (int instance = 0; instance < 30; ++instance) {
        SCOPED_TRACE(instance);
        const phaze_problem problem = random_strict(random, static_cast<std::size_t>(random.integer(1, 4)));
        if (problem.num_tc == 1 || problem.num_vc == 1) continue; // there, one core is all
        const task_graph own = own_problem(problem);
        const formulation::phaze_view view = formulation::view_as_phaze(own).value();
        ASSERT_EQ(view.problem.size(), problem.size());
        EXPECT_EQ(view.problem.num_tc, problem.num_tc);
        EXPECT_EQ(view.problem.num_vc, problem.num_vc);
        const auto answer = formulation::phaze_lazy<ext::glpk::solver>{}(view.problem).value();
        EXPECT_NEAR(answer.plan.makespan_s, strict_brute_force(problem).makespan_s, 1e-9);
        const dovetail::schedule::schedule plan = as_schedule(own, view, answer.plan);
        const result<void> sound = verify(own, plan);
        EXPECT_TRUE(sound) << sound.problem().line();
        EXPECT_EQ(plan.makespan_s, answer.plan.makespan_s);
    }
}

// A task without time hands on precedence; one on the link is none of PHAZE's.
TEST(phaze_view, leaves_out_what_takes_no_time_and_refuses_the_rest) {
    const mode_table table{
        {{2.0, {1, 0, 0, 0}}, {1.0, {3, 0, 0, 0}}}, {{0.0, {0, 0, 1, 0}}}, {{3.0, {1, 1, 0, 0}}}};
    const task_graph chain =
        make_task_graph(graph::digraph(3, std::vector<graph::arc>{{0, 1}, {1, 2}}), {3, 2, 1, 0}, table)
            .value();
    const formulation::phaze_view view = formulation::view_as_phaze(chain).value();
    EXPECT_EQ(view.task, (std::vector<graph::index>{0, 2}));
    EXPECT_TRUE(view.problem.reaches.reaches(0, 1));
    EXPECT_EQ(view.problem.operators[1].runs_on, core_type::fused);
    EXPECT_EQ(view.problem.operators[1].all_s, 3.0); // no such mode: as on one
    const auto answer = formulation::phaze_lazy<ext::glpk::solver>{}(view.problem).value();
    const dovetail::schedule::schedule plan = as_schedule(chain, view, answer.plan);
    EXPECT_TRUE(verify(chain, plan));
    EXPECT_EQ(plan.start_s, (std::vector<double>{0.0, 1.0, 1.0}));

    for (const mode& strange :
         {mode{1.0, {0, 0, 1, 0}}, mode{1.0, {2, 0, 0, 0}}, mode{1.0, {3, 0, 0, 0}}, mode{1.0, {}}}) {
        const task_graph other =
            make_task_graph(graph::digraph(1, {}), {3, 2, 1, 0}, mode_table{{strange}}).value();
        ASSERT_FALSE(formulation::view_as_phaze(other));
        EXPECT_EQ(formulation::view_as_phaze(other).problem().code, errc::unsupported);
    }
}

// Counted by the formulas of the documentation.
TEST(formulations, are_as_large_as_documented) {
    const formulation::phaze_operator op{core_type::tensor, 4.0, 3.0};
    const phaze_problem problem = make_phaze_problem(graph::digraph(2, {}), {op, op}, 2, 1).value();
    formulation::phaze_pairwise pairwise(problem);
    EXPECT_EQ(pairwise.model().columns().size(), 1u + 3 * 2 + 2);
    EXPECT_EQ(pairwise.model().rows().size(), 2u * 2 + 0 + 5 * 1);
    pairwise.add_core_rows(core_type::tensor);
    EXPECT_EQ(pairwise.model().columns().size(), 9u + 2 * 2);
    EXPECT_EQ(pairwise.model().rows().size(), 9u + 2 + 2 * 1);

    const formulation::resource_flow flow(own_problem(problem));
    EXPECT_EQ(flow.model().columns().size(), 2u + 4 + 2 * 1 + (2 * 2 + 2) + 1);
    EXPECT_EQ(flow.model().rows().size(), 2u * 2 + 0 + 3 * 1 + (2 * 2 + 2 * 1 + 1));
}

// Three operators of 4 s, or 3 s on both cores: two fused ones fill the chip, and the third would have to
// wait.
TEST(phaze_lazy, constrains_only_the_cores_that_are_short) {
    const formulation::phaze_operator op{core_type::tensor, 4.0, 3.0};
    const formulation::phaze_operator alone{core_type::vector, 4.0, 3.0};
    const phaze_problem problem =
        make_phaze_problem(graph::digraph(4, {}), {op, op, op, alone}, 2, 2).value();
    const auto answer = formulation::phaze_lazy<ext::glpk::solver>{}(problem).value();
    EXPECT_EQ(answer.solves, 2);
    EXPECT_TRUE(answer.tensor_rows);
    EXPECT_FALSE(answer.vector_rows);
    EXPECT_NEAR(answer.plan.makespan_s, 7.0, 1e-12);
    EXPECT_NEAR(answer.lower_bound_s, 7.0, 1e-9);
}

TEST(phaze_lazy, has_a_schedule_when_the_solver_has_no_time) {
    random_source random(45);
    const phaze_problem problem = random_strict(random, 12);
    const auto answer = formulation::phaze_lazy<ilp::null_solver>{}(problem).value();
    EXPECT_EQ(answer.status, dovetail::status::budget);
    EXPECT_TRUE(verify(problem, answer.plan));
    EXPECT_EQ(answer.lower_bound_s, 0.0);
}

} // namespace
