#pragma once
/// \file
/// A model as operations over tensors: what importers and the model zoo give, and every pass takes.

#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/tensor.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

using graph::index;
using graph::none;

/// The type of an operation: its position in the list of descriptors (operators.hpp).
enum class operator_type : std::uint16_t {};

/// The part of a training step that an operation belongs to.
enum class phase : std::uint8_t {
    forward,
    input_gradient,  ///< towards the activations: on the critical path of the backward pass
    weight_gradient, ///< towards the parameters
    update,          ///< the optimizer step, once a batch
};

/// One operation. A backward operation keeps the type of the forward operation that it differentiates.
struct operation {
    operator_type type{};
    workload::phase phase = workload::phase::forward;
    std::string name{};
    std::vector<index> inputs{};  ///< tensors; `none` for an optional input left out
    std::vector<index> outputs{}; ///< tensors
    attribute_set attributes{};
    index forward = none; ///< backward and update: the forward operation it belongs to
    index operand = none; ///< gradient of a product: the operand that it differentiates by
};

/// Operations over tensors, in any order; the tensors carry the edges.
struct operator_graph {
    std::string name;
    std::vector<tensor> tensors;
    std::vector<operation> operations;
    std::vector<index> outputs;       ///< tensors that the model gives
    std::int64_t batch = 1;           ///< samples that one pass takes
    std::int64_t attention_heads = 0; ///< 0 where unknown: bounds the tensor-parallel widths

    /// Adds a tensor and returns its number.
    index add(tensor value) {
        tensors.push_back(std::move(value));
        return static_cast<index>(tensors.size() - 1);
    }
    /// Adds an operation and returns its number.
    index add(operation value) {
        operations.push_back(std::move(value));
        return static_cast<index>(operations.size() - 1);
    }
};

/// For every tensor the operation that gives it, or `none`. \complexity O(operands).
[[nodiscard]] inline std::vector<index> producers(const operator_graph& g) {
    std::vector<index> producer(g.tensors.size(), none);
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].outputs) {
            DOVETAIL_ASSERT(t < g.tensors.size() && producer[t] == none, "one producer a tensor");
            producer[t] = v;
        }
    return producer;
}

/// The uses of one operation's result by another, one arc a use. \complexity O(operands).
[[nodiscard]] inline graph::digraph dataflow(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::vector<graph::arc> arcs;
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs)
            if (t != none && producer[t] != none) arcs.push_back({producer[t], v});
    return graph::digraph(g.operations.size(), arcs);
}

} // namespace dovetail::workload
