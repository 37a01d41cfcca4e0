#pragma once
/// \file
/// Layers: a model as a chain of parts, with equal parts known as equal.

#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/canonical.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/repetition.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// One layer of a chain. Equal layers have equal ids; their gradients are the same, but that the result of an
/// inner one has more users, whose gradients are added up.
struct layer {
    index id = 0;                  ///< of its structure, counted by first appearance
    std::vector<index> operations; ///< ascending
};

/// The layers of a forward graph.
struct layer_structure {
    std::vector<layer> layers;   ///< from input to output
    std::vector<index> layer_of; ///< of every operation
    /// What crosses from the layers up to i to the later ones, one list less than there are layers:
    /// activations that an operation gives while the model runs. A view counts as the tensor that it shows.
    std::vector<std::vector<index>> boundaries;
};

/// Equal layers in a row.
struct layer_run {
    index id = 0;        ///< of their structure
    index first = 0;     ///< in the chain, counted from 0: the number that layers of plans have
    index repeats = 0;   ///< how many there are
    index operators = 0; ///< of one of them, views included

    /// The last of them in the chain.
    [[nodiscard]] constexpr index last() const noexcept { return first + repeats - 1; }
};

/// The runs of equal layers, from input to output.
[[nodiscard]] inline std::vector<layer_run> layer_summary(const layer_structure& structure) {
    std::vector<layer_run> runs;
    for (index k = 0; k < structure.layers.size(); ++k) {
        const layer& l = structure.layers[k];
        if (runs.empty() || runs.back().id != l.id)
            runs.push_back({.id = l.id, .first = k, .operators = static_cast<index>(l.operations.size())});
        ++runs.back().repeats;
    }
    return runs;
}

namespace detail {

class layer_detector {
public:
    layer_detector(const operator_graph& g, const fusion& fused)
        : graph_(g), fused_(fused), flow_(dataflow(g)), order_(canonical_order(g)),
          layer_of_(g.operations.size(), none) {
        find_spine();
        cut();
        gather();
        assign_the_rest();
    }

    [[nodiscard]] layer_structure take() && {
        layer_structure result;
        result.layers.resize(layers_);
        for (index v = 0; v < layer_of_.size(); ++v) result.layers[layer_of_[v]].operations.push_back(v);
        const std::vector<std::uint64_t> hashes = part_hashes(graph_, layer_of_, layers_);
        std::map<std::uint64_t, index> ids;
        for (std::size_t k = 0; k < layers_; ++k)
            result.layers[k].id = ids.emplace(hashes[k], static_cast<index>(ids.size())).first->second;
        result.boundaries = boundaries();
        result.layer_of = std::move(layer_of_);
        return result;
    }

private:
    /// The operations that gradients flow through on their way from the main result: the deepest one.
    void find_spine() {
        const dependence of = dependences(graph_);
        const std::size_t n = graph_.operations.size();
        trunk_.resize(n);
        for (std::size_t v = 0; v < n; ++v) {
            const std::vector<index>& given = graph_.operations[v].outputs;
            trunk_[v] = std::any_of(given.begin(), given.end(), [&](index t) { return of.on_trunk(t); });
        }
        place_.assign(n, none);
        for (auto last = order_.rbegin(); last != order_.rend(); ++last) {
            const auto next = flow_.successors(*last);
            if (trunk_[*last] && (spine_.empty() || std::any_of(next.begin(), next.end(), [&](index w) {
                                      return place_[w] != none;
                                  }))) {
                place_[*last] = 0;
                spine_.push_back(*last);
            }
        }
        std::reverse(spine_.begin(), spine_.end());
        for (std::size_t i = 0; i < spine_.size(); ++i) place_[spine_[i]] = static_cast<index>(i);
    }

    /// Cuts the spine behind every operation that all of its paths pass through: all sources have been
    /// passed, and no arc leads from before the operation to behind it.
    void cut() {
        const auto starts = [&](index v) {
            const auto before = flow_.predecessors(v);
            return std::none_of(before.begin(), before.end(), [&](index u) { return place_[u] != none; });
        };
        std::ptrdiff_t sources_left = std::count_if(spine_.begin(), spine_.end(), starts);
        std::size_t reach = 0; // the last place that an arc from before leads to
        segment_.resize(spine_.size());
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            segment_[i] = segments_;
            if (starts(spine_[i])) --sources_left;
            if (reach <= i && sources_left == 0) ++segments_;
            for (const index w : flow_.successors(spine_[i]))
                if (place_[w] != none) reach = std::max<std::size_t>(reach, place_[w]);
        }
    }

    /// For every segment whether cutting before it would part a fused group.
    [[nodiscard]] std::vector<std::uint8_t> bonds() const {
        std::vector<std::uint8_t> bond(segments_, 0);
        std::vector<index> first(fused_.groups.size(), none);
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            index& from = first[fused_.group_of[spine_[i]]];
            if (from == none) from = segment_[i];
            std::fill(bond.begin() + from + 1, bond.begin() + std::max(from, segment_[i]) + 1,
                      std::uint8_t{1});
            from = std::max(from, segment_[i]);
        }
        return bond;
    }

    /// Whether an operation is reason enough for a layer of its own: a product, or a look-up in a table.
    [[nodiscard]] bool weighty(index v) const {
        const operation& op = graph_.operations[v];
        const descriptor_record& type = descriptor(op.type);
        const auto trained = [&](index t) {
            return t != none && graph_.tensors[t].role == tensor_role::parameter;
        };
        return type.core == core_type::tensor || (type.fusion == fusion_class::opaque &&
                                                  std::any_of(op.inputs.begin(), op.inputs.end(), trained));
    }

    /// Segments in a row.
    struct piece {
        std::size_t first, last;
        bool repeated, heavy;
    };

    /// The pieces that repeat, and between them those that no cut through a fused group makes.
    [[nodiscard]] std::vector<piece> pieces() const {
        std::vector<index> labels(graph_.operations.size(), none);
        std::vector<bool> heavy(segments_, false);
        for (std::size_t i = 0; i < spine_.size(); ++i) {
            labels[spine_[i]] = segment_[i];
            if (weighty(spine_[i])) heavy[segment_[i]] = true;
        }
        const std::vector<std::uint8_t> bond = bonds();
        std::vector<piece> found;
        for (const repetition& r : repetitions(part_hashes(graph_, labels, segments_), bond)) {
            bool any = false;
            for (std::size_t k = r.first; k < r.last(); ++k) any = any || heavy[k];
            const bool repeated = any && r.count > 1;
            const std::size_t step = repeated ? r.period : 1;
            for (std::size_t k = r.first; k < r.last(); k += step)
                if (!repeated && bond[k] != 0 && !found.empty() && !found.back().repeated)
                    found.back() = {found.back().first, k + 1, false, found.back().heavy || heavy[k]};
                else
                    found.push_back({k, k + step, repeated, repeated || heavy[k]});
        }
        return found;
    }

    /// Makes layers of the pieces. One that is too light for a layer goes with the next one, or else with the
    /// one before it, but never spoils a repetition.
    void gather() {
        const std::vector<piece> all = pieces();
        std::vector<piece> kept;
        for (std::size_t k = 0; k < all.size(); ++k) {
            piece p = all[k];
            while (!p.heavy && k + 1 < all.size() && !all[k + 1].repeated)
                p = {p.first, all[k + 1].last, false, all[++k].heavy};
            if (!p.heavy && !kept.empty() && !kept.back().repeated)
                kept.back().last = p.last;
            else
                kept.push_back(p);
        }
        std::vector<index> layer_of_segment(segments_);
        for (const piece& p : kept) {
            for (std::size_t k = p.first; k < p.last; ++k) layer_of_segment[k] = static_cast<index>(layers_);
            ++layers_;
        }
        for (std::size_t i = 0; i < spine_.size(); ++i) layer_of_[spine_[i]] = layer_of_segment[segment_[i]];
    }

    /// The layer that all users of something share; the first of the chain where they do not.
    class shared_layer {
    public:
        void used_in(index layer) { layer_ = layer_ == none || layer_ == layer ? layer : 0; }
        [[nodiscard]] index get() const { return layer_ == none ? 0 : layer_; }

    private:
        index layer_ = none;
    };

    void assign_the_rest() {
        if (layers_ == 0 && !graph_.operations.empty()) layers_ = 1;
        // What the main result does not need goes with the last thing that it needs itself.
        for (const index v : order_) {
            if (!trunk_[v] || layer_of_[v] != none) continue;
            layer_of_[v] = 0;
            for (const index u : flow_.predecessors(v))
                if (trunk_[u]) layer_of_[v] = std::max(layer_of_[v], layer_of_[u]);
        }
        // Side paths and weight expressions go with their users.
        for (auto v = order_.rbegin(); v != order_.rend(); ++v) {
            if (layer_of_[*v] != none) continue;
            shared_layer users;
            for (const index w : flow_.successors(*v)) users.used_in(layer_of_[w]);
            layer_of_[*v] = users.get();
        }
    }

    [[nodiscard]] std::vector<std::vector<index>> boundaries() const {
        const std::vector<index> producer = producers(graph_);
        const base_tensors bases(graph_, order_);
        std::vector<index> last_use(graph_.tensors.size(), 0);
        for (index v = 0; v < graph_.operations.size(); ++v)
            for (const index t : graph_.operations[v].inputs)
                if (t != none)
                    for (const index s : bases.fetched(t)) last_use[s] = std::max(last_use[s], layer_of_[v]);
        std::vector<std::vector<index>> crossing(layers_ == 0 ? 0 : layers_ - 1);
        for (index t = 0; t < graph_.tensors.size(); ++t)
            if (producer[t] != none && fused_.group_of[producer[t]] != none)
                for (index k = layer_of_[producer[t]]; k < last_use[t]; ++k) crossing[k].push_back(t);
        return crossing;
    }

    const operator_graph& graph_;
    const fusion& fused_;
    graph::digraph flow_;
    std::vector<index> order_;
    std::vector<bool> trunk_;
    std::vector<index> spine_;   // in topological order
    std::vector<index> place_;   // on the spine
    std::vector<index> segment_; // by place
    index segments_ = 0;
    std::size_t layers_ = 0;
    std::vector<index> layer_of_;
};

} // namespace detail

/// Finds the layers of a forward graph.
///
/// A tensor is on the trunk if it depends on data and on a parameter, so that a gradient flows through it;
/// masks, positions and weight expressions are not. The chain is cut behind each operation that every path of
/// the trunk passes through. Segments of equal structure that repeat together (`repetitions`: of all ways the
/// one that covers most, then the one with the smallest period, then the one that parts fewest fused groups,
/// then the first) are one layer each time; the others are joined where a cut would part a fused group, and
/// where one has no product and no table and so goes with its neighbour. Side paths and weight expressions
/// belong to the layer that uses them, or to the first one of the chain where several do.
///
/// \param fused `fuse(g)`, without labels
/// \returns every operation in exactly one layer, every use of a result in its own layer or a later one; the
/// same layers for the same structure, whatever the names and the numbering. \complexity O(operands log
/// operands + segments^2).
[[nodiscard]] inline layer_structure detect_layers(const operator_graph& g, const fusion& fused) {
    DOVETAIL_ASSERT(fused.group_of.size() == g.operations.size(), "the fusion is of this graph");
    return detail::layer_detector(g, fused).take();
}

} // namespace dovetail::workload
