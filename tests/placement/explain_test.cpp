#include <dovetail/placement/explain.hpp>

#include "placement/problems.hpp"

#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/pipeline_program.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace dovetail::placement {
namespace {

/// Four layers of a second forward and two backward, a GiB each to keep.
layer_graph four_layers() {
    layer_graph problem;
    problem.devices = 4;
    problem.micro_batches = 8;
    problem.edges.resize(3);
    link_as_chain(problem.edges);
    problem.widths.resize(1);
    problem.widths[0].layers.assign(
        4, {.forward_s = 1.0, .backward_s = 2.0, .resident_bytes = static_cast<double>(gibibyte)});
    problem.widths[0].edge_bytes.assign(3, 0.0);
    problem.link_bytes_per_s = 1e9;
    return problem;
}

explanation explained(const layer_graph& problem) {
    const exact_program solve{};
    return explain(problem, solve(problem).value(), solve).value();
}

TEST(Explain, ComputeBindsWhereNothingElseDoes) {
    const explanation why = explained(four_layers());
    EXPECT_EQ(why.binding, bottleneck::compute);
    EXPECT_EQ(why.time_s, 12.0 * 2) << "four replicas, two micro-batches each";
    EXPECT_EQ(why.one_more_gib_s, why.time_s);
    EXPECT_EQ(why.one_more_gb_per_s_s, why.time_s);
    EXPECT_EQ(why.one_more_device_s, why.time_s) << "five replicas still have two micro-batches each";
    layer_graph problem = four_layers();
    problem.devices = 7;
    EXPECT_EQ(explained(problem).one_more_device_s, 12.0) << "eight replicas have one each";
}

TEST(Explain, MemoryBindsWhereDevicesHoldOneLayer) {
    layer_graph problem = four_layers();
    problem.hbm_bytes = 1.5 * static_cast<double>(gibibyte);
    problem.widths[0].layers[2].resident_bytes = 1.25 * static_cast<double>(gibibyte);
    const explanation why = explained(problem);
    EXPECT_EQ(why.binding, bottleneck::memory);
    EXPECT_EQ(why.stage, 2U) << "the fullest";
    EXPECT_EQ(why.time_s, 3.0 * (8 + 3));
    EXPECT_EQ(why.unlimited_memory_s, 12.0 * 2);
    EXPECT_EQ(why.one_more_gib_s, 6.0 * (4 + 1)) << "two layers a stage, two replicas";
    EXPECT_DOUBLE_EQ(why.gain(why.one_more_gib_s), 1.0 - 30.0 / 33.0);
}

TEST(Explain, LinksBindWhereTheReductionIsLong) {
    layer_graph problem = four_layers();
    for (layer& l : problem.widths[0].layers) l.reduce_bytes = 1e9;
    const explanation why = explained(problem);
    EXPECT_EQ(why.binding, bottleneck::network);
    EXPECT_EQ(why.time_s, 12.0 * 2 + 2.0 * 3 / 4 * 4);
    EXPECT_EQ(why.one_more_gb_per_s_s, 12.0 * 2 + 2.0 * 3 / 4 * 2);
    EXPECT_EQ(why.unlimited_links_s, 12.0 * 2);
}

TEST(Explain, MoreNeverCosts) {
    int explained_plans = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        random_source random(seed);
        const layer_graph problem = test::random_problem(random, {.max_layers = 10, .max_devices = 40});
        const pipeline_program<zero_bubble_h1> solve{.space = {.choose_recomputation = true}};
        const plan best = solve(problem);
        if (best.outcome != status::optimal) continue;
        ++explained_plans;
        const explanation why = explain(problem, best, solve).value();
        EXPECT_LT(why.stage, best.stages.size());
        for (const double time : {why.unlimited_memory_s, why.unlimited_links_s, why.one_more_gib_s,
                                  why.one_more_gb_per_s_s, why.one_more_device_s})
            EXPECT_TRUE(time >= 0.0 && time <= why.time_s);
        EXPECT_LE(why.unlimited_memory_s, why.one_more_gib_s * (1 + 1e-12));
        EXPECT_LE(why.unlimited_links_s, why.one_more_gb_per_s_s * (1 + 1e-12));
    }
    EXPECT_GT(explained_plans, 100);
}

} // namespace
} // namespace dovetail::placement
