#pragma once
/// \file
/// What any interval of a chain of layers adds up to, in constant time from prefix sums.

#include <dovetail/placement/layer_graph.hpp>

#include <cstddef>

namespace dovetail::placement::detail {

/// The layers of a stage added up, and the bytes that cross its ends.
struct stage_sum {
    layer total{};
    double entering_bytes = 0.0;
    double leaving_bytes = 0.0;
};

/// The numbers of a layer, so that sums need not list them.
inline constexpr double layer::*layer_numbers[] = {&layer::forward_s,
                                                   &layer::backward_s,
                                                   &layer::update_s,
                                                   &layer::resident_bytes,
                                                   &layer::reduce_bytes,
                                                   &layer::activation_bytes,
                                                   &layer::stash_bytes,
                                                   &layer::weight_gradient_s,
                                                   &layer::attention_forward_s,
                                                   &layer::attention_stash_bytes,
                                                   &layer::optimizer_bytes};

/// Sums over all intervals of the chain of one tensor width.
template <class Storage>
class stage_sums {
public:
    /// \complexity O(layers).
    constexpr void prepare(const basic_width_costs<Storage>& costs) {
        const std::size_t n = costs.layers.size();
        before_.resize(n + 1, {});
        entering_bytes_.resize(n + 1, 0.0);
        before_[0] = {};
        entering_bytes_[0] = entering_bytes_[n] = 0.0;
        for (std::size_t v = 0; v < n; ++v) {
            for (const auto number : layer_numbers)
                before_[v + 1].*number = before_[v].*number + costs.layers[v].*number;
            if (v + 1 < n) entering_bytes_[v + 1] = costs.edge_bytes[v];
        }
    }

    /// The layers [begin, end).
    [[nodiscard]] constexpr stage_sum of(std::size_t begin, std::size_t end) const {
        stage_sum sum{{}, entering_bytes_[begin], entering_bytes_[end]};
        for (const auto number : layer_numbers)
            sum.total.*number = before_[end].*number - before_[begin].*number;
        return sum;
    }
    /// Forward and backward passes of all layers before `end`.
    [[nodiscard]] constexpr double work_before_s(std::size_t end) const {
        return before_[end].forward_s + before_[end].backward_s;
    }

private:
    typename Storage::template up_to_layers<layer> before_{};
    typename Storage::template up_to_layers<double> entering_bytes_{};
};

/// The same, layer by layer: differences of prefix sums lose digits where a small stage follows a large one.
template <class Storage>
[[nodiscard]] constexpr stage_sum add_up(const basic_width_costs<Storage>& costs, std::size_t begin,
                                         std::size_t end) {
    stage_sum sum;
    for (std::size_t v = begin; v < end; ++v)
        for (const auto number : layer_numbers) sum.total.*number += costs.layers[v].*number;
    if (begin > 0) sum.entering_bytes = costs.edge_bytes[begin - 1];
    if (end < costs.layers.size()) sum.leaving_bytes = costs.edge_bytes[end - 1];
    return sum;
}

} // namespace dovetail::placement::detail
