// doors: glpk
#include <dovetail/schedule/exact.hpp>

#include "schedule/problems.hpp"

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/schedule/formulation/solve.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

/// Operators on the cores of a chip, or any multi-mode project.
task_graph random_problem(random_source& random, std::int64_t most_operators, std::int64_t most_jobs) {
    const bool layer = random.integer(0, 1) == 0;
    const auto n = static_cast<std::size_t>(random.integer(1, layer ? most_operators : most_jobs));
    return layer ? test::random_layer(random, n) : test::random_project(random, n);
}

/// Ways that share little but the problem: an integer program, two searches, and every schedule.
void expect_agreement(std::uint64_t seed, int problems) {
    random_source random(seed);
    for (int k = 0; k < problems; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = random_problem(random, 9, 6);
        const double optimum_s = test::brute_force(problem).makespan_s();
        const certificate learned = branch_and_bound{}(problem);
        const certificate tightened = tightened_search{}(problem);
        const result<certificate> programmed = formulation::program_scheduler<ext::glpk::solver>{
            .which = formulation::program::disjunctive}(problem);
        ASSERT_TRUE(programmed) << programmed.problem().line();
        for (const certificate& answer : {learned, tightened, *programmed}) {
            ASSERT_EQ(answer.status, dovetail::status::optimal);
            ASSERT_EQ(answer.best.makespan_s, optimum_s);
            const result<void> sound = verify(problem, answer.best, assign_cores(problem, answer.best));
            ASSERT_TRUE(sound) << sound.problem().line();
        }
    }
}

TEST(schedulers, agree_on_two_hundred_problems) { expect_agreement(71, 200); }
TEST(long_schedulers, agree_on_two_thousand_problems) { expect_agreement(72, 2000); }

// Bounds, the optimum where it is proved, and lists stand in their order, and every schedule is one.
void expect_order(std::uint64_t seed, int problems, std::int64_t most_nodes) {
    random_source random(seed);
    int proved = 0;
    for (int k = 0; k < problems; ++k) {
        SCOPED_TRACE(k);
        const task_graph problem = random_problem(random, 40, 25);
        const relaxation relaxed(problem);
        const certificate listed = list_scheduler{}(problem);
        const certificate learned = branch_and_bound{.limits = {.nodes = most_nodes}}(problem);
        const certificate tightened = tightened_search{.limits = {.nodes = most_nodes}}(problem);
        const double best_s = std::min(learned.best.makespan_s, tightened.best.makespan_s);
        constexpr double rounding = 1 + 1e-12;
        ASSERT_LE(relaxed.critical_path_s(), relaxed.lower_bound_s() * rounding);
        for (const certificate& searched : {learned, tightened}) {
            ASSERT_LE(relaxed.lower_bound_s(), searched.lower_bound_s * rounding);
            ASSERT_LE(searched.lower_bound_s, best_s * rounding);
            ASSERT_LE(searched.best.makespan_s, listed.best.makespan_s * rounding);
        }
        for (const certificate* answer : {&listed, &learned, &tightened}) {
            const result<void> sound = verify(problem, answer->best, assign_cores(problem, answer->best));
            ASSERT_TRUE(sound) << sound.problem().line();
        }
        proved += learned.proved_optimal() || tightened.proved_optimal() ? 1 : 0;
    }
    EXPECT_GT(proved, problems / 2);
}

TEST(schedulers, keep_their_order_on_larger_problems) { expect_order(73, 200, 200); }
TEST(long_schedulers, keep_their_order_on_five_thousand_larger_problems) { expect_order(74, 5000, 2000); }

} // namespace
