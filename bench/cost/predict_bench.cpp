// Nanoseconds a predicted training plan: from nothing, with prices that plans share, on a machine known to
// the compiler, and a whole space of plans on all cores.
#include <dovetail/core/parallel.hpp>
#include <dovetail/cost/training_prediction.hpp>
#include <dovetail/hardware/system_catalogue.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using cost::recomputation;
using cost::training_plan;

constexpr hardware::system a100 = [] {
    for (const hardware::system& known : hardware::known_systems)
        if (known.name == "a100-sxm-80") return known;
    return hardware::system{};
}();

constexpr workload::transformer_shape gpt3 = workload::gpt_shape(12288, 96, 96, 2048, 51200);

// Plans that share the prices of a micro-batch.
struct family {
    std::int64_t tensor, micro_batch;
    bool sequence_parallel;
    std::vector<training_plan> plans;
};

// Every plan of GPT-3 on 1024 devices with a global batch of 1536.
std::vector<family> space() {
    std::vector<family> all;
    for (const bool split : {false, true})
        for (std::int64_t t = 1; t <= 32; t *= 2)
            for (const std::int64_t b : {1, 2, 3, 4, 6, 8}) {
                family f{t, b, split, {}};
                for (std::int64_t p = 1; p <= 96; ++p)
                    for (std::int64_t v = 1; v <= 12; ++v)
                        for (const auto recompute :
                             {recomputation::none, recomputation::selective, recomputation::full})
                            for (const std::int64_t zero : {0, 1}) {
                                training_plan plan{.tensor = t,
                                                   .pipeline = p,
                                                   .data = 1024 / (t * p),
                                                   .interleave = v,
                                                   .micro_batch = b,
                                                   .global_batch = 1536,
                                                   .recompute = recompute,
                                                   .sequence_parallel = split,
                                                   .zero = zero};
                                if (plan.data >= 1 && plan.devices() == 1024 && validate(plan, gpt3))
                                    f.plans.push_back(plan);
                            }
                if (!f.plans.empty()) all.push_back(std::move(f));
            }
    return all;
}

cost::transformer_prices prices_of(const hardware::system& machine, const family& f) {
    return price_transformer(cost::system_kernels{machine}, machine.links, gpt3, f.tensor, f.micro_batch,
                             f.sequence_parallel);
}

void from_nothing(benchmark::State& state) {
    const std::vector<family> all = space();
    hardware::system machine = a100;
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(machine);
        benchmark::DoNotOptimize(predict_training(gpt3, all[next].plans.front(), machine).iteration_s());
        next = (next + 1) % all.size();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(from_nothing);

void from_nothing_on_a_machine_as_constant(benchmark::State& state) {
    const std::vector<family> all = space();
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(predict_training(gpt3, all[next].plans.front(), a100).iteration_s());
        next = (next + 1) % all.size();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(from_nothing_on_a_machine_as_constant);

// As a search does: prices once a family, then every plan of it.
void whole_space(benchmark::State& state) {
    const std::vector<family> all = space();
    const auto threads = static_cast<std::size_t>(state.range(0));
    std::vector<double> best(all.size());
    hardware::system machine = a100;
    std::int64_t plans = 0;
    for (const family& f : all) plans += static_cast<std::int64_t>(f.plans.size());
    for (auto _ : state) {
        benchmark::DoNotOptimize(machine);
        parallel_for(all.size(), threads, 1, [&](std::size_t, std::size_t i) {
            const cost::transformer_prices prices = prices_of(machine, all[i]);
            best[i] = 1e300;
            for (const training_plan& plan : all[i].plans)
                best[i] = std::min(best[i], predict_training(gpt3, prices, plan, machine).iteration_s());
        });
        benchmark::DoNotOptimize(best.data());
    }
    state.SetItemsProcessed(state.iterations() * plans);
    state.counters["plans"] = static_cast<double>(plans);
}
BENCHMARK(whole_space)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(static_cast<std::int64_t>(hardware_threads()))
    ->UseRealTime();

} // namespace
