// The exact program for the largest load against a textbook program over the same downsets.

#include "../../tests/placement/max_load_oracle.hpp"

#include <dovetail/placement/max_load_program.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <utility>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

/// Layers in a chain, each of `width` branches side by side between a fork and a join.
device_graph forks_and_joins(std::size_t layers, std::size_t width) {
    device_graph problem{.accelerators = 4, .cpus = 1};
    random_source random(layers * 100 + width);
    const auto add = [&](double scale) {
        problem.nodes.push_back({.cpu_s = scale * random.real(5, 10),
                                 .accelerator_s = scale * random.real(1, 2),
                                 .output_s = random.real(0.1, 0.5)});
        return static_cast<graph::index>(problem.nodes.size() - 1);
    };
    graph::index join = add(1.0);
    for (std::size_t layer = 0; layer < layers; ++layer) {
        const graph::index fork = join;
        join = static_cast<graph::index>(fork + width + 1);
        for (std::size_t branch = 0; branch < width; ++branch) problem.edges.push_back({fork, add(1.0)});
        for (graph::index branch = fork + 1; branch < join; ++branch) problem.edges.push_back({branch, join});
        add(0.2);
    }
    return problem;
}

template <std::size_t Layers, std::size_t Width>
void fork_join(benchmark::State& state) {
    const device_graph problem = forks_and_joins(Layers, Width);
    // Processor time, measured once, in the same run as what is compared with it.
    static const std::pair<double, double> textbook = [&] {
        const std::clock_t start = std::clock();
        const double load_s = test::textbook_max_load(problem);
        return std::pair(load_s, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }();
    device_plan plan;
    for (auto _ : state) benchmark::DoNotOptimize(&(plan = max_load_program{}(problem)));
    if (std::abs(plan.max_load_s - textbook.first) > 1e-9 * textbook.first)
        state.SkipWithError("the programs disagree");
    state.counters["times_textbook"] =
        benchmark::Counter(textbook.second, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(fork_join<4, 3>);
BENCHMARK(fork_join<8, 4>);
BENCHMARK(fork_join<8, 6>);

} // namespace
