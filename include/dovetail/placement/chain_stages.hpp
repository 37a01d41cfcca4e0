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
        for (auto* row : {&work_s_, &forward_s_, &fixed_bytes_, &stash_bytes_, &reduce_bytes_, &update_s_,
                          &entering_s_, &entering_bytes_}) {
            row->resize(n + 1, 0.0);
            (*row)[0] = 0.0;
        }
        for (std::size_t v = 0; v < n; ++v) {
            const layer& l = costs.layers[v];
            work_s_[v + 1] = work_s_[v] + (recompute_ ? 2.0 * l.forward_s : l.forward_s) + l.backward_s;
            forward_s_[v + 1] = forward_s_[v] + l.forward_s;
            fixed_bytes_[v + 1] = fixed_bytes_[v] + l.resident_bytes + l.activation_bytes;
            stash_bytes_[v + 1] = stash_bytes_[v] + (recompute_ ? 0.0 : l.stash_bytes);
            reduce_bytes_[v + 1] = reduce_bytes_[v] + l.reduce_bytes;
            update_s_[v + 1] = update_s_[v] + l.update_s;
            const double bytes = v + 1 < n ? costs.edge_bytes[v] : 0.0;
            entering_s_[v + 1] = bytes / problem.link_bytes_per_s;
            entering_bytes_[v + 1] = recompute_ ? bytes : 0.0;
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
    [[nodiscard]] constexpr double work_before_s(std::size_t k) const { return work_s_[k]; }

    [[nodiscard]] constexpr bool single(stage_ref s) const { return s.end <= next_split_[s.begin]; }
    /// The load without the transfers behind the stage: it never falls when the stage grows at its end.
    [[nodiscard]] constexpr double load_floor_s(stage_ref s, bool last) const {
        const double work = work_s_[s.end] - work_s_[s.begin] + entering_s_[s.begin];
        return last && recompute_ ? work - (forward_s_[s.end] - forward_s_[s.begin]) : work;
    }
    [[nodiscard]] constexpr double load_s(stage_ref s, bool last) const {
        double leaving = entering_s_[s.end];
        // Gradients arrive while the forward pass is being repeated.
        if (recompute_) leaving = std::max(0.0, leaving - (forward_s_[s.end] - forward_s_[s.begin]));
        return load_floor_s(s, last) + leaving;
    }
    /// `behind` is the number of stages behind this one: the micro-batches whose inputs it keeps.
    [[nodiscard]] constexpr double memory_bytes(stage_ref s, std::size_t behind) const {
        const double stash = stash_bytes_[s.end] - stash_bytes_[s.begin] + entering_bytes_[s.begin];
        return fixed_bytes_[s.end] - fixed_bytes_[s.begin] + static_cast<double>(behind) * stash;
    }
    [[nodiscard]] constexpr double reduce_bytes(stage_ref s) const {
        return reduce_bytes_[s.end] - reduce_bytes_[s.begin];
    }
    [[nodiscard]] constexpr double update_s(stage_ref s) const {
        return update_s_[s.end] - update_s_[s.begin];
    }

    /// The stage of the given kind from state `k` that makes the larger of its value and of the value of the
    /// row `behind` at its end smallest, where that is below `limit`.
    ///
    /// Starts at `guess` and walks both ways. To the right it stops where the stage no longer fits, or where
    /// what it costs at least reaches the best found; to the left, where the least value of all earlier ends
    /// does. Exact whatever the costs; amortised O(1) steps where values fall along the row behind.
    template <class Rule>
    [[nodiscard]] constexpr choice<stage_ref> best_stage(const Rule& rule, stage_kind kind, std::size_t k,
                                                         table_row behind, double limit,
                                                         std::size_t guess) const {
        const auto [first, past] = ends(kind, k, behind);
        choice<stage_ref> best{limit, {k, k}};
        if (first >= past) return best;
        std::size_t pivot = std::clamp(guess, first, past - 1);
        while (!rule.fits({k, pivot}))
            if (pivot-- == first) return best;
        const auto consider = [&](std::size_t end) {
            const double behind_it = behind.cells[end].value;
            if (behind_it >= best.value) return;
            const double value = std::max(rule.value({k, end}), behind_it);
            if (value < best.value) best = {value, {k, end}};
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
        double stash_bytes = entering_bytes_[s.begin];
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
        sum.load_s = entering_s_[s.begin] + forward_s + std::max(repeated_s, entering_s_[s.end]) + backward_s;
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

    using sums = typename Storage::template up_to_layers<double>;

    std::size_t layers_ = 0;
    std::size_t single_layers_ = 0;
    bool recompute_ = false;
    sums work_s_{}, forward_s_{};          // before each layer
    sums fixed_bytes_{}, stash_bytes_{};   // before each layer
    sums reduce_bytes_{}, update_s_{};     // before each layer
    sums entering_s_{}, entering_bytes_{}; // on the edge into each layer
    typename Storage::template up_to_layers<std::uint32_t> next_split_{};
};

} // namespace dovetail::placement::detail
