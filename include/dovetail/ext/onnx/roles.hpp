#pragma once
/// \file
/// Which stored tensors of an ordinary ONNX file are trained.
///
/// The format does not say: weights, running statistics, masks, position tables and scalars are all stored
/// tensors. What an operation does with one decides.

#include <dovetail/core/assert.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::ext::onnx {

namespace detail {

/// What an operation would make of a stored floating tensor as its operand `position`.
enum class use {
    none,    ///< a fixed value
    weight,  ///< trained where the operation sees a signal
    table,   ///< trained whatever the other operands are: looked up by integers, or scaling a normalised one
    forward, ///< what it is shows further down
};

[[nodiscard]] inline use use_of(workload::operator_type type, std::size_t position,
                                const workload::tensor& t) {
    using namespace workload;
    const auto wide = [](std::int64_t extent) { return extent > 1; };
    const auto axes = std::count_if(t.dims.begin(), t.dims.end(), wide);
    const descriptor_record& d = descriptor(type);
    if (d.fusion == fusion_class::view) return position == 0 ? use::forward : use::none;
    if (d.gradient == gradient_rule::product) return use::weight;
    if (d.fusion == fusion_class::normalization)
        return position == 1 || position == 2 ? use::table : use::none;
    if (type == type_of<op::gather>) return position == 0 && axes > 0 ? use::table : use::none;
    if (type == type_of<op::concat>) return axes == 1 ? use::weight : use::none;
    if (d.fusion != fusion_class::elementwise || d.gradient != gradient_rule::elementwise) return use::none;
    if (type == type_of<op::where> || axes == 0) return use::none;
    if (axes == 1) return use::weight; // biases and scales
    // Embeddings of positions are added; attention masks are too, but have a row and a column for each
    // position. Products with larger tables are rotations, which are computed.
    const std::size_t rank = t.dims.size();
    const bool square = t.dims[rank - 1] == t.dims[rank - 2];
    return type == type_of<op::add> && !square ? use::weight : use::none;
}

} // namespace detail

/// Gives every floating constant of more than one element the role of a parameter or of a buffer. A constant
/// is trained where it, or a view of it, is a factor of a product, a bias, a scale, a table of embeddings or
/// the affine part of a normalization, and where the other operands depend on trained tensors or on floating
/// data: what meets only integers (positions) is a computed table. Running statistics are buffers.
/// \param g acyclic, with shapes. \complexity O(operands + arcs log operations).
inline void assign_roles(workload::operator_graph& g) {
    using namespace workload;
    using detail::use;
    const auto order = graph::topological_order(dataflow(g));
    DOVETAIL_ASSERT(order.has_value(), "the graph is acyclic");
    std::vector<index> stored(g.tensors.size(), none); // the constant that a tensor is a view of
    std::vector<bool> signal(g.tensors.size());        // depends on trained tensors or floating data
    for (index t = 0; t < g.tensors.size(); ++t) {
        tensor& x = g.tensors[t];
        signal[t] = x.role == tensor_role::input && is_floating(x.type);
        if (x.role != tensor_role::constant || !is_floating(x.type) || x.elements() <= 1) continue;
        stored[t] = t;
        x.role = tensor_role::buffer;
    }
    for (const index v : *order) {
        const operation& op = g.operations[v];
        const auto carries = [&](index t) { return t != none && signal[t]; };
        bool sees_signal = std::any_of(op.inputs.begin(), op.inputs.end(), carries);
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            const index source = op.inputs[i] == none ? none : stored[op.inputs[i]];
            if (source == none) continue;
            const use u = detail::use_of(op.type, i, g.tensors[source]);
            if (u == use::forward)
                for (const index t : op.outputs) stored[t] = source;
            if (u == use::table || (u == use::weight && sees_signal)) {
                g.tensors[source].role = tensor_role::parameter;
                sees_signal = true;
            }
        }
        for (const index t : op.outputs) signal[t] = sees_signal;
    }
}

} // namespace dovetail::ext::onnx
