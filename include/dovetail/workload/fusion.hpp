#pragma once
/// \file
/// Fusion: which operations run as one, so that what passes between them stays on the chip.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/canonical.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// Operations that run as one.
struct fused_group {
    index head = none; ///< its product; else its normalization; else the operation that it starts with
    std::vector<index> operations; ///< in topological order
};

/// A partition of the operations that run. Weight-only operations, which do not run, are in no group.
struct fusion {
    std::vector<fused_group> groups; ///< in topological order
    std::vector<index> group_of;     ///< of every operation; `none` for a weight-only one
};

namespace detail {

/// How an operation fuses. A gradient keeps the type of the operator that it belongs to, but spreads what
/// that one reduces, and adds up over the batch what belongs to a parameter or was broadcast.
[[nodiscard]] inline fusion_class fusion_of(const operator_graph& g, const operation& op) {
    if (is_view(op)) return fusion_class::view;
    if (is_accumulation(op)) return fusion_class::elementwise;
    const fusion_class type = descriptor(op.type).fusion;
    if (op.phase == phase::forward || type == fusion_class::contraction) return type;
    if (op.phase != phase::input_gradient || type == fusion_class::reduction) return fusion_class::opaque;
    const bool adds_up =
        type == fusion_class::elementwise && std::any_of(op.outputs.begin(), op.outputs.end(), [&](index t) {
            return g.tensors[t].elements() < g.tensors[op.inputs.front()].elements();
        });
    return adds_up ? fusion_class::opaque : type;
}

/// Grows groups along the single uses of results. A group gives its result by one operation, its tail, and an
/// operation joins only as the sole user of that result: every path out of the group passes through it, so no
/// path can leave the group and come back.
class fuser {
public:
    fuser(const operator_graph& g, array_view<const index> labels)
        : graph_(g), labels_(labels), producer_(producers(g)), given_(weight_only(g)),
          order_(canonical_order(g, parts())) {
        carry_views();
        list_users();
        const std::size_t n = g.operations.size();
        part_.resize(n);
        joined_.resize(n, none);
        depth_.resize(n, 0);
        position_.resize(n);
        for (index k = 0; k < n; ++k) position_[order_[k]] = k;
        for (const index v : order_)
            if (carrier_[v] == v && !given_[v]) place(v);
        take_up_views();
    }

    /// The groups, numbered in the order of the quotient, of several the first of the canonical order first.
    [[nodiscard]] fusion groups() const {
        const std::size_t n = graph_.operations.size();
        std::vector<index> rank(n, none); // by tail
        std::vector<index> tails;
        for (const index v : order_)
            if (!given_[v] && rank[tail(v)] == none) {
                rank[tail(v)] = static_cast<index>(tails.size());
                tails.push_back(tail(v));
            }
        std::vector<graph::arc> arcs;
        for (index v = 0; v < n; ++v)
            for (const index t : graph_.operations[v].inputs)
                if (!given_[v] && source(t) != none && tail(source(t)) != tail(v))
                    arcs.push_back({rank[tail(source(t))], rank[tail(v)]});
        const auto sorted = graph::topological_order(graph::digraph(tails.size(), arcs)).value();

        fusion result{.groups = std::vector<fused_group>(tails.size()),
                      .group_of = std::vector<index>(n, none)};
        std::vector<index> number(tails.size());
        for (index k = 0; k < sorted.size(); ++k) {
            number[sorted[k]] = k;
            result.groups[k].head = part_[tails[sorted[k]]].head;
        }
        for (const index v : order_)
            if (!given_[v]) {
                result.group_of[v] = number[rank[tail(v)]];
                result.groups[result.group_of[v]].operations.push_back(v);
            }
        return result;
    }

private:
    /// What a group is so far, kept at its tail.
    struct part {
        index head = none;
        bool product = false;
        bool normalized = false;
        bool open = false;      ///< whether more may follow
        std::uint64_t hash = 0; ///< of its structure alone, to choose between groups
    };

    static constexpr index many = none - 1; ///< used by several, or by the outside

    [[nodiscard]] bool together(index u, index v) const {
        return graph_.operations[u].phase == graph_.operations[v].phase &&
               (labels_.empty() || labels_[u] == labels_[v]);
    }
    /// What is ordered by its own structure: one phase of one label.
    [[nodiscard]] std::vector<index> parts() const {
        std::vector<index> numbers;
        numbers.reserve(graph_.operations.size());
        for (index v = 0; v < graph_.operations.size(); ++v) {
            const index label = labels_.empty() ? 0 : labels_[v];
            numbers.push_back(label == none ? none
                                            : 4 * label + static_cast<index>(graph_.operations[v].phase));
        }
        return numbers;
    }

    /// The operation that gives `t` while the model runs.
    [[nodiscard]] index source(index t) const {
        if (t == none || producer_[t] == none || given_[producer_[t]]) return none;
        return producer_[t];
    }

    /// The tail of the group that `v` is in.
    [[nodiscard]] index tail(index v) const { return tail_[carrier_[v]]; }

    /// A view of one operation's result is part of that result: its users use the carrier itself.
    void carry_views() {
        carrier_.resize(graph_.operations.size());
        for (const index v : order_) {
            carrier_[v] = v;
            const operation& op = graph_.operations[v];
            if (given_[v] || fusion_of(graph_, op) != fusion_class::view || op.inputs.empty()) continue;
            const index viewed = source(op.inputs[0]);
            const bool plain = std::all_of(op.inputs.begin() + 1, op.inputs.end(),
                                           [&](index t) { return source(t) == none; });
            if (viewed != none && plain && together(viewed, v)) carrier_[v] = carrier_[viewed];
        }
    }

    /// The one operation that uses each carrier's results. Later phases do not count: they read what was
    /// kept, and nothing leads back from them.
    void list_users() {
        user_.assign(graph_.operations.size(), none);
        for (index v = 0; v < graph_.operations.size(); ++v) {
            if (given_[v]) continue;
            for (const index t : graph_.operations[v].inputs) {
                const index u = source(t);
                if (u == none || carrier_[u] == carrier_[v]) continue;
                if (graph_.operations[v].phase > graph_.operations[u].phase) continue;
                index& user = user_[carrier_[u]];
                user = user == none || user == v ? v : many;
            }
        }
        for (const index t : graph_.outputs)
            if (source(t) != none) user_[carrier_[source(t)]] = many;
    }

    /// The groups that `v` may continue, the best one first: a product before a normalization before others,
    /// and of several the last to be ready.
    [[nodiscard]] std::vector<index> continued_by(index v, fusion_class how) const {
        std::vector<index> tails;
        for (const index t : graph_.operations[v].inputs) {
            const index u = source(t);
            if (u == none) continue;
            const index last = carrier_[u];
            if (user_[last] != v || !together(last, v) || !part_[last].open) continue;
            if (how != fusion_class::elementwise && part_[last].normalized) continue;
            if (how == fusion_class::reduction && part_[last].product) continue;
            if (std::find(tails.begin(), tails.end(), last) == tails.end()) tails.push_back(last);
        }
        const auto rank = [&](index u) {
            return std::tuple(part_[u].product, part_[u].normalized, depth_[u], part_[u].hash, position_[u]);
        };
        std::sort(tails.begin(), tails.end(), [&](index a, index b) { return rank(a) > rank(b); });
        return tails;
    }

    void place(index v) {
        const operation& op = graph_.operations[v];
        const fusion_class how = fusion_of(graph_, op);
        for (const index t : op.inputs)
            if (source(t) != none) depth_[v] = std::max(depth_[v], depth_[carrier_[source(t)]] + 1);

        part& mine = part_[v];
        mine = {.head = v,
                .product = how == fusion_class::contraction,
                .normalized = how == fusion_class::normalization,
                .open = how == fusion_class::contraction || how == fusion_class::elementwise ||
                        how == fusion_class::normalization,
                .hash = shape_hash(op)};
        if (how != fusion_class::elementwise && how != fusion_class::normalization &&
            how != fusion_class::reduction)
            return;
        bool first = true;
        for (const index last : continued_by(v, how)) {
            const part& before = part_[last];
            // Beside the best group only plain elementwise ones join: a second product or reduction over an
            // axis cannot run within the first.
            if (!first && (before.product || before.normalized)) continue;
            joined_[last] = v;
            if (first && (before.product || !mine.normalized)) mine.head = before.head;
            mine.product = mine.product || before.product;
            mine.normalized = mine.normalized || before.normalized;
            mine.hash = hash_append(mine.hash, before.hash);
            first = false;
        }
    }

    [[nodiscard]] std::uint64_t shape_hash(const operation& op) const {
        std::uint64_t hash = hash_operation(op);
        for (const index t : op.inputs) hash += t == none ? 0 : mix(hash_tensor(graph_.tensors[t]));
        for (const index t : op.outputs) hash = hash_append(hash, hash_tensor(graph_.tensors[t]));
        return hash;
    }

    /// A view of what nothing carries joins the group that uses it, where there is one.
    void take_up_views() {
        tail_.assign(graph_.operations.size(), none);
        for (auto last = order_.rbegin(); last != order_.rend(); ++last) {
            const index v = *last;
            if (given_[v] || carrier_[v] != v) continue;
            tail_[v] = joined_[v] == none ? v : tail_[joined_[v]];
            if (fusion_of(graph_, graph_.operations[v]) != fusion_class::view) continue;
            const index user = user_[v];
            if (user != none && user != many && together(user, v)) tail_[v] = tail_[carrier_[user]];
        }
    }

    const operator_graph& graph_;
    array_view<const index> labels_;
    std::vector<index> producer_;
    std::vector<bool> given_; // weight-only
    std::vector<index> order_;
    std::vector<index> carrier_; // the operation whose result a view shows; itself for all others
    std::vector<index> user_;    // of a carrier's results: one operation, `none` or `many`
    std::vector<part> part_;     // by tail
    std::vector<index> joined_;  // the operation that made a tail's group its own
    std::vector<index> depth_;
    std::vector<index> position_; // in the canonical order
    std::vector<index> tail_;     // by carrier
};

} // namespace detail

/// Partitions the operations that run into groups that can run as one:
/// * a product takes up the elementwise operators, views and one normalization that follow it, as long as
/// each
///   is the only user of the result before it; the other operand of a sum is one more tensor to read (of two
///   products that meet in a sum, the one that is ready last takes it up);
/// * elementwise operators fuse among themselves, with at most one normalization, or with a reduction at the
/// end;
/// * views dissolve in the group whose result they show, or else in the one that uses them;
/// * nothing fuses across phases, or across labels.
///
/// Running the groups one after the other in their order respects every dependence. Operations of a phase
/// depend on none of a later phase. The classes are those of Chen et al., TVM, OSDI 2018, section 3.
/// \param labels nothing, or a label an operation (its layer, say)
/// \returns the same groups for the same structure, whatever the names and the numbering.
/// \complexity O((operations + operands) log operands).
[[nodiscard]] inline fusion fuse(const operator_graph& g, array_view<const index> labels = {}) {
    DOVETAIL_ASSERT(labels.empty() || labels.size() == g.operations.size(),
                    "one label an operation, or none");
    return detail::fuser(g, labels).groups();
}

/// The groups that must wait for one another, one arc a pair. \complexity O(operands log operands).
[[nodiscard]] inline graph::digraph precedence(const operator_graph& g, const fusion& fused) {
    const std::vector<index> producer = producers(g);
    std::vector<std::pair<index, index>> pairs;
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs) {
            if (t == none || producer[t] == none) continue;
            const std::pair pair(fused.group_of[producer[t]], fused.group_of[v]);
            if (pair.first != none && pair.second != none && pair.first != pair.second) pairs.push_back(pair);
        }
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    std::vector<graph::arc> arcs;
    arcs.reserve(pairs.size());
    for (const auto& [from, to] : pairs) arcs.push_back({from, to});
    return graph::digraph(fused.groups.size(), arcs);
}

} // namespace dovetail::workload
