// The search over beginnings of schedules: against brute force, and against the search that learns.
#include <dovetail/schedule/cutset_search.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using dovetail::schedule::detail::cutset_search;
using dovetail::schedule::detail::small_block;
using dovetail::schedule::detail::tick_scale;

constexpr std::size_t unlimited = 1'000'000;

// A problem as the search takes it, without any bound from elsewhere.
struct posed {
    tick_scale scale;
    small_block block;

    explicit posed(const task_graph& problem)
        : scale(dovetail::schedule::detail::scale_of(problem, problem.order())) {
        block.assign(problem, scale, [](std::size_t) { return 0.0; });
    }
};

// The schedule that the search found last.
dovetail::schedule::schedule found_in(const task_graph& problem, const cutset_search& search) {
    const std::vector<double> key(search.start().begin(), search.start().end());
    return serial_schedule(problem, order_by(problem, key), search.mode());
}

// The search finds the optimum where longer schedules are allowed and where they are not, and nothing where
// it is not allowed either.
void expect_optimum(double optimum_s, const demand& capacity, const std::vector<graph::arc>& arcs,
                    const mode_table& table) {
    const task_graph problem =
        make_task_graph(graph::digraph(table.task_count(), arcs), capacity, table).value();
    posed p(problem);
    spending nodes{{}};
    cutset_search search;
    const auto optimum = p.scale.within(optimum_s);
    EXPECT_EQ(search(p.block, 3 * optimum, unlimited, nodes).makespan, optimum);
    EXPECT_EQ(search(p.block, optimum, unlimited, nodes).makespan, optimum);
    EXPECT_EQ(search(p.block, optimum - 1, unlimited, nodes).makespan, small_block::never);
}

task_graph random_problem(random_source& random, int instance, std::int64_t most_tasks) {
    const auto n = static_cast<std::size_t>(random.integer(1, most_tasks));
    return instance % 2 == 0 ? test::random_layer(random, n) : test::random_project(random, n);
}

TEST(cutset_search, finds_the_optimum_of_brute_force_and_nothing_shorter) {
    random_source random(71);
    cutset_search search;
    int below = 0;
    for (int instance = 0; instance < 400; ++instance) {
        const task_graph problem = random_problem(random, instance, 6);
        const double optimum_s = test::brute_force(problem).makespan_s();
        posed p(problem);
        spending nodes{{}};
        // Any schedule will do as the limit.
        const auto limit = p.scale.within(3.0 * optimum_s);
        const auto found = search(p.block, limit, unlimited, nodes);
        ASSERT_EQ(p.scale.at_least_s(found.makespan), optimum_s) << instance;
        EXPECT_EQ(found.bound, found.makespan);
        const auto plan = found_in(problem, search);
        ASSERT_TRUE(verify(problem, plan)) << instance;
        EXPECT_EQ(plan.makespan_s, optimum_s);

        const auto shorter = search(p.block, found.makespan - 1, unlimited, nodes);
        EXPECT_EQ(shorter.makespan, small_block::never) << instance;
        EXPECT_EQ(shorter.bound, found.makespan);
        below += nodes.nodes() > 2 ? 1 : 0;
    }
    EXPECT_GT(below, 200);
}

TEST(cutset_search, agrees_with_the_search_that_learns) {
    random_source random(72);
    cutset_search search;
    for (int instance = 0; instance < 60; ++instance) {
        const task_graph problem = random_problem(random, instance, 12);
        const certificate learned = branch_and_bound{.limits = {.nodes = 20'000}}(problem);
        ASSERT_TRUE(learned.proved_optimal()) << instance;
        posed p(problem);
        spending nodes{{}};
        const auto found = search(p.block, p.scale.within(learned.best.makespan_s), unlimited, nodes);
        ASSERT_NE(found.makespan, small_block::never) << instance;
        const auto plan = found_in(problem, search);
        ASSERT_TRUE(verify(problem, plan));
        EXPECT_DOUBLE_EQ(plan.makespan_s, learned.best.makespan_s) << instance;
    }
}

TEST(cutset_search, brackets_the_optimum_when_it_is_narrow_or_short_of_nodes) {
    random_source random(73);
    cutset_search search;
    int left_out = 0, missed = 0;
    for (int instance = 0; instance < 60; ++instance) {
        const task_graph problem = test::random_layer(random, 12);
        posed p(problem);
        spending free{{}};
        const auto limit = p.scale.within(list_scheduler{}(problem).best.makespan_s);
        const auto optimum = search(p.block, limit, unlimited, free).makespan;
        ASSERT_NE(optimum, small_block::never) << instance;
        for (const std::size_t width : {1U, 4U, 30U}) {
            const auto narrow = search(p.block, limit, width, free);
            EXPECT_GE(narrow.makespan, optimum);
            EXPECT_LE(narrow.bound, optimum);
            left_out += narrow.bound < narrow.makespan ? 1 : 0;
            missed += narrow.makespan > optimum ? 1 : 0;
            if (narrow.makespan != small_block::never) {
                EXPECT_TRUE(verify(problem, found_in(problem, search)));
            }
        }
        spending few({.nodes = 10});
        const auto ended = search(p.block, limit, unlimited, few);
        EXPECT_LE(ended.bound, optimum);
        EXPECT_GE(ended.makespan, optimum);
    }
    EXPECT_GT(left_out, 20);
    EXPECT_GT(missed, 10);
}

// What runs already keeps no one from sharing, and may outlast all that have not started and what follows.
TEST(cutset_search, counts_running_tasks_only_against_those_that_need_every_unit) {
    const mode_table table{{{10.0, {1, 0, 0, 0}}}, // from the start to the end of the best schedule
                           {{0.5, {0, 1, 0, 0}}},
                           {{1.0, {1, 0, 0, 0}}}, // beside the first, after the second
                           {{5.0, {0, 1, 0, 0}}}};
    expect_optimum(10.0, {2, 1, 0, 0}, {{1, 2}, {2, 3}}, table);
}

// Two ways to run the first task: one ends sooner, the other leaves units to the third. The second one makes
// the third wait, so that the first has started by then.
TEST(cutset_search, prefers_no_early_end_to_free_units) {
    const auto expect_three = [](const demand& capacity, const mode& sooner, const mode& later,
                                 const mode& third) {
        mode_table table;
        table.add_task(sooner);
        table.add_mode(later);
        table.add_task({1.0, {0, 1, 0, 0}});
        table.add_task(third);
        expect_optimum(3.0, capacity, {{1, 2}}, table);
    };
    // Part of the units: 2 + 2 of 3 do not fit, 1 + 2 do.
    expect_three({3, 1, 0, 0}, {2.0, {2, 0, 0, 0}}, {3.0, {1, 0, 0, 0}}, {2.0, {2, 0, 0, 0}});
    // The sooner one holds all of them, the rest has always room.
    expect_three({3, 1, 0, 0}, {2.0, {3, 0, 0, 0}}, {3.0, {1, 0, 0, 0}}, {2.0, {1, 0, 0, 0}});
    // All of them: the third waits for whoever holds any; the other way needs another resource.
    expect_three({3, 1, 1, 0}, {2.0, {1, 0, 0, 0}}, {3.0, {0, 0, 1, 0}}, {2.0, {3, 0, 0, 0}});
}

// The third task may stand in for the second, which would wait for the first meanwhile: it need not.
TEST(cutset_search, lets_no_one_wait_for_a_stand_in_that_is_not_ready) {
    const mode_table table{{{2.5, {0, 1, 0, 0}}},
                           {{1.0, {0, 1, 0, 0}}},
                           {{3.0, {1, 0, 0, 0}}}, // after the second
                           {{3.0, {1, 0, 0, 0}}}, // after the first
                           {{1.0, {0, 1, 0, 0}}}};
    expect_optimum(8.0, {1, 2, 0, 0}, {{0, 3}, {1, 2}, {3, 4}}, table);
}

// Operators that may stand in for one another are started in one order only.
TEST(cutset_search, does_not_try_equal_tasks_in_every_order) {
    constexpr std::size_t n = 12;
    mode_table table;
    for (std::size_t v = 0; v < n; ++v) {
        table.add_task({3.0, {1, 0, 0, 0}});
        table.add_mode({2.0, {4, 0, 0, 0}});
    }
    const task_graph problem =
        make_task_graph(graph::digraph(n, std::vector<graph::arc>{}), {4, 0, 0, 0}, table).value();
    posed p(problem);
    spending nodes{{}};
    cutset_search search;
    const auto found = search(p.block, p.scale.within(100.0), unlimited, nodes);
    EXPECT_EQ(p.scale.at_least_s(found.makespan), 9.0); // four at a time
    EXPECT_LT(nodes.nodes(), 1'000);                    // 4,096 sets
}

// Three tasks of 2 s share two units beside a chain, in one block: 4 s, where the load says 3. The block is
// of any size: one that fills the set of bits, and one that does not fit and is searched otherwise.
TEST(tightened_search, proves_blocks_of_any_size) {
    for (const std::size_t n : {30U, 64U, 65U}) {
        mode_table table;
        std::vector<graph::arc> arcs;
        for (graph::index v = 0; v < n; ++v) {
            if (v < 3) {
                table.add_task({2.0, {2, 0, 0, 0}});
                table.add_mode({2.0, {1, 0, 0, 0}});
            } else {
                table.add_task({1.0 / 64, {0, 1, 0, 0}});
                if (v > 3) arcs.push_back({v - 1, v});
            }
        }
        const task_graph problem =
            make_task_graph(graph::digraph(n, arcs), {2, 1, 0, 0}, std::move(table)).value();
        ASSERT_EQ(problem.block_ends().size(), 1U);
        const certificate found = tightened_search{.limits = {.nodes = 20'000}}(problem);
        ASSERT_TRUE(found.proved_optimal()) << n;
        EXPECT_GT(found.nodes, 0) << n;
        EXPECT_EQ(found.best.makespan_s, 4.0) << n;
        EXPECT_TRUE(verify(problem, found.best)) << n;
    }
}

} // namespace
