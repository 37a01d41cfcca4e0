#include <dovetail/placement/pipeline.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <tuple>
#include <vector>

namespace dovetail::placement {
namespace {

constexpr double even_pipeline(std::size_t p, std::size_t m) {
    const std::vector<stage_times> stages(p, {1, 2});
    return end_of(one_forward_one_backward(stages, m));
}
static_assert(even_pipeline(1, 4) == 12);
static_assert(even_pipeline(4, 8) == (8 + 4 - 1) * 3);

TEST(Pipeline, EvenStagesMeetTheClosedForm) {
    for (std::size_t p = 1; p <= 8; ++p)
        for (std::size_t m = p; m <= 20; ++m)
            EXPECT_DOUBLE_EQ(even_pipeline(p, m), static_cast<double>(m + p - 1) * 3) << p << ' ' << m;
}

std::vector<stage_times> random_stages(random_source& random) {
    std::vector<stage_times> stages(static_cast<std::size_t>(random.integer(1, 7)));
    for (stage_times& s : stages) s = {random.real(0, 3), random.real(0, 5)};
    return stages;
}

TEST(Pipeline, EndsBetweenTheBusiestStageAndTheUpperBound) {
    random_source random(11);
    for (int round = 0; round < 500; ++round) {
        const auto stages = random_stages(random);
        const auto m = static_cast<std::size_t>(random.integer(1, 12));
        double heaviest = 0;
        double through = 0;
        for (const stage_times& s : stages) {
            heaviest = std::max(heaviest, s.forward_s + s.backward_s);
            through += s.forward_s + s.backward_s;
        }
        const double end = end_of(one_forward_one_backward(stages, m));
        EXPECT_GE(end, through - 1e-9);
        EXPECT_GE(end, heaviest * static_cast<double>(m) - 1e-9);
        EXPECT_LE(end, heaviest * static_cast<double>(m + stages.size() - 1) + 1e-9);
    }
}

TEST(Pipeline, EveryPassWaitsForItsInputAndItsStage) {
    random_source random(12);
    for (int round = 0; round < 200; ++round) {
        const auto stages = random_stages(random);
        const std::size_t p = stages.size();
        const auto m = static_cast<std::size_t>(random.integer(1, 9));
        const auto passes = one_forward_one_backward(stages, m);
        ASSERT_EQ(passes.size(), 2 * p * m);
        std::map<std::tuple<std::size_t, std::size_t, bool>, pipeline_pass> by_name;
        for (const pipeline_pass& pass : passes)
            EXPECT_TRUE(
                by_name.emplace(std::tuple(pass.stage, pass.micro_batch, pass.backward), pass).second);
        std::size_t in_flight = 0;
        for (std::size_t k = 0; k < passes.size(); ++k) {
            const pipeline_pass& pass = passes[k];
            const bool first_of_stage = k % (2 * m) == 0;
            if (!first_of_stage) {
                EXPECT_GE(pass.start_s, passes[k - 1].end_s);
            }
            if (!pass.backward && pass.stage > 0) {
                EXPECT_GE(pass.start_s, by_name.at({pass.stage - 1, pass.micro_batch, false}).end_s);
            }
            if (pass.backward) {
                EXPECT_GE(pass.start_s, by_name.at({pass.stage, pass.micro_batch, false}).end_s);
                if (pass.stage + 1 < p) {
                    EXPECT_GE(pass.start_s, by_name.at({pass.stage + 1, pass.micro_batch, true}).end_s);
                }
            }
            // The stash: stage s from the end keeps at most s micro-batches, as memory models assume.
            in_flight = first_of_stage ? 0 : in_flight;
            in_flight += pass.backward ? 0 : 1;
            EXPECT_LE(in_flight, p - pass.stage);
            in_flight -= pass.backward ? 1 : 0;
        }
    }
}

TEST(Pipeline, NothingToDoEndsAtOnce) {
    EXPECT_EQ(end_of(one_forward_one_backward({}, 3)), 0);
    const std::array<stage_times, 2> stages{{{1, 1}, {1, 1}}};
    EXPECT_TRUE(one_forward_one_backward(stages, 0).empty());
}

} // namespace
} // namespace dovetail::placement
