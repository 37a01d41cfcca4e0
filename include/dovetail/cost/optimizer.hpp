#pragma once
/// \file
/// What a parameter costs in training: bytes that stay in memory, bytes that are reduced, and its update.

#include <dovetail/core/result.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace dovetail::cost {

/// The optimizers of the field's published training set-ups.
enum class optimizer : std::uint8_t {
    adam,     ///< mixed precision: bfloat16 weights, float32 gradients, master weights and two moments
    sgd,      ///< PHAZE's: weights and gradients in 16 bit, nothing else
    momentum, ///< stochastic gradient descent with momentum, in the precisions of `adam`
};

/// Bytes and lane cycles a parameter.
struct parameter_cost {
    double resident_bytes = 0;    ///< weight, gradient and optimizer state
    double state_bytes = 0;       ///< of these, the optimizer's own, which replicas can share out
    double reduce_bytes = 0;      ///< that the data-parallel replicas add up
    double update_bytes = 0;      ///< moved to and from the HBM by the update
    double update_read_bytes = 0; ///< of these, read
    double update_cycles = 0;     ///< of one vector lane
};

/// Adam: 2 + 4 + 4 + 4 + 4 bytes stay (Rajbhandari et al., ZeRO, SC 2020, with float32 gradients as in
/// Megatron-LM); the update reads gradient, master and moments and writes master, moments and weight.
/// SGD: weight and gradient of 2 bytes; PHAZE charges its reduction 4(d-1)/d times the weight's bytes, which
/// is a ring over twice of them. Momentum has one moment instead of two, and neither root nor division: two
/// products, a sum and a difference, and the copy to bfloat16.
[[nodiscard]] constexpr parameter_cost cost_of(optimizer o) noexcept {
    switch (o) {
    case optimizer::adam:
        return {.resident_bytes = 18,
                .state_bytes = 12,
                .reduce_bytes = 4,
                .update_bytes = 30,
                .update_read_bytes = 16,
                .update_cycles = 36};
    case optimizer::sgd:
        return {.resident_bytes = 4,
                .state_bytes = 0,
                .reduce_bytes = 4,
                .update_bytes = 6,
                .update_read_bytes = 4,
                .update_cycles = 2};
    case optimizer::momentum:
        return {.resident_bytes = 14,
                .state_bytes = 8,
                .reduce_bytes = 4,
                .update_bytes = 22,
                .update_read_bytes = 12,
                .update_cycles = 5};
    }
    return {};
}

/// \returns errc::unknown_name for anything but "adam", "sgd" and "momentum".
[[nodiscard]] inline result<optimizer> find_optimizer(std::string_view name) {
    if (name == "adam") return optimizer::adam;
    if (name == "sgd") return optimizer::sgd;
    if (name == "momentum") return optimizer::momentum;
    return error{errc::unknown_name, "optimizer '" + std::string(name) + "'", "it is not known",
                 "known are adam, sgd, momentum"};
}

/// Seconds of the update of `parameters` parameters on all vector cores of `chip`: bound by the HBM or by the
/// lanes.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr double update_s(optimizer o, double parameters, const Chip& chip) {
    const parameter_cost cost = cost_of(o);
    const auto lanes = static_cast<double>(chip.num_vc * chip.width_vc);
    return std::max(parameters * cost.update_bytes / P::hbm_bytes_per_s,
                    parameters * cost.update_cycles / lanes / P::clock_hz);
}

} // namespace dovetail::cost
