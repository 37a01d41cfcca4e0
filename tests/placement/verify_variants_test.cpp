#include <dovetail/placement/verify_variants.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

// a -> b -> c and a -> c. Two variants of b at width 2; c runs at width 1 only.
variant_graph triangle() {
    variant_graph problem;
    problem.devices = 6;
    problem.micro_batches = 4;
    problem.hbm_bytes = 100.0;
    problem.link_bytes_per_s = 10.0;
    problem.edges = {{0, 1, 5.0}, {0, 2, 7.0}, {1, 2, 11.0}};
    const layer_variant a{"a", 1.0, 8.0, 3.0, 4.0, {}, {1.0, 2.0}};
    const layer_variant b{"b", 2.0, 16.0, 5.0, 6.0, {3.0}, {4.0}};
    const layer_variant lean{"lean", 3.0, 16.0, 1.0, 6.0, {3.0}, {4.0}};
    const layer_variant c{"c", 4.0, 32.0, 7.0, 8.0, {5.0, 6.0}, {}};
    problem.layers = {{{{1, {a}}, {2, {a}}}}, {{{2, {b, lean}}}}, {{{1, {c}}}}};
    return problem;
}

// a and b at width 2 in two replicas; c alone, once.
//
// Stage 0: compute 1 + 3, edges out 7 + 2 and 11 + 4, parameters 24, d = 2, y = ceil(3 / 2) = 2:
// 4 / 2 + (2 * 24 / 2 + 4 * 1 / 2 * 24 / 4) / 10 = 2 + 3.6, memory 2 * (3 + 1) + 4 + 6 = 18.
// Stage 1: compute 4, edges in 7 + 5 and 11 + 6, y = 1: 4 + 2 * 29 / 10 = 9.8, memory 7 + 8.
variant_plan by_hand() {
    variant_plan plan;
    plan.outcome = status::optimal;
    plan.time_s = plan.lower_bound_s = 9.8;
    plan.stages = {{{0, 1}, {0, 1}, 2, 2, 5.6, 18.0}, {{2}, {0}, 1, 1, 9.8, 15.0}};
    return plan;
}

TEST(verify_variants, accepts_a_plan_reckoned_by_hand) {
    ASSERT_TRUE(validate(triangle()));
    const auto sound = verify(triangle(), by_hand());
    EXPECT_TRUE(sound) << sound.problem().line();
}

TEST(verify_variants, names_what_is_wrong_with_a_plan) {
    const std::pair<std::function<void(variant_graph&, variant_plan&)>, std::string> breaks[] = {
        {[](variant_graph&, variant_plan& p) { p.stages[0].time_s = 5.7; },
         "plan: stage 0: time_s is 5.7; its layers make it 5.6"},
        {[](variant_graph&, variant_plan& p) { p.stages[1].memory_bytes = 14; },
         "plan: stage 1: memory_bytes is 14; its layers make it 15"},
        {[](variant_graph&, variant_plan& p) { p.time_s = 9; },
         "plan: time_s: it is 9; its slowest stage takes 9.8"},
        {[](variant_graph&, variant_plan& p) { p.lower_bound_s = 10; },
         "plan: lower_bound_s: it is 10; the plan itself takes 9.8"},
        {[](variant_graph& g, variant_plan&) { g.hbm_bytes = 17; },
         "plan: stage 0: it needs 18 bytes; a device has 17"},
        {[](variant_graph& g, variant_plan&) { g.devices = 4; }, "plan: devices: it takes 5; there are 4"},
        {[](variant_graph& g, variant_plan&) { g.most_replicas = 2; },
         "plan: replicas: its stages have 3; there may be 2"},
        {[](variant_graph& g, variant_plan&) { g.micro_batches = 3; },
         "plan: stage 0: it has 2 replicas; they share 3 micro-batches evenly"},
        {[](variant_graph&, variant_plan& p) { p.stages[0].variants[1] = 2; },
         "plan: stage 0: layer 1 runs at width 2 as variant 2; the layer has such a variant"},
        {[](variant_graph&, variant_plan& p) { p.stages[0].width = 1; },
         "plan: stage 0: layer 1 runs at width 1 as variant 1; the layer has such a variant"},
        {[](variant_graph&, variant_plan& p) { p.stages[1].layers[0] = 1; },
         "plan: stage 1: it holds layer 1; every layer below 3 is in one stage"},
        {[](variant_graph&, variant_plan& p) { p.stages.pop_back(); },
         "plan: layer 2: it is in no stage; it is in one"},
        {[](variant_graph&, variant_plan& p) { std::swap(p.stages[0], p.stages[1]); },
         "plan: layer 2: it is in stage 0, and needs layer 0 of stage 1; layers need nothing from later "
         "stages"},
        {[](variant_graph&, variant_plan& p) { p.stages[0].variants.pop_back(); },
         "plan: stage 0: it has 2 layers and 1 variants; a stage has a layer, and every layer a variant"},
        {[](variant_graph&, variant_plan& p) { p.stages.clear(); },
         "plan: outcome: it has no stage, and a time; without stages it has none"},
    };
    for (const auto& [spoil, message] : breaks) {
        variant_graph problem = triangle();
        variant_plan plan = by_hand();
        spoil(problem, plan);
        const auto sound = verify(problem, plan);
        ASSERT_FALSE(sound) << message;
        EXPECT_TRUE(sound.problem().line().starts_with(message.substr(0, message.find(';'))))
            << sound.problem().line() << '\n'
            << message;
    }
}

TEST(verify_variants, validation_names_what_is_wrong_with_a_problem) {
    const std::pair<std::function<void(variant_graph&)>, std::string> breaks[] = {
        {[](variant_graph& g) { g.layers.clear(); },
         "variant graph: it has no layer; there must be one at least"},
        {[](variant_graph& g) { g.devices = 0; }, "devices: it is 0; it must be 1 or more"},
        {[](variant_graph& g) { g.hbm_bytes = 0; }, "hbm_bytes: it is 0; it must be positive"},
        {[](variant_graph& g) { g.edges[1] = g.edges[0]; },
         "edge 1: it leads from layer 0 to layer 1; edges lead to a higher layer below 3, and ascend by "
         "source and target"},
        {[](variant_graph& g) { g.edges[2].bytes = -1; },
         "edge 2: bytes: it is -1; it must be a finite number, 0 or more"},
        {[](variant_graph& g) { g.layers[2].widths[0].variants.clear(); },
         "layer 2: it has no variant; it must have one at some width"},
        {[](variant_graph& g) { g.layers[0].widths[1].width = 1; },
         "layer 0: width: it is 1; widths are 1 or more and ascend"},
        {[](variant_graph& g) { g.layers[1].widths[0].variants[1].seconds = -2; },
         "layer 1: width 2: variant 1: seconds: it is -2; it must be a finite number, 0 or more"},
        {[](variant_graph& g) { g.layers[2].widths[0].variants[0].in_sync_bytes.pop_back(); },
         "layer 2: width 1: variant 0: it synchronises 1 edges in and 0 out; the layer has 2 edges in and 0 "
         "out"},
    };
    for (const auto& [spoil, message] : breaks) {
        variant_graph problem = triangle();
        spoil(problem);
        const auto valid = validate(problem);
        ASSERT_FALSE(valid) << message;
        EXPECT_EQ(valid.problem().line(), message);
    }
}

} // namespace
