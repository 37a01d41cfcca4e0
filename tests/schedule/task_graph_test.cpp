#include <dovetail/schedule/task_graph.hpp>

#include <dovetail/schedule/bounds.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

constexpr mode unit{1.0, {1, 0, 0, 0}};

std::string refusal(std::span<const graph::arc> arcs, std::size_t tasks, const demand& capacity,
                    mode_table table) {
    const result<task_graph> made = make_task_graph(graph::digraph(tasks, arcs), capacity, std::move(table));
    return made ? "accepted" : made.problem().line();
}

std::string refusal(const demand& capacity, const mode& m) { return refusal({}, 1, capacity, {{m}}); }

TEST(task_graph, refuses_bad_input_in_one_line) {
    const std::vector<graph::arc> loop{{0, 1}, {1, 0}};
    EXPECT_EQ(refusal(loop, 2, {1, 0, 0, 0}, {{unit}, {unit}}),
              "task graph: graph: it has a cycle: 0 -> 1 -> 0; the graph must be acyclic");
    EXPECT_EQ(refusal({}, 2, {1, 0, 0, 0}, {{unit}}),
              "task graph: modes: they are given for 1 tasks; the graph has 2");
    EXPECT_EQ(refusal({}, 1, {1, 0, 0, 0}, {{}}),
              "task graph: task 0: it has no mode; a task has at least one");
    EXPECT_EQ(refusal({1, 0, 0, 0}, {-1.0, {}}),
              "task graph: task 0: a mode takes -1 s; a duration is finite and at least 0");
    EXPECT_EQ(refusal({1, 0, 0, 0}, {std::numeric_limits<double>::quiet_NaN(), {}}),
              "task graph: task 0: a mode takes nan s; a duration is finite and at least 0");
    EXPECT_EQ(refusal({1, 0, 0, 0}, {std::numeric_limits<double>::infinity(), {}}),
              "task graph: task 0: a mode takes inf s; a duration is finite and at least 0");
    EXPECT_EQ(refusal({1, 0, 0, 0}, {1.0, {0, -2, 0, 0}}),
              "task graph: task 0: a mode holds -2 of resource 1; a demand is at least 0");
    EXPECT_EQ(refusal({1, -3, 0, 0}, unit),
              "task graph: resource 1: its capacity is -3; a capacity is at least 0");
    EXPECT_EQ(refusal({0, 5, 0, 0}, unit),
              "task graph: task 0: it can never run: it needs 1 of resource 0, where "
              "there are 0; at least one mode must stay within the capacities");
}

TEST(task_graph, takes_a_task_with_one_mode_that_fits) {
    EXPECT_EQ(refusal({}, 1, {1, 0, 0, 0}, {{{0.5, {2, 0, 0, 0}}, unit}}), "accepted");
    EXPECT_EQ(refusal({}, 0, {0, 0, 0, 0}, {}), "accepted");
}

TEST(task_graph, refills_without_touching_the_order_and_keeps_the_old_on_error) {
    const std::vector<graph::arc> arcs{{1, 0}};
    task_graph problem = make_task_graph(graph::digraph(2, arcs), {1, 0, 0, 0}, {{unit}, {unit}}).value();
    EXPECT_EQ(problem.order()[0], 1u);
    EXPECT_FALSE(problem.refill({0, 0, 0, 0}, {{unit}, {unit}}));
    EXPECT_EQ(problem.capacity()[0], 1);
    mode_table table;
    table.add_task({2.0, {0, 1, 0, 0}});
    table.add_task();
    table.add_mode({3.0, {0, 1, 0, 0}});
    table.add_mode({4.0, {0, 2, 0, 0}});
    ASSERT_TRUE(problem.refill({0, 2, 0, 0}, table));
    EXPECT_EQ(problem.modes(1).size(), 2u);
    EXPECT_EQ(problem.modes(0)[0].duration_s, 2.0);
    table.clear();
    EXPECT_EQ(table.task_count(), 0u);
    EXPECT_EQ(table.mode_count(), 0u);
}

// 0 -> {1, 2} -> 3 -> {4, 5 -> 6}, where 4 and 5 are ends: a cut before and after 0, after {1, 2}, and
// after 3.
TEST(task_graph, cuts_where_everything_waits_for_everything) {
    const std::vector<graph::arc> arcs{{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 4}, {3, 5}, {5, 6}};
    mode_table table;
    for (int v = 0; v < 7; ++v) table.add_task({1.0 + v, {1, 0, 0, 0}});
    const task_graph problem = make_task_graph(graph::digraph(7, arcs), {2, 0, 0, 0}, table).value();
    const std::vector<graph::index> ends(problem.block_ends().begin(), problem.block_ends().end());
    EXPECT_EQ(ends, (std::vector<graph::index>{1, 3, 4, 7}));
    const std::vector<graph::index> blocks{0, 1, 1, 2, 3, 3, 3};
    for (graph::index v = 0; v < 7; ++v) EXPECT_EQ(problem.block(v), blocks[v]);
}

TEST(relaxation, is_worked_out_by_hand) {
    // Three tasks on two machines, 1 -> 2; task 0 may use both machines. Capacity 2 of resource 0, 1 of
    // resource 1.
    const std::vector<graph::arc> arcs{{1, 2}};
    const task_graph problem =
        make_task_graph(graph::digraph(3, arcs), {2, 1, 0, 0},
                        {{{4.0, {1, 0, 0, 0}}, {3.0, {2, 0, 0, 0}}, {1.0, {3, 0, 0, 0}}},
                         {{1.0, {0, 1, 0, 0}}},
                         {{5.0, {1, 0, 0, 0}}, {4.0, {1, 1, 0, 0}}}})
            .value();
    const relaxation relaxed(problem);
    EXPECT_EQ(relaxed.shortest_s()[0], 3.0); // the mode of 1 s needs more than there is
    EXPECT_EQ(relaxed.work_s()[0][0], 4.0);  // one machine for 4 s
    EXPECT_EQ(relaxed.shortest_s()[2], 4.0);
    EXPECT_EQ(relaxed.work_s()[2][0], 4.0);
    EXPECT_EQ(relaxed.work_s()[2][1], 0.0); // avoidable
    EXPECT_EQ(relaxed.head_s()[2], 1.0);
    EXPECT_EQ(relaxed.tail_s()[1], 4.0);
    EXPECT_EQ(relaxed.critical_path_s(), 5.0);
    EXPECT_EQ(relaxed.load_s()[0], 4.0);
    EXPECT_EQ(relaxed.load_s()[1], 1.0);
    EXPECT_EQ(relaxed.load_s()[2], 0.0);
    EXPECT_EQ(relaxed.lower_bound_s(), 5.0);
}

// One machine idles while the block's first task runs elsewhere, and while its last one does: 1 + 2 * 3 + 2.
TEST(relaxation, counts_the_time_before_and_after_a_resource_is_used) {
    const mode outside_1{1.0, {0, 1, 0, 0}}, outside_2{2.0, {0, 1, 0, 0}}, on_machine{3.0, {1, 0, 0, 0}};
    const std::vector<graph::arc> arcs{{0, 2}, {1, 3}, {2, 4}, {3, 5}};
    const task_graph problem =
        make_task_graph(graph::digraph(6, arcs), {1, 2, 0, 0},
                        {{outside_1}, {outside_1}, {on_machine}, {on_machine}, {outside_2}, {outside_2}})
            .value();
    EXPECT_EQ(lower_bound_s(problem), 9.0);
    EXPECT_EQ(relaxation(problem).critical_path_s(), 6.0);
}

TEST(relaxation, adds_up_blocks) {
    // Two blocks of two parallel tasks on one machine: the sum of loads, and of nothing less.
    const std::vector<graph::arc> arcs{{0, 2}, {0, 3}, {1, 2}, {1, 3}};
    const mode three{3.0, {1, 0, 0, 0}}, two{2.0, {0, 1, 0, 0}};
    const task_graph problem =
        make_task_graph(graph::digraph(4, arcs), {1, 1, 0, 0}, {{three}, {three}, {two}, {two}}).value();
    const relaxation relaxed(problem);
    EXPECT_EQ(relaxed.lower_bound_s(), 10.0);
    EXPECT_EQ(relaxed.block_bound_s()[0], 6.0);
    EXPECT_EQ(relaxed.head_s()[2], 6.0);
    EXPECT_EQ(relaxed.tail_s()[1], 4.0);
    EXPECT_EQ(relaxed.critical_path_s(), 5.0);
}

} // namespace
