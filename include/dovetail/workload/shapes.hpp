#pragma once
/// \file
/// Shape inference over a whole graph, with shape arithmetic folded on the way.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// The operands of one operation, as its descriptor sees them.
class operand_view {
public:
    operand_view(const operator_graph& g, const operation& op) : attributes_(&op.attributes) {
        inputs_.reserve(op.inputs.size());
        outputs_.reserve(op.outputs.size());
        for (const index t : op.inputs) inputs_.push_back(t == none ? nullptr : &g.tensors[t]);
        for (const index t : op.outputs) outputs_.push_back(&g.tensors[t]);
    }

    [[nodiscard]] operands get() const { return {inputs_, outputs_, *attributes_, outputs_.size()}; }

private:
    std::vector<const tensor*> inputs_;
    std::vector<const tensor*> outputs_;
    const attribute_set* attributes_;
};

/// The longest list of integers that shape arithmetic carries on: longer ones are data.
inline constexpr std::size_t largest_known_list = 256;

/// The largest number of dimensions.
inline constexpr std::size_t largest_rank = 32;

/// Checks one shape: extents that are not negative and a size below 2^63.
[[nodiscard]] inline result<void> check_shape(const tensor& t) {
    if (t.dims.size() > largest_rank)
        return error{errc::unsupported, "tensor '" + t.name + "'",
                     "it has " + to_text(t.dims.size()) + " dimensions",
                     "a tensor has at most " + to_text(largest_rank)};
    for (const std::int64_t extent : t.dims)
        if (extent < 0)
            return error{errc::shape, "tensor '" + t.name + "'", "its shape is " + op::to_text(t.dims),
                         "extents are not negative"};
    // The other extents must fit even where one of them is 0.
    dimensions extents = t.dims;
    std::replace(extents.begin(), extents.end(), std::int64_t{0}, std::int64_t{1});
    if (!checked_product(extents))
        return error{errc::overflow, "tensor '" + t.name + "'",
                     "its shape " + op::to_text(t.dims) + " has 2^63 elements or more", "a tensor has fewer"};
    return {};
}

/// Infers the shape, type and, for shape arithmetic, the value of every result, in topological order. What
/// the activations held before is replaced. `g` must pass `validate`. \returns the error of a descriptor's
/// `infer`, with the operation's name as its place. \complexity O(operands + arcs log operations).
[[nodiscard]] inline result<void> infer_shapes(operator_graph& g) {
    auto order = graph::topological_order(dataflow(g));
    if (!order) return std::move(order).problem();
    for (const tensor& t : g.tensors)
        if (t.role != tensor_role::activation)
            if (auto sound = check_shape(t); !sound) return sound;
    for (const index v : *order) {
        const operation& op = g.operations[v];
        auto inferred = descriptor(op.type).infer(operand_view(g, op).get());
        if (!inferred) return std::move(inferred).problem().within(label(op));
        if (inferred->size() < op.outputs.size())
            return error{errc::shape, label(op),
                         "it has " + to_text(op.outputs.size()) + " results where there are " +
                             to_text(inferred->size()),
                         "declare no more results than the operator gives"};
        for (std::size_t r = 0; r < op.outputs.size(); ++r) {
            signature& s = (*inferred)[r];
            tensor& out = g.tensors[op.outputs[r]];
            out.dims = std::move(s.dims);
            out.type = s.type;
            out.integers.clear();
            if (s.integers.size() <= largest_known_list) out.integers = std::move(s.integers);
            if (auto sound = check_shape(out); !sound) return std::move(sound).problem().within(label(op));
        }
    }
    return {};
}

} // namespace dovetail::workload
