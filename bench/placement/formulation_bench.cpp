// doors: glpk json
// The formulations of placement on published instances below $DOVETAIL_SHARED: size, root bound, and what
// GLPK reaches, beside the exact programs.
#include <dovetail/placement/formulation/latency.hpp>
#include <dovetail/placement/formulation/max_load.hpp>

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/ext/json/device_placement.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/placement/latency_program.hpp>
#include <dovetail/placement/max_load_program.hpp>

#include <benchmark/benchmark.h>

#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

// Nodes and not seconds, so that other work on the machine changes no answer; seconds for the relaxations.
const ext::glpk::solver glpk{.time_limit_s = 600, .node_limit = 100};

// Seconds are the solver's; the rest is in the counters, in the unit of the instance.
template <ilp::formulation Formulation>
void measure(benchmark::State& state, const std::filesystem::path& path) {
    const auto instance = ext::json::load_device_placement(path);
    if (!instance) return state.SkipWithError(instance.problem().line().c_str());
    const device_graph& problem = instance->problem;
    const Formulation program(problem);
    // Every run has every counter, or they do not fit into one table.
    for (const char* counter : {"bound", "value", "nodes", "root", "exact", "exact_bound"})
        state.counters[counter] = std::numeric_limits<double>::quiet_NaN();
    for (auto _ : state) {
        const result<ilp::solution> found = glpk(program.model());
        if (!found) return state.SkipWithError(found.problem().line().c_str());
        state.counters["bound"] = program.bound(*found);
        if constexpr (std::same_as<Formulation, formulation::max_load>) {
            const device_plan plan = program.decode(*found);
            if (!plan.devices.empty()) state.counters["value"] = plan.max_load_s;
        } else if (found->has_values()) {
            state.counters["value"] = program.decode(*found).latency_s;
        }
        state.counters["nodes"] = static_cast<double>(found->nodes);
    }
    const ilp::model_size size = ilp::size_of(program.model());
    state.counters["columns"] = static_cast<double>(size.columns);
    state.counters["rows"] = static_cast<double>(size.rows);
    state.counters["coefficients"] = static_cast<double>(size.coefficients);
    const auto root = glpk(program.model().relaxed());
    if (root && root->ending == ilp::verdict::optimal) state.counters["root"] = program.bound(*root);
    if constexpr (std::same_as<Formulation, formulation::max_load>) {
        state.counters["exact"] = state.counters["exact_bound"] = max_load_program{}(problem).max_load_s;
    } else if (const auto exact = latency_program{.limits = {.seconds = 20}}(problem)) {
        state.counters["exact"] = exact->latency_s;
        state.counters["exact_bound"] = exact->lower_bound_s;
    }
}

const bool registered = [] {
    const char* const shared = std::getenv("DOVETAIL_SHARED");
    if (shared == nullptr) return false;
    const auto folder = std::filesystem::path(shared) / "reference/placement/dnn-partitioning";
    const auto add = [&](const char* file, auto&& run) {
        benchmark::RegisterBenchmark(
            file, [run, path = folder / file](benchmark::State& state) { run(state, path); })
            ->Iterations(1)
            ->Unit(benchmark::kSecond);
    };
    for (const char* file :
         {"throughput/layer_bert24_inference.json", "throughput/layer_bert24_training.json",
          "throughput/layer_gnmt_inference.json", "throughput/operator_bert_l-3_inference.json"})
        add(file, measure<formulation::max_load>);
    for (const char* file : {"latency/layer_bert24_inference.json", "latency/layer_gnmt_inference.json",
                             "latency/operator_bert_l-3_inference.json"})
        add(file, measure<formulation::latency>);
    return true;
}();

} // namespace
