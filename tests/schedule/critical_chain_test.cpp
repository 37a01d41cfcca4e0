// Why a schedule takes as long as it does, and who holds which units meanwhile.
#include <dovetail/schedule/critical_chain.hpp>
#include <dovetail/schedule/timetable.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using plan_type = dovetail::schedule::schedule;

double end_of(const task_graph& problem, const plan_type& plan, graph::index v) {
    return plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s;
}

TEST(critical_chain, has_no_gap_and_says_why_each_task_waits) {
    random_source random(61);
    int by_order = 0, by_resource = 0;
    for (int instance = 0; instance < 200; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 30));
        const task_graph problem =
            instance % 2 == 0 ? test::random_layer(random, n) : test::random_project(random, n);
        const plan_type plan = list_scheduler{}(problem).best;
        const std::vector<chain_link> chain = critical_chain(problem, plan);
        ASSERT_FALSE(chain.empty());
        EXPECT_EQ(chain.front().reason, waits_for::nothing);
        EXPECT_EQ(plan.start_s[chain.front().task], 0.0) << instance;
        EXPECT_EQ(end_of(problem, plan, chain.back().task), plan.makespan_s);
        for (std::size_t k = 1; k < chain.size(); ++k) {
            const graph::index u = chain[k - 1].task, v = chain[k].task;
            EXPECT_EQ(end_of(problem, plan, u), plan.start_s[v]);
            const auto before = problem.precedence().predecessors(v);
            const bool precedes = std::find(before.begin(), before.end(), u) != before.end();
            EXPECT_EQ(precedes, chain[k].reason == waits_for::predecessor);
            by_order += precedes ? 1 : 0;
            if (precedes) continue;
            ++by_resource;
            bool shared = false;
            for (std::size_t r = 0; r < max_resources; ++r)
                shared |=
                    problem.modes(u)[plan.mode[u]].use[r] > 0 && problem.modes(v)[plan.mode[v]].use[r] > 0;
            EXPECT_TRUE(shared);
        }
    }
    EXPECT_GT(by_order, 100);
    EXPECT_GT(by_resource, 100);
}

TEST(critical_chain, starts_behind_a_gap_and_ends_on_tasks_of_no_duration) {
    const task_graph two =
        make_task_graph(graph::digraph(2, std::vector<graph::arc>{{0, 1}}), {1}, {{{1.0, {1}}}, {{2.0, {1}}}})
            .value();
    const plan_type late{.start_s = {0.0, 1.5}, .mode = {0, 0}, .makespan_s = 3.5};
    EXPECT_EQ(critical_chain(two, late), (std::vector<chain_link>{{1, waits_for::nothing}}));
    // A duration that rounding swallows: each would hand its unit to the other for ever.
    const task_graph tiny =
        make_task_graph(graph::digraph(3, {}), {1}, {{{1.0, {1}}}, {{1e-20, {1}}}, {{1e-20, {1}}}}).value();
    const plan_type same{.start_s = {0.0, 1.0, 1.0}, .mode = {0, 0, 0}, .makespan_s = 1.0};
    EXPECT_EQ(critical_chain(tiny, same), (std::vector<chain_link>{{0, waits_for::nothing}}));
    EXPECT_TRUE(critical_chain(make_task_graph(graph::digraph(0, {}), {1}, {}).value(), {}).empty());
}

TEST(timetable, is_the_schedule_in_the_order_of_its_starts) {
    random_source random(62);
    for (int instance = 0; instance < 50; ++instance) {
        const task_graph problem =
            test::random_project(random, static_cast<std::size_t>(random.integer(0, 20)));
        const plan_type plan = list_scheduler{}(problem).best;
        const auto table = make_timetable(problem, plan);
        ASSERT_EQ(table.size(), problem.task_count());
        const core_assignment cores = assign_cores(problem, plan);
        std::vector<int> seen(table.size(), 0);
        std::size_t critical = 0;
        for (std::size_t k = 0; k < table.size(); ++k) {
            const timetable_entry& e = table[k];
            ++seen[e.task];
            if (k > 0) {
                EXPECT_GE(e.start_s, table[k - 1].start_s);
            }
            EXPECT_EQ(e.start_s, plan.start_s[e.task]);
            EXPECT_EQ(e.end_s, end_of(problem, plan, e.task));
            EXPECT_EQ(e.mode, plan.mode[e.task]);
            critical += e.critical ? 1 : 0;
            for (std::size_t r = 0; r < max_resources; ++r)
                EXPECT_TRUE(std::equal(e.units[r].begin(), e.units[r].end(), cores.units(e.task, r).begin(),
                                       cores.units(e.task, r).end()));
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
        EXPECT_EQ(critical, critical_chain(problem, plan).size());
    }
}

} // namespace
