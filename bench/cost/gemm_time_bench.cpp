// Nanoseconds a product: one wave, where tiles may be cut along k as well, and many.
#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/hardware/system_catalogue.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace dovetail;

void product(benchmark::State& state) {
    hardware::system machine = hardware::known_systems[2];
    cost::gemm work{.m = state.range(0), .n = state.range(0), .k = 4096};
    for (auto _ : state) {
        benchmark::DoNotOptimize(machine);
        benchmark::DoNotOptimize(work);
        benchmark::DoNotOptimize(cost::gemm_time_model{}(machine, work));
    }
}
BENCHMARK(product)->Arg(256)->Arg(8192);

} // namespace
