#pragma once
/// \file
/// Finding composite operators in graphs that spell them out.

#include <dovetail/graph/order.hpp>
#include <dovetail/workload/composites.hpp>
#include <dovetail/workload/formula_matcher.hpp>
#include <dovetail/workload/operator_graph.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

namespace detail {

/// The composite operation that takes the place of operation `root`.
[[nodiscard]] inline operation composed(const operator_graph& g, index root, const composite& what,
                                        const occurrence& found) {
    operation op{.type = what.type,
                 .name = g.operations[root].name,
                 .inputs = std::vector<index>(found.operands.begin(), found.operands.end()),
                 .outputs = g.operations[root].outputs,
                 .attributes = {}};
    while (op.inputs.back() == none) op.inputs.pop_back();
    if (what.axes != reduced_axes::nothing) {
        const auto rank = static_cast<std::int64_t>(g.tensors[op.inputs.front()].dims.size());
        op.attributes.set("axis", static_cast<std::int64_t>(found.axes.front()) - rank);
    }
    if (!what.setting.empty()) op.attributes.set(std::string(what.setting), *found.setting);
    if (!what.approximate.empty()) op.attributes.set("approximate", std::string(what.approximate));
    return op;
}

/// Leaves out the operations marked `gone`, and the results and constants that nobody needs any more.
inline void compact(operator_graph& g, const std::vector<bool>& gone) {
    std::vector<bool> needless(g.tensors.size(), false);
    std::vector<operation> kept;
    for (index v = 0; v < g.operations.size(); ++v) {
        operation& op = g.operations[v];
        if (!gone[v])
            kept.push_back(std::move(op));
        else
            for (const std::vector<index>* list : {&op.inputs, &op.outputs})
                for (const index t : *list)
                    if (t != none && (list == &op.outputs || g.tensors[t].role == tensor_role::constant))
                        needless[t] = true;
    }
    g.operations = std::move(kept);
    for (const operation& op : g.operations)
        for (const std::vector<index>* list : {&op.inputs, &op.outputs})
            for (const index t : *list)
                if (t != none) needless[t] = false;
    for (const index t : g.outputs) needless[t] = false;

    std::vector<index> number(g.tensors.size(), none);
    std::vector<tensor> tensors;
    for (index t = 0; t < g.tensors.size(); ++t)
        if (!needless[t]) {
            number[t] = static_cast<index>(tensors.size());
            tensors.push_back(std::move(g.tensors[t]));
        }
    g.tensors = std::move(tensors);
    const auto renumber = [&](std::vector<index>& list) {
        for (index& t : list)
            if (t != none) t = number[t];
    };
    for (operation& op : g.operations) {
        renumber(op.inputs);
        renumber(op.outputs);
    }
    renumber(g.outputs);
}

} // namespace detail

/// The same forward graph with every operator of `composites` that it spells out put in its place: layer and
/// RMS normalization, GELU, SiLU, softmax. They are found by structure: names play no part, operands of sums
/// and products may stand in any order and grouping, constants count by value, casts between floating types
/// may stand in between. What somebody else uses, too, stays as it is. Parameters and products are unchanged.
/// \complexity O(operations x composites), times a constant that the formulas bound.
[[nodiscard]] inline operator_graph recognise(const operator_graph& g) {
    operator_graph recognised = g;
    std::vector<bool> gone(g.operations.size(), false);
    formula_matcher match(g);
    const std::vector<index> order = graph::topological_order(dataflow(g)).value();
    // From the end, so that a formula is found before those that it contains.
    for (auto root = order.rbegin(); root != order.rend(); ++root) {
        if (gone[*root] || g.operations[*root].phase != phase::forward) continue;
        for (const composite& what : composites) {
            const auto found = match(*root, what);
            if (!found) continue;
            for (const index v : found->operations) gone[v] = true;
            gone[*root] = false;
            recognised.operations[*root] = detail::composed(g, *root, what, *found);
            break;
        }
    }
    detail::compact(recognised, gone);
    return recognised;
}

} // namespace dovetail::workload
