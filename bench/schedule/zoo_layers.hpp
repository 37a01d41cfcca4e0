#pragma once
/// \file
/// Layers of the model zoo on chips of the catalogue, as a search prices and schedules them.

#include <dovetail/core/text.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/zoo.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::bench {

/// One pass through one layer on one chip.
struct zoo_layer {
    std::string name; ///< "llama2-7b backward, width 4, 8 + 2 cores"
    schedule::task_graph tasks;
};

/// The layer with most tasks of a model at micro-batch 1, one of `width` slices of it, on a chip.
inline zoo_layer layer_of_zoo(const std::string& model, bool forward, std::int64_t width,
                              const hardware::accelerator& chip) {
    constexpr double link_bytes_per_s = 4e9;
    const workload::operator_graph graph = workload::recognise(workload::make_model(model, 1).value());
    const search::plan_options plan{.micro_batches = {1}, .tensor_widths = {width}};
    const search::workload_profile profile = search::profile_workload(graph, plan).value();
    const std::vector<search::layer_profile>& layers = profile.slices.front().structures;
    const search::layer_profile& layer =
        *std::max_element(layers.begin(), layers.end(), [](const auto& a, const auto& b) {
            return a.forward.groups.size() < b.forward.groups.size();
        });
    search::pass_timer timer(forward ? layer.forward : layer.backward);
    schedule::workspace memory;
    timer(cost::sound_model<hardware::phaze_platform>{}, chip, {width, link_bytes_per_s}, memory);
    return {model + (forward ? " forward" : " backward") + ", width " + to_text(width) + ", " +
                to_text(chip.num_tc) + " + " + to_text(chip.num_vc) + " cores",
            timer.tasks()};
}

/// Layers whose list schedule misses the simple bounds, on the cores of TPUv4-like and on smaller ones.
inline std::vector<zoo_layer> zoo_layers() {
    constexpr hardware::accelerator large = hardware::tpuv4_like;
    constexpr hardware::accelerator small{
        .num_tc = 4, .num_vc = 4, .width = 64, .depth = 64, .width_vc = 64, .glb_bytes = 32 << 20};
    return {layer_of_zoo("bert-large", true, 1, small), layer_of_zoo("bert-large", false, 1, large),
            layer_of_zoo("gpt2-xl", false, 1, large),   layer_of_zoo("gpt2-xl", false, 1, small),
            layer_of_zoo("llama2-7b", true, 1, large),  layer_of_zoo("llama2-7b", false, 1, large),
            layer_of_zoo("llama2-7b", false, 4, large), layer_of_zoo("llama2-7b", false, 4, small)};
}

} // namespace dovetail::bench
