#include <dovetail/schedule/list_scheduler.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

void expect_sound(const task_graph& problem, const certificate& found) {
    const result<void> sound = verify(problem, found.best, assign_cores(problem, found.best));
    EXPECT_TRUE(sound) << sound.problem().line();
    EXPECT_LE(found.lower_bound_s, found.best.makespan_s * (1 + makespan_tolerance));
    EXPECT_EQ(found.proved_optimal(), meets(found.best.makespan_s, found.lower_bound_s));
}

TEST(list_scheduler, is_sound_under_every_rule) {
    random_source random(51);
    workspace memory;
    for (int instance = 0; instance < 100; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(0, 30));
        const task_graph problem =
            instance % 2 == 0 ? test::random_layer(random, n) : test::random_project(random, n);
        double best_s = std::numeric_limits<double>::infinity();
        for (const priority first : {priority::longest_tail, priority::earliest_head,
                                     priority::earliest_window, priority::most_descendants})
            for (const mode_choice run :
                 {mode_choice::earliest_end, mode_choice::shortest, mode_choice::least_work}) {
                const std::array rule{list_rule{first, run}};
                const list_scheduler plain{.rules = rule, .justify = false};
                const list_scheduler justified{.rules = rule};
                const certificate one = plain(problem, memory);
                expect_sound(problem, one);
                const certificate& two = justified(problem, memory);
                expect_sound(problem, two);
                EXPECT_LE(two.best.makespan_s, one.best.makespan_s);
                best_s = std::min(best_s, two.best.makespan_s);
            }
        const certificate all = list_scheduler{}(problem);
        expect_sound(problem, all);
        EXPECT_GE(all.best.makespan_s, best_s);
    }
}

TEST(list_scheduler, gives_the_same_with_fresh_and_used_memory) {
    random_source random(52);
    workspace memory;
    for (int instance = 0; instance < 60; ++instance) {
        const task_graph problem =
            test::random_layer(random, static_cast<std::size_t>(random.integer(1, 40)));
        const certificate fresh = list_scheduler{}(problem);
        const certificate& used = list_scheduler{}(problem, memory);
        EXPECT_EQ(used.best, fresh.best);
        EXPECT_EQ(used.lower_bound_s, fresh.lower_bound_s);
    }
}

TEST(list_scheduler, proves_a_chain_and_an_empty_problem) {
    const certificate nothing = list_scheduler{}(make_task_graph({}, {}, {}).value());
    EXPECT_TRUE(nothing.proved_optimal());
    EXPECT_EQ(nothing.best.makespan_s, 0.0);

    const std::vector<graph::arc> arcs{{0, 1}, {1, 2}};
    const task_graph chain =
        make_task_graph(
            graph::digraph(3, arcs), {4, 1, 0, 0},
            {{{8.0, {1, 0, 0, 0}}, {2.5, {4, 0, 0, 0}}}, {{0.0, {0, 0, 0, 0}}}, {{1.5, {1, 1, 0, 0}}}})
            .value();
    const certificate found = list_scheduler{}(chain);
    EXPECT_TRUE(found.proved_optimal());
    EXPECT_EQ(found.best.makespan_s, 4.0);
    EXPECT_EQ(found.best.mode, (std::vector<std::uint32_t>{1, 0, 0}));
    EXPECT_EQ(found.nodes, 0);
}

// Graham's anomaly (1969): nine jobs on three machines; the longest-tail list finds the optimum 12.
TEST(list_scheduler, schedules_grahams_example) {
    const std::vector<double> duration{3, 2, 2, 2, 4, 4, 4, 4, 9};
    mode_table table;
    for (const double d : duration) table.add_task({d, {1, 0, 0, 0}});
    const std::vector<graph::arc> arcs{{0, 8}, {3, 4}, {3, 5}, {3, 6}, {3, 7}};
    const task_graph problem = make_task_graph(graph::digraph(9, arcs), {3, 0, 0, 0}, table).value();
    const certificate found = list_scheduler{}(problem);
    EXPECT_TRUE(found.proved_optimal());
    EXPECT_EQ(found.best.makespan_s, 12.0);
}

// q, k and v on three tensor cores, the fused operator beside a vector operator: all of one type need not
// stop.
TEST(list_scheduler, lets_operators_of_other_types_overlap_with_one_on_all_cores) {
    const task_graph problem =
        make_task_graph(graph::digraph(2, {}), {4, 2, 1, 0}, {{{4.0, {4, 0, 0, 0}}}, {{4.0, {0, 2, 0, 0}}}})
            .value();
    EXPECT_EQ(list_scheduler{}(problem).best.makespan_s, 4.0);
}

TEST(serial_schedule, closes_gaps_and_keeps_the_order) {
    random_source random(53);
    for (int instance = 0; instance < 60; ++instance) {
        const task_graph problem = test::random_project(random, 15);
        dovetail::schedule::schedule loose = list_scheduler{}(problem).best;
        for (double& start : loose.start_s) start = start * 2 + 1;
        const dovetail::schedule::schedule tight =
            serial_schedule(problem, order_by(problem, loose.start_s), loose.mode);
        EXPECT_TRUE(verify(problem, tight));
        EXPECT_LE(tight.makespan_s, loose.makespan_s);
    }
}

// What the verifier must see is broken here one thing at a time, in a schedule that is sound before.
TEST(verify, says_what_is_broken) {
    const std::vector<graph::arc> arcs{{0, 1}};
    const task_graph problem =
        make_task_graph(
            graph::digraph(3, arcs), {2, 0, 0, 0},
            {{{1.0, {1, 0, 0, 0}}}, {{2.0, {2, 0, 0, 0}}}, {{1.0, {1, 0, 0, 0}}, {0.5, {2, 0, 0, 0}}}})
            .value();
    const dovetail::schedule::schedule good{{0.0, 1.0, 0.0}, {0, 0, 0}, 3.0};
    ASSERT_TRUE(verify(problem, good, assign_cores(problem, good)));
    const auto line = [&](const auto& breaks) {
        dovetail::schedule::schedule plan = good;
        breaks(plan);
        const result<void> sound = verify(problem, plan);
        return sound ? std::string("sound") : sound.problem().line();
    };
    EXPECT_EQ(line([](auto& s) { s.start_s.pop_back(); }),
              "schedule: size: it holds 2 starts and 3 modes; the problem has 3 tasks");
    EXPECT_EQ(line([](auto& s) { s.mode[1] = 1; }), "schedule: task 1: it runs in mode 1; it has 1");
    EXPECT_EQ(line([](auto& s) { s.start_s[0] = -0.5; }),
              "schedule: task 0: it starts at -0.5 s; a start is finite and at least 0");
    EXPECT_EQ(line([](auto& s) { s.start_s[1] = 0.75; }),
              "schedule: task 1: it starts at 0.75 s; its predecessor 0 ends at 1 s");
    EXPECT_EQ(line([](auto& s) { s.start_s[2] = 0.5; }),
              "schedule: resource 0: 3 units are held at 1 s; there are 2");
    EXPECT_EQ(line([](auto& s) { s.mode[2] = 1; }),
              "schedule: resource 0: 3 units are held at 0 s; there are 2");
    EXPECT_EQ(line([](auto& s) { s.makespan_s = 2.0; }),
              "schedule: makespan: it is given as 2 s; the last task ends at 3 s");

    const auto cores_line = [&](std::vector<std::vector<std::int32_t>> held) {
        core_assignment cores;
        for (const auto& of_task : held) {
            cores.add(of_task);
            for (std::size_t r = 1; r < max_resources; ++r) cores.add({});
        }
        const result<void> sound = verify(problem, good, cores);
        return sound ? std::string("sound") : sound.problem().line();
    };
    EXPECT_EQ(cores_line({{1}, {1, 0}, {0}}), "sound");
    EXPECT_EQ(cores_line({{0}, {0, 1}, {}}),
              "schedule: task 2, resource 0: it holds 0 units; its mode needs 1");
    EXPECT_EQ(cores_line({{0}, {0, 2}, {1}}),
              "schedule: task 1, resource 0: it holds unit 2; units are numbered below 2");
    EXPECT_EQ(cores_line({{0}, {1, 1}, {1}}),
              "schedule: task 1, resource 0: it holds unit 1 twice; its units must differ");
    EXPECT_EQ(cores_line({{0}, {0, 1}, {0}}),
              "schedule: task 2, resource 0: it holds unit 0 while task 0 does; a "
              "unit serves one task at a time");
}

} // namespace
