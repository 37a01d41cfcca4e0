#pragma once
/// \file
/// What can be left of a graph of layers from its end: all upsets, and how one grows into another.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/variant_graph.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// All sets of layers that hold whatever needs their layers: the later parts of a pipeline. State 0 is the
/// empty one, the last state holds every layer, and states ascend by size. Two states of which one lies in
/// the other enclose a stage.
class upset_lattice {
public:
    /// Enumerates the states. \returns errc::unsupported for more than `limit`, or where `spent` is late.
    /// \complexity O(states * (edges + layers) * log states).
    [[nodiscard]] static result<upset_lattice> make(const variant_graph& problem, std::size_t limit,
                                                    spending& spent) {
        upset_lattice lattice;
        lattice.layers_ = problem.layers.size();
        lattice.words_ = (lattice.layers_ + 63) / 64;
        std::vector<graph::arc> arcs;
        for (const variant_edge& e : problem.edges) arcs.push_back({e.source, e.target});
        const graph::digraph g(lattice.layers_, arcs);
        lattice.sets_.assign(lattice.words_, 0);
        std::map<std::vector<word>, graph::index> level{{std::vector<word>(lattice.words_, 0), 0}};
        for (std::size_t size = 0; size < lattice.layers_; ++size)
            if (!lattice.grow(g, level, limit, spent))
                return error{errc::unsupported, "variant graph",
                             "it has more than " + to_text(limit) + " downsets",
                             "the limit on downsets must be raised, or the graph be closer to a chain"};
        lattice.first_.push_back(lattice.grown_.size());
        lattice.first_.push_back(lattice.grown_.size());
        return lattice;
    }

    [[nodiscard]] std::size_t states() const { return sets_.size() / words_; }
    [[nodiscard]] std::size_t full() const { return states() - 1; }
    [[nodiscard]] std::size_t layer_count() const { return layers_; }
    [[nodiscard]] bool holds(std::size_t state, std::size_t v) const {
        return (sets_[state * words_ + v / 64] >> (v % 64) & 1) != 0;
    }
    /// The states that hold one layer more.
    [[nodiscard]] array_view<const graph::index> grown(std::size_t state) const {
        return array_view(grown_).subspan(first_[state], first_[state + 1] - first_[state]);
    }

    /// Calls `visit(layer)` for the layers of `larger` that `smaller` lacks, in ascending order.
    template <class Visit>
    void for_each_layer(std::size_t smaller, std::size_t larger, const Visit& visit) const {
        for (std::size_t w = 0; w < words_; ++w)
            for (word rest = sets_[larger * words_ + w] & ~sets_[smaller * words_ + w]; rest != 0;
                 rest &= rest - 1)
                visit(static_cast<graph::index>(w * 64 + static_cast<std::size_t>(std::countr_zero(rest))));
    }

    /// For every state the sum of `value(layer)` over its layers; not all where `spent` is late.
    template <class Value>
    [[nodiscard]] std::vector<double> sums(const Value& value, spending& spent) const {
        std::vector<double> own;
        for (graph::index v = 0; v < layers_; ++v) own.push_back(value(v));
        std::vector<double> all(states(), 0.0);
        for (std::size_t k = 1; k < states() && (k % 1024 != 0 || !spent.late()); ++k)
            for_each_layer(0, k, [&](graph::index v) { all[k] += own[v]; });
        return all;
    }

private:
    using word = std::uint64_t;

    // From the states of one size to those of the next.
    [[nodiscard]] bool grow(const graph::digraph& g, std::map<std::vector<word>, graph::index>& level,
                            std::size_t limit, spending& spent) {
        std::vector<const std::vector<word>*> by_state(level.size());
        const std::size_t base = states() - level.size();
        for (const auto& [set, state] : level) by_state[state - base] = &set;
        std::map<std::vector<word>, graph::index> next;
        for (const std::vector<word>* const set : by_state) {
            if (spent.late()) return false;
            first_.push_back(grown_.size());
            const auto inside = [&](std::size_t v) { return ((*set)[v / 64] >> (v % 64) & 1) != 0; };
            for (graph::index v = 0; v < layers_; ++v) {
                if (inside(v)) continue;
                bool free = true;
                for (const graph::index w : g.successors(v)) free = free && inside(w);
                if (!free) continue;
                std::vector<word> larger = *set;
                larger[v / 64] |= word{1} << (v % 64);
                const auto state = static_cast<graph::index>(states());
                const auto [at, fresh] = next.emplace(std::move(larger), state);
                if (fresh) {
                    if (states() == limit) return false;
                    sets_.insert(sets_.end(), at->first.begin(), at->first.end());
                }
                grown_.push_back(at->second);
            }
        }
        level = std::move(next);
        return true;
    }

    std::size_t layers_ = 0;
    std::size_t words_ = 0;
    std::vector<word> sets_;         // `words_` a state
    std::vector<std::size_t> first_; // into `grown_`, by state
    std::vector<graph::index> grown_;
};

} // namespace dovetail::placement::detail
