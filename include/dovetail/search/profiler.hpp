#pragma once
/// \file
/// From an operator graph to what a search needs of it: layers, their passes, their memory.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/pass_order.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/workload/attention_heads.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/layer_pass.hpp>
#include <dovetail/workload/layers.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/pass_buffers.hpp>
#include <dovetail/workload/rescale.hpp>
#include <dovetail/workload/stash.hpp>
#include <dovetail/workload/tensor_parallel.hpp>
#include <dovetail/workload/training.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::search {

namespace detail {

using workload::index;
using workload::operator_graph;
using workload::phase;

/// What a group is called in a picture: the type of its leading operator, and which gradient it is.
[[nodiscard]] inline std::string group_name(const workload::operation& op) {
    std::string name(workload::descriptor(op.type).name);
    if (op.phase == phase::input_gradient) name += " dX";
    if (op.phase == phase::weight_gradient) name += " dW";
    return name;
}

[[nodiscard]] inline pass_profile profile_pass(const operator_graph& g, const workload::fusion& fused,
                                               const workload::layer_pass& pass,
                                               std::vector<workload::pass_buffer> buffers,
                                               const workload::demand& price) {
    pass_profile profile;
    profile.buffers = std::move(buffers);
    for (const index k : pass.groups) {
        profile.groups.push_back(price(fused.groups[k].operations));
        profile.names.push_back(group_name(g.operations[fused.groups[k].head]));
    }
    profile.precedence = pass.precedence;
    return in_canonical_order(profile);
}

/// Distinct trained elements that every layer uses; a layer that shares a tensor has a copy of it.
[[nodiscard]] inline std::vector<double>
parameters_by_layer(const operator_graph& g, array_view<const index> labels, std::size_t layers) {
    std::vector<std::vector<index>> used(layers);
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs)
            if (t != workload::none && g.tensors[t].role == workload::tensor_role::parameter)
                used[labels[v]].push_back(t);
    std::vector<double> parameters(layers, 0.0);
    for (std::size_t l = 0; l < layers; ++l) {
        std::sort(used[l].begin(), used[l].end());
        used[l].erase(std::unique(used[l].begin(), used[l].end()), used[l].end());
        for (const index t : used[l]) parameters[l] += static_cast<double>(g.tensors[t].elements());
    }
    return parameters;
}

[[nodiscard]] inline bool same_pass(const pass_profile& a, const pass_profile& b) {
    return a.groups == b.groups && std::equal(a.precedence.arcs().begin(), a.precedence.arcs().end(),
                                              b.precedence.arcs().begin(), b.precedence.arcs().end());
}

/// Whether two layers cost the same on every chip.
[[nodiscard]] inline bool same_costs(const layer_profile& a, const layer_profile& b) {
    return a.parameters == b.parameters && a.working_elements == b.working_elements && a.stash == b.stash &&
           a.tensor_parallel == b.tensor_parallel && a.attention == b.attention &&
           same_pass(a.forward, b.forward) && same_pass(a.backward, b.backward);
}

/// The profile of one slice of the whole graph `g`, whose layers are known; of no use where `spent` is late.
[[nodiscard]] inline slice_profile profile_slice(const operator_graph& g,
                                                 const workload::layer_structure& layers,
                                                 const workload::tensor_slice& slice, std::int64_t width,
                                                 spending& spent) {
    std::vector<index> forward_labels;
    for (const index origin : slice.origin) forward_labels.push_back(layers.layer_of[origin]);
    const operator_graph training = workload::training_graph(slice.graph);
    const std::vector<index> labels = workload::training_labels(training, forward_labels);
    if (spent.late()) return {};
    const workload::fusion fused = workload::fuse(training, labels);
    if (spent.late()) return {};
    const workload::demand price(training);
    const std::size_t count = layers.layers.size();
    auto forward = workload::passes(training, fused, labels, phase::forward, phase::forward);
    auto backward = workload::passes(training, fused, labels, phase::input_gradient, phase::weight_gradient);
    if (spent.late()) return {};
    auto forward_buffers = workload::pass_buffers(training, fused, labels, forward);
    if (spent.late()) return {};
    auto backward_buffers = workload::pass_buffers(training, fused, labels, backward);
    if (spent.late()) return {};
    auto kept = workload::stash(training, labels);
    auto working = workload::working_elements(training, labels);
    forward.resize(count);
    backward.resize(count);
    forward_buffers.resize(count);
    backward_buffers.resize(count);
    kept.resize(count);
    working.resize(count);
    const std::vector<double> parameters = parameters_by_layer(slice.graph, forward_labels, count);
    std::vector<bool> split(count, false);
    for (index v = 0; v < slice.sharded.size(); ++v)
        if (slice.sharded[v]) split[forward_labels[v]] = true;

    std::vector<bool> attends(count, false);
    for (const index v : workload::attention_contexts(slice.graph)) attends[forward_labels[v]] = true;

    slice_profile profile{.micro_batch = g.batch,
                          .tensor_width = width,
                          .structures = {},
                          .chain = {},
                          .boundary_elements = {}};
    for (std::size_t l = 0; l < count && !spent.late(); ++l) {
        layer_profile layer{
            .forward = profile_pass(training, fused, forward[l], std::move(forward_buffers[l]), price),
            .backward = profile_pass(training, fused, backward[l], std::move(backward_buffers[l]), price),
            .parameters = parameters[l],
            .working_elements = working[l],
            .stash = kept[l],
            .tensor_parallel = split[l],
            .attention = attends[l]};
        const auto same = std::find_if(profile.structures.begin(), profile.structures.end(),
                                       [&](const layer_profile& other) { return same_costs(layer, other); });
        profile.chain.push_back(static_cast<index>(same - profile.structures.begin()));
        if (same == profile.structures.end()) profile.structures.push_back(std::move(layer));
    }
    for (const std::vector<index>& crossing : layers.boundaries) {
        double elements = 0;
        for (const index t : crossing) elements += static_cast<double>(g.tensors[t].elements());
        profile.boundary_elements.push_back(elements);
    }
    return profile;
}

} // namespace detail

/// Prepares `model`, a forward graph whose composites are recognised, for a search with `options`. Tensor
/// widths that do not divide the attention heads are left out, as are all but 1 for a model without
/// attention. \param spent where given and late, the profile is not complete and of no use
/// \returns the first error of rescaling the batch or of slicing the model where no width is left.
/// \complexity micro-batches x widths x O(operands log operands).
[[nodiscard]] inline result<workload_profile> profile_workload(const workload::operator_graph& model,
                                                               const plan_options& options,
                                                               spending* spent = nullptr) {
    spending unlimited{budget{}};
    spending& time = spent != nullptr ? *spent : unlimited;
    if (auto valid = validate(options); !valid) return std::move(valid).problem();
    workload_profile profile{.model = model.name,
                             .layer_names = {},
                             .micro_batches = options.micro_batches,
                             .tensor_widths = {},
                             .slices = {}};
    std::vector<std::int64_t> widths = options.tensor_widths;
    std::sort(widths.begin(), widths.end());
    widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
    std::optional<error> refused;
    for (const std::int64_t width : widths) {
        if (time.late()) return profile;
        auto slice = workload::tensor_parallel(model, width);
        if (slice)
            profile.tensor_widths.push_back(width);
        else if (!refused)
            refused = std::move(slice).problem();
    }
    if (profile.tensor_widths.empty()) return *std::move(refused);

    for (const std::int64_t micro_batch : options.micro_batches) {
        auto scaled = workload::with_batch(model, micro_batch);
        if (!scaled) return std::move(scaled).problem();
        if (time.late()) return profile;
        const workload::layer_structure layers = workload::detect_layers(*scaled, workload::fuse(*scaled));
        if (profile.layer_names.empty())
            for (std::size_t l = 0; l < layers.layers.size(); ++l) profile.layer_names.push_back(to_text(l));
        for (const std::int64_t width : profile.tensor_widths) {
            if (time.late()) return profile;
            auto slice = workload::tensor_parallel(*scaled, width);
            if (!slice) return std::move(slice).problem();
            profile.slices.push_back(detail::profile_slice(*scaled, layers, *slice, width, time));
        }
    }
    return profile;
}

} // namespace dovetail::search
