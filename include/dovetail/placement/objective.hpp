#pragma once
/// \file
/// The time of one batch: what a pipeline's heaviest stage and the data-parallel reduction add up to.

#include <dovetail/core/checked.hpp>

#include <cstdint>
#include <string_view>

namespace dovetail::placement {

/// Who pays for the work that follows the last micro-batch of a batch.
enum class objective : std::uint8_t {
    /// PHAZE (Wang et al., ICML 2024): the first stage alone adds up its gradients; the update is free.
    phaze,
    /// Every stage adds up its gradients and updates its weights, all of them at once: the slowest counts.
    every_stage,
};

/// The name of the objective.
[[nodiscard]] constexpr std::string_view to_string(objective o) noexcept {
    switch (o) {
    case objective::phaze:
        return "phaze";
    case objective::every_stage:
        return "every stage";
    }
    return "unknown";
}

/// Seconds of a ring all-reduce of `bytes` among `degree` devices, each sending `link_bytes_per_s`:
/// 2 (degree - 1) / degree * bytes / link_bytes_per_s.
[[nodiscard]] constexpr double ring_all_reduce_s(double bytes, std::int64_t degree, double link_bytes_per_s) {
    const auto d = static_cast<double>(degree);
    return 2.0 * (d - 1.0) * bytes / (d * link_bytes_per_s);
}

/// How many times the heaviest stage's load a batch takes when a pipeline of `stages` stages in each of
/// `data_parallel` replicas is filled, kept busy and drained: ceil(micro_batches / data_parallel) + stages
/// - 1.
[[nodiscard]] constexpr std::int64_t pipeline_slots(std::int64_t micro_batches, std::int64_t data_parallel,
                                                    std::int64_t stages) {
    return ceil_div(micro_batches, data_parallel) + stages - 1;
}

} // namespace dovetail::placement
