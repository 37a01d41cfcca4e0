#pragma once
/// \file
/// A real machine: its chip as the datasheet gives it, and the few numbers that measurements add.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/network.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::hardware {

/// Number formats that a matrix unit multiplies. Sums are kept in 32 bits.
enum class precision : std::uint8_t {
    fp32,
    tf32,
    fp16,
    bf16,
    fp8,
};

inline constexpr std::size_t precisions = 5;

/// The name of a precision, as in result files.
[[nodiscard]] constexpr std::string_view to_string(precision format) noexcept {
    constexpr std::array<std::string_view, precisions> names{"fp32", "tf32", "fp16", "bf16", "fp8"};
    return names[static_cast<std::size_t>(format)];
}

/// Bytes of one element.
[[nodiscard]] constexpr double bytes_of(precision format) noexcept {
    constexpr std::array<double, precisions> bytes{4, 4, 2, 2, 1};
    return bytes[static_cast<std::size_t>(format)];
}

/// A chip as its maker describes it. Rates are dense: structured sparsity is not counted.
struct device {
    std::string_view name;
    /// FLOP/s of the matrix units at `clock_hz`, by precision; 0 where the chip has none for it.
    std::array<double, precisions> matrix_flop_per_s{};
    double vector_flop_per_s = 0;  ///< FLOP/s of the other units, in 32 bits
    std::int64_t processors = 0;   ///< SMs, compute units or cores: what one tile of a product occupies
    double clock_hz = 0;           ///< of the processors, at which the rates hold
    double memory_bytes = 0;       ///< of the chip's own memory (HBM)
    double memory_bytes_per_s = 0; ///< peak
    double cache_bytes = 0;        ///< of the last cache, shared by the processors
    std::string_view source;

    /// FLOP/s of the matrix units in `format`, or 0.
    [[nodiscard]] constexpr double matrix_rate(precision format) const noexcept {
        return matrix_flop_per_s[static_cast<std::size_t>(format)];
    }
};

/// What measurements add to a chip. The values here are those of an ideal machine: a chip without
/// measurements keeps them, except for the time of a launch, which is never zero.
struct calibration {
    /// Seconds from one call to the next when the device has nothing to do: kernel launch and framework.
    double launch_s = 0;
    /// Fraction of the peak rate that a processor reaches between the first and last step of a tile.
    double matrix_fraction = 1;
    /// Fraction of the peak rate that the whole chip sustains: below 1 where power lowers the clock.
    double sustained_fraction = 1;
    /// Fraction of the memory's peak bandwidth that a long stream reaches.
    double memory_fraction = 1;
    std::string_view source;
};

/// Nodes of chips, named as in the catalogue. The innermost level of the network is the node.
struct system {
    std::string_view name;
    device chip;
    network links;
    hardware::calibration calibration;
};

/// The same network without measurements: every link at its full rate. A protocol that sends a flag with
/// every word keeps half of it. Latencies stay as they are described.
[[nodiscard]] constexpr network datasheet(const network& measured) noexcept {
    network plain = measured;
    for (network_level& level : plain.levels) {
        level.low_latency.efficiency = 0.5;
        level.bulk.efficiency = 1.0;
    }
    return plain;
}

/// The same system without measurements: only what its datasheet says, and the time of a launch.
[[nodiscard]] constexpr system datasheet(const system& measured) noexcept {
    system plain = measured;
    plain.links = datasheet(measured.links);
    plain.calibration = {.launch_s = measured.calibration.launch_s, .source = measured.chip.source};
    return plain;
}

/// \returns errc::out_of_range for a number that is missing, negative or not finite, or a fraction outside
///          (0, 1].
[[nodiscard]] inline result<void> validate(const system& machine) {
    const std::string place = "system '" + std::string(machine.name) + "'";
    const device& c = machine.chip;
    const hardware::calibration& k = machine.calibration;
    if (c.matrix_rate(precision::fp16) <= 0 && c.matrix_rate(precision::bf16) <= 0)
        return error{errc::out_of_range, place, "it has no rate of matrix products in 16 bits",
                     "give that of fp16 or bf16"};
    using named = std::pair<std::string_view, double>;
    for (const auto& [name, value] :
         {named{"vector_flop_per_s", c.vector_flop_per_s},
          named{"processors", static_cast<double>(c.processors)}, named{"clock_hz", c.clock_hz},
          named{"memory_bytes", c.memory_bytes}, named{"memory_bytes_per_s", c.memory_bytes_per_s},
          named{"cache_bytes", c.cache_bytes}, named{"launch_s", k.launch_s}})
        if (!(value > 0 && std::isfinite(value)))
            return error{errc::out_of_range, place, std::string(name) + " is " + to_text(value),
                         "it is positive and finite"};
    for (const auto& [name, value] :
         {named{"matrix_fraction", k.matrix_fraction}, named{"sustained_fraction", k.sustained_fraction},
          named{"memory_fraction", k.memory_fraction}})
        if (!(value > 0 && value <= 1))
            return error{errc::out_of_range, place, std::string(name) + " is " + to_text(value),
                         "a fraction is above 0 and at most 1"};
    return {};
}

} // namespace dovetail::hardware
