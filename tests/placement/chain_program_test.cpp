#include <dovetail/placement/chain_program.hpp>

#include "placement/problems.hpp"
#include "placement/textbook.hpp"

#include <dovetail/placement/verify.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

TEST(chain_program, agrees_with_the_textbook_on_longer_chains) {
    int feasible = 0;
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
        random_source random(seed);
        const layer_graph problem =
            test::random_problem(random, {.max_layers = 26, .max_devices = 300, .even = seed % 2 == 0});
        const double expected = test::textbook_program(problem)();
        const plan found = chain_program{.charge = objective::phaze}(problem);
        EXPECT_TRUE(verify(problem, found, objective::phaze)) << "seed " << seed;
        if (std::isinf(expected)) {
            EXPECT_EQ(found.outcome, status::infeasible) << "seed " << seed;
            continue;
        }
        ++feasible;
        EXPECT_NEAR(found.time_per_batch_s, expected, 1e-12 * expected) << "seed " << seed;
    }
    EXPECT_GT(feasible, 60);
}

TEST(chain_program, charges_every_stage_no_less_than_the_first) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        random_source random(seed);
        const layer_graph problem =
            test::random_problem(random, {.max_layers = 40, .max_devices = 500, .even = seed % 2 == 0});
        const plan first = chain_program{.charge = objective::phaze}(problem);
        const plan every = chain_program{.charge = objective::every_stage}(problem);
        EXPECT_TRUE(verify(problem, every, objective::every_stage)) << "seed " << seed;
        EXPECT_EQ(first.outcome, every.outcome);
        EXPECT_GE(every.time_per_batch_s, first.time_per_batch_s * (1.0 - 1e-12));
    }
}

TEST(chain_program, answers_alike_in_memory_that_is_kept) {
    chain_workspace workspace;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        random_source random(seed);
        const layer_graph problem = test::random_problem(random, {.max_layers = 12});
        for (const objective charge : {objective::phaze, objective::every_stage}) {
            const plan fresh = chain_program{charge}(problem);
            const plan& kept = chain_program{charge}(problem, workspace);
            EXPECT_EQ(kept.outcome, fresh.outcome);
            EXPECT_EQ(kept.time_per_batch_s, fresh.time_per_batch_s);
            EXPECT_EQ(kept.stages, fresh.stages);
            EXPECT_EQ(kept.order, fresh.order);
            EXPECT_EQ(kept.data_parallel, fresh.data_parallel);
        }
    }
}

TEST(chain_program, answers_alike_in_fixed_storage) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        random_source random(seed);
        layer_graph problem = test::random_problem(random, {.max_layers = 1});
        fixed_layer_chain<6, 2> fixed;
        link_as_chain(fixed.edges);
        problem.edges.assign(fixed.edges.begin(), fixed.edges.end());
        problem.hbm_bytes = fixed.hbm_bytes = 150.0;
        problem.devices = fixed.devices = random.integer(1, 20);
        fixed.micro_batches = problem.micro_batches;
        fixed.link_bytes_per_s = problem.link_bytes_per_s;
        fixed.recompute = problem.recompute;
        problem.widths.resize(2);
        for (std::size_t w = 0; w < 2; ++w) {
            problem.widths[w].width = fixed.widths[w].width = w == 0 ? 1 : 4;
            for (layer& l : fixed.widths[w].layers)
                l = {.forward_s = random.real(),
                     .backward_s = random.real(),
                     .resident_bytes = static_cast<double>(random.integer(0, 40)),
                     .reduce_bytes = random.real(0.0, 30.0),
                     .stash_bytes = static_cast<double>(random.integer(0, 20)),
                     .tensor_parallel = w == 1 && random.real() < 0.7};
            for (double& bytes : fixed.widths[w].edge_bytes)
                bytes = static_cast<double>(random.integer(0, 9));
            problem.widths[w].layers.assign(fixed.widths[w].layers.begin(), fixed.widths[w].layers.end());
            problem.widths[w].edge_bytes.assign(fixed.widths[w].edge_bytes.begin(),
                                                fixed.widths[w].edge_bytes.end());
        }
        for (const objective charge : {objective::phaze, objective::every_stage}) {
            const plan general = chain_program{charge}(problem);
            const auto special = chain_program{charge}(fixed);
            EXPECT_EQ(special.time_per_batch_s, general.time_per_batch_s);
            EXPECT_EQ(special.tensor_parallel, general.tensor_parallel);
            EXPECT_EQ(special.data_parallel, general.data_parallel);
            ASSERT_EQ(special.stages.size(), general.stages.size());
            for (std::size_t s = 0; s < general.stages.size(); ++s)
                EXPECT_EQ(special.stages[s], general.stages[s]);
        }
    }
}

TEST(chain_program, prefers_the_narrower_and_the_shorter_of_equals) {
    layer_graph problem;
    problem.devices = 4;
    problem.widths.resize(2);
    for (std::int64_t w = 0; w < 2; ++w) {
        problem.widths[static_cast<std::size_t>(w)].width = w + 1;
        problem.widths[static_cast<std::size_t>(w)].layers = {{.forward_s = 1.0}, {.forward_s = 0.0}};
        problem.widths[static_cast<std::size_t>(w)].edge_bytes = {0.0};
    }
    problem.edges = {{0, 1}};
    const plan found = chain_program{}(problem);
    EXPECT_EQ(found.tensor_parallel, 1);
    EXPECT_EQ(found.stages.size(), 1U);
    EXPECT_EQ(found.data_parallel, 1);
    EXPECT_EQ(found.devices(), 1);
    EXPECT_DOUBLE_EQ(found.time_per_batch_s, 1.0);
}

TEST(chain_program, takes_a_thousand_layers_and_a_hundred_thousand_devices) {
    random_source random(5);
    layer_graph problem;
    problem.devices = 100'000;
    problem.micro_batches = 1'000'000;
    problem.link_bytes_per_s = 1e9;
    problem.widths.resize(1);
    for (int v = 0; v < 1000; ++v)
        problem.widths[0].layers.push_back({.forward_s = random.real(0.5, 1.5), .backward_s = 1.0});
    problem.widths[0].edge_bytes.assign(999, 1e6);
    problem.edges.resize(999);
    link_as_chain(problem.edges);
    const plan found = chain_program{.charge = objective::phaze}(problem);
    EXPECT_TRUE(verify(problem, found, objective::phaze));
    EXPECT_EQ(found.stages.size(), 1U) << "without a limit on memory a single stage wastes least";
    EXPECT_EQ(found.data_parallel, 100'000);
}

} // namespace
