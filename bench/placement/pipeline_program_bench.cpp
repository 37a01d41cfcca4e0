// The program over schedules and plan spaces, general and specialised on layers, widths and schedule. With
// everything off it solves what `chain_program` solves, which is the baseline of the same run.

#include "transformer.hpp"

#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/pipeline_program.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <ctime>
#include <type_traits>

namespace {

using namespace dovetail;
using namespace dovetail::placement;
using namespace dovetail::bench;

constexpr std::size_t layers = 26;

// Processor time of `chain_program` on the same layers, measured once.
double baseline_seconds() {
    static const double once = [] {
        const layer_graph problem = transformer<layers>();
        chain_workspace workspace;
        int runs = 0;
        const std::clock_t start = std::clock();
        do benchmark::DoNotOptimize(chain_program{}(problem, workspace).time_per_batch_s);
        while (++runs < 3 || std::clock() - start < CLOCKS_PER_SEC / 10);
        return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / runs;
    }();
    return once;
}

template <class Policy, class Problem, class Workspace>
void run(benchmark::State& state, const Problem& problem, Workspace& workspace, const plan_space& space) {
    const double seconds = baseline_seconds();
    const pipeline_program<Policy> solve{{}, space};
    for (auto _ : state) benchmark::DoNotOptimize(solve(problem, workspace).time_per_batch_s);
    state.counters["times_chain_program"] =
        benchmark::Counter(seconds, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["batch_s"] = workspace.plan.time_per_batch_s;
}

// GPipe keeps a whole batch: without recomputation nothing fits.
template <class Policy>
plan_space space_of() {
    return {.choose_recomputation = std::is_same_v<Policy, gpipe>};
}

template <class Policy>
void general(benchmark::State& state) {
    const layer_graph problem = transformer<layers>();
    pipeline_workspace workspace;
    run<Policy>(state, problem, workspace, space_of<Policy>());
}

template <class Policy>
void specialised(benchmark::State& state) {
    const auto problem = fixed_transformer<layers>();
    static basic_pipeline_workspace<fixed_storage<layers, widths>> workspace;
    run<Policy>(state, problem, workspace, space_of<Policy>());
}

// Every extension at once.
template <class Policy>
void wide_space(benchmark::State& state) {
    const layer_graph problem = transformer<layers>();
    pipeline_workspace workspace;
    run<Policy>(state, problem, workspace,
                {.choose_recomputation = true,
                 .shard_optimizer = true,
                 .overlap_reduction = true,
                 .count_short_batches = true,
                 .node = {.devices = 8, .link_bytes_per_s = 300e9}});
}

BENCHMARK_TEMPLATE(general, one_forward_one_backward)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(specialised, one_forward_one_backward)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(general, gpipe)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(specialised, gpipe)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(general, interleaved)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(specialised, interleaved)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(general, zero_bubble_h1)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(specialised, zero_bubble_h1)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(general, zero_bubble_h2)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(specialised, zero_bubble_h2)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(wide_space, one_forward_one_backward)->Unit(benchmark::kMicrosecond);

} // namespace
