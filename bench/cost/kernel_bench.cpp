// Nanoseconds an evaluation of every closed form that a chip, an array or a machine is a parameter of: as
// data, and known to the compiler. The mapping search, the models and plans of training have files of their
// own.
#include <search/layer.hpp>

#include <dovetail/cost/attention.hpp>
#include <dovetail/cost/energy_model.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping_bound.hpp>
#include <dovetail/cost/operator_price.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/phaze_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/systolic.hpp>
#include <dovetail/cost/vector_operator.hpp>
#include <dovetail/cost/vector_price.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

using namespace dovetail;
using cost::core_mode;
using hardware::phaze_platform;
using hardware::tpuv4_like;

using sound = cost::sound_model<phaze_platform>;

constexpr std::array products{bench::layer[1].product, bench::layer[2].product, bench::layer[3].product,
                              bench::layer[4].product, bench::layer[6].product, bench::layer[7].product};

constexpr std::array rows{cost::softmax(96 * 1024, 1024),
                          cost::layer_normalization(8192, 768),
                          cost::reduction(1, 1 << 20),
                          cost::embedding<phaze_platform>(8192, 50'257, 768),
                          cost::optimizer_step<phaze_platform>(cost::optimizer::adam, 1 << 20),
                          cost::online_softmax(64, 100'000)};

// A kernel is what the benchmark evaluates, for some inputs, on hardware as `data` and as a `constant`.
struct design {
    static constexpr hardware::accelerator data = tpuv4_like;
    static constexpr hardware::fix<tpuv4_like> constant{};
};

struct product_part : design {
    static constexpr const auto& inputs = bench::layer;
    static constexpr double evaluate(const workload::operator_work& work, const auto& chip) {
        return work.uses_tensor_core() ? sound::product_part(work, chip, chip.num_tc).array_cycles : 0.0;
    }
};

struct refetched_part : design {
    static constexpr const auto& inputs = bench::layer;
    static constexpr double evaluate(const workload::operator_work& work, const auto& chip) {
        return sound::refetched_part(work, chip.glb_bytes);
    }
};

struct vector_rows : design {
    static constexpr const auto& inputs = rows;
    static constexpr double evaluate(const cost::row_operator& op, const auto& chip) {
        return cost::price_rows<phaze_platform>(op, chip, core_mode::all_cores).latency_s();
    }
};

struct energy : design {
    static constexpr const auto& inputs = bench::layer;
    static constexpr double evaluate(const workload::operator_work& work, const auto& chip) {
        constexpr cost::estimate moved{.local_bytes = 1e9, .global_bytes = 1e8, .hbm_bytes = 1e7};
        const auto events = hardware::energies_of<hardware::phaze_technology, phaze_platform>(chip);
        return events ? cost::energy_of<sound>(work, moved, *events).total_j() : 0.0;
    }
};

struct utilization : design {
    static constexpr const auto& inputs = bench::layer;
    static constexpr double evaluate(const workload::operator_work& work, const auto& chip) {
        constexpr cost::estimate second{.tensor_s = 1};
        return cost::utilization<phaze_platform>(work, second, chip, core_mode::all_cores);
    }
};

struct update : design {
    static constexpr std::array inputs{1e6, 1e7, 1e8, 1e9};
    static constexpr double evaluate(double parameters, const auto& chip) {
        return cost::update_s<phaze_platform>(cost::optimizer::adam, parameters, chip);
    }
};

struct published_model : design {
    static constexpr const auto& inputs = bench::layer;
    static constexpr double evaluate(const workload::operator_work& work, const auto& chip) {
        return cost::phaze_model<>{}(work, chip, core_mode::all_cores).latency_s();
    }
};

template <cost::dataflow Flow>
struct systolic {
    static constexpr cost::systolic_array data{128, 128};
    static constexpr cost::systolic_array constant = data;
    static constexpr const auto& inputs = products;
    static constexpr double evaluate(const workload::contraction& product,
                                     const cost::systolic_array& array) {
        return static_cast<double>(cost::systolic_cycles(product, array, Flow).value().cycles);
    }
};
using weight_stationary = systolic<cost::dataflow::weight_stationary>;
using output_stationary = systolic<cost::dataflow::output_stationary>;

struct bound_of_mappings {
    static constexpr cost::mapping_hardware data = cost::phaze_mapping_hardware(tpuv4_like, 8);
    static constexpr cost::fixed_mapping_hardware<data> constant{};
    static constexpr const auto& inputs = products;
    static constexpr double evaluate(const workload::contraction& product, const auto& cores) {
        return cost::mapping_bound(cores, cost::mapped_product(product)).edp();
    }
};

struct attention_blocks {
    static constexpr double data = 32.0 * mebibyte;
    static constexpr double constant = data;
    static constexpr std::array inputs{cost::attention{96, 1024, 1024, 64, 64},
                                       cost::attention{32, 4096, 4096, 128, 128},
                                       cost::attention{16, 100'000, 100'000, 256, 256}};
    static constexpr double evaluate(const cost::attention& a, double words) {
        return cost::fused_attention_blocks(a, words, 128).dram.read;
    }
};

template <class Kernel, class Hardware>
double sum(const Hardware& hardware) {
    double total = 0;
    for (const auto& input : Kernel::inputs) total += Kernel::evaluate(input, hardware);
    return total;
}

/// Evaluates `Kernel` for its inputs, of which the compiler knows nothing.
template <class Kernel, class Hardware>
void evaluate(benchmark::State& state, const Hardware& hardware) {
    auto inputs = Kernel::inputs;
    for (auto _ : state) {
        benchmark::DoNotOptimize(inputs.data());
        benchmark::ClobberMemory();
        for (const auto& input : inputs) benchmark::DoNotOptimize(Kernel::evaluate(input, hardware));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(inputs.size()));
}

template <class Kernel>
void as_data(benchmark::State& state) {
    auto hardware = Kernel::data;
    benchmark::DoNotOptimize(&hardware);
    evaluate<Kernel>(state, hardware);
}

template <class Kernel>
void as_constant(benchmark::State& state) {
    if (sum<Kernel>(Kernel::data) != sum<Kernel>(Kernel::constant)) {
        state.SkipWithError("hardware as a constant costs something else");
        return;
    }
    evaluate<Kernel>(state, Kernel::constant);
}

BENCHMARK(as_data<product_part>);
BENCHMARK(as_constant<product_part>);
BENCHMARK(as_data<refetched_part>);
BENCHMARK(as_constant<refetched_part>);
BENCHMARK(as_data<vector_rows>);
BENCHMARK(as_constant<vector_rows>);
BENCHMARK(as_data<energy>);
BENCHMARK(as_constant<energy>);
BENCHMARK(as_data<utilization>);
BENCHMARK(as_constant<utilization>);
BENCHMARK(as_data<update>);
BENCHMARK(as_constant<update>);
BENCHMARK(as_data<weight_stationary>);
BENCHMARK(as_constant<weight_stationary>);
BENCHMARK(as_data<output_stationary>);
BENCHMARK(as_constant<output_stationary>);
BENCHMARK(as_data<bound_of_mappings>);
BENCHMARK(as_constant<bound_of_mappings>);
BENCHMARK(as_data<attention_blocks>);
BENCHMARK(as_constant<attention_blocks>);
BENCHMARK(as_data<published_model>);
BENCHMARK(as_constant<published_model>);

} // namespace
