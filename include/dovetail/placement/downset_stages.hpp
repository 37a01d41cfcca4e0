#pragma once
/// \file
/// Every possible stage of a general graph of layers: the differences of nested downsets.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/stage_table.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// The stages of a graph for one tensor width at a time. State k stands for "all but the k-th downset
/// remains", smallest downsets first; a stage leads from a downset to a larger one that contains it.
class downset_stages {
public:
    struct stage_ref {
        std::size_t end = 0;
        std::size_t slot = 0;
    };

    downset_stages() = default;

    /// Enumerates downsets and stages. \returns errc::unsupported for more than `downset_limit` downsets.
    [[nodiscard]] static result<downset_stages> make(const layer_graph& problem, std::size_t downset_limit) {
        downset_stages space;
        space.graph_ = graph::digraph(problem.layer_count(), problem.edges);
        space.layers_ = problem.layer_count();
        space.words_ = (space.layers_ + 63) / 64;
        if (!space.enumerate(downset_limit))
            return error{errc::unsupported, "layer graph",
                         "it has more than " + to_text(downset_limit) + " downsets",
                         "the limit on downsets must be raised, or the graph be closer to a chain"};
        space.link_states();
        return space;
    }

    /// Costs all stages for one width of the graph that the space was made for.
    /// \complexity O(downsets * edges + stages * layers).
    void prepare(const layer_graph& problem, const width_costs& costs) {
        single_layers_ = 0;
        for (const layer& l : costs.layers) single_layers_ += l.tensor_parallel ? 0 : 1;
        const std::size_t n = layers_;
        std::vector<double> after_s(states() * n), after_with_transfers_s(states() * n);
        for (std::size_t k = 0; k < states(); ++k)
            measure_backward(problem, costs, k, array_view(after_s).subspan(k * n, n),
                             array_view(after_with_transfers_s).subspan(k * n, n));
        entry_costs entry{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
        for (std::size_t k = 0; k < states(); ++k) {
            measure_forward(problem, costs, k, entry);
            for (std::size_t slot = first_slot_[k]; slot < first_slot_[k + 1]; ++slot) {
                const std::size_t end = stages_[slot].end * n;
                measure_stage(problem, costs, k, slot, entry, array_view(after_s).subspan(end, n),
                              array_view(after_with_transfers_s).subspan(end, n));
            }
        }
    }

    [[nodiscard]] std::size_t states() const { return sizes_.size(); }
    [[nodiscard]] std::size_t max_stages() const { return layers_; }
    [[nodiscard]] std::size_t split_layers() const { return layers_ - single_layers_; }
    [[nodiscard]] std::size_t single_layers() const { return single_layers_; }

    /// Layers side by side overlap, so their work says nothing about loads.
    [[nodiscard]] double work_before_s(std::size_t) const { return 0.0; }
    [[nodiscard]] double least_load_s(std::size_t) const { return 0.0; }
    [[nodiscard]] double least_first_reduce_bytes() const { return 0.0; }

    [[nodiscard]] bool single(stage_ref s) const { return stages_[s.slot].single; }
    [[nodiscard]] double load_s(stage_ref s, bool last) const {
        return last ? stages_[s.slot].last_load_s : stages_[s.slot].load_s;
    }
    [[nodiscard]] double load_floor_s(stage_ref s, bool last) const { return load_s(s, last); }
    [[nodiscard]] double memory_bytes(stage_ref s, std::size_t behind) const {
        return stages_[s.slot].fixed_bytes + static_cast<double>(behind) * stages_[s.slot].stash_bytes;
    }
    [[nodiscard]] double reduce_bytes(stage_ref s) const { return stages_[s.slot].reduce_bytes; }
    [[nodiscard]] double update_s(stage_ref s) const { return stages_[s.slot].update_s; }
    [[nodiscard]] stage_figures figures(const width_costs&, stage_ref s, std::size_t behind) const {
        return {load_s(s, behind == 0), memory_bytes(s, behind), reduce_bytes(s), update_s(s)};
    }

    /// The stage of the given kind from state `k` that makes the larger of its value and of the value of the
    /// row `behind` at its end smallest, where that is below `limit`.
    template <class Rule>
    [[nodiscard]] choice<stage_ref> best_stage(const Rule& rule, stage_kind kind, std::size_t k,
                                               table_row behind, double limit, std::size_t&) const {
        choice<stage_ref> best{limit, {}};
        for_each_stage(
            rule, kind, k, behind, [&] { return best.value; },
            [&](stage_ref s) {
                const double value = std::max(rule.value(s), behind.cells[s.end].value);
                if (value < best.value) best = {value, s};
            });
        return best;
    }

    /// Calls `visit(stage)` for every fitting stage of a kind from state `k` whose floor is below `limit()`.
    template <class Rule, class Limit, class Visit>
    void for_each_stage(const Rule& rule, stage_kind kind, std::size_t k, table_row behind,
                        const Limit& limit, const Visit& visit) const {
        for (std::size_t slot = first_slot_[k]; slot < first_slot_[k + 1]; ++slot) {
            const stage_ref s{stages_[slot].end, slot};
            if (s.end < behind.begin || s.end >= behind.end) continue;
            if (kind != stage_kind::any && single(s) != (kind == stage_kind::single)) continue;
            if (rule.floor(s) < limit() && rule.fits(s)) visit(s);
        }
    }

    /// Appends the layers of a stage, in topological order, to a plan's order.
    template <class Order>
    void append_layers(stage_ref s, Order& order) const {
        for_each_layer(stages_[s.slot].begin, s.end,
                       [&](std::size_t v) { order.push_back(static_cast<graph::index>(v)); });
    }

private:
    using word = std::uint64_t;

    struct stage_costs {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        double load_s = 0.0;
        double last_load_s = 0.0;
        double fixed_bytes = 0.0;
        double stash_bytes = 0.0;
        double reduce_bytes = 0.0;
        double update_s = 0.0;
        bool single = true;
    };

    // For every layer outside a downset: when its forward pass ends with and without transfers out of the
    // downset, and the bytes that come out of it. None of it depends on where the stage ends.
    struct entry_costs {
        std::vector<double> end_with_transfers_s;
        std::vector<double> end_s;
        std::vector<double> bytes;
    };

    [[nodiscard]] const word* set(std::size_t k) const { return sets_.data() + k * words_; }
    [[nodiscard]] bool holds(std::size_t k, std::size_t v) const {
        return (set(k)[v / 64] >> (v % 64) & 1) != 0;
    }

    template <class Visit>
    void for_each_layer(std::size_t begin, std::size_t end, const Visit& visit) const {
        for (std::size_t w = 0; w < words_; ++w)
            for (word rest = set(end)[w] & ~set(begin)[w]; rest != 0; rest &= rest - 1)
                visit(w * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
    }

    // Adding layers by ascending number alone makes every downset exactly once: all before the largest layer
    // of a downset is a downset.
    [[nodiscard]] bool enumerate(std::size_t limit) {
        std::vector<word> found(words_, 0);
        std::vector<std::size_t> next{0}; // the first layer that each set found may still take
        std::vector<std::size_t> size{0};
        for (std::size_t k = 0; k < next.size(); ++k)
            for (std::size_t v = next[k]; v < layers_; ++v) {
                const auto& needed = graph_.predecessors(static_cast<graph::index>(v));
                const bool free = std::all_of(needed.begin(), needed.end(), [&](graph::index u) {
                    return (found[k * words_ + u / 64] >> (u % 64) & 1) != 0;
                });
                if (!free) continue;
                if (next.size() == limit) return false;
                found.resize(found.size() + words_);
                std::copy_n(found.begin() + static_cast<std::ptrdiff_t>(k * words_), words_,
                            found.end() - static_cast<std::ptrdiff_t>(words_));
                found[next.size() * words_ + v / 64] |= word{1} << (v % 64);
                next.push_back(v + 1);
                size.push_back(size[k] + 1);
            }
        std::vector<std::size_t> by_size(next.size());
        std::iota(by_size.begin(), by_size.end(), std::size_t{0});
        sort_stably(by_size.begin(), by_size.end(),
                    [&](std::size_t a, std::size_t b) { return size[a] < size[b]; });
        for (const std::size_t k : by_size) {
            sizes_.push_back(size[k]);
            sets_.insert(sets_.end(), found.begin() + static_cast<std::ptrdiff_t>(k * words_),
                         found.begin() + static_cast<std::ptrdiff_t>((k + 1) * words_));
        }
        return true;
    }

    void link_states() {
        for (std::size_t k = 0; k < states(); ++k) {
            first_slot_.push_back(stages_.size());
            for (std::size_t end = k + 1; end < states(); ++end) {
                bool inside = sizes_[end] > sizes_[k];
                for (std::size_t w = 0; w < words_ && inside; ++w) inside = (set(k)[w] & ~set(end)[w]) == 0;
                if (!inside) continue;
                stages_.push_back({});
                stages_.back().begin = static_cast<std::uint32_t>(k);
                stages_.back().end = static_cast<std::uint32_t>(end);
            }
        }
        first_slot_.push_back(stages_.size());
    }

    void measure_forward(const layer_graph& problem, const width_costs& costs, std::size_t k,
                         entry_costs& entry) const {
        for (graph::index v = 0; v < layers_; ++v) {
            if (holds(k, v)) continue;
            double start_s = 0.0;
            double start_with_transfers_s = 0.0;
            entry.bytes[v] = 0.0;
            for (const graph::index e : graph_.in_edges(v)) {
                const graph::index u = problem.edges[e].source;
                if (holds(k, u)) {
                    start_with_transfers_s =
                        std::max(start_with_transfers_s, costs.edge_bytes[e] / problem.link_bytes_per_s);
                    entry.bytes[v] += costs.edge_bytes[e];
                } else {
                    start_s = std::max(start_s, entry.end_s[u]);
                    start_with_transfers_s = std::max(start_with_transfers_s, entry.end_with_transfers_s[u]);
                }
            }
            entry.end_s[v] = start_s + costs.layers[v].forward_s;
            entry.end_with_transfers_s[v] = start_with_transfers_s + costs.layers[v].forward_s;
        }
    }

    // For every layer of downset `k`, when its backward pass ends if no layer outside the downset shares its
    // stage, without and with transfers into the downset. None of it depends on where the stage begins.
    void measure_backward(const layer_graph& problem, const width_costs& costs, std::size_t k,
                          array_view<double> after_s, array_view<double> after_with_transfers_s) const {
        for (auto v = static_cast<graph::index>(layers_); v-- > 0;) {
            if (!holds(k, v)) continue;
            double start_s = 0.0;
            double start_with_transfers_s = 0.0;
            for (const graph::index e : graph_.out_edges(v)) {
                const graph::index w = problem.edges[e].target;
                if (holds(k, w)) {
                    start_s = std::max(start_s, after_s[w]);
                    start_with_transfers_s = std::max(start_with_transfers_s, after_with_transfers_s[w]);
                } else {
                    start_with_transfers_s =
                        std::max(start_with_transfers_s, costs.edge_bytes[e] / problem.link_bytes_per_s);
                }
            }
            after_s[v] = start_s + costs.layers[v].backward_s;
            after_with_transfers_s[v] = start_with_transfers_s + costs.layers[v].backward_s;
        }
    }

    void measure_stage(const layer_graph& problem, const width_costs& costs, std::size_t begin,
                       std::size_t slot, const entry_costs& entry, array_view<const double> after_s,
                       array_view<const double> after_with_transfers_s) {
        double forward_s = 0.0;
        double repeat_s = 0.0;
        double backward_s = 0.0;
        double backward_with_transfers_s = 0.0;
        stage_costs sum{};
        sum.begin = static_cast<std::uint32_t>(begin);
        sum.end = stages_[slot].end;
        for_each_layer(begin, sum.end, [&](std::size_t v) {
            const layer& l = costs.layers[v];
            forward_s = std::max(forward_s, entry.end_with_transfers_s[v]);
            repeat_s = std::max(repeat_s, entry.end_s[v]);
            backward_s = std::max(backward_s, after_s[v]);
            backward_with_transfers_s = std::max(backward_with_transfers_s, after_with_transfers_s[v]);
            sum.fixed_bytes += l.resident_bytes + l.activation_bytes;
            sum.stash_bytes += problem.recompute ? entry.bytes[v] : l.stash_bytes;
            sum.reduce_bytes += l.reduce_bytes;
            sum.update_s += l.update_s;
            sum.single = sum.single && !l.tensor_parallel;
        });
        sum.last_load_s = sum.load_s = forward_s + backward_with_transfers_s;
        // The backward pass waits for the repeated forward pass, and gradients arrive meanwhile.
        if (problem.recompute)
            sum.load_s = forward_s + std::max(repeat_s + backward_s, backward_with_transfers_s);
        stages_[slot] = sum;
    }

    graph::digraph graph_;
    std::size_t layers_ = 0;
    std::size_t words_ = 0;
    std::size_t single_layers_ = 0;
    std::vector<word> sets_;         // `words_` a downset
    std::vector<std::size_t> sizes_; // layers of each downset
    std::vector<std::size_t> first_slot_;
    std::vector<stage_costs> stages_; // by the downset that they begin at
};

} // namespace dovetail::placement::detail
