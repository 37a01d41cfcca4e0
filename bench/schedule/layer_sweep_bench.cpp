// doors: onnx
// Are layers solved in microseconds? Every layer of the zoo and of real graphs on every core count.
#include "schedule/layer_sweep.hpp"

#include <dovetail/ext/onnx.hpp>
#include <dovetail/workload/zoo.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;

void sweep(benchmark::State& state, const workload::operator_graph& model,
           const std::vector<std::int64_t>& widths) {
    bench::layer_sweep found;
    for (auto _ : state) found = bench::sweep_layers(model, widths, {.limits = {.nodes = 20'000}});
    if (found.seconds.empty()) return state.SkipWithError("the model has no layers at these widths");
    const auto problems = static_cast<double>(found.seconds.size());
    state.counters["problems"] = problems;
    state.counters["tasks"] = static_cast<double>(found.largest);
    state.counters["list_%"] = 100.0 * static_cast<double>(found.by_list) / problems;
    state.counters["bounds_%"] = 100.0 * static_cast<double>(found.by_bounds) / problems;
    state.counters["searched"] = problems - static_cast<double>(found.by_bounds);
    state.counters["unproved"] = static_cast<double>(found.unproved);
    state.counters["median_us"] = found.quantile_s(0.5) * 1e6;
    state.counters["p99_us"] = found.quantile_s(0.99) * 1e6;
    state.counters["worst_us"] = found.quantile_s(1.0) * 1e6;
}

void add(const std::string& name, workload::operator_graph model, std::vector<std::int64_t> widths) {
    benchmark::RegisterBenchmark(("layer_sweep/" + name).c_str(),
                                 [model = std::move(model), widths = std::move(widths)](
                                     benchmark::State& state) { sweep(state, model, widths); })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
}

// The zoo, and the graphs in `models` of the folder in DOVETAIL_SHARED, where there is one.
const bool registered = [] {
    for (const auto& entry : workload::zoo::models)
        if (auto model = workload::make_model(entry.dimensions.name, 1); model)
            add(std::string(entry.dimensions.name), *std::move(model),
                {entry.widths.begin(),
                 entry.widths.begin() + static_cast<std::ptrdiff_t>(entry.width_count)});
    const char* const shared = std::getenv("DOVETAIL_SHARED");
    std::error_code absent;
    std::set<std::filesystem::path> files;
    if (shared != nullptr)
        for (const auto& file :
             std::filesystem::directory_iterator(std::filesystem::path(shared) / "models", absent))
            if (file.path().extension() == ".onnx") files.insert(file.path());
    for (const std::filesystem::path& file : files)
        if (auto model = ext::onnx::import_onnx_file(file.string(), {}); model)
            add(file.stem().string(), *std::move(model), {1, 2, 4});
    return true;
}();

} // namespace
