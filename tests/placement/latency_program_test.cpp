// The placement for latency against every placement there is.
#include <placement/latency_problems.hpp>

#include <dovetail/core/text.hpp>
#include <dovetail/placement/latency_program.hpp>
#include <dovetail/placement/verify_latency.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace dovetail::test {
namespace {

using placement::latency_program;

void expect_optimal(std::uint64_t seed, const device_shape& shape, const latency_program& program = {}) {
    SCOPED_TRACE("seed " + to_text(seed));
    random_source random(seed);
    const placement::device_graph problem = random_device_graph(random, shape);
    ASSERT_TRUE(validate(problem)) << validate(problem).problem().line();
    const auto found = program(problem);
    ASSERT_TRUE(found) << found.problem().line();
    const auto sound = verify(problem, *found);
    ASSERT_TRUE(sound) << sound.problem().line();
    const double best_s = best_latency_s(problem);
    EXPECT_EQ(found->outcome, status::optimal);
    EXPECT_NEAR(found->latency_s, best_s, 1e-9 * best_s);
}

TEST(LatencyProgram, FindsTheBestOfAllPlacements) {
    for (std::uint64_t seed = 1; seed <= 1500; ++seed) expect_optimal(seed, {.max_nodes = 6});
}

TEST(LatencyProgram, FindsTheBestOfGraphsNearAChain) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed)
        expect_optimal(seed, {.max_nodes = 8, .max_accelerators = 2, .density = 0.05, .colours = 0.0});
}

TEST(LatencyProgram, FindsTheBestOfColouredGraphs) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed)
        expect_optimal(seed, {.max_nodes = 7, .max_accelerators = 2, .density = 0.25, .colours = 0.6});
}

TEST(LatencyProgram, BoundsTheBestWhateverTheBudget) {
    int open = 0;
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
        SCOPED_TRACE("seed " + to_text(seed));
        random_source random(seed);
        const auto problem = random_device_graph(random, {.max_nodes = 7, .max_accelerators = 2});
        const double best_s = best_latency_s(problem);
        for (const latency_program& program :
             {latency_program{.limits = {.nodes = 0}}, latency_program{.limits = {.nodes = 30}},
              latency_program{.limits = {.nodes = 100}}, latency_program{.max_downsets = 5}}) {
            const auto found = program(problem);
            ASSERT_TRUE(found);
            const auto sound = verify(problem, *found);
            ASSERT_TRUE(sound) << sound.problem().line();
            EXPECT_LE(found->lower_bound_s, best_s * (1 + 1e-9));
            EXPECT_GE(found->latency_s, best_s * (1 - 1e-9));
            open += found->outcome == status::budget;
        }
    }
    EXPECT_GT(open, 100);
}

} // namespace
} // namespace dovetail::test
