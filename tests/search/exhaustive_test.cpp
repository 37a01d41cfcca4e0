#include <dovetail/search/exhaustive.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/verify.hpp>
#include <dovetail/search/area_ordered.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/random_sample.hpp>
#include <search/support.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::search {
namespace {

using test::small_model;
using test::small_options;
using test::small_space;
using test::test_evaluator;

struct fixture {
    plan_options options = small_options();
    workload_profile profile = small_model(options);
    test_evaluator evaluate{profile, options, cost::optimizer::adam};
};

/// Every kept chip under every setting, one call at a time.
double best_by_brute_force(const fixture& f, double largest_um2 = 3e8) {
    double best = 0;
    test_evaluator::memory memory(f.evaluate);
    for (const auto& design : hardware::kept_designs(small_space(largest_um2)).value())
        for (const setting& s : settings_of(f.options)) {
            const placement::plan& plan = f.evaluate(design.chip, s, memory);
            if (plan.outcome == status::optimal)
                best = std::max(best, static_cast<double>(f.options.global_batch) / plan.time_per_batch_s);
        }
    return best;
}

TEST(Exhaustive, FindsTheBestOfAllChipsAndSettings) {
    const fixture f;
    const outcome found = exhaustive{}(small_space(), f.evaluate).value();
    EXPECT_EQ(found.status, status::optimal);
    EXPECT_TRUE(found.search.complete);
    EXPECT_EQ(found.search.evaluated, hardware::kept_designs(small_space()).value().size());
    EXPECT_EQ(found.search.pruned, 0u);
    EXPECT_EQ(found.best.throughput_samples_per_s, best_by_brute_force(f));
    EXPECT_TRUE(placement::verify(found.best.problem, found.best.plan, placement::objective::every_stage));
}

TEST(Exhaustive, OneThreadOrManyGiveTheSameOutcome) {
    const fixture f;
    const outcome one = exhaustive{{.threads = 1}}(small_space(), f.evaluate).value();
    const outcome many = exhaustive{{.threads = 5}}(small_space(), f.evaluate).value();
    EXPECT_EQ(one.best.chip, many.best.chip);
    EXPECT_EQ(one.best.plan.stages, many.best.plan.stages);
    ASSERT_EQ(one.designs.size(), many.designs.size());
    for (std::size_t i = 0; i < one.designs.size(); ++i) {
        EXPECT_EQ(one.designs[i].position, many.designs[i].position);
        EXPECT_EQ(one.designs[i].throughput_samples_per_s, many.designs[i].throughput_samples_per_s);
    }
}

TEST(Exhaustive, TheReferenceChipHasItsOwnBestPlan) {
    const fixture f;
    const outcome found = exhaustive{}(small_space(), f.evaluate).value();
    test_evaluator::memory memory(f.evaluate);
    const auto settings = settings_of(f.options);
    EXPECT_EQ(found.baseline.throughput_samples_per_s,
              f.evaluate(hardware::tpuv4_like, settings, memory).throughput_samples_per_s);
    EXPECT_NEAR(found.baseline.area_um2, 278826676.312160, 1e-3);
}

TEST(Exhaustive, AnAreaNothingReachesIsInfeasibleAndNamed) {
    const fixture f;
    const outcome found = exhaustive{{.max_area_mm2 = 0.5}}(small_space(), f.evaluate).value();
    EXPECT_EQ(found.status, status::infeasible);
    EXPECT_FALSE(found.best.feasible());
    EXPECT_TRUE(
        found.binding.starts_with("area: the limit is 0.5 mm^2, the smallest chip of the family takes "))
        << found.binding;
}

TEST(Exhaustive, AMemoryNothingFitsIsInfeasibleAndNamed) {
    fixture f;
    f.options.hbm_gib = {0.01};
    const test_evaluator evaluate(f.profile, f.options, cost::optimizer::adam);
    const outcome found = exhaustive{}(small_space(), evaluate).value();
    EXPECT_EQ(found.status, status::infeasible);
    EXPECT_TRUE(
        found.binding.starts_with("memory: a device has at most 0.01 GiB, and the leanest plan needs "))
        << found.binding;
    // It says which plan that is: given what it needs, the search finds one, with the choices named.
    const std::string_view text = found.binding;
    EXPECT_NE(text.find("for stage "), text.npos) << text;
    EXPECT_NE(text.find(": micro-batches of " + to_text(f.options.micro_batches.front()) + ", tensor width "),
              text.npos)
        << text;
    EXPECT_NE(text.find("recomputation"), text.npos) << text;
}

TEST(Exhaustive, TheMemoryNeededIsThatOfTheSmallestMicroBatch) {
    const auto need = [](std::vector<std::int64_t> micro_batches) {
        plan_options options = small_options();
        options.micro_batches = std::move(micro_batches);
        options.hbm_gib = {0.01};
        const workload_profile profile = small_model(options);
        const test_evaluator evaluate(profile, options, cost::optimizer::adam);
        return exhaustive{}(small_space(), evaluate).value().binding;
    };
    EXPECT_EQ(need({4, 1}), need({1}));
    EXPECT_NE(need({4}), need({1}));
}

TEST(Exhaustive, ATimeLimitReturnsTheBudgetStatus) {
    const fixture f;
    const outcome found = exhaustive{{.time_limit_s = 0}}(small_space(), f.evaluate).value();
    EXPECT_NE(found.status, status::optimal);
    EXPECT_FALSE(found.search.complete);
    EXPECT_EQ(found.search.evaluated + found.search.pruned,
              hardware::kept_designs(small_space()).value().size());
}

TEST(Exhaustive, OptionsOutsideTheirRangeAreRefused) {
    const fixture f;
    const auto refused =
        exhaustive{{.max_area_mm2 = std::numeric_limits<double>::quiet_NaN()}}(small_space(), f.evaluate);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().line(),
              "option --max-area: its value is 'nan'; it must be a number, at least 0");
}

TEST(Exhaustive, AFamilyThatKeepsNothingIsRefused) {
    const fixture f;
    const auto refused = exhaustive{}(small_space(1.0), f.evaluate);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, errc::empty_space);
}

TEST(AreaOrdered, NeverBeatsTheExhaustiveSearchAndStopsEarlier) {
    const fixture f;
    const outcome all = exhaustive{}(small_space(), f.evaluate).value();
    const outcome some = area_ordered{{.hysteresis = 3}}(small_space(), f.evaluate).value();
    EXPECT_LE(some.best.throughput_samples_per_s, all.best.throughput_samples_per_s);
    EXPECT_GT(some.best.throughput_samples_per_s, 0);
    EXPECT_LT(some.search.evaluated, all.search.evaluated);
    EXPECT_EQ(some.search.evaluated + some.search.pruned, all.search.evaluated);
    EXPECT_FALSE(some.search.complete);
    EXPECT_EQ(some.status, status::feasible);
}

TEST(AreaOrdered, WithoutItsRuleItIsExhaustive) {
    const fixture f;
    const outcome all = exhaustive{}(small_space(), f.evaluate).value();
    const outcome same = area_ordered{{.hysteresis = 1'000'000}}(small_space(), f.evaluate).value();
    EXPECT_EQ(same.best.chip, all.best.chip);
    EXPECT_TRUE(same.search.complete);
    EXPECT_EQ(same.status, status::optimal);
}

TEST(RandomSample, DrawsTheSameDesignsForTheSameSeedAndNoneTwice) {
    const fixture f;
    const random_sample draw{{.samples = 10, .seed = 3}};
    const outcome a = draw(small_space(), f.evaluate).value();
    const outcome b = draw(small_space(), f.evaluate).value();
    std::set<std::size_t> positions;
    for (std::size_t i = 0; i < a.designs.size(); ++i) {
        EXPECT_EQ(a.designs[i].position, b.designs[i].position);
        positions.insert(a.designs[i].position);
    }
    EXPECT_EQ(positions.size(), 10u);
    const outcome everything = random_sample{{.samples = 1000}}(small_space(), f.evaluate).value();
    EXPECT_EQ(everything.best.throughput_samples_per_s, best_by_brute_force(f));
}

TEST(Frontier, RisesInAreaAndThroughputAndDominatesEveryDesign) {
    const fixture f;
    const outcome found = exhaustive{}(small_space(), f.evaluate).value();
    const auto front = frontier(found.designs);
    ASSERT_FALSE(front.empty());
    for (std::size_t i = 1; i < front.size(); ++i) {
        EXPECT_GT(front[i].area_um2, front[i - 1].area_um2);
        EXPECT_GT(front[i].throughput_samples_per_s, front[i - 1].throughput_samples_per_s);
    }
    for (const evaluated_design& d : found.designs)
        EXPECT_TRUE(std::any_of(front.begin(), front.end(), [&](const evaluated_design& x) {
            return x.area_um2 <= d.area_um2 && x.throughput_samples_per_s >= d.throughput_samples_per_s;
        }));
}

TEST(Breakdown, AddsUpToTheTimeOfTheBatch) {
    const fixture f;
    test_evaluator::memory memory(f.evaluate);
    for (const auto& design : hardware::kept_designs(small_space()).value())
        for (const setting& s : settings_of(f.options)) {
            const placement::plan plan = f.evaluate(design.chip, s, memory);
            if (plan.outcome != status::optimal) continue;
            const batch_breakdown parts = break_down(memory.problem(), plan);
            EXPECT_NEAR(parts.total_s(), plan.time_per_batch_s, 1e-9 * plan.time_per_batch_s);
            for (const double part : {parts.forward_s, parts.backward_s, parts.recompute_s, parts.transfer_s,
                                      parts.bubble_s, parts.reduction_s, parts.update_s})
                EXPECT_GE(part, 0.0);
            const auto stages = times_of(memory.problem(), plan);
            for (std::size_t k = 0; k < stages.size(); ++k)
                EXPECT_NEAR(stages[k].forward_s + stages[k].backward_s, plan.stages[k].load_s, 1e-12);
            const auto m =
                static_cast<std::size_t>(ceil_div(memory.problem().micro_batches, plan.data_parallel));
            const double end = placement::simulate(placement::one_forward_one_backward{}, stages, m).end_s();
            EXPECT_LE(end, plan.time_per_batch_s * (1 + 1e-9));
        }
}

// A part of which nothing is left is zero, not what the rounding of a sum leaves over: without links to wait
// for there are no transfers, and without replicas no reduction, whatever the layers take.
TEST(Breakdown, RoundingIsNoTime) {
    random_source source(11);
    int sums_that_round = 0;
    for (int round = 0; round < 300; ++round) {
        placement::layer_graph problem;
        placement::width_costs costs{.width = 1};
        const std::size_t layers = 3 + static_cast<std::size_t>(source.integer(0, 60));
        double forwards_first = 0;
        double layer_by_layer = 0;
        double backwards = 0;
        for (std::size_t i = 0; i < layers; ++i) {
            placement::layer layer;
            layer.forward_s = 1e-3 * source.real();
            layer.backward_s = 2e-3 * source.real();
            layer.update_s = 1e-4 * source.real();
            layer.resident_bytes = 100;
            forwards_first += layer.forward_s;
            backwards += layer.backward_s;
            layer_by_layer += layer.forward_s + layer.backward_s;
            costs.layers.push_back(layer);
            if (i + 1 < layers) {
                problem.edges.push_back({static_cast<graph::index>(i), static_cast<graph::index>(i + 1)});
                costs.edge_bytes.push_back(1000);
            }
        }
        if (forwards_first + backwards != layer_by_layer) ++sums_that_round;
        problem.widths.push_back(std::move(costs));
        problem.devices = 1;
        problem.hbm_bytes = 1e12;
        problem.link_bytes_per_s = 1e9;
        problem.micro_batches = source.integer(1, 100);
        const placement::plan plan = placement::chain_program{placement::objective::every_stage}(problem);
        ASSERT_EQ(plan.stages.size(), 1u);
        const batch_breakdown parts = break_down(problem, plan);
        EXPECT_EQ(parts.transfer_s, 0.0);
        EXPECT_EQ(parts.reduction_s, 0.0);
        EXPECT_EQ(parts.bubble_s, 0.0);
        EXPECT_NEAR(parts.total_s(), plan.time_per_batch_s, 1e-14 * plan.time_per_batch_s);
        const auto batches = static_cast<double>(problem.micro_batches);
        EXPECT_NEAR(parts.backward_s, backwards * batches, 1e-12 * parts.backward_s);
    }
    EXPECT_GT(sums_that_round, 100) << "the order of the terms matters";
}

} // namespace
} // namespace dovetail::search
