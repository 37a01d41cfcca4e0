#pragma once
/// \file
/// Silicon area of a design, in closed form over the tables of a technology.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

namespace dovetail::hardware {

/// Finite and above zero: what every figure of a catalogue is. NaN is not.
[[nodiscard]] constexpr bool is_positive(double value) noexcept {
    return value > 0 && value <= std::numeric_limits<double>::max();
}

/// Areas of the building blocks in um^2. A size that the technology does not know has no area: never zero.
template <class T>
concept technology = requires(std::int64_t bytes) {
    { T::mac_um2 } -> std::convertible_to<double>;                 // one MAC, of a tensor or a vector core
    { T::registers_um2(bytes) } -> std::same_as<double>;           // the register file of one MAC or lane
    { T::sram_um2(bytes) } -> std::same_as<std::optional<double>>; // a buffer of exactly `bytes`
    requires is_positive(T::mac_um2);
};

/// Where the area of a design goes, in um^2.
struct area_breakdown {
    double tensor_cores_um2 = 0;
    double vector_cores_um2 = 0;
    double global_buffer_um2 = 0;

    [[nodiscard]] constexpr double total_um2() const noexcept {
        return tensor_cores_um2 + vector_cores_um2 + global_buffer_um2;
    }
};

namespace detail {

/// Whether a technology gave a figure; zero is none.
[[nodiscard]] constexpr bool known(const std::optional<double>& figure) noexcept {
    return figure && is_positive(*figure);
}

template <technology T, platform P>
constexpr std::optional<double> core_um2(std::int64_t macs, std::int64_t register_bytes) noexcept {
    const auto buffer = T::sram_um2(P::local_buffer_bytes(macs));
    const double registers = T::registers_um2(register_bytes);
    if (!known(buffer) || !is_positive(registers)) return std::nullopt;
    return static_cast<double>(macs) * (T::mac_um2 + registers) + *buffer;
}

} // namespace detail

/// Area of `chip`: cores with their registers and private buffers, and the global buffer; or nothing where
/// the technology has no buffer of a size that occurs. HBM, its interface and the network on chip are not
/// counted. \complexity O(1). Source: PHAZE's sum rule, with the register and buffer sizes of `P`.
template <technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr std::optional<area_breakdown> area_of(const Chip& chip) noexcept {
    const auto tensor_core = detail::core_um2<T, P>(chip.width * chip.depth, P::tensor_register_bytes);
    const auto vector_core = detail::core_um2<T, P>(chip.width_vc, P::vector_register_bytes);
    const auto global_buffer = T::sram_um2(chip.glb_bytes);
    if (!tensor_core || !vector_core || !detail::known(global_buffer)) return std::nullopt;
    return area_breakdown{.tensor_cores_um2 = static_cast<double>(chip.num_tc) * *tensor_core,
                          .vector_cores_um2 = static_cast<double>(chip.num_vc) * *vector_core,
                          .global_buffer_um2 = *global_buffer};
}

} // namespace dovetail::hardware
