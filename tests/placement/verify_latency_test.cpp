// The latency of a placement, by hand, and what `verify` refuses.
#include <placement/latency_problems.hpp>

#include <dovetail/placement/verify_latency.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dovetail::test {
namespace {

using placement::device_graph;
using placement::latency_of;

constexpr graph::index host = graph::none;

/// 0 -> 1 -> 3 and 0 -> 2 -> 3: on the host in 10, 20, 30, 40 s, on an accelerator in a tenth.
device_graph diamond() {
    device_graph problem;
    for (int v = 1; v <= 4; ++v)
        problem.nodes.push_back(
            {.cpu_s = 10.0 * v, .accelerator_s = 1.0 * v, .size_bytes = 1.0, .output_s = 0.5});
    problem.edges = {{0, 1}, {0, 2}, {1, 3}, {2, 3}};
    problem.accelerators = 2;
    problem.memory_bytes = 3.0;
    return problem;
}

TEST(VerifyLatency, TimesPlacementsAsByHand) {
    const device_graph problem = diamond();
    // The host runs 1 and 2 side by side.
    EXPECT_DOUBLE_EQ(*latency_of(problem, {host, host, host, host}), 10 + 30 + 40);
    // Accelerator 0 hands over the output of 0 once, and those of 1 and 2.
    EXPECT_DOUBLE_EQ(*latency_of(problem, {0, host, host, host}), 1 + 0.5 + 30 + 40);
    EXPECT_DOUBLE_EQ(*latency_of(problem, {0, 0, 0, host}), 1 + 2 + 3 + 2 * 0.5 + 40);
    // Node 2 on accelerator 1 fetches, and hands over; 3 waits for 1 on the host.
    EXPECT_DOUBLE_EQ(*latency_of(problem, {host, host, 1, host}), 10 + 20 + 40);
    EXPECT_DOUBLE_EQ(*latency_of(problem, {host, 0, 1, host}), 10 + (0.5 + 3 + 0.5) + 40);
    // An accelerator that needs 1 as well starts after it, for all its nodes.
    EXPECT_DOUBLE_EQ(*latency_of(problem, {host, host, 1, 1}), 30 + (0.5 + 0.5 + 3 + 4));
}

TEST(VerifyLatency, RefusesWhatIsNoPlacement) {
    device_graph problem = diamond();
    const auto refused = [&](const std::vector<graph::index>& device, const std::string& part) {
        const auto latency_s = latency_of(problem, device);
        ASSERT_FALSE(latency_s) << *latency_s;
        EXPECT_NE(latency_s.problem().line().find(part), std::string::npos) << latency_s.problem().line();
    };
    refused({host, host, host}, "there are 4 nodes");
    refused({2, host, host, host}, "accelerator 2");
    refused({0, 0, 0, 0}, "its nodes take 4 bytes");
    refused({0, host, 0, 0}, "waits for itself");
    problem.nodes[1].supported = false;
    refused({host, 0, host, host}, "only run on the host");
    problem.nodes[1].colour = problem.nodes[2].colour = 0;
    refused({host, host, 0, host}, "apart");
}

TEST(VerifyLatency, TwoContiguousAcceleratorsMayNotWaitForEachOther) {
    device_graph problem = diamond();
    problem.edges = {{0, 1}, {2, 3}};
    EXPECT_TRUE(latency_of(problem, {0, 1, 1, 1}));
    const auto crossed = latency_of(problem, {0, 1, 1, 0});
    ASSERT_FALSE(crossed);
    EXPECT_NE(crossed.problem().line().find("waits"), std::string::npos);
}

TEST(VerifyLatency, ChecksWhatAPlanClaims) {
    const device_graph problem = diamond();
    placement::latency_plan plan{status::budget, 80.0, 70.0, {host, host, host, host}};
    EXPECT_TRUE(verify(problem, plan));
    const auto refused = [&](const auto& change) {
        placement::latency_plan changed = plan;
        change(changed);
        EXPECT_FALSE(verify(problem, changed));
    };
    refused([](auto& p) { p.latency_s = 79.0; });
    refused([](auto& p) { p.lower_bound_s = 81.0; });
    refused([](auto& p) { p.outcome = status::optimal; });
    refused([](auto& p) { p.outcome = status::infeasible; });
    refused([](auto& p) { p.device[0] = 0; });
}

TEST(VerifyLatency, TheOracleFindsThePlanByHand) {
    // One accelerator takes 0, another the rest: one transfer out, one in.
    EXPECT_DOUBLE_EQ(best_latency_s(diamond()), (1 + 0.5) + (0.5 + 2 + 3 + 4));
}

} // namespace
} // namespace dovetail::test
