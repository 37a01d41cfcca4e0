#pragma once
/// \file
/// Floating-point operations of a training iteration, as utilisations count them.

#include <dovetail/cost/training_plan.hpp>
#include <dovetail/workload/transformer_shape.hpp>

namespace dovetail::cost {

/// FLOPs of an iteration on all devices together. A multiply-accumulate is two; only matrix products count,
/// and scores above the diagonal count as well, since they are computed.
struct iteration_flops {
    double model = 0;    ///< forward and backward once: what MFU counts
    double hardware = 0; ///< and what is computed again: what HFU counts
};

/// FLOPs of the core of attention in one forward pass of a block: 4 B s^2 h.
[[nodiscard]] constexpr double attention_core_flops(const workload::transformer_shape& m,
                                                    double sequences) noexcept {
    const auto s = static_cast<double>(m.sequence);
    return 4 * sequences * s * s * static_cast<double>(m.hidden);
}

/// FLOPs of one forward pass of a block: 24 B s h^2 (1 + s / 6h) for GPT.
[[nodiscard]] constexpr double block_flops(const workload::transformer_shape& m, double sequences) noexcept {
    return 2 * sequences * static_cast<double>(m.sequence) * workload::block_weights(m) +
           attention_core_flops(m, sequences);
}

/// FLOPs of one forward pass of the head: 2 B s h V.
[[nodiscard]] constexpr double head_flops(const workload::transformer_shape& m, double sequences) noexcept {
    return 2 * sequences * static_cast<double>(m.sequence) * static_cast<double>(m.hidden) *
           static_cast<double>(m.vocabulary);
}

/// The FLOPs of one iteration. For GPT, `model` is 72 B s L h^2 (1 + s / 6h + V / 12hL) (Korthikanti et al.,
/// MLSys 2023, equation 7), and `hardware` with full recomputation 96 B s L h^2 (1 + s / 6h + V / 16hL)
/// (Narayanan et al., SC 2021, equation 3).
[[nodiscard]] constexpr iteration_flops count_flops(const workload::transformer_shape& m,
                                                    const training_plan& p) noexcept {
    const auto sequences = static_cast<double>(p.global_batch);
    const auto layers = static_cast<double>(m.layers);
    iteration_flops count;
    count.model = 3 * (layers * block_flops(m, sequences) + head_flops(m, sequences));
    count.hardware = count.model;
    if (p.recompute == recomputation::full) count.hardware += layers * block_flops(m, sequences);
    if (p.recompute == recomputation::selective)
        count.hardware += layers * attention_core_flops(m, sequences);
    return count;
}

} // namespace dovetail::cost
