// doors: hana
// Designs priced a second, one transformer layer each: a family whose axes are constants of its type, against
// the same family at run time.
#include <search/layer.hpp>

#include <dovetail/cost/grid_prices.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/ext/hana/family.hpp>
#include <dovetail/ext/hana/phaze.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

using namespace dovetail;
namespace dh = dovetail::ext::hana;
using hardware::phaze_platform;
using hardware::phaze_technology;

constexpr double largest_um2 = hardware::phaze_family::rule::largest_um2;

// PHAZE's grid inside its largest area alone, since a run-time family knows no other rule.
constexpr auto fixed_family = dh::family<phaze_platform, phaze_technology>(
    "PHAZE's grid",
    dh::axes(dh::num_tc(dh::powers_of_two<1, 4096>), dh::num_vc(dh::powers_of_two<1, 4096>),
             dh::width(dh::powers_of_two<2, 256>), dh::depth(dh::powers_of_two<2, 256>),
             dh::glb_bytes(dh::powers_of_two<2 * mebibyte, 128 * mebibyte>)),
    dh::limits(dh::area_between(0, largest_um2)), hardware::tpuv4_like);

using runtime_family = hardware::runtime_space<phaze_platform, phaze_technology>;

runtime_family same_at_run_time() {
    const auto doubling = [](std::int64_t value, std::int64_t largest) {
        std::vector<std::int64_t> values;
        for (; value <= largest; value *= 2) values.push_back(value);
        return values;
    };
    return runtime_family::make("PHAZE's grid at run time",
                                {.num_tc = doubling(1, 4096),
                                 .num_vc = doubling(1, 4096),
                                 .width = doubling(2, 256),
                                 .depth = doubling(2, 256),
                                 .glb_bytes = doubling(2 * mebibyte, 128 * mebibyte),
                                 .largest_um2 = largest_um2},
                                hardware::tpuv4_like)
        .value();
}

struct fastest {
    double latency_s = std::numeric_limits<double>::infinity();
    std::size_t position = 0;
    std::int64_t priced = 0;

    void consider(double candidate_s, std::size_t candidate) {
        ++priced;
        if (candidate_s >= latency_s) return;
        latency_s = candidate_s;
        position = candidate;
    }
};

// Point by point: all that the concept of a family allows.
template <hardware::parameter_space Family>
fastest search_by_point(const Family& family) {
    constexpr cost::sound_model<phaze_platform> model;
    fastest best;
    for (std::size_t position = 0; position < family.size(); ++position) {
        const hardware::accelerator chip = family[position];
        if (!family.keeps(chip)) continue;
        double layer_s = 0;
        for (const workload::operator_work& work : bench::layer)
            layer_s += model(work, chip, cost::core_mode::all_cores).latency_s();
        best.consider(layer_s, position);
    }
    return best;
}

// Axis by axis: what the constant axes of a type allow.
fastest search_by_axis() {
    using prices = cost::grid_prices<std::remove_const_t<decltype(fixed_family)>>;
    std::vector<prices> layer;
    for (const workload::operator_work& work : bench::layer) layer.emplace_back(work);
    fastest best;
    for (std::size_t position = 0; position < fixed_family.size(); ++position) {
        if (!fixed_family.keeps(fixed_family[position])) continue;
        const auto place = prices::at(position);
        double layer_s = 0;
        for (const prices& work : layer) layer_s += work(place, cost::core_mode::all_cores).latency_s();
        best.consider(layer_s, position);
    }
    return best;
}

void family_at_run_time(benchmark::State& state) {
    const runtime_family family = same_at_run_time();
    std::int64_t priced = 0;
    for (auto _ : state) priced += search_by_point(family).priced;
    state.SetItemsProcessed(priced);
}
BENCHMARK(family_at_run_time)->Unit(benchmark::kMillisecond);

void family_of_constants(benchmark::State& state) {
    const fastest by_axis = search_by_axis();
    const fastest by_point = search_by_point(same_at_run_time());
    if (by_axis.latency_s != by_point.latency_s || by_axis.position != by_point.position ||
        by_axis.priced != by_point.priced) {
        state.SkipWithError("the two families disagree");
        return;
    }
    std::int64_t priced = 0;
    for (auto _ : state) priced += search_by_axis().priced;
    state.SetItemsProcessed(priced);
}
BENCHMARK(family_of_constants)->Unit(benchmark::kMillisecond);

} // namespace
