#include <dovetail/schedule/fixed_graph.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

// A norm, three projections, scores, softmax, a product, a projection and a sum.
constexpr fixed_graph<9, 12> attention{
    {{{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 4}, {4, 5}, {5, 6}, {3, 6}, {6, 7}, {7, 8}, {0, 8}, {0, 4}}}};

constexpr fixed_modes<9, 2> one_core{{{{{{1.0, {0, 1}}}},
                                       {{{2.0, {1, 0}}}},
                                       {{{2.0, {1, 0}}}},
                                       {{{2.0, {1, 0}}}},
                                       {{{3.0, {1, 0}}}},
                                       {{{1.0, {0, 1}}}},
                                       {{{3.0, {1, 0}}}},
                                       {{{2.0, {1, 0}}}},
                                       {{{1.0, {0, 1}}}}}},
                                     {1, 1, 1, 1, 1, 1, 1, 1, 1}};
// While compiling: with two tensor cores the values are projected beside the scores.
static_assert(fixed_list_scheduler<attention>{}({2, 1, 0, 0}, one_core).makespan_s == 13.0);
static_assert(fixed_list_scheduler<attention>{}({2, 1, 0, 0}, one_core).lower_bound_s == 13.0);
static_assert(fixed_list_scheduler<attention>{}({1, 1, 0, 0}, one_core).makespan_s == 16.0);

TEST(fixed_list_scheduler, gives_the_schedule_of_the_general_one) {
    constexpr std::array rule{list_rule{priority::longest_tail, mode_choice::earliest_end}};
    const list_scheduler general{.rules = rule, .justify = false};
    random_source random(1);
    int proved = 0;
    for (int instance = 0; instance < 500; ++instance) {
        SCOPED_TRACE(instance);
        demand capacity{};
        for (std::size_t r = 0; r < 2; ++r) capacity[r] = static_cast<std::int32_t>(random.integer(1, 4));
        fixed_modes<9, 2> fixed;
        mode_table table;
        for (std::size_t v = 0; v < 9; ++v) {
            const std::size_t r = static_cast<std::size_t>(random.integer(0, 1));
            mode one{random.real(0.5, 4.0), {}}, all{random.real(0.2, 2.0), {}};
            one.use[r] = 1;
            all.use[r] = capacity[r];
            fixed.modes[v] = {one, all};
            fixed.count[v] = static_cast<std::uint32_t>(random.integer(1, 2));
            table.add_task(one);
            if (fixed.count[v] == 2) table.add_mode(all);
        }
        const task_graph problem =
            make_task_graph(graph::digraph(9, attention.arcs), capacity, table).value();
        const certificate listed = general(problem);
        const auto found = fixed_list_scheduler<attention>{}(capacity, fixed);
        ASSERT_EQ(std::vector(found.start_s.begin(), found.start_s.end()), listed.best.start_s);
        ASSERT_EQ(std::vector(found.mode.begin(), found.mode.end()), listed.best.mode);
        ASSERT_EQ(found.makespan_s, listed.best.makespan_s);
        ASSERT_LE(found.lower_bound_s, listed.lower_bound_s * (1 + 1e-12));
        ASSERT_TRUE(verify(problem, {listed.best.start_s, listed.best.mode, found.makespan_s}));
        proved += meets(found.makespan_s, found.lower_bound_s) ? 1 : 0;
    }
    EXPECT_GT(proved, 50);
}

} // namespace
