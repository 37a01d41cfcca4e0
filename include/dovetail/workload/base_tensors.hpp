#pragma once
/// \file
/// What lies in memory behind a view, and who reads that memory.

#include <dovetail/core/array_view.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::workload {

/// Whether an operation adds up over the devices of a tensor group, rather than being the identity: the
/// conjugate collectives change parts between the passes.
[[nodiscard]] inline bool reduces(const operation& op) {
    return op.type ==
           (op.phase == phase::forward ? type_of<op::all_reduce_forward> : type_of<op::all_reduce_backward>);
}

/// Whether the results of an operation are its operands seen in another way. The gradient of a view is one,
/// and so is a collective in the pass where it does nothing.
[[nodiscard]] inline bool is_view(const operation& op) {
    const core_type core = descriptor(op.type).core;
    return core == core_type::free || (core == core_type::link && !reduces(op));
}

/// The operands that a view shows: the first of a forward one, the others of which say how it looks, and all
/// of a gradient, which puts together what its forward view took apart. Nothing for other operations.
[[nodiscard]] inline array_view<const index> shown(const operation& op) {
    const array_view<const index> inputs(op.inputs);
    if (!is_view(op)) return {};
    return op.phase == phase::forward ? inputs.first(std::min<std::size_t>(1, inputs.size())) : inputs;
}

/// The base tensors of a graph: those that have memory of their own. A view has none and shows its bases,
/// through any number of views in between; a base shows itself. A forward view has one base, the gradient of
/// a view has one or more.
class base_tensors {
public:
    /// The bases of a graph that passed `validate`. \complexity O(operands log operations), and the bases of
    /// every gradient of a view.
    explicit base_tensors(const operator_graph& g) : base_tensors(g, execution_order(g)) {}

    /// The same in an execution order that is known.
    base_tensors(const operator_graph& g, array_view<const index> order)
        : lists_(g.tensors.size()), bases_(g.tensors.size()), fetched_(g.tensors.size()) {
        for (index t = 0; t < lists_.size(); ++t) {
            lists_[t] = t;
            bases_[t] = fetched_[t] = {t, 1};
        }
        for (const index v : order) {
            const operation& op = g.operations[v];
            const array_view<const index> sources = shown(op);
            if (sources.empty() || sources.front() == none) continue;
            const list bases = join(sources, bases_);
            const list fetched = join(sources, fetched_);
            for (const index t : op.outputs) {
                bases_[t] = bases;
                const bool part = op.phase == phase::forward &&
                                  g.tensors[t].elements() < g.tensors[sources.front()].elements();
                if (!part) fetched_[t] = fetched;
            }
        }
    }

    /// The bases of `t`, ascending: `t` itself unless a view gives it.
    [[nodiscard]] array_view<const index> of(index t) const { return at(bases_[t]); }

    /// What a reader of `t` fetches from memory, ascending: its bases, but that a forward view of fewer
    /// elements than it looks at, a slice say, stands for the part of the base that it shows.
    [[nodiscard]] array_view<const index> fetched(index t) const { return at(fetched_[t]); }

private:
    /// Part of `lists_`. Views of one source share its list.
    struct list {
        std::size_t first = 0;
        std::size_t count = 0;
    };

    [[nodiscard]] array_view<const index> at(list l) const {
        return array_view(lists_).subspan(l.first, l.count);
    }

    /// The union of the lists of `sources`.
    [[nodiscard]] list join(array_view<const index> sources, const std::vector<list>& of_tensor) {
        if (sources.size() == 1) return of_tensor[sources.front()];
        const std::size_t first = lists_.size();
        for (const index s : sources)
            for (std::size_t k = 0; k < of_tensor[s].count; ++k)
                lists_.push_back(lists_[of_tensor[s].first + k]);
        const auto begin = lists_.begin() + static_cast<std::ptrdiff_t>(first);
        std::sort(begin, lists_.end());
        lists_.erase(std::unique(begin, lists_.end()), lists_.end());
        return {first, lists_.size() - first};
    }

    std::vector<index> lists_; // every tensor by itself, then the unions
    std::vector<list> bases_;
    std::vector<list> fetched_;
};

/// Who needs the memory of every base of a graph, views looked through; nothing for views.
struct base_uses {
    std::vector<std::vector<index>> readers; ///< operations that are no views, ascending, one entry a use
    std::vector<bool> given;                 ///< whether the model gives it, or a view of it
};

/// The uses of the bases of `g`. \complexity O(operands and their bases).
[[nodiscard]] inline base_uses uses_of(const operator_graph& g, const base_tensors& bases) {
    base_uses uses{.readers = std::vector<std::vector<index>>(g.tensors.size()),
                   .given = std::vector<bool>(g.tensors.size(), false)};
    for (index v = 0; v < g.operations.size(); ++v) {
        if (is_view(g.operations[v])) continue;
        for (const index t : g.operations[v].inputs)
            if (t != none)
                for (const index s : bases.of(t)) uses.readers[s].push_back(v);
    }
    for (const index t : g.outputs)
        for (const index s : bases.of(t)) uses.given[s] = true;
    return uses;
}

} // namespace dovetail::workload
