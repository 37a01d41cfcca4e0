#pragma once
/// \file
/// Activation memory: what the forward pass keeps for the backward pass, and what passes by on the way.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::workload {

namespace detail {

/// The activations of a graph by the memory that they lie in.
class activation_storage {
public:
    explicit activation_storage(const operator_graph& g)
        : order_(execution_order(g)), bases_(g, order_), keeper_(g.tensors.size(), none) {
        const std::vector<bool> on_data = dependences(g).on_data;
        const std::vector<bool> needs = needs_gradient(g, order_);
        for (const index v : order_) {
            const operation& op = g.operations[v];
            const bool differentiated =
                op.phase == phase::forward && !is_view(op) &&
                std::any_of(op.outputs.begin(), op.outputs.end(), [&](index t) { return needs[t]; });
            if (!differentiated) continue;
            if (const std::optional<tensor> mask = unnamed_mask(g, op))
                masks_.push_back({v, volume_of(*mask)});
            for (const index t : saved_tensors(g, op, needs))
                for (const index s : bases_.of(t))
                    if (on_data[s] && keeper_[s] == none) keeper_[s] = v;
        }
    }

    [[nodiscard]] const std::vector<index>& order() const { return order_; }
    [[nodiscard]] const base_tensors& bases() const { return bases_; }
    /// The first forward operation whose gradient reads base `s`, or none.
    [[nodiscard]] index keeper(index s) const { return keeper_[s]; }
    /// The operations that keep a mask which is no tensor of the graph, and its volume.
    [[nodiscard]] const std::vector<std::pair<index, data_volume>>& masks() const { return masks_; }

private:
    std::vector<index> order_;
    base_tensors bases_;
    std::vector<index> keeper_;
    std::vector<std::pair<index, data_volume>> masks_;
};

[[nodiscard]] inline std::size_t label_count(array_view<const index> labels) {
    std::size_t count = 0;
    for (const index label : labels)
        if (label != none) count = std::max<std::size_t>(count, label + std::size_t{1});
    return count;
}

} // namespace detail

/// What every layer keeps of one forward pass, until its backward pass. `labels` gives the layer of every
/// operation of `g` (of a training graph: the forward operations count); the result has one entry a layer. A
/// tensor is kept once, by the first operation whose gradient reads it; views lie in the memory of what they
/// show; parameters and constants are not activations. Operations without a label must keep nothing.
/// \complexity O(operands).
[[nodiscard]] inline std::vector<data_volume> stash(const operator_graph& g, array_view<const index> labels) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const detail::activation_storage storage(g);
    std::vector<data_volume> kept(detail::label_count(labels));
    for (index t = 0; t < g.tensors.size(); ++t) {
        const index v = storage.keeper(t);
        if (v == none) continue;
        DOVETAIL_ASSERT(labels[v] != none, "an operation that keeps activations belongs to a layer");
        kept[labels[v]] += volume_of(g.tensors[t]);
    }
    for (const auto& [v, volume] : storage.masks()) {
        DOVETAIL_ASSERT(labels[v] != none, "an operation that keeps activations belongs to a layer");
        kept[labels[v]] += volume;
    }
    return kept;
}

/// For every layer the most elements alive at once, while one of its operations runs, that are neither
/// stashed nor gradients of parameters (those have a place of their own for the whole batch): the working
/// memory of the passes beside the stash. Operations run one at a time in execution order and free what
/// nobody needs any more; fused operators need less. An element is one of any type. `training` is a training
/// graph with a label for every operation (`training_labels`). \complexity O(operands).
[[nodiscard]] inline std::vector<double> working_elements(const operator_graph& training,
                                                          array_view<const index> labels) {
    DOVETAIL_ASSERT(labels.size() == training.operations.size(), "one label an operation");
    const detail::activation_storage storage(training);
    const std::vector<bool> on_data = dependences(training).on_data;
    const std::size_t tensors = training.tensors.size();

    std::vector<bool> transient(tensors);
    for (const operation& op : training.operations)
        if (op.phase == phase::forward || op.phase == phase::input_gradient)
            for (const index t : op.outputs)
                transient[t] = !is_view(op) && on_data[t] && storage.keeper(t) == none;
    for (const operation& op : training.operations)
        if (op.phase == phase::update) transient[op.inputs[1]] = false;

    const auto& order = storage.order();
    std::vector<std::size_t> last_use(tensors, 0);
    for (std::size_t position = 0; position < order.size(); ++position) {
        for (const index t : training.operations[order[position]].inputs)
            if (t != none)
                for (const index s : storage.bases().of(t)) last_use[s] = position;
    }

    std::vector<std::vector<index>> dying(order.size());
    std::vector<double> peak(detail::label_count(labels), 0.0);
    double alive = 0;
    for (std::size_t position = 0; position < order.size(); ++position) {
        const index v = order[position];
        for (const index t : training.operations[v].outputs) {
            if (!transient[t]) continue;
            alive += static_cast<double>(training.tensors[t].elements());
            dying[std::max(last_use[t], position)].push_back(t);
        }
        if (labels[v] != none) peak[labels[v]] = std::max(peak[labels[v]], alive);
        for (const index t : dying[position]) alive -= static_cast<double>(training.tensors[t].elements());
    }
    return peak;
}

} // namespace dovetail::workload
