// doors: json
// Two exact programs on the published instance, and on what is left of it when it ends early.
#include <dovetail/ext/json/piper_placement.hpp>

#include "support/shared.hpp"

#include <dovetail/core/random.hpp>
#include <dovetail/placement/smallest_variant_hbm.hpp>
#include <dovetail/placement/variant_program.hpp>
#include <dovetail/placement/variant_table.hpp>
#include <dovetail/placement/verify_variants.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

// The first `count` layers, and the edges among them.
variant_graph first_layers(const variant_graph& whole, std::size_t count) {
    variant_graph part = whole;
    part.layers.resize(count);
    part.edges.clear();
    std::vector<std::size_t> out(whole.layers.size(), 0);
    for (const variant_edge& e : whole.edges)
        if (e.target < count) {
            part.edges.push_back(e);
            ++out[e.source];
        }
    // Edges are sorted by their ends, so those that stay are the first of every layer's.
    for (std::size_t v = 0; v < count; ++v)
        for (width_variants& w : part.layers[v].widths)
            for (layer_variant& variant : w.variants) variant.out_sync_bytes.resize(out[v]);
    return part;
}

double agreed_time_s(const variant_graph& problem) {
    const variant_plan one = variant_program{}(problem).value();
    const variant_plan other = variant_table{}(problem).value();
    EXPECT_EQ(one.outcome, other.outcome);
    for (const variant_plan* plan : {&one, &other}) {
        const result<void> sound = verify(problem, *plan);
        EXPECT_TRUE(sound) << sound.problem().line();
    }
    if (std::isfinite(one.time_s)) {
        EXPECT_NEAR(one.time_s, other.time_s, 1e-12 * one.time_s);
    }
    return one.time_s;
}

TEST(piper_agreement, two_programs_agree_on_the_published_instance) {
    DOVETAIL_SHARED_OR_SKIP(file, "reference/placement/piper/bert32a100.json");
    variant_graph problem = ext::json::load_piper_placement(file)->problem;
    // What Piper's own program prints for its file as it is.
    EXPECT_NEAR(agreed_time_s(problem), 0.097727361119999981, 1e-12);
    problem.hbm_bytes = 4e9;
    EXPECT_TRUE(std::isfinite(agreed_time_s(problem)));
}

TEST(piper_agreement, two_programs_agree_on_truncations_whatever_the_memory) {
    DOVETAIL_SHARED_OR_SKIP(file, "reference/placement/piper/bert32a100.json");
    const variant_graph whole = ext::json::load_piper_placement(file)->problem;
    random_source random(1);
    int infeasible = 0;
    int feasible = 0;
    for (std::size_t count = 1; count < whole.layers.size(); count += 2) {
        SCOPED_TRACE(count);
        variant_graph problem = first_layers(whole, count);
        ASSERT_TRUE(validate(problem)) << validate(problem).problem().line();
        problem.devices = random.integer(1, 10);
        const double least = smallest_hbm(problem)->bytes;
        for (const double share : {0.999, 1.0, 1.2, 2.0}) {
            problem.hbm_bytes = std::floor(share * least);
            if (!(problem.hbm_bytes >= 1.0)) continue;
            ++(std::isfinite(agreed_time_s(problem)) ? feasible : infeasible);
        }
    }
    EXPECT_GE(infeasible, 15);
    EXPECT_GE(feasible, 45);
}

} // namespace
