#pragma once
/// \file
/// Static power and TDP of a chip with its HBM, by part.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/platform.hpp>

#include <optional>

namespace dovetail::hardware {

/// Where the power of a chip goes, in watts.
struct power_breakdown {
    double tensor_cores_w = 0; ///< arrays, without their buffers
    double vector_cores_w = 0; ///< lanes, without their buffers
    double local_buffers_w = 0;
    double global_buffer_w = 0;
    double static_w = 0; ///< drawn while nothing runs
    double hbm_w = 0;

    /// Of the die: what its cooling has to carry away.
    [[nodiscard]] constexpr double die_w() const noexcept {
        return tensor_cores_w + vector_cores_w + local_buffers_w + global_buffer_w + static_w;
    }
    /// Of the die and its memory.
    [[nodiscard]] constexpr double total_w() const noexcept { return die_w() + hbm_w; }
};

/// What `chip` draws while nothing runs [W]; or nothing where `area_of` gives nothing.
template <energy_technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr std::optional<double> static_power_w(const Chip& chip) noexcept {
    const auto area = area_of<T, P>(chip);
    if (!area) return std::nullopt;
    return area->total_um2() * T::static_w_per_um2;
}

/// The thermal design power of `chip`: every part at its fastest, all at once, and the static power; or
/// nothing where the technology lacks an area or an energy.
///
/// P = sum_k e_k r_k + static, with the energy e_k of an event and its highest rate
/// r_k: a multiply-accumulate a unit and cycle, a cycle a lane, both ports of every buffer, the
/// bandwidth of the HBM. No schedule of a latency model on `P` draws more. \complexity O(1).
template <energy_technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr std::optional<power_breakdown> tdp_of(const Chip& chip) noexcept {
    const auto events = energies_of<T, P>(chip);
    const auto leaked_w = static_power_w<T, P>(chip);
    if (!events || !leaked_w) return std::nullopt;
    constexpr double ports = 2; // one reads, one writes
    constexpr double local_bytes_per_s =
        ports * P::local_words_per_cycle * static_cast<double>(P::element_bytes) * P::clock_hz;
    constexpr double global_bytes_per_s =
        ports * P::global_words_per_cycle * static_cast<double>(P::element_bytes) * P::clock_hz;
    return power_breakdown{
        .tensor_cores_w = static_cast<double>(tensor_macs(chip)) * P::clock_hz * events->mac_j,
        .vector_cores_w = static_cast<double>(vector_lanes(chip)) * P::clock_hz * events->lane_cycle_j,
        .local_buffers_w =
            local_bytes_per_s * (static_cast<double>(chip.num_tc) * events->tensor_buffer_j_per_byte +
                                 static_cast<double>(chip.num_vc) * events->vector_buffer_j_per_byte),
        .global_buffer_w = global_bytes_per_s * events->global_buffer_j_per_byte,
        .static_w = *leaked_w,
        .hbm_w = P::hbm_bytes_per_s * events->hbm_j_per_byte};
}

} // namespace dovetail::hardware
