// Placements that are ended early: whenever that is, the plan and the bound are sound.
#include "placement/latency_problems.hpp"
#include "placement/max_load_oracle.hpp"
#include "placement/problems.hpp"
#include "placement/variant_problems.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/explain.hpp>
#include <dovetail/placement/latency_program.hpp>
#include <dovetail/placement/max_load_program.hpp>
#include <dovetail/placement/pipeline_program.hpp>
#include <dovetail/placement/smallest_hbm.hpp>
#include <dovetail/placement/smallest_pipeline_hbm.hpp>
#include <dovetail/placement/smallest_variant_hbm.hpp>
#include <dovetail/placement/variant_program.hpp>
#include <dovetail/placement/verify.hpp>
#include <dovetail/placement/verify_device_plan.hpp>
#include <dovetail/placement/verify_latency.hpp>
#include <dovetail/placement/verify_pipeline.hpp>
#include <dovetail/placement/verify_variants.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace dovetail::placement {
namespace {

// From no time at all to plenty for every problem here.
constexpr std::array limits_s{0.0, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 60.0};

/// What holds of every plan that a limit leaves: `solve(spending*)` solves, `check(plan)` verifies.
template <class Solve, class Check>
void expect_sound_at_any_time(const Solve& solve, const Check& check, int& ended) {
    const plan best = solve(nullptr);
    for (const double seconds : limits_s) {
        SCOPED_TRACE(seconds);
        spending spent(budget{.seconds = seconds});
        const plan found = solve(&spent);
        if (found.outcome != status::budget) {
            EXPECT_EQ(found.outcome, best.outcome);
            EXPECT_EQ(found.time_per_batch_s, best.time_per_batch_s);
            EXPECT_EQ(found.stages, best.stages);
            continue;
        }
        ++ended;
        EXPECT_TRUE(spent.exhausted());
        if (found.stages.empty()) continue;
        check(found);
        EXPECT_NE(best.outcome, status::infeasible);
        EXPECT_GE(found.time_per_batch_s, best.time_per_batch_s * (1 - 1e-12));
    }
}

TEST(Stopping, LeavesASoundPlanOfAnyGraph) {
    int ended = 0;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        test::problem_shape shape{.max_layers = 9};
        if (seed % 2 == 0) shape.missing_links = 0.3;
        const layer_graph problem = test::random_problem(random, shape);
        for (const objective charge : {objective::phaze, objective::every_stage})
            expect_sound_at_any_time(
                [&](spending* spent) {
                    return exact_program{.charge = charge, .spent = spent}(problem).value();
                },
                [&](const plan& found) { EXPECT_TRUE(verify(problem, found, charge)); }, ended);
    }
    EXPECT_GE(ended, 48) << "once a problem at least: where there is no time";
}

TEST(Stopping, LeavesASoundPipelineUnderAnySchedule) {
    int ended = 0;
    const auto expect = [&]<class Policy>(const Policy& policy) {
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            SCOPED_TRACE(seed);
            random_source random(seed);
            const layer_graph problem = test::random_problem(random, {.max_layers = 12});
            const plan_space space{.choose_recomputation = seed % 2 == 0, .shard_optimizer = true};
            expect_sound_at_any_time(
                [&](spending* spent) {
                    return pipeline_program<Policy>{policy, space, spent}(problem);
                },
                [&](const plan& found) { EXPECT_TRUE(verify(problem, found, policy, space)); }, ended);
        }
    };
    expect(one_forward_one_backward{});
    expect(zero_bubble_h2{});
    EXPECT_GE(ended, 80);
}

TEST(Stopping, LeavesASoundPipelineOfVariants) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const variant_graph problem = test::random_variant_problem(
            random, {.max_layers = 12, .max_devices = 16, .skip_density = 0.2, .missing_links = 0.2});
        const variant_plan best = variant_program{}(problem).value();
        for (const double seconds : limits_s) {
            const variant_plan found = variant_program{.seconds = seconds}(problem).value();
            EXPECT_TRUE(verify(problem, found));
            if (found.outcome != status::budget) {
                EXPECT_EQ(found.outcome, best.outcome);
                EXPECT_EQ(found.time_s, best.time_s);
                continue;
            }
            if (best.outcome != status::optimal) continue;
            EXPECT_LE(found.lower_bound_s, best.time_s * (1 + 1e-9));
            EXPECT_GE(found.time_s, best.time_s * (1 - 1e-9));
        }
        EXPECT_EQ(variant_program{.seconds = 0}(problem)->outcome, status::budget);
    }
}

TEST(Stopping, LeavesASoundPlacementOnDevices) {
    stop_request stop;
    stop.ask();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const device_graph loads = test::random_device_graph(random, 14);
        const device_plan least = max_load_program{}(loads);
        const auto by_latency =
            test::random_device_graph(random, test::device_shape{.max_nodes = 10, .max_accelerators = 2});
        const latency_plan soonest = latency_program{}(by_latency).value();
        for (const double seconds : limits_s) {
            const device_plan load = max_load_program{.limits = {.seconds = seconds}}(loads);
            if (load.outcome != status::budget) {
                EXPECT_EQ(load.outcome, least.outcome);
            }
            if (!load.devices.empty()) {
                EXPECT_TRUE(verify(loads, load));
            }
            if (least.outcome == status::optimal) {
                EXPECT_LE(load.lower_bound_s, least.max_load_s);
            }
            const latency_plan latency =
                latency_program{.limits = {.seconds = seconds}, .threads = 2}(by_latency).value();
            EXPECT_TRUE(verify(by_latency, latency));
            EXPECT_LE(latency.lower_bound_s, soonest.latency_s * (1 + 1e-9));
            EXPECT_GE(latency.latency_s, soonest.latency_s * (1 - 1e-9));
        }
        EXPECT_TRUE(verify(by_latency, *latency_program{.limits = {.stop = &stop}}(by_latency)));
    }
}

// What is told of a problem is either proved, or said not to be.
TEST(Stopping, LeavesNoReasonThatIsNotProved) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const layer_graph problem = test::random_problem(random, {.max_layers = 12});
        const pipeline_program<> pipeline{};
        const variant_graph variants = test::random_variant_problem(random, {.max_layers = 10});
        const hbm_need chain_need = smallest_hbm(problem).value();
        const hbm_need pipeline_need = smallest_hbm(problem, pipeline);
        const variant_hbm_need variant_need = smallest_hbm(variants).value();
        EXPECT_TRUE(chain_need.proved && pipeline_need.proved && variant_need.proved);
        for (const double seconds : limits_s) {
            spending one(budget{.seconds = seconds}), other(budget{.seconds = seconds});
            if (const auto need = smallest_hbm(problem, 2048, &one).value(); need.proved) {
                EXPECT_EQ(need.bytes, chain_need.bytes);
            } else {
                EXPECT_GE(need.bytes, chain_need.bytes);
            }
            pipeline_program<> timed = pipeline;
            timed.spent = &other;
            if (const auto need = smallest_hbm(problem, timed); need.proved) {
                EXPECT_EQ(need.bytes, pipeline_need.bytes);
            }
            const auto need = smallest_hbm(variants, 1U << 16, {.seconds = seconds}).value();
            if (need.proved) {
                EXPECT_EQ(need.bytes, variant_need.bytes);
                EXPECT_EQ(need.fewest_devices, variant_need.fewest_devices);
            }
        }
        const plan best = exact_program{}(problem).value();
        if (best.outcome != status::optimal) continue;
        spending none(budget{.seconds = 0});
        EXPECT_FALSE(explain(problem, best, exact_program{.spent = &none})->complete);
        EXPECT_TRUE(explain(problem, best, exact_program{})->complete);
    }
}

} // namespace
} // namespace dovetail::placement
