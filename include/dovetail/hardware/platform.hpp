#pragma once
/// \file
/// What all designs of a family share: clock, element size, bandwidths, and the memory that comes with a
/// core.

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace dovetail::hardware {

/// The constants of a family, as static members of a type. A word is one element of `element_bytes`; every
/// on-chip bandwidth is in words a cycle and holds for reading and, through a second port, for writing.
template <class P>
concept platform = requires(std::int64_t macs) {
    { P::clock_hz } -> std::convertible_to<double>;
    { P::element_bytes } -> std::convertible_to<std::int64_t>;
    { P::partial_sum_bytes } -> std::convertible_to<std::int64_t>;
    { P::local_words_per_cycle } -> std::convertible_to<double>;       // of each core
    { P::global_words_per_cycle } -> std::convertible_to<double>;      // of the chip
    { P::hbm_bytes_per_s } -> std::convertible_to<double>;             // of the chip
    { P::tensor_register_bytes } -> std::convertible_to<std::int64_t>; // of each MAC
    { P::vector_register_bytes } -> std::convertible_to<std::int64_t>; // of each lane
    { P::local_buffer_bytes(macs) } -> std::same_as<std::int64_t>;     // of a core of so many MACs or lanes
};

/// The constants of PHAZE (Wang et al., ICML 2024), with bandwidths that a chip of today has.
struct phaze_platform {
    /// PHAZE's cycle; its TPUv4-like point then peaks at TPUv4's public 275 TFLOP/s.
    static constexpr double clock_hz = 1.05e9;
    /// bfloat16 operands and results (PHAZE: 16 bit).
    static constexpr std::int64_t element_bytes = 2;
    /// Products of bfloat16 are summed in float32, as TPUs do (Jouppi et al., ISCA 2021).
    static constexpr std::int64_t partial_sum_bytes = 4;
    /// PHAZE's 64 words read and 64 written, per core rather than per chip: a chip total would make the
    /// number of cores irrelevant.
    static constexpr double local_words_per_cycle = 64;
    /// The global buffer's port in the course edition of PHAZE (sitar-lab, GLB_BUFFER_BW).
    static constexpr double global_words_per_cycle = 4096;
    /// TPUv4's memory: 1,200 GB/s a chip (Jouppi et al., ISCA 2023, table 4).
    static constexpr double hbm_bytes_per_s = 1.2e12;
    /// PHAZE: register file of a multiply-accumulate unit, 16 weights.
    static constexpr std::int64_t tensor_register_bytes = 32;
    /// PHAZE: registers of a vector lane.
    static constexpr std::int64_t vector_register_bytes = 12;

    /// PHAZE's private buffer of a core with `macs` units (width x depth) or lanes (width x 1).
    [[nodiscard]] static constexpr std::int64_t local_buffer_bytes(std::int64_t macs) noexcept {
        return std::max<std::int64_t>(1024, 16 * macs);
    }
};

static_assert(platform<phaze_platform>);

/// The fastest that the tensor cores of `chip` can go, in FLOP/s (a multiply-accumulate is two).
template <platform P, class Chip>
[[nodiscard]] constexpr double peak_flops(const Chip& chip) noexcept {
    return 2.0 * static_cast<double>(chip.num_tc) * static_cast<double>(chip.width) *
           static_cast<double>(chip.depth) * P::clock_hz;
}

} // namespace dovetail::hardware
