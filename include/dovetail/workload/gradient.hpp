#pragma once
/// \file
/// What differentiation needs to know of a graph: where gradients flow, what they read, what they multiply.

#include <dovetail/core/assert.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// The operations of a graph that passed `validate`, operands first.
[[nodiscard]] inline std::vector<index> execution_order(const operator_graph& g) {
    auto order = graph::topological_order(dataflow(g));
    DOVETAIL_ASSERT(order.has_value(), "the graph is acyclic");
    return *std::move(order);
}

/// For every tensor whether the loss can depend on a parameter through it: only such tensors have a gradient.
/// `order` is an execution order.
[[nodiscard]] inline std::vector<bool> needs_gradient(const operator_graph& g,
                                                      const std::vector<index>& order) {
    std::vector<bool> needs(g.tensors.size());
    for (index t = 0; t < g.tensors.size(); ++t) needs[t] = g.tensors[t].role == tensor_role::parameter;
    for (const index v : order) {
        const operation& op = g.operations[v];
        if (descriptor(op.type).gradient == gradient_rule::stops) continue;
        const bool any =
            std::any_of(op.inputs.begin(), op.inputs.end(), [&](index t) { return t != none && needs[t]; });
        for (const index t : op.outputs) needs[t] = any && is_floating(g.tensors[t].type);
    }
    return needs;
}

/// The tensors that the gradient of forward operation `op` reads besides the gradient of its results. An
/// operand of a product is a factor of the other operand's gradient only, so it is not read where nobody
/// wants that one: scaling by a constant keeps nothing. A mask that is no result of the operation is not
/// among them: see `unnamed_mask`. `needs` is `needs_gradient` of the graph.
[[nodiscard]] inline std::vector<index> saved_tensors(const operator_graph& g, const operation& op,
                                                      const std::vector<bool>& needs) {
    const auto wanted = [&](std::size_t i) {
        return i < op.inputs.size() && op.inputs[i] != none && needs[op.inputs[i]];
    };
    std::vector<bool> reads(op.inputs.size(), true);
    const descriptor_record& type = descriptor(op.type);
    if (type.saves == saved::nothing) return {};
    if (type.saves == saved::output) return {op.outputs.front()};
    if (type.saves == saved::mask) return {op.outputs.begin() + 1, op.outputs.end()};
    if (type.saves == saved::discrete_inputs) {
        for (std::size_t i = 0; i < reads.size(); ++i)
            reads[i] = op.inputs[i] != none && !is_floating(g.tensors[op.inputs[i]].type);
    } else if (type.gradient == gradient_rule::product || op.type == type_of<op::mul>) {
        for (std::size_t i = 0; i < reads.size(); ++i) reads[i] = i < 2 && wanted(1 - i);
    } else if (op.type == type_of<op::div>) {
        reads = {wanted(1), true};
    }
    std::vector<index> saved;
    for (std::size_t i = 0; i < op.inputs.size(); ++i)
        if (reads[i] && op.inputs[i] != none) saved.push_back(op.inputs[i]);
    return saved;
}

/// The mask that the gradient of forward operation `op` reads, if it reads one that is no result of the
/// operation: models for inference leave it out.
[[nodiscard]] inline std::optional<tensor> unnamed_mask(const operator_graph& g, const operation& op) {
    if (descriptor(op.type).saves != saved::mask || op.outputs.size() > 1) return std::nullopt;
    return tensor{
        .name = op.name + ".mask", .type = element_type::boolean, .dims = g.tensors[op.outputs.front()].dims};
}

/// Whether a gradient operation adds up the contributions of several consumers, rather than differentiate a
/// Sum of the model: the gradient of a Sum takes one operand only.
[[nodiscard]] inline bool is_accumulation(const operation& op) {
    return op.phase != phase::forward && op.type == type_of<op::sum> && op.inputs.size() > 1;
}

/// The product that an operation of any phase computes; empty where it computes none. With Y = A B:
///     dA = dY B^T   (rows x columns) (columns x reduction)
///     dB = A^T dY   (reduction x rows) (rows x columns)
/// Each has the multiply-accumulates of the forward product. A first operand that several batches share sums
/// its gradient over them, which lengthens the reduction. A convolution is its implicit product throughout.
[[nodiscard]] inline contraction product_of(const operator_graph& g, const operation& op) {
    const descriptor_record& type = descriptor(op.type);
    if (type.core != core_type::tensor) return {};
    const bool forward = op.phase == phase::forward;
    const operation& source = forward ? op : g.operations[op.forward];
    const contraction y = type.product(operand_view(g, source).get());
    if (forward || y.empty()) return y;
    switch (op.operand) {
    case 0: {
        contraction a{.batch = y.batch, .rows = y.rows, .reduction = y.columns, .columns = y.reduction};
        const std::int64_t elements = g.tensors[source.inputs[0]].elements();
        if (op.type == type_of<op::mat_mul> && elements < y.batch * y.rows * y.reduction) {
            a.batch = elements / (y.rows * y.reduction);
            a.reduction = y.columns * (y.batch / a.batch);
        }
        return a;
    }
    case 1:
        return {.batch = y.batch, .rows = y.reduction, .reduction = y.rows, .columns = y.columns};
    default: // a bias: its gradient is a sum
        return {};
    }
}

} // namespace dovetail::workload
