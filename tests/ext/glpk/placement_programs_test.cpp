// doors: glpk
#include <dovetail/placement/formulation/latency.hpp>
#include <dovetail/placement/formulation/max_load.hpp>

#include "placement/latency_problems.hpp"
#include "placement/max_load_oracle.hpp"

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/verify.hpp>
#include <dovetail/placement/latency_program.hpp>
#include <dovetail/placement/max_load_program.hpp>
#include <dovetail/placement/verify_device_plan.hpp>
#include <dovetail/placement/verify_latency.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

const ext::glpk::solver glpk{.time_limit_s = 60};

void expect_max_load_agreement(std::uint64_t seed, int problems, std::int64_t most_nodes) {
    random_source random(seed);
    int infeasible = 0;
    for (int k = 0; k < problems; ++k) {
        SCOPED_TRACE(k);
        const device_graph problem = test::random_device_graph(random, most_nodes);
        const device_plan exact = max_load_program{}(problem);
        if (problem.nodes.size() <= 5) {
            const double best_s = test::assignments(problem).best_s();
            ASSERT_EQ(std::isinf(best_s), exact.outcome == status::infeasible);
            if (!std::isinf(best_s)) {
                ASSERT_EQ(best_s, exact.max_load_s);
            }
        }
        const formulation::max_load program(problem);
        const result<ilp::solution> found = glpk(program.model());
        ASSERT_TRUE(found) << found.problem().line();
        const device_plan plan = program.decode(*found);
        ASSERT_EQ(plan.outcome, exact.outcome);
        if (plan.outcome == status::infeasible) {
            ++infeasible;
            continue;
        }
        ASSERT_TRUE(ilp::verify(program.model(), found->values).holds(1e-6));
        const result<void> sound = verify(problem, plan);
        ASSERT_TRUE(sound) << sound.problem().line();
        ASSERT_NEAR(plan.max_load_s, exact.max_load_s, 1e-6 * exact.max_load_s);
        const double root_s = program.bound(glpk(program.model().relaxed()).value());
        ASSERT_LE(root_s, exact.max_load_s * (1 + 1e-6));
    }
    EXPECT_GT(infeasible, problems / 20);
}

TEST(max_load_formulation, agrees_with_all_assignments_and_the_exact_program) {
    expect_max_load_agreement(71, 150, 6);
}
TEST(long_max_load_formulation, agrees_on_two_thousand_problems) { expect_max_load_agreement(72, 2000, 7); }

void expect_latency_agreement(std::uint64_t seed, int problems, std::int64_t most_nodes) {
    random_source random(seed);
    int accelerated = 0;
    for (int k = 0; k < problems; ++k) {
        SCOPED_TRACE(k);
        const device_graph problem = test::random_device_graph(random, {.max_nodes = most_nodes});
        const latency_plan exact = latency_program{}(problem).value();
        ASSERT_EQ(exact.outcome, status::optimal);
        if (problem.nodes.size() <= 5) {
            ASSERT_NEAR(test::best_latency_s(problem), exact.latency_s, 1e-9 * exact.latency_s);
        }
        const formulation::latency program(problem);
        const result<ilp::solution> found = glpk(program.model());
        ASSERT_TRUE(found) << found.problem().line();
        ASSERT_EQ(found->ending, ilp::verdict::optimal);
        ASSERT_TRUE(ilp::verify(program.model(), found->values).holds(1e-6));
        const latency_plan plan = program.decode(*found);
        const result<void> sound = verify(problem, plan);
        ASSERT_TRUE(sound) << sound.problem().line();
        ASSERT_EQ(plan.outcome, status::optimal);
        ASSERT_NEAR(plan.latency_s, exact.latency_s, 1e-6 * exact.latency_s);
        ASSERT_NEAR(found->objective * program.unit_s(), exact.latency_s, 1e-6 * exact.latency_s);
        const double root_s = program.bound(glpk(program.model().relaxed()).value());
        ASSERT_LE(root_s, exact.latency_s * (1 + 1e-6));
        for (const graph::index a : plan.device)
            if (a != graph::none) {
                ++accelerated;
                break;
            }
    }
    EXPECT_GT(accelerated, problems / 4);
}

TEST(latency_formulation, agrees_with_all_placements_and_the_exact_program) {
    expect_latency_agreement(73, 150, 6);
}
TEST(long_latency_formulation, agrees_on_two_thousand_problems) { expect_latency_agreement(74, 2000, 7); }

// a -> b -> c, where a and c on one accelerator would wait for b, which is free everywhere: times alone do
// not forbid it.
TEST(latency_formulation, keeps_accelerators_contiguous_where_nothing_takes_time) {
    device_graph problem{.nodes = {{.cpu_s = 9}, {.supported = false}, {.cpu_s = 9}},
                         .edges = {{0, 1}, {1, 2}},
                         .accelerators = 1};
    problem.memory_bytes = 1.0;
    const formulation::latency program(problem);
    const latency_plan plan = program.decode(glpk(program.model()).value());
    EXPECT_TRUE(verify(problem, plan));
    EXPECT_NEAR(plan.latency_s, 9.0, 1e-9); // one of the two, not both
}

// a1 -> b1 and b2 -> a2: the devices {a1, a2} and {b1, b2} would have a load of 6, and each is contiguous by
// itself, but they would wait for one another.
TEST(max_load_formulation, keeps_devices_in_an_order) {
    const device_graph problem{
        .nodes = {{.accelerator_s = 1}, {.accelerator_s = 4}, {.accelerator_s = 2}, {.accelerator_s = 5}},
        .edges = {{0, 1}, {2, 3}},
        .accelerators = 2};
    const formulation::max_load program(problem);
    const device_plan plan = program.decode(glpk(program.model()).value());
    EXPECT_TRUE(verify(problem, plan));
    EXPECT_EQ(plan.max_load_s, 7.0);
}

TEST(placement_programs, have_an_answer_when_the_solver_has_no_time) {
    const device_graph problem{.nodes = {{.cpu_s = 9, .accelerator_s = 1}}, .accelerators = 1, .cpus = 1};
    const formulation::latency latency(problem);
    const latency_plan on_host = latency.decode(ilp::null_solver{}(latency.model()).value());
    EXPECT_EQ(on_host.latency_s, 9.0);
    EXPECT_EQ(on_host.outcome, status::budget);
    EXPECT_TRUE(verify(problem, on_host));
    const formulation::max_load load(problem);
    const device_plan none = load.decode(ilp::null_solver{}(load.model()).value());
    EXPECT_EQ(none.outcome, status::budget);
    EXPECT_TRUE(none.devices.empty());
    EXPECT_EQ(none.lower_bound_s, 0.0);
}

// Counted by the formulas of the documentation: a chain of three with outputs, two accelerators and a host.
TEST(placement_programs, are_as_large_as_documented) {
    const device_node node{.cpu_s = 3, .accelerator_s = 1, .size_bytes = 2, .output_s = 1};
    const device_graph problem{.nodes = {node, node, node},
                               .edges = {{0, 1}, {1, 2}},
                               .accelerators = 2,
                               .cpus = 1,
                               .memory_bytes = 4};
    const ilp::model_size load = ilp::size_of(formulation::max_load(problem).model());
    EXPECT_EQ(load.whole_columns, 3u * (2 * 3 + 1));
    EXPECT_EQ(load.columns, 1u + load.whole_columns + 3 * 2);
    EXPECT_EQ(load.rows, 3u + 3 * (2 + 2 * 2 + 2 * 3 + 1) + 2 * 2 + 2);
    const ilp::model_size latency = ilp::size_of(formulation::latency(problem).model());
    EXPECT_EQ(latency.whole_columns, 2u * 2 * 3);
    EXPECT_EQ(latency.columns, 2u * 3 + 2 * 2 + 1 + latency.whole_columns + 2 * (2 * 2));
    EXPECT_EQ(latency.rows, 4u * 3 + 3 * 2 + 2 * (3 * 3 + 5 * 2 + 2) - 3);
}

} // namespace
