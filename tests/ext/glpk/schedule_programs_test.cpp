// doors: glpk
#include <dovetail/schedule/formulation/solve.hpp>

#include "schedule/problems.hpp"

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/verify.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using dovetail::status;
using formulation::disjunctive;
using formulation::grid_options;
using formulation::program;
using formulation::program_scheduler;
using formulation::resource_flow;
using formulation::rounding;
using formulation::time_indexed;

const ext::glpk::solver glpk{.time_limit_s = 60};

task_graph random_problem(random_source& random, std::int64_t most_tasks) {
    const auto n = static_cast<std::size_t>(random.integer(1, most_tasks));
    return random.integer(0, 1) == 0 ? test::random_layer(random, n) : test::random_project(random, n);
}

/// The same tasks with durations that no common tick divides.
task_graph with_real_durations(random_source& random, task_graph problem) {
    mode_table table;
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        table.add_task();
        for (const mode& m : problem.modes(v))
            table.add_mode({m.duration_s == 0.0 ? 0.0 : m.duration_s + random.real(-0.5, 0.5), m.use});
    }
    EXPECT_TRUE(problem.refill(problem.capacity(), table));
    return problem;
}

template <ilp::formulation Formulation>
void expect_agreement(std::uint64_t seed, int problems, std::int64_t most_tasks) {
    random_source random(seed);
    for (int k = 0; k < problems; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = random_problem(random, most_tasks);
        const double optimum_s = branch_and_bound{}(problem).best.makespan_s;
        if (problem.task_count() <= 5) {
            ASSERT_EQ(test::brute_force(problem).makespan_s(), optimum_s);
        }
        const Formulation program(problem);
        const result<ilp::solution> found = glpk(program.model());
        ASSERT_TRUE(found) << found.problem().line();
        ASSERT_EQ(found->ending, ilp::verdict::optimal);
        const ilp::verification checked = ilp::verify(program.model(), found->values);
        ASSERT_TRUE(checked.holds(1e-6)) << checked.where;
        ASSERT_NEAR(program.bound(*found), optimum_s, 1e-6);
        const dovetail::schedule::schedule plan = program.decode(*found);
        const result<void> sound = verify(problem, plan);
        ASSERT_TRUE(sound) << sound.problem().line();
        ASSERT_EQ(plan.makespan_s, optimum_s);
    }
}

TEST(time_indexed, agrees_with_brute_force_and_branch_and_bound) {
    expect_agreement<time_indexed>(51, 80, 7);
}
TEST(disjunctive, agrees_with_brute_force_and_branch_and_bound) { expect_agreement<disjunctive>(52, 100, 7); }

TEST(long_time_indexed, agrees_on_two_thousand_problems) { expect_agreement<time_indexed>(61, 2000, 9); }
TEST(long_disjunctive, agrees_on_two_thousand_problems) { expect_agreement<disjunctive>(62, 2000, 8); }
TEST(long_resource_flow, agrees_on_two_thousand_problems) { expect_agreement<resource_flow>(63, 2000, 5); }

// The theorem of the documentation: a floor bounds from below, a ceiling is a schedule.
TEST(time_indexed, brackets_the_optimum_on_a_coarse_grid) {
    random_source random(53);
    int apart = 0;
    for (int k = 0; k < 60; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = with_real_durations(random, random_problem(random, 6));
        const double optimum_s = branch_and_bound{}(problem).best.makespan_s;
        const auto ticks = static_cast<std::int32_t>(random.integer(3, 30));
        const time_indexed below(problem, {.ticks = ticks, .round = rounding::down});
        const time_indexed above(problem, {.ticks = ticks, .round = rounding::up});
        const ilp::solution low = glpk(below.model()).value();
        const ilp::solution high = glpk(above.model()).value();
        EXPECT_LE(below.bound(low), optimum_s * (1 + 1e-12));
        EXPECT_GE(high.objective * above.grid().tick_s(), optimum_s * (1 - 1e-12));
        EXPECT_LE(above.decode(high).makespan_s, high.objective * above.grid().tick_s() * (1 + 1e-12));
        for (const time_indexed* program : {&below, &above}) {
            const result<void> sound = verify(problem, program->decode(program == &below ? low : high));
            EXPECT_TRUE(sound) << sound.problem().line();
        }
        apart += below.bound(low) < optimum_s * (1 - 1e-9) ? 1 : 0;
        if (!above.grid().exact()) {
            EXPECT_EQ(above.bound(high), 0.0);
        }
    }
    EXPECT_GT(apart, 20);
}

TEST(time_grid, finds_the_common_tick) {
    const auto tick_s = [](const std::vector<double>& durations_s) {
        mode_table table;
        for (const double d : durations_s) table.add_task({d, {1, 0, 0, 0}});
        return formulation::common_tick_s(
            make_task_graph(graph::digraph(durations_s.size(), {}), {1, 0, 0, 0}, table).value());
    };
    EXPECT_EQ(tick_s({6, 9, 0, 15}), 3.0);
    EXPECT_DOUBLE_EQ(tick_s({3e-4, 7e-4}), 1e-4); // no exact multiples: both are rounded
    EXPECT_DOUBLE_EQ(tick_s({0.1, 0.25}), 0.05);
    EXPECT_EQ(tick_s({0, 0}), 0.0);
    EXPECT_EQ(tick_s({3.14159265358979, 2.71828182845905}), 0.0);
    EXPECT_EQ(tick_s({}), 0.0);
}

// Every row of the flow formulation follows from those of the disjunctive one.
TEST(disjunctive, has_a_relaxation_at_least_as_strong_as_the_flow) {
    random_source random(54);
    int stronger = 0;
    for (int k = 0; k < 100; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = with_real_durations(random, random_problem(random, 10));
        const disjunctive tight(problem);
        const resource_flow loose(problem);
        const double tight_s = tight.bound(glpk(tight.model().relaxed()).value());
        const double loose_s = loose.bound(glpk(loose.model().relaxed()).value());
        EXPECT_GE(tight_s, loose_s * (1 - 1e-6));
        EXPECT_LE(tight_s, branch_and_bound{}(problem).best.makespan_s * (1 + 1e-6));
        stronger += tight_s > loose_s * (1 + 1e-6) ? 1 : 0;
    }
    EXPECT_GT(stronger, 10);
}

// Counted by the formulas of the documentation: two tasks of 2 or 1 s on one or both of two cores.
TEST(schedule_programs, are_as_large_as_documented) {
    const mode_table table{{{2.0, {1, 0, 0, 0}}, {1.0, {2, 0, 0, 0}}},
                           {{2.0, {1, 0, 0, 0}}, {1.0, {2, 0, 0, 0}}}};
    const task_graph problem = make_task_graph(graph::digraph(2, {}), {2, 0, 0, 0}, table).value();
    // H = LB = 2: a start on one core, two on both; the end. Rows: each once, the end, ticks 0 and 1 of the
    // cores, tick 1 of each task before the end is implied by its window.
    EXPECT_EQ(ilp::size_of(time_indexed(problem).model()),
              (ilp::model_size{.columns = 7, .whole_columns = 7, .rows = 5, .coefficients = 7 + 4 + 4}));
    // E, t and two y a task, two x, four flows from and to the ends and two between.
    const ilp::model_size size = ilp::size_of(disjunctive(problem).model());
    EXPECT_EQ(size.columns, 1u + 3 * 2 + 2 + (4 + 2));
    EXPECT_EQ(size.whole_columns, 1u + 4 + 2);
}

TEST(program_scheduler, solves_by_every_formulation) {
    random_source random(55);
    int proved = 0, stricter = 0;
    for (int k = 0; k < 25; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = test::random_layer(random, static_cast<std::size_t>(random.integer(1, 5)));
        const double optimum_s = branch_and_bound{}(problem).best.makespan_s;
        for (const program which : formulation::programs) {
            SCOPED_TRACE(std::string(to_string(which)));
            const result<certificate> answer =
                program_scheduler<ext::glpk::solver>{.which = which, .solver = glpk}(problem);
            EXPECT_EQ(answer.has_value(), formulation::model_of(problem, which).has_value());
            if (!answer) { // an all-reduce is on a link
                EXPECT_EQ(which, program::phaze);
                EXPECT_EQ(answer.problem().code, errc::unsupported);
                continue;
            }
            const result<void> sound = verify(problem, answer->best);
            EXPECT_TRUE(sound) << sound.problem().line();
            EXPECT_EQ(answer->status, status::optimal);
            EXPECT_EQ(answer->lower_bound_s, answer->best.makespan_s);
            if (which == program::phaze) {
                EXPECT_GE(answer->best.makespan_s, optimum_s);
                ++proved;
                stricter += answer->best.makespan_s > optimum_s ? 1 : 0;
            } else {
                EXPECT_EQ(answer->best.makespan_s, optimum_s);
            }
        }
    }
    EXPECT_GT(proved, 3);
    EXPECT_GT(stricter, 0);
}

TEST(program_scheduler, gives_a_list_schedule_where_the_solver_has_no_time) {
    random_source random(56);
    task_graph problem;
    while (list_scheduler{}(problem).proved_optimal()) problem = test::random_project(random, 12);
    const certificate listed = list_scheduler{}(problem);
    for (const program which : {program::time_indexed, program::disjunctive, program::flow}) {
        const certificate answer = program_scheduler<ilp::null_solver>{.which = which}(problem).value();
        EXPECT_EQ(answer.status, status::budget);
        EXPECT_EQ(answer.best, listed.best);
        EXPECT_EQ(answer.lower_bound_s, listed.lower_bound_s);
    }
}

TEST(program_scheduler, says_feasible_where_the_grid_is_too_coarse_for_a_proof) {
    random_source random(57);
    task_graph problem;
    while (list_scheduler{}(problem).proved_optimal())
        problem = with_real_durations(random, test::random_project(random, 8));
    const certificate answer = program_scheduler<ext::glpk::solver>{.which = program::time_indexed,
                                                                    .solver = glpk,
                                                                    .grid = {.ticks = 5}}(problem)
                                   .value();
    EXPECT_EQ(answer.status, status::feasible);
    EXPECT_LT(answer.lower_bound_s, answer.best.makespan_s);
}

TEST(schedule_programs, have_names_and_texts) {
    random_source random(58);
    const task_graph problem = test::random_project(random, 4);
    for (const program which : formulation::programs) {
        EXPECT_EQ(formulation::program_named(to_string(which)), which);
        if (which == program::phaze) continue;
        EXPECT_TRUE(ilp::lp_text(formulation::model_of(problem, which).value()));
    }
    EXPECT_FALSE(formulation::program_named("gurobi"));
}

} // namespace
