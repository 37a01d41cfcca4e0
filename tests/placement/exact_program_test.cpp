#include <dovetail/placement/exact_program.hpp>

#include "placement/problems.hpp"

#include <dovetail/placement/verify.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

void expect_best(const layer_graph& problem, std::uint64_t seed, int& feasible) {
    ASSERT_TRUE(validate(problem)) << validate(problem).problem().line();
    for (const objective charge : {objective::phaze, objective::every_stage}) {
        const double optimum = test::try_every_plan(problem, charge).time_per_batch_s;
        const plan found = exact_program{.charge = charge}(problem).value();
        const result<void> sound = verify(problem, found, charge);
        EXPECT_TRUE(sound) << "seed " << seed << ": " << sound.problem().line();
        EXPECT_EQ(found.outcome, std::isfinite(optimum) ? status::optimal : status::infeasible);
        if (found.outcome == status::infeasible) continue;
        ++feasible;
        EXPECT_NEAR(found.time_per_batch_s, optimum, 1e-12 * optimum)
            << "seed " << seed << ", " << to_string(charge);
    }
}

void expect_best_of(const test::problem_shape& shape, std::uint64_t first_seed, int instances) {
    int feasible = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(instances); ++seed) {
        random_source random(seed);
        expect_best(test::random_problem(random, shape), seed, feasible);
    }
    EXPECT_GT(feasible, instances / 2) << "too few problems have a plan to tell";
}

constexpr test::problem_shape even_chains{.max_layers = 8, .even = true};
constexpr test::problem_shape with_skips{.skip_density = 0.3};
constexpr test::problem_shape with_branches{.max_layers = 6, .skip_density = 0.2, .missing_links = 0.4};

TEST(exact_program, agrees_with_every_plan_on_uneven_chains) { expect_best_of({}, 1, 300); }
TEST(exact_program, agrees_with_every_plan_on_even_chains) { expect_best_of(even_chains, 10'000, 200); }
TEST(exact_program, agrees_with_every_plan_where_edges_skip_layers) {
    expect_best_of(with_skips, 20'000, 200);
}
TEST(exact_program, agrees_with_every_plan_where_the_graph_branches) {
    expect_best_of(with_branches, 30'000, 200);
}

TEST(long_exact_program, agrees_with_every_plan) {
    expect_best_of({}, 301, 5000);
    expect_best_of(even_chains, 10'200, 3000);
    expect_best_of(with_skips, 20'200, 3000);
    expect_best_of(with_branches, 30'200, 3000);
}

TEST(exact_program, solves_a_chain_alike_as_a_chain_and_by_downsets) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        random_source random(seed);
        const layer_graph chain = test::random_problem(random, {.max_layers = 30, .max_devices = 200});
        if (chain.layer_count() < 3) continue;
        layer_graph skipping = chain;
        // An edge that costs nothing and adds no order leaves the problem as it was, but for its shape.
        skipping.edges.insert(skipping.edges.begin() + 1, {0, 2});
        for (width_costs& costs : skipping.widths) costs.edge_bytes.insert(costs.edge_bytes.begin() + 1, 0.0);
        for (const objective charge : {objective::phaze, objective::every_stage}) {
            const exact_program program{.charge = charge};
            const plan by_downsets = program(skipping).value();
            EXPECT_TRUE(verify(skipping, by_downsets, charge));
            const double expected = program(chain).value().time_per_batch_s;
            if (std::isinf(expected)) {
                EXPECT_EQ(by_downsets.outcome, status::infeasible);
            } else {
                EXPECT_NEAR(by_downsets.time_per_batch_s, expected, 1e-12 * expected) << "seed " << seed;
            }
        }
    }
}

TEST(exact_program, refuses_more_downsets_than_the_limit) {
    layer_graph problem;
    problem.widths.resize(1);
    problem.widths[0].layers.resize(10); // ten layers side by side: 1024 downsets
    EXPECT_TRUE(exact_program{.downset_limit = 1024}(problem));
    const auto refused = exact_program{.downset_limit = 1023}(problem);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, errc::unsupported);
    EXPECT_EQ(
        refused.problem().line(),
        "layer graph: it has more than 1023 downsets; the limit on downsets must be raised, or the graph "
        "be closer to a chain");
}

} // namespace
