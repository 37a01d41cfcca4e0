#pragma once
/// \file
/// The kernels of a training step on a machine of the catalogue.

#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/hardware/system.hpp>

#include <cstdint>

namespace dovetail::cost {

/// The 16-bit format in which a chip trains: fp16 where it has a rate for it, else bf16.
[[nodiscard]] constexpr hardware::precision half_precision(const hardware::device& chip) noexcept {
    using hardware::precision;
    return chip.matrix_rate(precision::fp16) > 0 ? precision::fp16 : precision::bf16;
}

/// `training_kernels` of a machine. A kernel follows the one before without a gap while the host is ahead, so
/// the launch is no part of its time. The two numbers were fitted to measured iterations on A100
/// (docs/models/iteration.md); other chips keep them until they are measured.
struct system_kernels {
    const hardware::system& machine;
    /// Seconds of the host for a call: framework, autograd and launch.
    double host_call_s = 57e-6;
    /// Fraction of the memory's peak bandwidth that kernels without a product reach: they are many, short,
    /// and some run along the slower axis.
    double stream_fraction = 0.54;

    [[nodiscard]] constexpr double matmul_s(std::int64_t batch, std::int64_t m, std::int64_t n,
                                            std::int64_t k) const {
        const hardware::precision format = half_precision(machine.chip);
        const gemm product{.m = m, .n = n, .k = k, .batch = batch, .operands = format, .result = format};
        return gemm_time_model{}(machine, product) - machine.calibration.launch_s;
    }
    [[nodiscard]] constexpr double byte_s() const noexcept {
        return 1 / (machine.chip.memory_bytes_per_s * stream_fraction);
    }
    [[nodiscard]] constexpr double update_byte_s() const noexcept {
        return 1 / (machine.chip.memory_bytes_per_s * machine.calibration.memory_fraction);
    }
    [[nodiscard]] constexpr double call_s() const noexcept { return host_call_s; }
};

} // namespace dovetail::cost
