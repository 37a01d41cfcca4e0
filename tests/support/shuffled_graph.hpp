#pragma once
/// \file
/// The same graph in disguise: everything renamed, renumbered, and commutative operands exchanged.

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::test {

/// A graph in disguise, and the numbers that its operations and tensors had before.
struct shuffled_graph {
    workload::operator_graph graph;
    std::vector<workload::index> operation; ///< of the original, by new number
    std::vector<workload::index> tensor;
};

inline shuffled_graph shuffled(const workload::operator_graph& g, std::uint64_t seed) {
    using workload::index;
    random_source random(seed);
    const auto permutation = [&](std::size_t size) {
        std::vector<index> order(size);
        for (index k = 0; k < size; ++k) order[k] = k;
        std::shuffle(order.begin(), order.end(), random);
        return order;
    };
    shuffled_graph result{
        .graph = {}, .operation = permutation(g.operations.size()), .tensor = permutation(g.tensors.size())};
    std::vector<index> new_operation(g.operations.size());
    std::vector<index> new_tensor(g.tensors.size());
    for (index k = 0; k < result.operation.size(); ++k) new_operation[result.operation[k]] = k;
    for (index k = 0; k < result.tensor.size(); ++k) new_tensor[result.tensor[k]] = k;

    const auto renumber = [](std::vector<index>& list, const std::vector<index>& number) {
        for (index& k : list)
            if (k != workload::none) k = number[k];
    };
    result.graph.batch = g.batch;
    result.graph.attention_heads = g.attention_heads;
    result.graph.outputs = g.outputs;
    renumber(result.graph.outputs, new_tensor);
    for (const index old : result.tensor) {
        workload::tensor t = g.tensors[old];
        t.name = 't' + to_text(random());
        result.graph.add(std::move(t));
    }
    for (const index old : result.operation) {
        workload::operation op = g.operations[old];
        op.name = 'v' + to_text(random());
        renumber(op.inputs, new_tensor);
        renumber(op.outputs, new_tensor);
        if (op.forward != workload::none) op.forward = new_operation[op.forward];
        const bool sum_or_product = op.type == workload::type_of<workload::op::add> ||
                                    op.type == workload::type_of<workload::op::mul>;
        if (op.phase == workload::phase::forward && sum_or_product && random.integer(0, 1) == 1)
            std::swap(op.inputs[0], op.inputs[1]);
        result.graph.add(std::move(op));
    }
    return result;
}

} // namespace dovetail::test
