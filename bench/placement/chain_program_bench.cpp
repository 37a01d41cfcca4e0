// The exact chain program, general and specialised on its sizes, against a textbook program on the same
// problems.

#include "../../tests/placement/textbook.hpp"
#include "transformer.hpp"

#include <dovetail/placement/chain_program.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace {

using namespace dovetail;
using namespace dovetail::placement;
using namespace dovetail::bench;

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

// Where a table over devices cannot go: thousands of layers, a hundred thousand devices. The cost grows with
// layers and stages, not with devices.
void long_chain(benchmark::State& state) {
    const auto layers = static_cast<std::size_t>(state.range(0));
    layer_graph problem = transformer<26>();
    problem.devices = state.range(1);
    problem.micro_batches = 4 * state.range(1);
    problem.recompute = true; // so many stashes would fit nowhere
    problem.edges.resize(layers - 1);
    link_as_chain(problem.edges);
    for (width_costs& costs : problem.widths) {
        const layer middle = costs.layers[1];
        costs.layers.resize(layers, middle);
        costs.edge_bytes.resize(layers - 1, costs.edge_bytes.front());
    }
    chain_workspace workspace;
    const chain_program solve{.charge = objective::phaze};
    for (auto _ : state) benchmark::DoNotOptimize(solve(problem, workspace).time_per_batch_s);
    state.counters["stages"] = static_cast<double>(workspace.plan.stages.size());
    state.counters["data_parallel"] = static_cast<double>(workspace.plan.data_parallel);
}
BENCHMARK(long_chain)
    ->ArgNames({"layers", "devices"})
    ->ArgsProduct({{500, 1000, 2000}, {1'000, 10'000, 100'000}})
    ->Unit(benchmark::kMillisecond);

} // namespace
