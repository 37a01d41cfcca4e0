#include <dovetail/schedule/list_scheduler.hpp>

#include "schedule/layer_problems.hpp"
#include "schedule/naive_list.hpp"

#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/verify.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

const bench::layer_problems& problems() {
    static const bench::layer_problems all(512);
    return all;
}

constexpr std::array longest_tail_first{list_rule{priority::longest_tail, mode_choice::earliest_end}};
constexpr list_scheduler single_list{.rules = longest_tail_first, .justify = false};

// Runs `solve` on the layer as every chip in turn sees it, refilled each time.
template <class Solve>
void over_chips(benchmark::State& state, const Solve& solve) {
    task_graph layer = problems().layer();
    std::size_t chip = 0, proved = 0, solved = 0;
    for (auto _ : state) {
        const bench::chip_view& view = problems().chips()[chip];
        chip = (chip + 1) % problems().chips().size();
        if (!layer.refill(view.capacity, view.modes)) state.SkipWithError("a chip does not fit the layer");
        proved += solve(layer) ? 1U : 0U;
        ++solved;
    }
    state.counters["tasks"] = static_cast<double>(layer.task_count());
    state.counters["proved"] = static_cast<double>(proved) / static_cast<double>(solved);
}

void textbook_list(benchmark::State& state) {
    over_chips(state, [](const task_graph& layer) {
        benchmark::DoNotOptimize(bench::naive_list(layer).makespan_s);
        return false; // it has no bound
    });
}
BENCHMARK(textbook_list);

void one_list(benchmark::State& state) {
    // Same rule, same answer: otherwise the two times say nothing.
    task_graph layer = problems().layer();
    for (const bench::chip_view& view : problems().chips()) {
        if (!layer.refill(view.capacity, view.modes) || single_list(layer).best != bench::naive_list(layer))
            return state.SkipWithError("the answers differ");
    }
    workspace memory;
    over_chips(state, [&](const task_graph& one) { return single_list(one, memory).proved_optimal(); });
}
BENCHMARK(one_list);

void all_lists(benchmark::State& state) {
    workspace memory;
    over_chips(state,
               [&](const task_graph& layer) { return list_scheduler{}(layer, memory).proved_optimal(); });
}
BENCHMARK(all_lists);

void exact(benchmark::State& state) {
    over_chips(state, [](const task_graph& layer) {
        return branch_and_bound{.limits = {.nodes = 100'000}}(layer).proved_optimal();
    });
}
BENCHMARK(exact)->Iterations(512);

} // namespace
