#pragma once
/// \file
/// How many attention heads a model has, found in its graph.

#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace dovetail::workload {

namespace detail {

/// Whether tensor `t` is a softmax, seen through views, dropouts, masks and scalings.
[[nodiscard]] inline bool attention_weights(const operator_graph& g, const std::vector<index>& producer,
                                            index t) {
    while (t != none && producer[t] != none) {
        const operation& op = g.operations[producer[t]];
        if (op.type == type_of<op::softmax>) return true;
        const fusion_class fusion = descriptor(op.type).fusion;
        const bool passes = fusion == fusion_class::view || fusion == fusion_class::elementwise;
        if (!passes || op.inputs.empty()) return false;
        t = op.inputs[0];
    }
    return false;
}

} // namespace detail

/// The operations that attentions end in: products of a softmax with values, in the order of the graph.
/// \param g acyclic \complexity as `find_attention_heads`.
[[nodiscard]] inline std::vector<index> attention_contexts(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::vector<index> contexts;
    for (index v = 0; v < g.operations.size(); ++v) {
        const operation& op = g.operations[v];
        if (op.type == type_of<op::mat_mul> && op.inputs.size() == 2 &&
            detail::attention_weights(g, producer, op.inputs[0]))
            contexts.push_back(v);
    }
    return contexts;
}

/// The number of attention heads, which a tensor width must divide; 0 for a model without attention. Heads
/// are the products that an attention makes for one sample: of its context, the product of the softmax with
/// the values, the last dimension but two; where heads and batch share one, that dimension without the batch.
/// Attentions that differ give their greatest common divisor.
/// \param g acyclic, with shapes. \complexity O(operands) for each attention at worst.
[[nodiscard]] inline std::int64_t find_attention_heads(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::int64_t heads = 0;
    for (const index v : attention_contexts(g)) {
        const operation& op = g.operations[v];
        const dimensions& context = g.tensors[op.outputs[0]].dims;
        if (context.size() < 3 || producer[op.inputs[1]] == none) continue;
        const std::int64_t products = context[context.size() - 3];
        if (context.size() > 3)
            heads = std::gcd(heads, products);
        else if (products % g.batch == 0)
            heads = std::gcd(heads, products / g.batch);
    }
    return heads;
}

} // namespace dovetail::workload
