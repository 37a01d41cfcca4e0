#pragma once
/// \file
/// Structure without names: hashes of operations, and an order of them that no renaming or shuffling changes.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace dovetail::workload {

/// Whether the operands of a type may change places.
[[nodiscard]] constexpr bool is_commutative(operator_type type) {
    constexpr std::array types{type_of<op::add>,         type_of<op::mul>,        type_of<op::sum>,
                               type_of<op::minimum>,     type_of<op::maximum>,    type_of<op::equal>,
                               type_of<op::logical_and>, type_of<op::logical_or>, type_of<op::logical_xor>};
    return std::find(types.begin(), types.end(), type) != types.end();
}

namespace detail {

[[nodiscard]] inline std::uint64_t hash_list(std::uint64_t seed, array_view<const std::int64_t> values) {
    for (const std::int64_t value : values) seed = hash_append(seed, static_cast<std::uint64_t>(value));
    return hash_append(seed, static_cast<std::uint64_t>(values.size()));
}

[[nodiscard]] inline std::uint64_t hash_value(const attribute_value& value) {
    const auto seed = static_cast<std::uint64_t>(value.index());
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return hash_append(seed, static_cast<std::uint64_t>(*number));
    if (const auto* number = std::get_if<double>(&value))
        return hash_append(seed, std::bit_cast<std::uint64_t>(*number));
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) return hash_list(seed, *list);
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? hash_append(seed, std::string_view(*text)) : seed;
}

[[nodiscard]] inline std::uint64_t hash_operation(const operation& op) {
    std::uint64_t hash =
        hash_append(static_cast<std::uint64_t>(op.type), static_cast<std::uint64_t>(op.phase));
    hash = hash_append(hash, static_cast<std::uint64_t>(op.operand));
    for (const auto& [name, value] : op.attributes.entries())
        hash = hash_append(hash_append(hash, std::string_view(name)), hash_value(value));
    return hash;
}

[[nodiscard]] inline std::uint64_t hash_tensor(const tensor& t) {
    std::uint64_t hash = hash_list(static_cast<std::uint64_t>(t.type), t.dims);
    hash = hash_list(hash, t.integers);
    for (const double value : t.reals) hash = hash_append(hash, std::bit_cast<std::uint64_t>(value));
    return hash;
}

/// The operands of `op` whose places count: gradients keep the type, but not the symmetry, of their operator.
[[nodiscard]] inline bool ordered(const operation& op) {
    return op.phase != phase::forward || !is_commutative(op.type);
}

/// Colours operations by what surrounds them inside their own part of the graph. Results of other parts look
/// alike where their shapes do, so that equal parts get equal colours wherever they stand.
///
/// It is colour refinement (Weisfeiler and Leman, 1968) on operations and tensors, made quick by the order of
/// the graph: one sweep down and one up carry colours along whole paths.
class refinement {
public:
    /// \param labels the part of every operation; `none` for one that belongs to no part
    refinement(const operator_graph& g, array_view<const index> labels) : graph_(g), labels_(labels) {
        list_uses();
        colours_.reserve(g.operations.size());
        for (const operation& op : g.operations) colours_.push_back(hash_operation(op));
        order_ = graph::topological_order(dataflow(g)).value();
        for (int round = 0; round < rounds; ++round) {
            sweep_down();
            sweep_up();
        }
    }

    [[nodiscard]] std::vector<std::uint64_t> take() && { return std::move(colours_); }

private:
    // The second round lets what a tensor is used for tell apart the operations that share it.
    static constexpr int rounds = 2;

    /// A tensor as seen from one part.
    [[nodiscard]] static std::uint64_t key(index t, index label) { return std::uint64_t{t} << 32 | label; }
    [[nodiscard]] std::size_t seen(index t, index label) const {
        return static_cast<std::size_t>(std::lower_bound(keys_.begin(), keys_.end(), key(t, label)) -
                                        keys_.begin());
    }

    void list_uses() {
        const std::vector<index> producer = producers(graph_);
        std::vector<bool> leaves(graph_.tensors.size(), false);
        for (const index t : graph_.outputs) leaves[t] = true;
        for (index v = 0; v < graph_.operations.size(); ++v) {
            const operation& op = graph_.operations[v];
            for (const index t : op.inputs) {
                if (t == none) continue;
                if (producer[t] != none && labels_[producer[t]] != labels_[v]) leaves[t] = true;
                if (labels_[v] != none) keys_.push_back(key(t, labels_[v]));
            }
            for (const index t : op.outputs)
                if (labels_[v] != none) keys_.push_back(key(t, labels_[v]));
        }
        std::sort(keys_.begin(), keys_.end());
        keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
        const dependence of = dependences(graph_);
        for (const std::uint64_t k : keys_) {
            const auto t = static_cast<index>(k >> 32);
            const bool inside = producer[t] != none && labels_[producer[t]] == static_cast<index>(k);
            // What comes from outside counts by its role and by whether a gradient leaves through it.
            std::uint64_t part = static_cast<std::uint64_t>(graph_.tensors[t].role);
            for (const bool fact :
                 {inside, inside && leaves[t], bool{of.on_data[t]}, bool{of.on_parameter[t]}})
                part = part << 1 | (fact ? 1U : 0U);
            tensors_.push_back(hash_append(hash_tensor(graph_.tensors[t]), part));
        }
    }

    void sweep_down() {
        std::vector<std::uint64_t> operands;
        for (const index v : order_) {
            if (labels_[v] == none) continue;
            const operation& op = graph_.operations[v];
            operands.clear();
            for (const index t : op.inputs) operands.push_back(t == none ? 0 : tensors_[seen(t, labels_[v])]);
            if (!ordered(op)) std::sort(operands.begin(), operands.end());
            for (const std::uint64_t operand : operands) colours_[v] = hash_append(colours_[v], operand);
            for (std::size_t k = 0; k < op.outputs.size(); ++k) {
                std::uint64_t& result = tensors_[seen(op.outputs[k], labels_[v])];
                result = hash_append(hash_append(result, colours_[v]), static_cast<std::uint64_t>(k));
            }
        }
    }

    void sweep_up() {
        std::vector<std::uint64_t> uses(tensors_.size(), 0); // sums, since uses have no order
        for (auto place = order_.rbegin(); place != order_.rend(); ++place) {
            const index v = *place;
            if (labels_[v] == none) continue;
            const operation& op = graph_.operations[v];
            for (const index t : op.outputs)
                colours_[v] = hash_append(colours_[v], uses[seen(t, labels_[v])]);
            for (std::size_t k = 0; k < op.inputs.size(); ++k)
                if (op.inputs[k] != none)
                    uses[seen(op.inputs[k], labels_[v])] +=
                        hash_append(colours_[v], static_cast<std::uint64_t>(ordered(op) ? k : 0));
        }
        for (std::size_t s = 0; s < tensors_.size(); ++s) tensors_[s] = hash_append(tensors_[s], uses[s]);
    }

    const operator_graph& graph_;
    array_view<const index> labels_;
    std::vector<index> order_;
    std::vector<std::uint64_t> keys_;    // sorted pairs of a tensor and a part that sees it
    std::vector<std::uint64_t> tensors_; // colours, aligned with keys_
    std::vector<std::uint64_t> colours_; // of operations
};

} // namespace detail

/// For every operation a hash of its structure: type, attributes, shapes and roles of its tensors, and the
/// same of all that it depends on and of all that depends on it. Names and numbering have no part in it, nor
/// has the order of commutative operands. The graph is acyclic. \complexity O(operands log operands).
[[nodiscard]] inline std::vector<std::uint64_t> structural_hashes(const operator_graph& g) {
    const std::vector<index> whole(g.operations.size(), 0);
    return detail::refinement(g, whole).take();
}

/// A hash for each of `parts` parts of the graph: equal for parts of equal structure, wherever they stand.
/// \param labels the part of every operation, below `parts`; `none` for an operation of no part, whose
/// results count as given. \complexity O(operands log operands).
[[nodiscard]] inline std::vector<std::uint64_t>
part_hashes(const operator_graph& g, array_view<const index> labels, std::size_t parts) {
    DOVETAIL_ASSERT(labels.size() == g.operations.size(), "one label an operation");
    const std::vector<std::uint64_t> colours = detail::refinement(g, labels).take();
    std::vector<std::uint64_t> hashes(parts, 0);
    for (index v = 0; v < colours.size(); ++v)
        if (labels[v] != none) hashes[labels[v]] += mix(colours[v]);
    return hashes;
}

/// A topological order that depends on the structure alone: renaming and shuffling operations and tensors
/// gives the same order, up to exchanging operations that no structure tells apart. Operations stand by
/// depth, then by the structure of the part that they are in, so that equal parts are ordered alike, then by
/// that of the whole graph, then by the places of their operands' producers. \param labels nothing, or the
/// part of every operation \complexity O((operations + operands) log operands).
[[nodiscard]] inline std::vector<index> canonical_order(const operator_graph& g,
                                                        array_view<const index> labels = {}) {
    const std::size_t n = g.operations.size();
    const graph::digraph flow = dataflow(g);
    const std::vector<index> producer = producers(g);
    const std::vector<std::uint64_t> whole = structural_hashes(g);
    const std::vector<std::uint64_t> local = labels.empty() ? whole : detail::refinement(g, labels).take();

    std::vector<index> depth(n, 0);
    std::vector<index> order = graph::topological_order(flow).value();
    for (const index v : order)
        for (const index u : flow.predecessors(v)) depth[v] = std::max(depth[v], depth[u] + 1);
    const auto key = [&](index v) { return std::tuple(depth[v], local[v], whole[v]); };
    std::sort(order.begin(), order.end(), [&](index a, index b) { return key(a) < key(b); });

    std::vector<index> place(n, none);
    std::vector<std::pair<std::vector<index>, index>> tied;
    for (std::size_t first = 0; first < n;) {
        std::size_t last = first + 1;
        while (last < n && key(order[last]) == key(order[first])) ++last;
        if (last - first > 1) {
            tied.clear();
            for (std::size_t i = first; i < last; ++i) {
                const operation& op = g.operations[order[i]];
                std::vector<index> before;
                for (const index t : op.inputs)
                    before.push_back(t == none || producer[t] == none ? none : place[producer[t]]);
                if (!detail::ordered(op)) std::sort(before.begin(), before.end());
                tied.emplace_back(std::move(before), order[i]);
            }
            std::sort(tied.begin(), tied.end());
            for (std::size_t i = first; i < last; ++i) order[i] = tied[i - first].second;
        }
        for (; first < last; ++first) place[order[first]] = static_cast<index>(first);
    }
    return order;
}

} // namespace dovetail::workload
