#include <dovetail/placement/device_graph.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

device_graph three_nodes() {
    device_graph problem{.accelerators = 2, .cpus = 1};
    problem.nodes = {{.cpu_s = 1, .output_s = 2}, {.accelerator_s = 3}, {.backward = true, .colour = 0}};
    problem.edges = {{0, 1}, {0, 2}, {1, 2}};
    return problem;
}

TEST(device_graph, a_problem_is_valid_without_devices_edges_or_memory) {
    EXPECT_TRUE(validate(three_nodes()));
    device_graph bare{.memory_bytes = 0.0};
    bare.nodes.resize(1);
    EXPECT_TRUE(validate(bare));
}

TEST(device_graph, every_number_outside_its_range_is_named) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double inf = std::numeric_limits<double>::infinity();
    const std::pair<std::function<void(device_graph&)>, std::string> breaks[] = {
        {[](device_graph& g) { g.nodes.clear(); },
         "device graph: it has no node; there must be one at least"},
        {[](device_graph& g) { g.accelerators = -1; }, "accelerators: it is -1; it must be 0 or more"},
        {[](device_graph& g) { g.cpus = -3; }, "cpus: it is -3; it must be 0 or more"},
        {[](device_graph& g) { g.memory_bytes = nan; }, "memory_bytes: it is nan; it must be 0 or more"},
        {[](device_graph& g) { g.nodes[1].cpu_s = -1; },
         "node 1: cpu_s: it is -1; it must be a finite number, 0 or more"},
        {[](device_graph& g) { g.nodes[1].accelerator_s = inf; },
         "node 1: accelerator_s: it is inf; it must be a finite number, 0 or more"},
        {[](device_graph& g) { g.nodes[0].size_bytes = nan; },
         "node 0: size_bytes: it is nan; it must be a finite number, 0 or more"},
        {[](device_graph& g) { g.nodes[2].output_s = -inf; },
         "node 2: output_s: it is -inf; it must be a finite number, 0 or more"},
        {[](device_graph& g) { g.nodes[2].colour = 3; },
         "node 2: colour: it is 3; colours are numbered below 3"},
        {[](device_graph& g) {
             g.edges[1] = {1, 1};
         },
         "edge 1: it leads from node 1 to node 1; edges lead to a higher node below 3, are sorted by source "
         "and target, and differ"},
        {[](device_graph& g) {
             g.edges[2] = {2, 3};
         },
         "edge 2: it leads from node 2 to node 3; edges lead to a higher node below 3, are sorted by source "
         "and target, and differ"},
        {[](device_graph& g) { g.edges[1] = g.edges[0]; },
         "edge 1: it leads from node 0 to node 1; edges lead to a higher node below 3, are sorted by source "
         "and target, and differ"},
        {[](device_graph& g) { std::swap(g.edges[0], g.edges[1]); },
         "edge 1: it leads from node 0 to node 1; edges lead to a higher node below 3, are sorted by source "
         "and target, and differ"},
        {[](device_graph& g) { g.nodes[1].backward = true, g.nodes[2].backward = false; },
         "edge 2: it leads from node 1 to node 2; no edge leads from a backward to a forward node"},
    };
    for (const auto& [spoil, message] : breaks) {
        device_graph problem = three_nodes();
        spoil(problem);
        const auto checked = validate(problem);
        ASSERT_FALSE(checked) << message;
        EXPECT_EQ(checked.problem().line(), message);
    }
}

} // namespace
