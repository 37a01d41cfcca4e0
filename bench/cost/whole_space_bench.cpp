// Evaluations a second over all 29,360 chips of the published family: one transformer layer each, on one
// thread and on all cores.
#include <search/layer.hpp>

#include <dovetail/core/parallel.hpp>
#include <dovetail/cost/energy_model.hpp>
#include <dovetail/cost/grid_prices.hpp>
#include <dovetail/cost/remembered_phaze_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/vector_operator.hpp>
#include <dovetail/cost/vector_price.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace dovetail;
using cost::core_mode;
using family = hardware::phaze_family;
using hardware::phaze_platform;
using sound = cost::sound_model<phaze_platform>;

const std::vector<hardware::kept_design>& chips() {
    static const std::vector<hardware::kept_design> kept = hardware::kept_designs(family{}).value();
    return kept;
}

// Prices every chip into a slot of its own; an evaluation is one operator on one chip.
template <class Price>
void over_the_space(benchmark::State& state, std::size_t operators, Price price) {
    const std::vector<hardware::kept_design>& space = chips();
    std::vector<double> seconds(space.size());
    for (auto _ : state) {
        parallel_for(space.size(), static_cast<std::size_t>(state.range(0)), 64,
                     [&](std::size_t, std::size_t i) { seconds[i] = price(space[i]); });
        benchmark::DoNotOptimize(seconds.data());
    }
    const auto evaluations = state.iterations() * static_cast<std::int64_t>(space.size() * operators);
    state.SetItemsProcessed(evaluations);
    state.counters["chips"] = static_cast<double>(space.size());
}

template <class Model>
double layer_s(const Model& model, const hardware::accelerator& chip) {
    double sum = 0;
    for (const workload::operator_work& work : bench::layer)
        sum += model(work, chip, core_mode::all_cores).latency_s();
    return sum;
}

void sound_by_chip(benchmark::State& state) {
    over_the_space(state, bench::layer.size(),
                   [](const auto& design) { return layer_s(sound{}, design.chip); });
}

// The parts of an estimate depend on few axes each; a family of constants has them ready.
void sound_by_axis(benchmark::State& state) {
    using prices = cost::grid_prices<family>;
    std::vector<prices> layer;
    for (const workload::operator_work& work : bench::layer) layer.emplace_back(work);
    const auto by_axis = [&](const hardware::kept_design& design) {
        const auto place = prices::at(design.position);
        double sum = 0;
        for (const prices& work : layer) sum += work(place, core_mode::all_cores).latency_s();
        return sum;
    };
    for (const hardware::kept_design& design : chips())
        if (by_axis(design) != layer_s(sound{}, design.chip)) {
            state.SkipWithError("the family by axes costs something else");
            return;
        }
    over_the_space(state, bench::layer.size(), by_axis);
}

void sound_with_energy(benchmark::State& state) {
    over_the_space(state, bench::layer.size(), [](const auto& design) {
        const auto events = hardware::energies_of<hardware::phaze_technology, phaze_platform>(design.chip);
        double joules = 0;
        for (const workload::operator_work& work : bench::layer)
            joules += cost::energy_of<sound>(work, sound{}(work, design.chip, core_mode::all_cores), *events)
                          .total_j();
        return joules;
    });
}

// The published model, which searches a mapping for every tensor core and remembers it.
void published(benchmark::State& state) {
    const cost::remembered_phaze_model<> model;
    over_the_space(state, bench::layer.size(),
                   [&](const auto& design) { return layer_s(model, design.chip); });
}

void vector_rows(benchmark::State& state) {
    constexpr std::array rows{cost::softmax(96 * 1024, 1024), cost::layer_normalization(8192, 768),
                              cost::optimizer_step<phaze_platform>(cost::optimizer::adam, 1 << 20)};
    over_the_space(state, rows.size(), [&](const auto& design) {
        double sum = 0;
        for (const cost::row_operator& op : rows)
            sum += cost::price_rows<phaze_platform>(op, design.chip, core_mode::all_cores).latency_s();
        return sum;
    });
}

void threads(benchmark::internal::Benchmark* b) {
    const auto all = static_cast<std::int64_t>(hardware_threads());
    b->ArgName("threads")->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
    if (all > 1) b->Arg(all);
}
BENCHMARK(sound_by_chip)->Apply(threads);
BENCHMARK(sound_by_axis)->Apply(threads);
BENCHMARK(sound_with_energy)->Apply(threads);
BENCHMARK(published)->Apply(threads);
BENCHMARK(vector_rows)->Apply(threads);

} // namespace
