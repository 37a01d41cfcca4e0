#pragma once
/// \file
/// What a tensor depends on: data, parameters, both or neither.

#include <dovetail/graph/order.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::workload {

/// For every tensor whether a data input, and whether a parameter, has a part in its value.
struct dependence {
    std::vector<bool> on_data;
    std::vector<bool> on_parameter;

    /// Whether a gradient flows through tensor `t` while the model is trained: it is neither a weight
    /// expression nor a side path such as a mask, a position or a rotary table.
    [[nodiscard]] bool on_trunk(index t) const { return on_data[t] && on_parameter[t]; }
};

/// The dependences of an acyclic graph. A tensor whose elements are known (shape arithmetic) depends on
/// nothing. \complexity O(operands log operations).
[[nodiscard]] inline dependence dependences(const operator_graph& g) {
    dependence of{.on_data = std::vector<bool>(g.tensors.size(), false),
                  .on_parameter = std::vector<bool>(g.tensors.size(), false)};
    for (index t = 0; t < g.tensors.size(); ++t) {
        of.on_data[t] = g.tensors[t].role == tensor_role::input;
        of.on_parameter[t] = g.tensors[t].role == tensor_role::parameter;
    }
    for (const index v : graph::topological_order(dataflow(g)).value()) {
        bool data = g.operations[v].phase != phase::forward; // gradients are of the data's loss
        bool parameter = false;
        for (const index t : g.operations[v].inputs) {
            if (t == none) continue;
            data = data || of.on_data[t];
            parameter = parameter || of.on_parameter[t];
        }
        for (const index t : g.operations[v].outputs) {
            const bool known = !g.tensors[t].integers.empty();
            of.on_data[t] = data && !known;
            of.on_parameter[t] = parameter && !known;
        }
    }
    return of;
}

/// For every operation whether its results are the same for all data: expressions of parameters, such as the
/// transpose of a tied embedding, tables of constants, and shape arithmetic. They cost nothing at run time.
/// \complexity O(operands log operations).
[[nodiscard]] inline std::vector<bool> weight_only(const operator_graph& g, const dependence& of) {
    std::vector<bool> only(g.operations.size());
    for (index v = 0; v < g.operations.size(); ++v)
        only[v] = g.operations[v].phase == phase::forward &&
                  std::none_of(g.operations[v].outputs.begin(), g.operations[v].outputs.end(),
                               [&](index t) { return of.on_data[t]; });
    return only;
}

/// The same, with the dependences computed on the way.
[[nodiscard]] inline std::vector<bool> weight_only(const operator_graph& g) {
    return weight_only(g, dependences(g));
}

} // namespace dovetail::workload
