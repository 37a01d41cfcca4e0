#include <dovetail/placement/pipeline_program.hpp>

#include "placement/problems.hpp"

#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/pipeline.hpp>
#include <dovetail/placement/smallest_pipeline_hbm.hpp>
#include <dovetail/placement/verify_pipeline.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::placement {
namespace {

/// A random chain with all that a wide plan space asks for.
layer_graph random_chain(random_source& random, std::int64_t max_layers, std::int64_t max_devices) {
    layer_graph problem =
        test::random_problem(random, {.max_layers = max_layers, .max_devices = max_devices});
    for (width_costs& costs : problem.widths)
        for (layer& l : costs.layers) {
            l.weight_gradient_s = l.backward_s * random.real();
            l.attention_forward_s = l.forward_s * random.real();
            l.attention_stash_bytes =
                static_cast<double>(random.integer(0, static_cast<std::int64_t>(l.stash_bytes)));
            l.optimizer_bytes =
                static_cast<double>(random.integer(0, static_cast<std::int64_t>(l.resident_bytes)));
        }
    problem.micro_batches = random.integer(1, 16);
    return problem;
}

plan_space random_space(random_source& random, const layer_graph& problem) {
    plan_space space{.charge = random.real() < 0.3 ? objective::phaze : objective::every_stage,
                     .choose_recomputation = random.real() < 0.5,
                     .shard_optimizer = random.real() < 0.5,
                     .overlap_reduction = random.real() < 0.5,
                     .count_short_batches = random.real() < 0.5};
    if (random.real() < 0.5)
        space.node = {.devices = random.integer(1, 6),
                      .link_bytes_per_s = problem.link_bytes_per_s * random.real(0.5, 8.0),
                      .tensor_across = random.real() < 0.5};
    return space;
}

/// The least time over every width, cut, way to recompute and number of replicas.
template <class Policy>
double try_every_pipeline(const Policy& policy, const plan_space& space, const layer_graph& problem) {
    double best = std::numeric_limits<double>::infinity();
    const std::size_t n = problem.layer_count();
    for (const width_costs& costs : problem.widths) {
        const pipeline_evaluator<Policy> evaluate(policy, space, problem, costs);
        for (std::size_t cuts = 0; cuts < std::size_t{1} << (n - 1); ++cuts) {
            plan trial;
            for (std::size_t v = 0; v < n; ++v) {
                if (v == 0 || (cuts >> (v - 1) & 1) != 0)
                    trial.stages.push_back({.begin = static_cast<std::uint32_t>(v)});
                trial.stages.back().end = static_cast<std::uint32_t>(v + 1);
            }
            if (trial.stages.size() % policy.chunks() != 0) continue;
            std::size_t ways = 1;
            if (space.choose_recomputation)
                for (std::size_t s = 0; s < trial.stages.size(); ++s) ways *= 3;
            const std::size_t devices = trial.stages.size() / policy.chunks(); // at least
            const auto most =
                std::min(problem.micro_batches, problem.devices / static_cast<std::int64_t>(devices));
            for (std::size_t way = 0; way < ways; ++way) {
                std::size_t rest = way;
                for (stage& s : trial.stages) {
                    s.repeats = static_cast<recomputation>(rest % 3);
                    rest /= 3;
                    if (!space.choose_recomputation && problem.recompute && &s != &trial.stages.back())
                        s.repeats = recomputation::full;
                }
                for (std::int64_t d = 1; d <= most; ++d) {
                    trial.data_parallel = d;
                    if (const auto found = evaluate(trial)) best = std::min(best, found->time_per_batch_s);
                }
            }
        }
    }
    return best;
}

template <class Policy>
class PipelineProgram : public ::testing::Test {};

using policies =
    ::testing::Types<gpipe, one_forward_one_backward, interleaved, zero_bubble_h1, zero_bubble_h2>;
TYPED_TEST_SUITE(PipelineProgram, policies, );

template <class Policy>
void expect_best_of(std::uint64_t first_seed, int instances) {
    int feasible = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(instances); ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const layer_graph problem = random_chain(random, 5, 16);
        const plan_space space = random_space(random, problem);
        ASSERT_TRUE(validate(space));
        const Policy policy{};
        const double expected = try_every_pipeline(policy, space, problem);
        const plan found = pipeline_program<Policy>{policy, space}(problem);
        const auto verified = verify(problem, found, policy, space);
        EXPECT_TRUE(verified) << verified.problem().line();
        EXPECT_EQ(found.outcome, std::isinf(expected) ? status::infeasible : status::optimal);
        if (std::isinf(expected)) continue;
        ++feasible;
        EXPECT_NEAR(found.time_per_batch_s, expected, 1e-12 * expected);
    }
    EXPECT_GT(feasible, instances / 4);
}

TYPED_TEST(PipelineProgram, IsAsGoodAsEveryPlanThereIs) { expect_best_of<TypeParam>(0, 150); }

template <class Policy>
class long_pipeline_program : public ::testing::Test {};
TYPED_TEST_SUITE(long_pipeline_program, policies, );

TYPED_TEST(long_pipeline_program, is_as_good_as_every_plan_there_is) { expect_best_of<TypeParam>(150, 2000); }

TYPED_TEST(PipelineProgram, NamesTheSmallestMemoryThatFits) {
    int bound = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        layer_graph problem = random_chain(random, 7, 16);
        const pipeline_program<TypeParam> solve{{}, random_space(random, problem)};
        const hbm_need need = smallest_hbm(problem, solve);
        if (need.tensor_parallel == 0) {
            problem.hbm_bytes = 1e12;
            EXPECT_EQ(solve(problem).outcome, status::infeasible);
            continue;
        }
        if (need.bytes == 0.0) continue;
        ++bound;
        problem.hbm_bytes = need.bytes;
        EXPECT_EQ(solve(problem).outcome, status::optimal);
        problem.hbm_bytes = need.bytes * (1 - 1e-9);
        EXPECT_EQ(solve(problem).outcome, status::infeasible);
    }
    EXPECT_GT(bound, 150);
}

TYPED_TEST(PipelineProgram, AnswersAlikeInMemoryThatIsKept) {
    pipeline_workspace workspace;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        random_source random(seed);
        const layer_graph problem = random_chain(random, 8, 40);
        const pipeline_program<TypeParam> solve{{}, random_space(random, problem)};
        const plan fresh = solve(problem);
        const plan& kept = solve(problem, workspace);
        EXPECT_EQ(kept.time_per_batch_s, fresh.time_per_batch_s);
        EXPECT_EQ(kept.stages, fresh.stages);
        EXPECT_EQ(kept.data_parallel, fresh.data_parallel);
    }
}

/// The simulated time of a plan without its tail.
template <class Policy>
double simulated_s(const Policy& policy, const layer_graph& problem, const plan& found) {
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const auto& w) { return w.width == found.tensor_parallel; });
    std::vector<stage_times> times;
    for (const stage& s : found.stages) {
        stage_times t;
        for (std::size_t v = s.begin; v < s.end; ++v) {
            t.forward_s += costs->layers[v].forward_s;
            t.weight_gradient_s += costs->layers[v].weight_gradient_s;
        }
        if (s.begin > 0) t.forward_s += costs->edge_bytes[s.begin - 1] / problem.link_bytes_per_s;
        t.backward_s = s.load_s - t.forward_s;
        times.push_back(t);
    }
    const auto m = static_cast<std::size_t>(ceil_div(problem.micro_batches, found.data_parallel));
    return simulate(policy, times, m).period_s();
}

TYPED_TEST(PipelineProgram, ChargesNoLessThanThePipelineTakes) {
    constexpr bool bound = TypeParam::rest_grows; // the zero-bubble charges are estimates
    double most = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        random_source random(seed);
        const layer_graph problem = random_chain(random, 9, 30);
        const TypeParam policy{};
        const plan found = pipeline_program<TypeParam>{policy, {}}(problem);
        if (found.outcome != status::optimal) continue;
        double tail = 0;
        for (const stage& s : found.stages)
            tail = std::max(tail, static_cast<double>(policy.chunks()) * s.tail_s);
        const double charged = found.time_per_batch_s - tail;
        if (charged > 0) most = std::max(most, simulated_s(policy, problem, found) / charged);
    }
    EXPECT_GT(most, 0.9);
    EXPECT_LE(most, bound ? 1.0 + 1e-9 : 1.15);
}

TEST(PipelineProgramOff, IsPhazesProblem) {
    int feasible = 0;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        const layer_graph problem =
            test::random_problem(random, {.max_layers = 24, .max_devices = 300, .even = seed % 2 == 0});
        for (const objective charge : {objective::phaze, objective::every_stage}) {
            const plan tuned = chain_program{charge}(problem);
            const plan found = pipeline_program<>{.space = {.charge = charge}}(problem);
            EXPECT_TRUE(verify(problem, found, charge));
            EXPECT_EQ(found.outcome, tuned.outcome);
            if (tuned.outcome == status::infeasible) continue;
            ++feasible;
            EXPECT_NEAR(found.time_per_batch_s, tuned.time_per_batch_s, 1e-12 * tuned.time_per_batch_s);
        }
    }
    EXPECT_GT(feasible, 600);
}

TEST(PipelineProgramSpace, NeverLosesByAChoice) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        random_source random(seed);
        layer_graph problem = random_chain(random, 10, 60);
        problem.recompute = false;
        const double plain = pipeline_program<>{}(problem).time_per_batch_s;
        const double chosen =
            pipeline_program<>{.space = {.choose_recomputation = true}}(problem).time_per_batch_s;
        const double sharded =
            pipeline_program<>{.space = {.shard_optimizer = true}}(problem).time_per_batch_s;
        const double overlapped =
            pipeline_program<>{.space = {.overlap_reduction = true}}(problem).time_per_batch_s;
        const double slack = 1 + 1e-12;
        EXPECT_LE(chosen, plain * slack);
        EXPECT_LE(sharded, plain * slack);
        EXPECT_LE(overlapped, plain * slack);
        problem.recompute = true;
        EXPECT_LE(chosen, pipeline_program<>{}(problem).time_per_batch_s * slack);
    }
}

TEST(PipelineProgramSpace, KeepsTensorGroupsInsideANodeUnlessToldOtherwise) {
    layer_graph problem;
    problem.devices = 16;
    problem.micro_batches = 4;
    problem.link_bytes_per_s = 10.0;
    problem.widths.resize(2);
    for (std::size_t w = 0; w < 2; ++w) {
        problem.widths[w].width = w == 0 ? 1 : 8;
        problem.widths[w].layers = {{.forward_s = w == 0 ? 8.0 : 1.0, .tensor_parallel = true}};
    }
    plan_space space{.node = {.devices = 4, .link_bytes_per_s = 100.0}};
    EXPECT_EQ(pipeline_program<>{.space = space}(problem).tensor_parallel, 1);
    space.node.tensor_across = true;
    EXPECT_EQ(pipeline_program<>{.space = space}(problem).tensor_parallel, 8);
}

TEST(PlanSpace, ReducesInsideANodeFirst) {
    // Eight replicas of four devices: two share a node of eight, four nodes.
    const node_layout node{.devices = 8, .link_bytes_per_s = 100.0};
    EXPECT_DOUBLE_EQ(reduction_s(1000.0, 8, 4, 10.0, node),
                     2.0 * (1.0 / 2) * 1000.0 / 100.0 + 2.0 * (3.0 / 4) * 500.0 / 10.0);
    EXPECT_DOUBLE_EQ(reduction_s(1000.0, 8, 4, 10.0, {}), 2.0 * (7.0 / 8) * 1000.0 / 10.0);
    EXPECT_EQ(node.usable(20, 3), 6 + 6 + 3);
    EXPECT_FALSE(validate(plan_space{.node = {.devices = -1}}));
    const auto without = validate(plan_space{.node = {.devices = 4}});
    ASSERT_FALSE(without);
    EXPECT_EQ(without.problem().line(), "node.link_bytes_per_s: it is 0; it must be positive");
}

} // namespace
} // namespace dovetail::placement
