#include <dovetail/schedule/fixed_graph.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/schedule/list_scheduler.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

// A norm, three projections, scores, softmax, a product, a projection and a sum.
constexpr fixed_graph<9, 11> attention{
    {{{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 4}, {4, 5}, {5, 6}, {3, 6}, {6, 7}, {7, 8}, {0, 8}}}};

/// The layer as seeded random chips see it, both ways.
struct chip_view {
    demand capacity{};
    fixed_modes<9, 2> fixed;
    mode_table table;
};

const std::vector<chip_view>& chips() {
    static const std::vector<chip_view> all = [] {
        std::vector<chip_view> made(512);
        random_source random(1);
        for (chip_view& chip : made) {
            chip.capacity = {static_cast<std::int32_t>(random.integer(1, 16)),
                             static_cast<std::int32_t>(random.integer(1, 8)), 0, 0};
            constexpr std::array<std::size_t, 9> core{1, 0, 0, 0, 0, 1, 0, 0, 1};
            for (std::size_t v = 0; v < 9; ++v) {
                mode one{random.real(1.0, 8.0), {}}, all_cores = one;
                one.use[core[v]] = 1;
                all_cores.use[core[v]] = chip.capacity[core[v]];
                all_cores.duration_s /= chip.capacity[core[v]] * random.real(0.5, 1.0);
                chip.fixed.modes[v] = {one, all_cores};
                chip.fixed.count[v] = 2;
                chip.table.add_task(one);
                chip.table.add_mode(all_cores);
            }
        }
        return made;
    }();
    return all;
}

void small_layer_general(benchmark::State& state) {
    constexpr std::array rule{list_rule{priority::longest_tail, mode_choice::earliest_end}};
    const list_scheduler list{.rules = rule, .justify = false};
    task_graph layer =
        make_task_graph(graph::digraph(9, attention.arcs), chips()[0].capacity, chips()[0].table).value();
    workspace memory;
    std::size_t chip = 0;
    for (auto _ : state) {
        const chip_view& view = chips()[chip++ % chips().size()];
        if (!layer.refill(view.capacity, view.table)) state.SkipWithError("a chip does not fit the layer");
        const certificate& found = list(layer, memory);
        benchmark::DoNotOptimize(&found);
    }
}
BENCHMARK(small_layer_general);

void small_layer_fixed(benchmark::State& state) {
    std::size_t chip = 0;
    for (auto _ : state) {
        const chip_view& view = chips()[chip++ % chips().size()];
        const auto found = fixed_list_scheduler<attention>{}(view.capacity, view.fixed);
        benchmark::DoNotOptimize(&found);
    }
}
BENCHMARK(small_layer_fixed);

} // namespace
