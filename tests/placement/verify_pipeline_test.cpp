#include <dovetail/placement/verify_pipeline.hpp>

#include "placement/problems.hpp"

#include <dovetail/placement/pipeline_program.hpp>

#include <gtest/gtest.h>

#include <string>

namespace dovetail::placement {
namespace {

class VerifyPipeline : public ::testing::Test {
protected:
    VerifyPipeline() {
        problem.devices = 8;
        problem.micro_batches = 8;
        problem.hbm_bytes = 30.0;
        problem.link_bytes_per_s = 4.0;
        problem.edges.resize(3);
        link_as_chain(problem.edges);
        problem.widths.resize(1);
        problem.widths[0].layers.assign(4, {.forward_s = 1.0,
                                            .backward_s = 2.0,
                                            .update_s = 0.5,
                                            .resident_bytes = 10.0,
                                            .reduce_bytes = 4.0,
                                            .stash_bytes = 2.0,
                                            .weight_gradient_s = 1.0,
                                            .optimizer_bytes = 6.0});
        problem.widths[0].edge_bytes.assign(3, 1.0);
        answer = pipeline_program<zero_bubble_h1>{schedule, space}(problem);
    }

    [[nodiscard]] std::string complaint() const {
        const auto checked = verify(problem, answer, schedule, space);
        return checked ? "" : checked.problem().line();
    }

    layer_graph problem;
    zero_bubble_h1 schedule;
    plan_space space{.shard_optimizer = true};
    plan answer;
};

TEST_F(VerifyPipeline, AcceptsWhatTheProgramFinds) {
    ASSERT_EQ(answer.outcome, status::optimal);
    ASSERT_GT(answer.stages.size(), 1U);
    EXPECT_EQ(complaint(), "");
}

TEST_F(VerifyPipeline, RecomputesEveryFigure) {
    const plan sound = answer;
    const auto broken = [&](auto change) {
        answer = sound;
        change(answer);
        return complaint();
    };
    EXPECT_NE(broken([](plan& p) { p.time_per_batch_s *= 1.001; }).find("time_per_batch_s"),
              std::string::npos);
    for (double stage::*figure : {&stage::load_s, &stage::memory_bytes, &stage::tail_s})
        EXPECT_NE(broken([&](plan& p) { p.stages[1].*figure *= 0.999; }).find("stage 1"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.stages[0].devices = 2; }).find("stage 0"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.stages[0].repeats = recomputation::full; }).find("no choice"),
              std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.data_parallel = 0; }).find("data_parallel"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.data_parallel = 8; }).find("micro-batches"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.tensor_parallel = 3; }).find("tensor_parallel"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.stages.pop_back(); }).find("stages"), std::string::npos);
    EXPECT_NE(broken([](plan& p) { p.stages.clear(); }), "");
}

TEST_F(VerifyPipeline, HoldsThePlanToTheProblem) {
    problem.hbm_bytes = answer.stages[0].memory_bytes - 0.5;
    EXPECT_NE(complaint().find("bytes"), std::string::npos);
    problem.hbm_bytes = 30.0;
    problem.devices = answer.devices() - 1;
    EXPECT_NE(complaint().find("devices"), std::string::npos);
    problem.devices = 8;
    space.shard_optimizer = false;
    EXPECT_NE(complaint(), "") << "the optimizer's state was shared out";
}

} // namespace
} // namespace dovetail::placement
