// Nanoseconds for the best mapping of a product: hardware known to the compiler against the same as data, and
// over all tensor cores of the published family.
#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

namespace {

using namespace dovetail;
using cost::mapped_product;
using cost::mapping_objective;
using cost::mapping_search;

// Products of Llama-2, GPT-3 and BERT, as in the published cycles.
constexpr std::array<workload::contraction, 11> products{{{1, 4096, 4096, 4096},
                                                          {1, 4096, 4096, 11'008},
                                                          {1, 4096, 11'008, 4096},
                                                          {1, 4096, 4096, 32'000},
                                                          {1, 2048, 12'288, 12'672},
                                                          {1, 2048, 12'288, 9216},
                                                          {1, 2048, 12'288, 12'288},
                                                          {1, 512, 1024, 1024},
                                                          {1, 512, 1024, 4096},
                                                          {1, 131'072, 4096, 128},
                                                          {1, 131'072, 128, 4096}}};

constexpr cost::mapping_hardware eight_cores = cost::phaze_mapping_hardware(hardware::tpuv4_like, 8);

template <class Hardware>
void best_mapping(benchmark::State& state, Hardware hardware) {
    const mapping_search search{static_cast<mapping_objective>(state.range(0))};
    for (auto _ : state) {
        benchmark::DoNotOptimize(hardware);
        for (const workload::contraction& p : products)
            benchmark::DoNotOptimize(search(hardware, mapped_product(p)).cost.cycles);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(products.size()));
}
// The objective: 0 latency, 1 energy, 2 energy-delay product.
BENCHMARK_CAPTURE(best_mapping, hardware_as_data, eight_cores)->ArgName("goal")->Arg(0)->Arg(1)->Arg(2);
BENCHMARK_CAPTURE(best_mapping, hardware_as_type, cost::fixed_mapping_hardware<eight_cores>{})
    ->ArgName("goal")
    ->Arg(0)
    ->Arg(1)
    ->Arg(2);

// The tensor cores of the family, each once, in an order that hides nothing in a branch predictor.
void best_mapping_over_the_family(benchmark::State& state) {
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>> seen;
    std::vector<cost::mapping_hardware> cores;
    for (const hardware::kept_design& design : hardware::kept_designs(hardware::phaze_family{}).value()) {
        const hardware::accelerator& c = design.chip;
        if (seen.emplace(c.num_tc, c.width, c.depth, c.glb_bytes).second)
            cores.push_back(cost::phaze_mapping_hardware(c, c.num_tc));
    }
    const mapping_search search{static_cast<mapping_objective>(state.range(0))};
    std::size_t next = 0;
    for (auto _ : state) {
        for (const workload::contraction& p : products)
            benchmark::DoNotOptimize(search(cores[next], mapped_product(p)).cost.cycles);
        next = (next + 1009) % cores.size();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(products.size()));
    state.counters["cores"] = static_cast<double>(cores.size());
}
BENCHMARK(best_mapping_over_the_family)->ArgName("goal")->Arg(0)->Arg(1)->Arg(2);

} // namespace
