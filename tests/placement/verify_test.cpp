#include <dovetail/placement/verify.hpp>

#include <dovetail/placement/chain_program.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

// Two layers in two stages, figures worked out by hand below.
layer_graph two_layers() {
    layer_graph problem;
    problem.devices = 8;
    problem.micro_batches = 10;
    problem.hbm_bytes = 100.0;
    problem.link_bytes_per_s = 2.0;
    problem.edges = {{0, 1}};
    problem.widths.resize(1);
    problem.widths[0].layers = {{.forward_s = 1.0,
                                 .backward_s = 2.0,
                                 .update_s = 0.5,
                                 .resident_bytes = 60.0,
                                 .reduce_bytes = 4.0,
                                 .activation_bytes = 20.0,
                                 .stash_bytes = 15.0},
                                {.forward_s = 2.0,
                                 .backward_s = 3.0,
                                 .update_s = 0.25,
                                 .resident_bytes = 70.0,
                                 .reduce_bytes = 8.0,
                                 .activation_bytes = 30.0,
                                 .stash_bytes = 30.0}};
    problem.widths[0].edge_bytes = {3.0};
    return problem;
}

plan two_stages() {
    plan answer;
    answer.outcome = status::optimal;
    answer.tensor_parallel = 1;
    answer.data_parallel = 4;
    answer.order = {0, 1};
    answer.stages = {
        {.begin = 0, .end = 1, .devices = 1, .load_s = 4.5, .memory_bytes = 95.0, .tail_s = 3.5},
        {.begin = 1, .end = 2, .devices = 1, .load_s = 6.5, .memory_bytes = 100.0, .tail_s = 6.25}};
    answer.time_per_batch_s = 6.5 * (3 + 2 - 1) + 3.0;
    return answer;
}

TEST(verify, accepts_figures_worked_out_by_hand) {
    const auto sound = verify(two_layers(), two_stages(), objective::phaze);
    EXPECT_TRUE(sound) << sound.problem().line();
    plan every = two_stages();
    every.time_per_batch_s = 6.5 * 4 + 6.25;
    EXPECT_TRUE(verify(two_layers(), every, objective::every_stage));

    layer_graph recomputing = two_layers();
    recomputing.recompute = true;
    plan answer = two_stages();
    answer.stages[0].load_s =
        1.0 + 1.5 + 2.0; // gradients arrive half a second after the repeated forward pass
    answer.stages[0].memory_bytes = 80.0;
    const auto recomputed = verify(recomputing, answer, objective::phaze);
    EXPECT_TRUE(recomputed) << recomputed.problem().line();
    recomputing.widths[0].edge_bytes = {1.0};
    answer.stages[0].load_s = 1.0 + 1.0 + 2.0;
    answer.stages[1].load_s = 5.5;
    answer.time_per_batch_s = 5.5 * 4 + 3.0;
    EXPECT_TRUE(verify(recomputing, answer, objective::phaze));
}

TEST(verify, rejects_every_figure_that_is_off) {
    const std::pair<std::function<void(plan&)>, std::string> breaks[] = {
        {[](plan& p) { p.time_per_batch_s += 1e-6; }, "plan: time_per_batch_s"},
        {[](plan& p) { p.stages[0].load_s = 4.4; }, "plan: stage 0: load_s"},
        {[](plan& p) { p.stages[1].memory_bytes = 99.0; }, "plan: stage 1: memory_bytes"},
        {[](plan& p) { p.stages[1].tail_s = 6.0; }, "plan: stage 1: tail_s"},
        {[](plan& p) { p.stages[1].devices = 2; }, "plan: stage 1: it takes 2 devices"},
        {[](plan& p) { p.data_parallel = 5; }, "plan: stage 0: tail_s"},
        {[](plan& p) { p.data_parallel = 11; }, "plan: data_parallel"},
        {[](plan& p) { p.tensor_parallel = 2; }, "plan: tensor_parallel"},
        {[](plan& p) {
             p.order = {1, 0};
         },
         "plan: layer 1: it is in stage 0, and needs layer 0 of stage 1"},
        {[](plan& p) {
             p.order = {0, 0};
         },
         "plan: stage 1: it holds layer 0"},
        {[](plan& p) { p.stages.pop_back(); }, "plan: stages: they hold 1 layers"},
        {[](plan& p) { p.stages[0].end = 0; }, "plan: stage 0: it takes the positions 0 to 0"},
        {[](plan& p) { p.outcome = status::infeasible; }, "plan: outcome"},
    };
    for (const auto& [spoil, message] : breaks) {
        plan answer = two_stages();
        spoil(answer);
        const auto verdict = verify(two_layers(), answer, objective::phaze);
        ASSERT_FALSE(verdict) << message;
        EXPECT_EQ(verdict.problem().line().rfind(message, 0), 0U) << verdict.problem().line();
    }
}

TEST(verify, rejects_too_much_memory_and_too_many_devices) {
    layer_graph problem = two_layers();
    problem.hbm_bytes = 99.0;
    EXPECT_EQ(verify(problem, two_stages(), objective::phaze).problem().line(),
              "plan: stage 1: it needs 100 bytes; a device has 99");
    problem = two_layers();
    problem.devices = 7;
    EXPECT_EQ(verify(problem, two_stages(), objective::phaze).problem().line(),
              "plan: devices: it takes 4 x 2; there are 7");
}

} // namespace
