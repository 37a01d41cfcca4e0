#include <dovetail/placement/smallest_hbm.hpp>

#include "placement/problems.hpp"

#include <dovetail/placement/exact_program.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

TEST(smallest_hbm, is_what_the_best_of_all_plans_needs_and_no_less_will_do) {
    int memory_binds = 0;
    int devices_bind = 0;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        random_source random(seed);
        test::problem_shape shape{.max_layers = 6, .max_devices = 6};
        if (seed % 3 == 0) shape.missing_links = 0.3;
        layer_graph problem = test::random_problem(random, shape);
        problem.hbm_bytes = 1.0;
        const test::oracle_answer oracle = test::try_every_plan(problem, objective::phaze);
        const hbm_need need = smallest_hbm(problem).value();
        EXPECT_EQ(need.bytes, oracle.smallest_hbm_bytes) << "seed " << seed;
        EXPECT_EQ(need.fewest_devices, oracle.fewest_devices) << "seed " << seed;
        EXPECT_EQ(need.binding(),
                  oracle.fewest_devices > problem.devices ? constraint::devices : constraint::memory);
        if (need.binding() == constraint::devices) {
            ++devices_bind;
            continue;
        }
        ++memory_binds;
        if (need.bytes == 0.0) continue;
        problem.hbm_bytes = need.bytes;
        const plan tight = exact_program{}(problem).value();
        EXPECT_EQ(tight.outcome, status::optimal) << "seed " << seed;
        problem.hbm_bytes = std::nextafter(need.bytes, 0.0);
        EXPECT_EQ(exact_program{}(problem).value().outcome, status::infeasible) << "seed " << seed;
    }
    EXPECT_GT(memory_binds, 300);
    EXPECT_GT(devices_bind, 20);
}

TEST(smallest_hbm, names_the_stage_that_needs_it) {
    layer_graph problem;
    problem.devices = 3;
    problem.hbm_bytes = 10.0;
    problem.widths.resize(1);
    problem.widths[0].layers = {{.resident_bytes = 20.0}, {.resident_bytes = 50.0}, {.resident_bytes = 40.0}};
    problem.widths[0].edge_bytes = {0.0, 0.0};
    problem.edges = {{0, 1}, {1, 2}};
    const hbm_need need = smallest_hbm(problem).value();
    EXPECT_EQ(need.bytes, 50.0);
    EXPECT_EQ(need.stages, 3U);
    EXPECT_EQ(need.stage, 1U);
    EXPECT_EQ(need.tensor_parallel, 1);
}

} // namespace
