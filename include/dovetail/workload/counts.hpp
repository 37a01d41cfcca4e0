#pragma once
/// \file
/// What a model amounts to: parameters, multiply-accumulates, nodes and edges.

#include <dovetail/core/checked.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace dovetail::workload {

/// Trainable elements; a tensor that several operations share counts once.
[[nodiscard]] inline std::int64_t count_parameters(const operator_graph& g) {
    std::int64_t parameters = 0;
    for (const tensor& t : g.tensors)
        if (t.role == tensor_role::parameter)
            parameters =
                checked_add(parameters, t.elements()).value_or(std::numeric_limits<std::int64_t>::max());
    return parameters;
}

/// Multiply-accumulates of all products, attention's included in full. Exact below 2^53.
[[nodiscard]] inline double count_macs(const operator_graph& g) {
    double macs = 0;
    for (const operation& op : g.operations)
        macs += descriptor(op.type).product(operand_view(g, op).get()).macs();
    return macs;
}

/// Uses of one operation's result by another.
[[nodiscard]] inline std::size_t count_edges(const operator_graph& g) { return dataflow(g).edge_count(); }

/// Operations by type name, in alphabetical order.
[[nodiscard]] inline std::map<std::string, std::size_t> count_operators(const operator_graph& g) {
    std::map<std::string, std::size_t> counts;
    for (const operation& op : g.operations) ++counts[std::string(descriptor(op.type).name)];
    return counts;
}

} // namespace dovetail::workload
