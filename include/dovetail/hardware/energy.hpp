#pragma once
/// \file
/// Energies of the building blocks of a technology, and what they are on one chip.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/platform.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace dovetail::hardware {

/// A technology that knows its energies besides its areas. All constants are positive. A size that the
/// technology does not know has no energy: never zero.
template <class T>
concept energy_technology = technology<T> && requires(std::int64_t bytes) {
    { T::mac_j } -> std::convertible_to<double>;            // one multiply-accumulate of two elements
    { T::hbm_j_per_byte } -> std::convertible_to<double>;   // read or written
    { T::static_w_per_um2 } -> std::convertible_to<double>; // while nothing switches
    // One element, from and to the register file of `bytes` of a MAC or lane.
    { T::register_read_j(bytes) } -> std::same_as<std::optional<double>>;
    { T::register_write_j(bytes) } -> std::same_as<std::optional<double>>;
    // Of a buffer of `bytes`; the mean of a read and a write.
    { T::sram_j_per_byte(bytes) } -> std::same_as<std::optional<double>>;
    requires is_positive(T::mac_j) && is_positive(T::hbm_j_per_byte) && is_positive(T::static_w_per_um2);
};

/// What an event costs on one chip, in joules.
struct event_energies {
    double mac_j = 0;                    ///< a multiply-accumulate of an array, with the read of its weight
    double lane_cycle_j = 0;             ///< a cycle of a vector lane: two operands read, a result written
    double tensor_buffer_j_per_byte = 0; ///< of the private buffer of a tensor core
    double vector_buffer_j_per_byte = 0; ///< of the private buffer of a vector core
    double global_buffer_j_per_byte = 0;
    double hbm_j_per_byte = 0;
};

/// The energies of `chip`; or nothing where the technology has no energy for a size that occurs.
/// A lane cycle is charged as a multiply-accumulate. The weight that a unit of an array loads is used for
/// `depth` rows at least, so that its write is left out. \complexity O(1).
template <energy_technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr std::optional<event_energies> energies_of(const Chip& chip) noexcept {
    const auto weight_read = T::register_read_j(P::tensor_register_bytes);
    const auto lane_read = T::register_read_j(P::vector_register_bytes);
    const auto lane_write = T::register_write_j(P::vector_register_bytes);
    const auto tensor_buffer = T::sram_j_per_byte(P::local_buffer_bytes(chip.width * chip.depth));
    const auto vector_buffer = T::sram_j_per_byte(P::local_buffer_bytes(chip.width_vc));
    const auto global_buffer = T::sram_j_per_byte(chip.glb_bytes);
    for (const auto& figure :
         {weight_read, lane_read, lane_write, tensor_buffer, vector_buffer, global_buffer})
        if (!detail::known(figure)) return std::nullopt;
    return event_energies{.mac_j = T::mac_j + *weight_read,
                          .lane_cycle_j = T::mac_j + 2 * *lane_read + *lane_write,
                          .tensor_buffer_j_per_byte = *tensor_buffer,
                          .vector_buffer_j_per_byte = *vector_buffer,
                          .global_buffer_j_per_byte = *global_buffer,
                          .hbm_j_per_byte = T::hbm_j_per_byte};
}

} // namespace dovetail::hardware
