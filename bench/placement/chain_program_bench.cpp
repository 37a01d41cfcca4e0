// The exact chain program, general and specialised on its sizes, against a textbook program on the same
// problems.

#include "../../tests/placement/textbook.hpp"

#include <dovetail/placement/chain_program.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

constexpr std::size_t widths = 3;

// A transformer: an embedding, equal layers and a head, where a device holds few layers and their stashes.
template <std::size_t Layers>
fixed_layer_chain<Layers, widths> fixed_transformer() {
    fixed_layer_chain<Layers, widths> problem;
    link_as_chain(problem.edges);
    problem.devices = 1024;
    problem.micro_batches = 4096;
    problem.hbm_bytes = 64e9;
    problem.link_bytes_per_s = 4e9;
    for (std::size_t w = 0; w < widths; ++w) {
        auto& costs = problem.widths[w];
        costs.width = std::int64_t{1} << w;
        const double share = 1.0 / static_cast<double>(costs.width);
        for (layer& l : costs.layers)
            l = {.forward_s = 2e-3 * share + 2e-4,
                 .backward_s = 4e-3 * share + 4e-4,
                 .update_s = 1e-4 * share,
                 .resident_bytes = 4e9 * share,
                 .reduce_bytes = 5e8 * share,
                 .activation_bytes = 1e9 * share,
                 .stash_bytes = 1e9 * share,
                 .tensor_parallel = w > 0};
        costs.layers.front().resident_bytes *= 3.0;
        costs.layers.front().forward_s = 1e-4;
        costs.layers.back().reduce_bytes *= 2.0;
        for (double& bytes : costs.edge_bytes) bytes = 4e6;
    }
    return problem;
}

template <std::size_t Layers>
layer_graph transformer() {
    const auto fixed = fixed_transformer<Layers>();
    layer_graph problem;
    problem.edges.assign(fixed.edges.begin(), fixed.edges.end());
    problem.devices = fixed.devices;
    problem.micro_batches = fixed.micro_batches;
    problem.hbm_bytes = fixed.hbm_bytes;
    problem.link_bytes_per_s = fixed.link_bytes_per_s;
    for (const auto& costs : fixed.widths) {
        width_costs& copy = problem.widths.emplace_back();
        copy.width = costs.width;
        copy.layers.assign(costs.layers.begin(), costs.layers.end());
        copy.edge_bytes.assign(costs.edge_bytes.begin(), costs.edge_bytes.end());
    }
    return problem;
}

template <std::size_t Layers>
struct baseline {
    double time_per_batch_s = 0.0;
    double seconds = 0.0;

    // Processor time, measured once, in the same run as what is compared with it.
    static const baseline& measured() {
        static const baseline once = [] {
            const layer_graph problem = transformer<Layers>();
            baseline b;
            const std::clock_t start = std::clock();
            int runs = 0;
            do b.time_per_batch_s = test::textbook_program(problem)();
            while (++runs < 3 || std::clock() - start < CLOCKS_PER_SEC / 10);
            b.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / runs;
            return b;
        }();
        return once;
    }
};

template <std::size_t Layers, class Problem, class Workspace>
void run(benchmark::State& state, const Problem& problem, Workspace& workspace, objective charge) {
    const baseline<Layers>& textbook = baseline<Layers>::measured();
    const chain_program solve{.charge = charge};
    for (auto _ : state) benchmark::DoNotOptimize(solve(problem, workspace).time_per_batch_s);
    const double found = workspace.plan.time_per_batch_s;
    if (charge == objective::phaze &&
        std::abs(found - textbook.time_per_batch_s) > 1e-9 * textbook.time_per_batch_s)
        state.SkipWithError("the programs disagree");
    state.counters["times_textbook"] =
        benchmark::Counter(textbook.seconds, benchmark::Counter::kIsIterationInvariantRate);
}

template <std::size_t Layers, objective Charge>
void general(benchmark::State& state) {
    const layer_graph problem = transformer<Layers>();
    chain_workspace workspace;
    run<Layers>(state, problem, workspace, Charge);
}

template <std::size_t Layers, objective Charge>
void specialised(benchmark::State& state) {
    const auto problem = fixed_transformer<Layers>();
    static basic_chain_workspace<fixed_storage<Layers, widths>> workspace;
    run<Layers>(state, problem, workspace, Charge);
}

BENCHMARK_TEMPLATE(general, 14, objective::phaze);
BENCHMARK_TEMPLATE(specialised, 14, objective::phaze);
BENCHMARK_TEMPLATE(general, 14, objective::every_stage);
BENCHMARK_TEMPLATE(specialised, 14, objective::every_stage);
BENCHMARK_TEMPLATE(general, 26, objective::phaze);
BENCHMARK_TEMPLATE(specialised, 26, objective::phaze);
BENCHMARK_TEMPLATE(general, 26, objective::every_stage);
BENCHMARK_TEMPLATE(specialised, 26, objective::every_stage);

} // namespace
