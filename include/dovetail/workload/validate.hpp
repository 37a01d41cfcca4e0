#pragma once
/// \file
/// Structure that every pass takes for granted, checked once where a graph enters the library.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace dovetail::workload {

/// "MatMul 'name'", for messages.
[[nodiscard]] inline std::string label(const operation& op) {
    return std::string(descriptor(op.type).name) + " '" + op.name + "'";
}

/// Checks that every operation names existing tensors, that each tensor has one producer and none that is
/// given from outside, and that the graph is acyclic. \returns errc::parse or errc::cycle; a cycle is spelled
/// out by operation names. \complexity O((operations + operands) log operations).
[[nodiscard]] inline result<void> validate(const operator_graph& g) {
    std::vector<index> producer(g.tensors.size(), none);
    for (index v = 0; v < g.operations.size(); ++v) {
        const operation& op = g.operations[v];
        for (const index t : op.inputs)
            if (t != none && t >= g.tensors.size())
                return error{errc::parse, label(op), "it takes tensor " + to_text(t),
                             "tensors are numbered below " + to_text(g.tensors.size())};
        for (const index t : op.outputs) {
            if (t >= g.tensors.size())
                return error{errc::parse, label(op), "it gives tensor " + to_text(t),
                             "tensors are numbered below " + to_text(g.tensors.size())};
            if (producer[t] != none)
                return error{errc::parse, label(op),
                             "its result '" + g.tensors[t].name + "' is also the result of " +
                                 label(g.operations[producer[t]]),
                             "every tensor has one producer"};
            if (g.tensors[t].role != tensor_role::activation)
                return error{errc::parse, label(op),
                             "its result '" + g.tensors[t].name + "' is also given from outside",
                             "every tensor has one producer"};
            producer[t] = v;
        }
    }
    for (const index t : g.outputs)
        if (t >= g.tensors.size())
            return error{errc::parse, "graph", "it gives tensor " + to_text(t),
                         "tensors are numbered below " + to_text(g.tensors.size())};
    for (const operation& op : g.operations)
        for (const index t : op.inputs)
            if (t != none && producer[t] == none && g.tensors[t].role == tensor_role::activation)
                return error{errc::parse, label(op),
                             "it takes '" + g.tensors[t].name + "', which nothing gives",
                             "every operand is an input, a weight, or the result of an operation"};
    const std::vector<index> cycle = graph::find_cycle(dataflow(g));
    if (cycle.empty()) return {};
    std::string path;
    for (const index v : cycle) path += label(g.operations[v]) + " -> ";
    return error{errc::cycle, "graph", "it has a cycle: " + path + label(g.operations[cycle.front()]),
                 "the graph must be acyclic"};
}

} // namespace dovetail::workload
