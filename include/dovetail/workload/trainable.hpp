#pragma once
/// \file
/// Which stored tensors of an ordinary model file are trained: found from how they are used.

#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::workload {

namespace detail {

/// Whether a stored tensor is a weight where `op` takes it as operand `position`: a factor of a product, a
/// table of an embedding, the scale and shift of a normalization, or a bias. Running statistics and masks are
/// not.
[[nodiscard]] inline bool takes_weight(const operation& op, std::size_t position, const tensor& t) {
    const fusion_class fusion = descriptor(op.type).fusion;
    if (fusion == fusion_class::contraction) return true;
    if (op.type == type_of<op::gather>) return position == 0;
    if (fusion == fusion_class::normalization) return position == 1 || position == 2;
    if (op.type != type_of<op::add> && op.type != type_of<op::mul> && op.type != type_of<op::sub>)
        return false;
    // A bias, a scale or a table of positions; a mask has two axes of positions behind two others.
    const auto wide =
        std::count_if(t.dims.begin(), t.dims.end(), [](std::int64_t extent) { return extent > 1; });
    return wide == 1 || (wide == 2 && t.dims.size() <= 3);
}

} // namespace detail

/// Gives the constants of `g` their roles: floating tensors of more than one element that are used as
/// weights, directly or through views, become parameters; other large ones become buffers. For files that do
/// not say. \complexity O(operands) a level of views.
inline void mark_trainable(operator_graph& g) {
    std::vector<bool> weight(g.tensors.size(), false);
    // Backwards, so that a view of a weight passes it on to what it looks at, however the nodes are ordered.
    for (bool changed = true; changed;) {
        changed = false;
        for (const operation& op : g.operations)
            for (std::size_t position = 0; position < op.inputs.size(); ++position) {
                const index t = op.inputs[position];
                if (t == none || weight[t]) continue;
                const bool view = descriptor(op.type).fusion == fusion_class::view;
                const bool found = view ? position == 0 && weight[op.outputs[0]]
                                        : detail::takes_weight(op, position, g.tensors[t]);
                weight[t] = found;
                changed = changed || found;
            }
    }
    for (index t = 0; t < g.tensors.size(); ++t) {
        tensor& stored = g.tensors[t];
        if (stored.role != tensor_role::constant || stored.elements() < 2) continue;
        if (weight[t] && is_floating(stored.type))
            stored.role = tensor_role::parameter;
        else if (stored.integers.empty() && stored.reals.empty())
            stored.role = tensor_role::buffer;
    }
}

} // namespace dovetail::workload
