// doors: glpk
// The formulations of scheduling on the same layers: size, root bound, and what GLPK reaches with each.
#include <dovetail/schedule/formulation/solve.hpp>

#include "schedule/zoo_layers.hpp"

#include <dovetail/ext/glpk/solver.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/exact.hpp>

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using formulation::program;

// Nodes and not seconds, so that other work on the machine changes no answer.
const ext::glpk::solver glpk{.node_limit = 100};
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

template <ilp::formulation Formulation>
void measure(benchmark::State& state, const Formulation& f) {
    const ilp::model_size size = ilp::size_of(f.model());
    state.counters["columns"] = static_cast<double>(size.columns);
    state.counters["rows"] = static_cast<double>(size.rows);
    state.counters["coefficients"] = static_cast<double>(size.coefficients);
    const auto root = glpk(f.model().relaxed());
    state.counters["root_ms"] =
        root && root->ending == ilp::verdict::optimal ? f.bound(*root) * 1e3 : missing;
}

void describe(benchmark::State& state, const task_graph& tasks, program which) {
    switch (which) {
    case program::phaze:
        return measure(state, formulation::phaze_program(formulation::view_as_phaze(tasks).value().problem));
    case program::time_indexed:
        return measure(state, formulation::time_indexed(tasks));
    case program::disjunctive:
        return measure(state, formulation::disjunctive(tasks));
    case program::flow:
        return measure(state, formulation::resource_flow(tasks));
    }
}

// Seconds are the solver's; the rest is in the counters.
void formulations(benchmark::State& state, const task_graph& tasks, program which) {
    const formulation::program_scheduler<ext::glpk::solver> solve{.which = which, .solver = glpk};
    for (auto _ : state) {
        const result<certificate> answer = solve(tasks);
        if (!answer) return state.SkipWithError(answer.problem().line().c_str());
        state.counters["bound_ms"] = answer->lower_bound_s * 1e3;
        state.counters["makespan_ms"] = answer->best.makespan_s * 1e3;
        state.counters["nodes"] = static_cast<double>(answer->nodes);
    }
    describe(state, tasks, which);
    state.counters["tasks"] = static_cast<double>(tasks.task_count());
    state.counters["simple_bound_ms"] = lower_bound_s(tasks) * 1e3;
    const certificate best = branch_and_bound{.limits = {.nodes = 500'000}}(tasks);
    state.counters["optimum_ms"] = best.proved_optimal() ? best.best.makespan_s * 1e3 : missing;
}

const bool registered = [] {
    for (const bench::zoo_layer& layer : bench::zoo_layers())
        for (const program which : formulation::programs)
            benchmark::RegisterBenchmark(
                (layer.name + "/" + std::string(to_string(which))).c_str(),
                [tasks = layer.tasks, which](benchmark::State& state) { formulations(state, tasks, which); })
                ->Iterations(1)
                ->Unit(benchmark::kSecond);
    return true;
}();

} // namespace
