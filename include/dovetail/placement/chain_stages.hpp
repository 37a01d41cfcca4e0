#pragma once
/// \file
/// Every possible stage of a chain of layers, its load, memory and tail in constant time from prefix sums.

#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/stage_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::placement::detail {

/// The stages of a chain for one tensor width. State k stands for "the layers from k on remain"; the stage
/// from state k to state j > k holds the layers [k, j).
template <class Storage>
class chain_stages {
public:
    struct stage_ref {
        std::size_t begin;
        std::size_t end;
    };

    /// Reads one width of a chain. \complexity O(layers).
    constexpr void prepare(const basic_layer_graph<Storage>& problem,
                           const basic_width_costs<Storage>& costs) {
        const std::size_t n = costs.layers.size();
        layers_ = n;
        recompute_ = problem.recompute;
        sums_.resize(n + 1, {});
        sums_[0] = {};
        least_entering_s_ = n > 1 ? infinity : 0.0;
        for (std::size_t v = 0; v < n; ++v) {
            const layer& l = costs.layers[v];
            const sums_before& before = sums_[v];
            const double bytes = v + 1 < n ? costs.edge_bytes[v] : 0.0;
            sums_[v + 1] = {.work_s =
                                before.work_s + (recompute_ ? 2.0 * l.forward_s : l.forward_s) + l.backward_s,
                            .forward_s = before.forward_s + l.forward_s,
                            .fixed_bytes = before.fixed_bytes + l.resident_bytes + l.activation_bytes,
                            .stash_bytes = before.stash_bytes + (recompute_ ? 0.0 : l.stash_bytes),
                            .reduce_bytes = before.reduce_bytes + l.reduce_bytes,
                            .update_s = before.update_s + l.update_s,
                            .entering_s = bytes / problem.link_bytes_per_s,
                            .entering_bytes = recompute_ ? bytes : 0.0};
            if (v + 1 < n) least_entering_s_ = std::min(least_entering_s_, sums_[v + 1].entering_s);
        }
        next_split_.resize(n + 1, 0);
        next_split_[n] = static_cast<std::uint32_t>(n);
        single_layers_ = 0;
        for (std::size_t v = n; v-- > 0;) {
            const bool split = costs.layers[v].tensor_parallel;
            next_split_[v] = split ? static_cast<std::uint32_t>(v) : next_split_[v + 1];
            single_layers_ += split ? 0 : 1;
        }
    }

    [[nodiscard]] constexpr std::size_t states() const { return layers_ + 1; }
    [[nodiscard]] constexpr std::size_t max_stages() const { return layers_; }
    [[nodiscard]] constexpr std::size_t split_layers() const { return layers_ - single_layers_; }
    [[nodiscard]] constexpr std::size_t single_layers() const { return single_layers_; }

    /// Work that any stages covering the layers before state `k` must share: a bound on the sum of their
    /// loads.
    [[nodiscard]] constexpr double work_before_s(std::size_t k) const { return sums_[k].work_s; }

    /// A bound on the largest load of any `stages` stages: together they do all work, and what crosses a cut
    /// is received, and sent unless that may hide behind a repeated forward pass. The last stage repeats
    /// nothing, which is less than its load.
    [[nodiscard]] constexpr double least_load_s(std::size_t stages) const {
        const auto s = static_cast<double>(stages);
        const double cut_s = (s - 1.0) * least_entering_s_;
        const double all_s = sums_[layers_].work_s;
        if (!recompute_) return (all_s + 2.0 * cut_s) / s;
        const double once_s = all_s - sums_[layers_].forward_s;
        return std::max((once_s + cut_s) / s, (all_s + cut_s) / (s + 1.0));
    }
    /// A bound on the bytes that the first stage reduces.
    [[nodiscard]] constexpr double least_first_reduce_bytes() const { return sums_[1].reduce_bytes; }

    [[nodiscard]] constexpr bool single(stage_ref s) const { return s.end <= next_split_[s.begin]; }
    /// The load without the transfers behind the stage: it never falls when the stage grows at its end.
    [[nodiscard]] constexpr double load_floor_s(stage_ref s, bool last) const {
        const sums_before& begin = sums_[s.begin];
        const sums_before& end = sums_[s.end];
        const double work = end.work_s - begin.work_s + begin.entering_s;
        return last && recompute_ ? work - (end.forward_s - begin.forward_s) : work;
    }
    [[nodiscard]] constexpr double load_s(stage_ref s, bool last) const {
        double leaving = sums_[s.end].entering_s;
        // Gradients arrive while the forward pass is being repeated.
        if (recompute_)
            leaving = std::max(0.0, leaving - (sums_[s.end].forward_s - sums_[s.begin].forward_s));
        return load_floor_s(s, last) + leaving;
    }
    /// `behind` is the number of stages behind this one: the micro-batches whose inputs it keeps.
    [[nodiscard]] constexpr double memory_bytes(stage_ref s, std::size_t behind) const {
        const sums_before& begin = sums_[s.begin];
        const sums_before& end = sums_[s.end];
        const double stash = end.stash_bytes - begin.stash_bytes + begin.entering_bytes;
        return end.fixed_bytes - begin.fixed_bytes + static_cast<double>(behind) * stash;
    }
    [[nodiscard]] constexpr double reduce_bytes(stage_ref s) const {
        return sums_[s.end].reduce_bytes - sums_[s.begin].reduce_bytes;
    }
    [[nodiscard]] constexpr double update_s(stage_ref s) const {
        return sums_[s.end].update_s - sums_[s.begin].update_s;
    }

    /// The stage of the given kind from state `k` that makes the larger of its value and of the value of the
    /// row `behind` at its end smallest, where that is below `limit`.
    ///
    /// Starts at `guess`, which it leaves where the search ended, and walks both ways. To the right it stops
    /// where the stage no longer fits, or where what it costs at least reaches the best found; to the left,
    /// where the least value of all earlier ends does. Exact whatever the costs; amortised O(1) steps where
    /// values fall along the row behind.
    template <class Rule>
    [[nodiscard]] constexpr choice<stage_ref> best_stage(const Rule& rule, stage_kind kind, std::size_t k,
                                                         table_row behind, double limit,
                                                         std::size_t& guess) const {
        const auto [first, past] = ends(kind, k, behind);
        choice<stage_ref> best{limit, {k, k}};
        if (first >= past || !rule.fits({k, first})) return best;
        std::size_t pivot = std::clamp(guess, first, past - 1);
        while (!rule.fits({k, pivot})) --pivot;
        guess = pivot;
        const auto consider = [&](std::size_t end) {
            const double behind_it = behind.cells[end].value;
            if (behind_it >= best.value) return;
            const double value = std::max(rule.value({k, end}), behind_it);
            if (value < best.value) best = {value, {k, guess = end}};
        };
        for (std::size_t end = pivot; end < past && rule.floor({k, end}) < best.value; ++end) {
            if (end > pivot && !rule.fits({k, end})) break;
            consider(end);
        }
        for (std::size_t end = pivot; end-- > first && behind.cells[end].least_before < best.value;)
            consider(end);
        return best;
    }

    /// Calls `visit(stage)` for every fitting stage of a kind from state `k` whose floor is below `limit()`.
    template <class Rule, class Limit, class Visit>
    constexpr void for_each_stage(const Rule& rule, stage_kind kind, std::size_t k, table_row behind,
                                  const Limit& limit, const Visit& visit) const {
        const auto [first, past] = ends(kind, k, behind);
        for (std::size_t end = first; end < past; ++end) {
            if (!rule.fits({k, end}) || rule.floor({k, end}) >= limit()) return;
            visit(stage_ref{k, end});
        }
    }

    /// The figures of a stage added up layer by layer: differences of prefix sums lose digits where a small
    /// stage follows a large one.
    [[nodiscard]] constexpr stage_figures figures(const basic_width_costs<Storage>& costs, stage_ref s,
                                                  std::size_t behind) const {
        double forward_s = 0.0;
        double backward_s = 0.0;
        double stash_bytes = sums_[s.begin].entering_bytes;
        stage_figures sum{};
        for (std::size_t v = s.begin; v < s.end; ++v) {
            const layer& l = costs.layers[v];
            forward_s += l.forward_s;
            backward_s += l.backward_s;
            sum.memory_bytes += l.resident_bytes + l.activation_bytes;
            stash_bytes += recompute_ ? 0.0 : l.stash_bytes;
            sum.reduce_bytes += l.reduce_bytes;
            sum.update_s += l.update_s;
        }
        const double repeated_s = recompute_ && behind > 0 ? forward_s : 0.0;
        sum.load_s = sums_[s.begin].entering_s + forward_s + std::max(repeated_s, sums_[s.end].entering_s) +
                     backward_s;
        sum.memory_bytes += static_cast<double>(behind) * stash_bytes;
        return sum;
    }

    /// Appends the layers of a stage to a plan's order.
    template <class Order>
    constexpr void append_layers(stage_ref s, Order& order) const {
        for (std::size_t v = s.begin; v < s.end; ++v) order.push_back(static_cast<graph::index>(v));
    }

private:
    struct range {
        std::size_t first;
        std::size_t past;
    };

    [[nodiscard]] constexpr range ends(stage_kind kind, std::size_t k, table_row behind) const {
        const std::size_t split_from = next_split_[k] + std::size_t{1};
        const std::size_t first = kind == stage_kind::split ? split_from : k + 1;
        const std::size_t past = kind == stage_kind::single ? split_from : layers_ + 1;
        return {std::max(first, behind.begin), std::min(past, behind.end)};
    }

    // What all layers before one add up to, and what enters it: a line of a processor's cache.
    struct sums_before {
        double work_s = 0.0;
        double forward_s = 0.0;
        double fixed_bytes = 0.0;
        double stash_bytes = 0.0;
        double reduce_bytes = 0.0;
        double update_s = 0.0;
        double entering_s = 0.0;
        double entering_bytes = 0.0;
    };

    std::size_t layers_ = 0;
    std::size_t single_layers_ = 0;
    bool recompute_ = false;
    double least_entering_s_ = 0.0; // over all cuts
    typename Storage::template up_to_layers<sums_before> sums_{};
    typename Storage::template up_to_layers<std::uint32_t> next_split_{};
};

} // namespace dovetail::placement::detail
