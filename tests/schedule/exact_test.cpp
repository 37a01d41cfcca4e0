#include <dovetail/schedule/exact.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

void expect_chain(const task_graph& problem, double optimum_s) {
    const certificate listed = list_scheduler{}(problem);
    EXPECT_LE(listed.lower_bound_s, optimum_s * (1 + 1e-12));
    EXPECT_GE(listed.best.makespan_s, optimum_s * (1 - 1e-12));
    if (listed.proved_optimal()) {
        EXPECT_DOUBLE_EQ(listed.best.makespan_s, optimum_s);
    }
    const result<void> sound = verify(problem, listed.best, assign_cores(problem, listed.best));
    EXPECT_TRUE(sound) << sound.problem().line();
}

TEST(branch_and_bound, agrees_with_brute_force_on_projects) {
    random_source random(11);
    int searched = 0;
    for (int instance = 0; instance < 300; ++instance) {
        const task_graph problem =
            test::random_project(random, static_cast<std::size_t>(random.integer(1, 7)));
        const double optimum_s = test::brute_force(problem).makespan_s();
        const certificate exact = branch_and_bound{}(problem);
        ASSERT_EQ(exact.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(exact.best.makespan_s, optimum_s) << instance;
        const result<void> sound = verify(problem, exact.best, assign_cores(problem, exact.best));
        ASSERT_TRUE(sound) << sound.problem().line();
        expect_chain(problem, optimum_s);
        searched += exact.nodes > 0 ? 1 : 0;
    }
    EXPECT_GT(searched, 50);
}

TEST(branch_and_bound, agrees_with_brute_force_on_layers) {
    random_source random(12);
    for (int instance = 0; instance < 200; ++instance) {
        const task_graph problem = test::random_layer(random, static_cast<std::size_t>(random.integer(2, 7)));
        const double optimum_s = test::brute_force(problem).makespan_s();
        const certificate exact = branch_and_bound{}(problem);
        ASSERT_EQ(exact.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(exact.best.makespan_s, optimum_s) << instance;
        ASSERT_TRUE(verify(problem, exact.best)) << instance;
        expect_chain(problem, optimum_s);
    }
}

TEST(branch_and_bound, brackets_the_optimum_of_larger_problems_and_proves_most) {
    random_source random(13);
    int proved = 0;
    constexpr int instances = 40;
    for (int instance = 0; instance < instances; ++instance) {
        const task_graph problem =
            instance % 2 == 0 ? test::random_layer(random, 24) : test::random_project(random, 18);
        const certificate listed = list_scheduler{}(problem);
        const certificate exact = branch_and_bound{.limits = {.nodes = 3000}}(problem);
        ASSERT_TRUE(verify(problem, exact.best)) << instance;
        EXPECT_LE(exact.lower_bound_s, exact.best.makespan_s * (1 + 1e-12));
        EXPECT_GE(exact.lower_bound_s, listed.lower_bound_s * (1 - 1e-12));
        EXPECT_LE(exact.best.makespan_s, listed.best.makespan_s * (1 + 1e-12));
        EXPECT_NE(exact.status, dovetail::status::feasible);
        proved += exact.proved_optimal() ? 1 : 0;
    }
    EXPECT_GT(proved, instances / 2);
}

// Three tasks of 2 s on two machines cannot be split: the load bound of 3 s is out of reach, and the search
// says so.
TEST(branch_and_bound, proves_an_optimum_above_the_bound) {
    const task_graph problem =
        make_task_graph(graph::digraph(3, {}), {2, 0, 0, 0},
                        {{{2.0, {1, 0, 0, 0}}}, {{2.0, {1, 0, 0, 0}}}, {{2.0, {1, 0, 0, 0}}}})
            .value();
    const certificate exact = branch_and_bound{}(problem);
    EXPECT_EQ(exact.status, dovetail::status::optimal);
    EXPECT_EQ(exact.best.makespan_s, 4.0);
    EXPECT_EQ(exact.lower_bound_s, 4.0);
    EXPECT_GT(exact.nodes, 0);
    EXPECT_EQ(lower_bound_s(problem), 3.0);
}

TEST(branch_and_bound, ends_with_its_best_when_the_budget_does) {
    random_source random(14);
    const task_graph problem = test::random_layer(random, 40);
    const certificate exact = branch_and_bound{.limits = {.nodes = 3}}(problem);
    ASSERT_EQ(exact.status, dovetail::status::budget);
    EXPECT_TRUE(verify(problem, exact.best));
    EXPECT_LT(exact.lower_bound_s, exact.best.makespan_s);
    EXPECT_GT(exact.relative_gap(), 0.0);
}

TEST(branch_and_bound, forgets_what_does_not_fit_its_memory) {
    random_source random(15);
    for (int instance = 0; instance < 30; ++instance) {
        const task_graph problem = test::random_project(random, 6);
        EXPECT_EQ(branch_and_bound{.memory_limit = 2}(problem).best.makespan_s,
                  test::brute_force(problem).makespan_s());
    }
}

} // namespace
