#include <dovetail/schedule/exact.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/destructive_bound.hpp>
#include <dovetail/schedule/learning_search.hpp>
#include <dovetail/schedule/tick_scale.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

// Sampled lists would leave less to search.
constexpr branch_and_bound unsampled{.incumbent = {.sampled_tasks = 0}};

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

// All tasks of `first` before all of `second`, with the capacities of the second.
task_graph in_series(const task_graph& first, const task_graph& second) {
    const auto n = static_cast<graph::index>(first.task_count());
    std::vector<graph::arc> arcs;
    mode_table table;
    for (const task_graph* part : {&first, &second}) {
        const graph::index shift = part == &first ? 0 : n;
        for (graph::index v = 0; v < part->task_count(); ++v) {
            table.add_task();
            for (mode m : part->modes(v)) {
                for (std::size_t r = 0; r < max_resources; ++r)
                    m.use[r] = std::min(m.use[r], second.capacity()[r]);
                table.add_mode(m);
            }
            for (const graph::index w : part->precedence().successors(v))
                arcs.push_back({v + shift, w + shift});
            if (part == &first)
                for (graph::index w = 0; w < second.task_count(); ++w) arcs.push_back({v, w + n});
        }
    }
    return make_task_graph(graph::digraph(n + second.task_count(), arcs), second.capacity(), std::move(table))
        .value();
}

TEST(branch_and_bound, agrees_with_brute_force_on_projects) {
    random_source random(11);
    int searched = 0;
    for (int instance = 0; instance < 300; ++instance) {
        const task_graph problem =
            test::random_project(random, static_cast<std::size_t>(random.integer(1, 7)));
        const double optimum_s = test::brute_force(problem).makespan_s();
        const certificate exact = unsampled(problem);
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
        const certificate exact = unsampled(problem);
        ASSERT_EQ(exact.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(exact.best.makespan_s, optimum_s) << instance;
        ASSERT_TRUE(verify(problem, exact.best)) << instance;
        expect_chain(problem, optimum_s);
    }
}

TEST(branch_and_bound, brackets_the_optimum_of_larger_problems_and_proves_most) {
    random_source random(13);
    int proved = 0;
    constexpr int instances = 20;
    for (int instance = 0; instance < instances; ++instance) {
        const task_graph problem =
            instance % 2 == 0 ? test::random_layer(random, 24) : test::random_project(random, 18);
        const certificate listed = list_scheduler{}(problem);
        const certificate exact =
            branch_and_bound{.limits = {.nodes = 1000}, .incumbent = {.sampled_tasks = 500}}(problem);
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
    const certificate exact = unsampled(problem);
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
    constexpr branch_and_bound forgetful{.nogood_limit = 2, .incumbent = {.sampled_tasks = 0}};
    random_source random(15);
    for (int instance = 0; instance < 30; ++instance) {
        const task_graph problem = test::random_project(random, 6);
        EXPECT_EQ(forgetful(problem).best.makespan_s, test::brute_force(problem).makespan_s());
    }
}

// A multiple of no common measure makes the search decide on orders instead of starts.
constexpr double incommensurable = 0.8414709848078965e-3;

TEST(branch_and_bound, agrees_with_brute_force_on_real_durations) {
    random_source random(16);
    for (int instance = 0; instance < 150; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(2, 6));
        const task_graph problem =
            instance % 2 == 0 ? test::random_project(random, n) : test::random_layer(random, n);
        const double optimum_s = test::brute_force(problem).makespan_s() * incommensurable;
        const task_graph real = test::scaled(problem, incommensurable);
        const certificate exact = unsampled(real);
        ASSERT_EQ(exact.status, dovetail::status::optimal) << instance;
        ASSERT_NEAR(exact.best.makespan_s, optimum_s, 1e-12 * optimum_s) << instance;
        ASSERT_TRUE(verify(real, exact.best)) << instance;
    }
}

TEST(branch_and_bound, finds_the_same_by_deciding_on_starts_and_on_orders) {
    random_source random(17);
    int searched = 0;
    for (int instance = 0; instance < 24; ++instance) {
        const task_graph problem =
            instance % 3 == 0 ? test::random_layer(random, 14)
                              : test::random_progen(random, 14, 1.5, random.real(0.25, 1.0), random.real());
        const certificate by_start = unsampled(problem);
        const certificate by_order = unsampled(test::scaled(problem, incommensurable));
        ASSERT_TRUE(by_start.proved_optimal() && by_order.proved_optimal()) << instance;
        const double expected_s = by_start.best.makespan_s * incommensurable;
        EXPECT_NEAR(by_order.best.makespan_s, expected_s, 1e-12 * expected_s) << instance;
        searched += by_start.nodes > 1 ? 1 : 0;
    }
    EXPECT_GT(searched, 8);
}

// Where nothing is shorter than what is known, that is the answer; it also counts beside a block that the
// budget left open.
TEST(branch_and_bound, adds_up_blocks_that_it_finished_and_others) {
    random_source random(20);
    int open = 0;
    for (int instance = 0; instance < 12; ++instance) {
        const task_graph small = test::random_project(random, 6);
        const double small_s = test::brute_force(small).makespan_s();
        spending nodes{{}};
        if (small.block_ends().size() == 1) {
            const std::vector<std::uint32_t> modes(small.task_count(), 0);
            dovetail::schedule::detail::learning_search search(small, small.order(), modes, small_s, 100,
                                                               nodes);
            EXPECT_TRUE(search.run());
            EXPECT_EQ(search.best_s(), small_s);
            EXPECT_TRUE(search.best_start().empty());
        }
        // One block after the other: what two searches prove of them alone, one proves of both.
        const task_graph large = test::random_progen(random, 25, 1.5, 1.0, 0.1);
        const task_graph both = in_series(small, large);
        const certificate answer =
            branch_and_bound{.limits = {.nodes = 60}, .incumbent = {.sampled_tasks = 0}}(both);
        EXPECT_LE(answer.lower_bound_s, answer.best.makespan_s);
        EXPECT_GE(answer.lower_bound_s, lower_bound_s(both) * (1 - 1e-12));
        if (answer.proved_optimal()) continue;
        ++open;
        EXPECT_LT(answer.lower_bound_s, answer.best.makespan_s);
    }
    EXPECT_GT(open, 3);
}

TEST(branch_and_bound, repeats_itself) {
    random_source random(18);
    const task_graph problem = test::random_progen(random, 25, 1.5, 1.0, 0.2);
    const branch_and_bound solve{
        .limits = {.nodes = 600}, .nogood_limit = 100, .incumbent = {.sampled_tasks = 500}};
    const certificate once = solve(problem), again = solve(problem);
    EXPECT_GT(once.nodes, 1);
    EXPECT_EQ(once.best, again.best);
    EXPECT_EQ(once.nodes, again.nodes);
    EXPECT_EQ(once.lower_bound_s, again.lower_bound_s);
}

TEST(destructive_bound, lies_between_the_relaxation_and_the_optimum) {
    random_source random(19);
    int better = 0;
    for (int instance = 0; instance < 32; ++instance) {
        task_graph problem = instance % 2 == 0 ? test::random_progen(random, 12, 1.5, 1.0, 0.1)
                                               : test::random_project(random, 7);
        if (instance % 4 < 2) problem = test::scaled(problem, incommensurable);
        const certificate exact = unsampled(problem);
        ASSERT_TRUE(exact.proved_optimal());
        const double bound_s = destructive_bound_s(problem, list_scheduler{}(problem).best.makespan_s);
        EXPECT_LE(bound_s, exact.best.makespan_s * (1 + 1e-12)) << instance;
        EXPECT_GE(bound_s, lower_bound_s(problem)) << instance;
        better += bound_s > lower_bound_s(problem) * (1 + 1e-9) ? 1 : 0;
    }
    EXPECT_GT(better, 5);
}

// Two tasks that do not fit together: no relaxation of each task by itself sees it.
TEST(destructive_bound, adds_the_lengths_of_tasks_that_exclude_each_other) {
    const task_graph problem =
        make_task_graph(graph::digraph(2, {}), {3, 0, 0, 0}, {{{2.0, {2, 0, 0, 0}}}, {{3.0, {2, 0, 0, 0}}}})
            .value();
    EXPECT_NEAR(lower_bound_s(problem), 10.0 / 3.0, 1e-12);
    EXPECT_EQ(destructive_bound_s(problem, 9.0), 5.0);
}

TEST(tick_scale, is_exact_where_durations_have_a_common_measure) {
    using dovetail::schedule::detail::tick_scale;
    const std::vector<double> whole{6.0, 0.0, 9.0, 15.0};
    EXPECT_EQ(tick_scale(whole, 30.0).length(9.0), 3);
    EXPECT_EQ(tick_scale(whole, 30.0).shorter_than(30.0), 9);
    EXPECT_EQ(tick_scale(whole, 30.0).at_least_s(9), 27.0);
    const std::vector<double> halves{0.75, 0.5};
    EXPECT_EQ(tick_scale(halves, 2.0).length(0.75), 3);
    // No common measure: fine units, and what is shorter than one still takes one.
    const std::vector<double> real{0.1, 1e-30, 3.7};
    const tick_scale fine(real, 4.0);
    EXPECT_EQ(fine.length(0.0), 0);
    EXPECT_EQ(fine.length(1e-30), 1);
    EXPECT_NEAR(fine.at_least_s(fine.length(3.7)), 3.7, 1e-14);
    EXPECT_GE(fine.shorter_than(3.8), fine.length(3.7) + fine.length(1e-30));
}

} // namespace
