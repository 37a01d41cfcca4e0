#include <dovetail/placement/variant_table.hpp>

#include "placement/variant_problems.hpp"

#include <dovetail/placement/smallest_variant_hbm.hpp>
#include <dovetail/placement/variant_program.hpp>
#include <dovetail/placement/verify_variants.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

TEST(variant_table, agrees_with_every_plan) {
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const variant_graph problem =
            test::random_variant_problem(random, {.skip_density = 0.3, .missing_links = 0.2});
        const double optimum = test::variant_oracle(problem)().time_s;
        const variant_plan found = variant_table{}(problem).value();
        const result<void> sound = verify(problem, found);
        EXPECT_TRUE(sound) << sound.problem().line();
        EXPECT_EQ(found.outcome, std::isfinite(optimum) ? status::optimal : status::infeasible);
        if (std::isfinite(optimum)) {
            EXPECT_NEAR(found.time_s, optimum, 1e-12 * optimum);
        }
    }
}

// Both exact programs, on problems that are too large to try everything.
void expect_agreement(const test::variant_shape& shape, std::uint64_t first_seed, int instances) {
    int feasible = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(instances); ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const variant_graph problem = test::random_variant_problem(random, shape);
        const variant_plan one = variant_program{}(problem).value();
        const variant_plan other = variant_table{}(problem).value();
        EXPECT_EQ(one.outcome, other.outcome);
        for (const variant_plan* plan : {&one, &other}) {
            const result<void> sound = verify(problem, *plan);
            EXPECT_TRUE(sound) << sound.problem().line();
        }
        if (one.outcome != status::optimal) continue;
        ++feasible;
        EXPECT_NEAR(one.time_s, other.time_s, 1e-12 * one.time_s);
    }
    EXPECT_GT(feasible, instances / 2);
}

TEST(variant_table, agrees_with_the_program_on_long_chains) {
    expect_agreement({.max_layers = 14, .max_devices = 16, .skip_density = 0.1}, 1, 300);
}

TEST(variant_table, agrees_with_the_program_on_even_chains) {
    expect_agreement({.max_layers = 20, .max_devices = 12, .even = true}, 1'000, 200);
}

TEST(variant_table, agrees_with_the_program_where_the_graph_branches) {
    expect_agreement({.max_layers = 9, .max_devices = 12, .skip_density = 0.15, .missing_links = 0.25}, 2'000,
                     300);
}

TEST(variant_table, refuses_a_table_past_its_limit) {
    variant_graph problem;
    problem.layers.resize(1);
    problem.layers[0].widths = {{.width = 1, .variants = {{.name = "only", .seconds = 1.0}}}};
    problem.devices = 1'000'000'000;
    const auto refused = variant_table{}(problem);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, errc::unsupported);
}

TEST(smallest_variant_hbm, agrees_with_every_plan) {
    int memory = 0;
    int devices = 0;
    for (std::uint64_t seed = 0; seed < 1500; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        variant_graph problem = test::random_variant_problem(
            random, {.max_devices = 5, .skip_density = 0.3, .missing_links = 0.2});
        if (seed % 2 == 0) problem.most_replicas = std::numeric_limits<std::int64_t>::max();
        const auto expected = test::variant_oracle(problem)();
        const variant_hbm_need need = smallest_hbm(problem).value();
        EXPECT_EQ(need.bytes, expected.smallest_hbm_bytes);
        if (std::isinf(need.bytes)) {
            EXPECT_EQ(need.fewest_devices, expected.fewest_devices);
            ++devices;
            continue;
        }
        ++memory;
        ASSERT_LT(need.stage, need.stages.size());
        EXPECT_EQ(need.stages[need.stage].memory_bytes, need.bytes);
        if (!(need.bytes > 1.0)) continue;
        problem.hbm_bytes = need.bytes;
        EXPECT_EQ(variant_program{}(problem)->outcome, status::optimal);
        problem.hbm_bytes = need.bytes - 1.0;
        EXPECT_EQ(variant_program{}(problem)->outcome, status::infeasible);
    }
    EXPECT_GT(memory, 1000);
    EXPECT_GT(devices, 5);
}

TEST(variant_program, gives_up_in_time_with_a_bound) {
    random_source random(7);
    variant_graph problem; // twelve layers side by side: 4096 downsets
    problem.devices = 7;
    for (int v = 0; v < 12; ++v)
        problem.layers.push_back(
            {{{.width = 1, .variants = {{.name = "only", .seconds = random.real(1.0, 2.0)}}}}});
    const variant_plan whole = variant_program{}(problem).value();
    ASSERT_EQ(whole.outcome, status::optimal);
    const variant_plan cut = variant_program{.seconds = 0.0}(problem).value();
    EXPECT_EQ(cut.outcome, status::budget);
    EXPECT_TRUE(verify(problem, cut));
    EXPECT_GE(cut.lower_bound_s, 0.0);
    EXPECT_LE(cut.lower_bound_s, whole.time_s * (1.0 + 1e-9));
    EXPECT_GE(cut.time_s, whole.time_s * (1.0 - 1e-9));
}

} // namespace
