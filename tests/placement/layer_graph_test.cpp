#include <dovetail/placement/layer_graph.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

layer_graph three_layers() {
    layer_graph problem;
    problem.widths.resize(2);
    for (std::size_t w = 0; w < 2; ++w) {
        problem.widths[w].width = static_cast<std::int64_t>(w) + 1;
        problem.widths[w].layers.resize(3);
        problem.widths[w].edge_bytes.resize(2);
    }
    problem.edges.resize(2);
    link_as_chain(problem.edges);
    return problem;
}

TEST(layer_graph, knows_a_chain) {
    layer_graph problem = three_layers();
    EXPECT_TRUE(is_chain(problem));
    problem.edges[1] = {0, 2};
    EXPECT_FALSE(is_chain(problem));
    problem.edges.pop_back();
    EXPECT_FALSE(is_chain(problem));
    EXPECT_FALSE(is_chain(layer_graph{}));
}

TEST(layer_graph, is_validated_with_one_clear_line) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(validate(three_layers()));
    const std::pair<std::function<void(layer_graph&)>, std::string> breaks[] = {
        {[](layer_graph& g) { g.widths.clear(); },
         "layer graph: it has no layer; there must be a tensor width with at least one layer"},
        {[](layer_graph& g) { g.devices = 0; }, "devices: it is 0; it must be 1 or more"},
        {[](layer_graph& g) { g.micro_batches = -1; }, "micro_batches: it is -1; it must be 1 or more"},
        {[](layer_graph& g) { g.hbm_bytes = nan; }, "hbm_bytes: it is nan; it must be positive"},
        {[](layer_graph& g) { g.link_bytes_per_s = 0.0; }, "link_bytes_per_s: it is 0; it must be positive"},
        {[](layer_graph& g) { g.widths[1].width = 1; }, "width: it is 1; widths are 1 or more and ascend"},
        {[](layer_graph& g) { g.widths[1].layers.pop_back(); },
         "width 2: it has 2 layers and 2 edges; every width has the same 3 layers and 2 edges"},
        {[](layer_graph& g) { g.widths[1].layers[2].stash_bytes = -4.0; },
         "width 2: layer 2: stash_bytes: it is -4; it must be a finite number, 0 or more"},
        {[](layer_graph& g) { g.widths[0].layers[1].forward_s = nan; },
         "width 1: layer 1: forward_s: it is nan; it must be a finite number, 0 or more"},
        {[](layer_graph& g) {
             g.widths[0].layers[1].backward_s = 2.0;
             g.widths[0].layers[1].weight_gradient_s = 2.5;
         },
         "width 1: layer 1: weight_gradient_s: it is 2.5; it must be from 0 to the whole, 2"},
        {[](layer_graph& g) { g.widths[0].layers[0].optimizer_bytes = -1.0; },
         "width 1: layer 0: optimizer_bytes: it is -1; it must be from 0 to the whole, " +
             to_text(three_layers().widths[0].layers[0].resident_bytes)},
        {[](layer_graph& g) { g.widths[0].edge_bytes[1] = std::numeric_limits<double>::infinity(); },
         "width 1: edge 1: bytes: it is inf; it must be a finite number, 0 or more"},
        {[](layer_graph& g) {
             g.edges[1] = {2, 1};
         },
         "edge 1: it leads from layer 2 to layer 1; edges lead to a higher layer below 3, and are sorted by "
         "source and target"},
        {[](layer_graph& g) { std::swap(g.edges[0], g.edges[1]); },
         "edge 1: it leads from layer 0 to layer 1; edges lead to a higher layer below 3, and are sorted by "
         "source and target"},
    };
    for (const auto& [spoil, message] : breaks) {
        layer_graph problem = three_layers();
        spoil(problem);
        const auto verdict = validate(problem);
        ASSERT_FALSE(verdict) << message;
        EXPECT_EQ(verdict.problem().line(), message);
    }
}

} // namespace
