#pragma once
/// \file
/// Models by name, built at any batch.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/zoo/bert.hpp>
#include <dovetail/workload/zoo/gpt.hpp>
#include <dovetail/workload/zoo/llama.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::workload {

namespace zoo {

/// A model of the zoo: its dimensions, its architecture, and the tensor-parallel widths tried by default.
struct model_entry {
    transformer dimensions;
    result<operator_graph> (*build)(const transformer&, std::int64_t batch) = nullptr;
    std::array<std::int64_t, 4> widths{1};
    std::size_t width_count = 1;
};

/// The models. Dimensions are those of the published configurations; the widths of the Megatron models are
/// those that PHAZE tries (Wang et al., ICML 2024). Megatron pads its vocabularies to a multiple of 128 times
/// the tensor width; here they are padded once: 50,257 to 51,200, and the cased 28,996 to 29,056.
inline constexpr std::array<model_entry, 8> models{{
    {.dimensions = {.name = "bert-large",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 512,
                    .feed_forward = 4096,
                    .vocabulary = 30522,
                    .positions = 512,
                    .pre_norm = false},
     .build = bert},
    {.dimensions = {.name = "gpt2-xl",
                    .layers = 48,
                    .hidden = 1600,
                    .heads = 25,
                    .sequence = 1024,
                    .feed_forward = 6400,
                    .vocabulary = 50257,
                    .positions = 1024},
     .build = gpt},
    {.dimensions = {.name = "opt-350m",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 2048,
                    .feed_forward = 4096,
                    .vocabulary = 50272,
                    .positions = 2050,
                    .word_embedding = 512,
                    .pre_norm = false},
     .build = opt},
    {.dimensions = {.name = "llama2-7b",
                    .layers = 32,
                    .hidden = 4096,
                    .heads = 32,
                    .sequence = 4096,
                    .feed_forward = 11008,
                    .vocabulary = 32000,
                    .dropout = false},
     .build = llama},
    {.dimensions = {.name = "megatron-bert",
                    .layers = 24,
                    .hidden = 1024,
                    .heads = 16,
                    .sequence = 512,
                    .feed_forward = 4096,
                    .vocabulary = 29056,
                    .positions = 512},
     .build = bert,
     .widths = {1, 2, 4, 8},
     .width_count = 4},
    {.dimensions = {.name = "megatron-gpt2-2.5b",
                    .layers = 54,
                    .hidden = 1920,
                    .heads = 20,
                    .sequence = 1024,
                    .feed_forward = 7680,
                    .vocabulary = 51200,
                    .positions = 1024},
     .build = gpt,
     .widths = {1, 2, 4},
     .width_count = 3},
    {.dimensions = {.name = "megatron-gpt2-8.3b",
                    .layers = 72,
                    .hidden = 3072,
                    .heads = 24,
                    .sequence = 1024,
                    .feed_forward = 12288,
                    .vocabulary = 51200,
                    .positions = 1024},
     .build = gpt,
     .widths = {1, 2, 4, 8},
     .width_count = 4},
    {.dimensions = {.name = "gpt3-175b",
                    .layers = 96,
                    .hidden = 12288,
                    .heads = 96,
                    .sequence = 2048,
                    .feed_forward = 49152,
                    .vocabulary = 51200,
                    .positions = 2048},
     .build = gpt,
     .widths = {4, 8},
     .width_count = 2},
}};

/// The entry called `name`, or null.
[[nodiscard]] constexpr const model_entry* find(std::string_view name) {
    const auto found = std::find_if(models.begin(), models.end(),
                                    [&](const model_entry& entry) { return entry.dimensions.name == name; });
    return found == models.end() ? nullptr : &*found;
}

} // namespace zoo

/// The names that `make_model` takes.
[[nodiscard]] inline std::vector<std::string_view> zoo_names() {
    std::vector<std::string_view> names;
    for (const zoo::model_entry& entry : zoo::models) names.push_back(entry.dimensions.name);
    return names;
}

/// The tensor-parallel widths tried for a model of the zoo by default; {1} for any other name.
[[nodiscard]] constexpr array_view<const std::int64_t> default_tensor_widths(std::string_view name) {
    constexpr const std::array<std::int64_t, 4>& unsplit = zoo::models[0].widths;
    const zoo::model_entry* entry = zoo::find(name);
    return entry == nullptr ? array_view(unsplit).first(1)
                            : array_view(entry->widths).first(entry->width_count);
}

/// The forward graph of a model of the zoo, one pass over `batch` sequences.
/// \returns errc::unknown_name with the known names, or errc::out_of_range for an empty batch.
[[nodiscard]] inline result<operator_graph> make_model(std::string_view name, std::int64_t batch) {
    if (const zoo::model_entry* entry = zoo::find(name)) return entry->build(entry->dimensions, batch);
    return unknown_name("model", name, "no model of the zoo has this name", zoo_names());
}

} // namespace dovetail::workload
