// Nanoseconds an estimate: a design known to the compiler against the same design as data, one core and all.
#include <search/layer.hpp>

#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace dovetail;
using cost::core_mode;

constexpr cost::sound_model<hardware::phaze_platform> model;

// The layer at four micro-batches.
std::vector<workload::operator_work> works() {
    std::vector<workload::operator_work> all;
    for (const std::int64_t scale : {1, 2, 4, 8})
        for (workload::operator_work work : bench::layer) {
            work.product.rows *= scale;
            all.push_back(work);
        }
    return all;
}

template <class Chip>
double sum_s(const std::vector<workload::operator_work>& all, const Chip& chip, core_mode mode) {
    double sum = 0;
    for (const workload::operator_work& work : all) sum += model(work, chip, mode).latency_s();
    return sum;
}

template <class Chip>
void estimate(benchmark::State& state, Chip chip, core_mode mode) {
    const auto all = works();
    if (sum_s(all, chip, mode) != sum_s(all, hardware::tpuv4_like, mode)) {
        state.SkipWithError("the design as a type costs something else");
        return;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(chip);
        benchmark::DoNotOptimize(sum_s(all, chip, mode));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
}
BENCHMARK_CAPTURE(estimate, one_core_of_a_design_as_data, hardware::tpuv4_like, core_mode::one_core);
BENCHMARK_CAPTURE(estimate, one_core_of_a_design_as_type, hardware::fix<hardware::tpuv4_like>{},
                  core_mode::one_core);
BENCHMARK_CAPTURE(estimate, all_cores_of_a_design_as_data, hardware::tpuv4_like, core_mode::all_cores);
BENCHMARK_CAPTURE(estimate, all_cores_of_a_design_as_type, hardware::fix<hardware::tpuv4_like>{},
                  core_mode::all_cores);

// As a search does: another design every time, so that no branch is predicted from the last.
void estimate_over_the_family(benchmark::State& state) {
    const auto designs = hardware::kept_designs(hardware::phaze_family{}).value();
    const auto all = works();
    const auto mode = static_cast<core_mode>(state.range(0));
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sum_s(all, designs[next].chip, mode));
        next = (next + 7919) % designs.size();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
}
BENCHMARK(estimate_over_the_family)->ArgName("all_cores")->Arg(0)->Arg(1);

} // namespace
