#pragma once
/// \file
/// How many attention heads a model has: found from its batched products.

#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace dovetail::workload {

/// The greatest common divisor, over all products of two activations, of the products that each makes for one
/// sample: the number of heads, or 0 for a model without attention. A tensor width must divide it.
/// \complexity O(operands).
[[nodiscard]] inline std::int64_t find_attention_heads(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::int64_t heads = 0;
    for (const operation& op : g.operations) {
        if (op.type != type_of<op::mat_mul> || op.inputs.size() != 2) continue;
        const tensor& b = g.tensors[op.inputs[1]];
        if (producer[op.inputs[0]] == none || producer[op.inputs[1]] == none || b.dims.size() < 3) continue;
        std::int64_t products = 1;
        for (std::size_t axis = 0; axis + 2 < b.dims.size(); ++axis) products *= b.dims[axis];
        if (products % g.batch == 0) heads = std::gcd(heads, products / g.batch);
    }
    return heads;
}

} // namespace dovetail::workload
