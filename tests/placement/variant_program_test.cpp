#include <dovetail/placement/variant_program.hpp>

#include "placement/variant_problems.hpp"

#include <dovetail/placement/verify_variants.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

void expect_best_of(const test::variant_shape& shape, std::uint64_t first_seed, int instances) {
    int feasible = 0;
    int infeasible = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(instances); ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const variant_graph problem = test::random_variant_problem(random, shape);
        ASSERT_TRUE(validate(problem)) << validate(problem).problem().line();
        const double optimum = test::variant_oracle(problem)().time_s;
        const variant_plan found = variant_program{}(problem).value();
        const result<void> sound = verify(problem, found);
        EXPECT_TRUE(sound) << sound.problem().line();
        if (std::isinf(optimum)) {
            EXPECT_EQ(found.outcome, status::infeasible);
            ++infeasible;
            continue;
        }
        EXPECT_EQ(found.outcome, status::optimal);
        EXPECT_NEAR(found.time_s, optimum, 1e-12 * optimum);
        EXPECT_EQ(found.lower_bound_s, found.time_s);
        ++feasible;
    }
    EXPECT_GT(feasible, instances / 3) << "too few problems have a plan to tell";
    EXPECT_GT(infeasible, 0) << "every problem has a plan";
}

constexpr test::variant_shape chains{.max_layers = 5, .max_devices = 10};
constexpr test::variant_shape tight{.max_layers = 5, .max_variants = 3, .tightness = 0.75};
constexpr test::variant_shape even_variants{.max_layers = 6, .max_devices = 8, .even = true};
constexpr test::variant_shape skipping{.max_layers = 5, .skip_density = 0.5};
constexpr test::variant_shape branching{.max_layers = 5, .skip_density = 0.3, .missing_links = 0.5};

TEST(variant_program, agrees_with_every_plan_on_chains) { expect_best_of(chains, 1, 400); }
TEST(variant_program, agrees_with_every_plan_where_memory_is_tight) { expect_best_of(tight, 10'000, 400); }
TEST(variant_program, agrees_with_every_plan_on_even_chains) { expect_best_of(even_variants, 20'000, 200); }
TEST(variant_program, agrees_with_every_plan_where_edges_skip_layers) {
    expect_best_of(skipping, 30'000, 300);
}
TEST(variant_program, agrees_with_every_plan_where_the_graph_branches) {
    expect_best_of(branching, 40'000, 250);
}

TEST(long_variant_program, agrees_with_every_plan) {
    expect_best_of(chains, 401, 4000);
    expect_best_of(tight, 10'400, 4000);
    expect_best_of(even_variants, 20'200, 2000);
    expect_best_of(skipping, 30'300, 3000);
    expect_best_of(branching, 40'250, 2500);
}

TEST(variant_program, refuses_more_downsets_than_the_limit) {
    variant_graph problem;
    for (int v = 0; v < 10; ++v) // ten layers side by side: 1024 downsets
        problem.layers.push_back({{{.width = 1, .variants = {{.name = "only", .seconds = 1.0}}}}});
    EXPECT_TRUE(variant_program{.downset_limit = 1024}(problem));
    const auto refused = variant_program{.downset_limit = 1023}(problem);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, errc::unsupported);
    EXPECT_EQ(refused.problem().line(),
              "variant graph: it has more than 1023 downsets; the limit on downsets "
              "must be raised, or the graph be closer to a chain");
}

} // namespace
