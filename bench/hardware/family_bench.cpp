// doors: hana
// Enumerating PHAZE's family with its rule: by hand, described with Hana, and at run time.
#include <dovetail/ext/hana/phaze.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace dovetail;
using hardware::phaze_family;

template <class Family>
void enumerate(benchmark::State& state, const Family& family) {
    std::size_t kept = 0;
    for (auto _ : state) kept = hardware::kept_designs(family).value().size();
    state.counters["kept"] = static_cast<double>(kept);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(family.size()));
}

void by_hand(benchmark::State& state) { enumerate(state, phaze_family{}); }
BENCHMARK(by_hand);

void described(benchmark::State& state) { enumerate(state, ext::hana::phaze); }
BENCHMARK(described);

void at_run_time(benchmark::State& state) {
    const auto list = [](const auto& values) {
        return std::vector<std::int64_t>(values.begin(), values.end());
    };
    enumerate(state, hardware::runtime_space<phaze_family::platform, phaze_family::technology>::make(
                         "phaze",
                         {.num_tc = list(phaze_family::cores),
                          .num_vc = list(phaze_family::cores),
                          .width = list(phaze_family::extents),
                          .depth = list(phaze_family::extents),
                          .glb_bytes = list(phaze_family::buffers),
                          .largest_um2 = phaze_family::rule::largest_um2},
                         hardware::tpuv4_like)
                         .value());
}
BENCHMARK(at_run_time);

} // namespace
