// Nanoseconds a collective: on a node, and on many nodes, over all protocols and algorithms of the library;
// on a network as data, and on one known to the compiler.
#include <dovetail/cost/collective.hpp>
#include <dovetail/hardware/network_catalogue.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace dovetail;

void all_reduce(benchmark::State& state) {
    hardware::network links = join(hardware::known_networks[0].links, 64, 25e9, 200e9);
    const hardware::rank_group group = spread(links, state.range(0));
    double bytes = 1e6;
    for (auto _ : state) {
        benchmark::DoNotOptimize(links);
        benchmark::DoNotOptimize(bytes);
        benchmark::DoNotOptimize(cost::collective_model{}(links, group, cost::collective::all_reduce, bytes));
    }
}
BENCHMARK(all_reduce)->Arg(8)->Arg(512);

void all_reduce_on_a_network_as_constant(benchmark::State& state) {
    static constexpr hardware::network links = join(hardware::known_networks[0].links, 64, 25e9, 200e9);
    const hardware::rank_group group = spread(links, state.range(0));
    double bytes = 1e6;
    for (auto _ : state) {
        benchmark::DoNotOptimize(bytes);
        benchmark::DoNotOptimize(cost::collective_model{}(links, group, cost::collective::all_reduce, bytes));
    }
}
BENCHMARK(all_reduce_on_a_network_as_constant)->Arg(8)->Arg(512);

} // namespace
