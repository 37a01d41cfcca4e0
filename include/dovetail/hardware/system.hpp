#pragma once
/// \file
/// A real machine: its chip and links as the datasheets give them, and the few numbers that measurements add.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/hardware/network_catalogue.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::hardware {

/// Number formats of the operands of a product. Sums are kept in 32 bits.
enum class precision : std::uint8_t {
    fp32,
    tf32,
    fp16,
    bf16,
    fp8,
};

inline constexpr std::size_t precisions = 5;

/// The name of a precision, as in files of measurements.
[[nodiscard]] constexpr std::string_view to_string(precision format) noexcept {
    constexpr std::array<std::string_view, precisions> names{"fp32", "tf32", "fp16", "bf16", "fp8"};
    return names[static_cast<std::size_t>(format)];
}

/// Bytes of one element in memory.
[[nodiscard]] constexpr double bytes_of(precision format) noexcept {
    constexpr std::array<double, precisions> bytes{4, 4, 2, 2, 1};
    return bytes[static_cast<std::size_t>(format)];
}

/// A chip as its maker describes it. Rates are dense: structured sparsity is not counted.
struct device {
    std::string_view name;
    /// FLOP/s of matrix products by precision of the operands; 0 where none is stated.
    std::array<double, precisions> matrix_flop_per_s{};
    std::int64_t processors = 0;   ///< SMs, compute units or cores: what works on one tile of a product
    double memory_bytes = 0;       ///< of the chip's own memory (HBM)
    double memory_bytes_per_s = 0; ///< peak
    double cache_bytes = 0;        ///< of the last cache, shared by the processors
    double launch_s = 0;           ///< from the call of a kernel to its start, framework included: published
    std::string_view source;

    /// FLOP/s of products of operands in `format`, or 0.
    [[nodiscard]] constexpr double matrix_rate(precision format) const noexcept {
        return matrix_flop_per_s[static_cast<std::size_t>(format)];
    }
};

/// What measurements add to a chip. The fractions here are those of an ideal machine.
struct calibration {
    double launch_s = 0; ///< from the call of a kernel to its start, framework included
    /// Fraction of the peak rate that a processor reaches in the main loop of a large tile.
    double matrix_fraction = 1;
    /// Fraction of the peak rate that all processors together sustain: below 1 where power lowers the clock.
    double sustained_fraction = 1;
    /// Fraction of the memory's peak bandwidth that a stream reaches.
    double memory_fraction = 1;
    std::string_view source;
};

/// Nodes of chips, as in the catalogue. The innermost level of the network is the node.
struct system {
    std::string_view name;
    device chip;
    network links;
    hardware::calibration calibration;
};

/// The same network without measurements: links at their full rate, and the protocols that NCCL assumes, of
/// NVLink inside a node and of a network outside.
[[nodiscard]] constexpr network datasheet(const network& measured) noexcept {
    network plain = measured;
    for (std::size_t l = 0; l < plain.depth; ++l)
        plain.levels[l].protocols = l == 0 ? nccl_nvlink : nccl_network;
    plain.start_s = nccl_start_s;
    plain.exposed_chunks = 0.0;
    return plain;
}

/// What a chip without measurements has.
[[nodiscard]] constexpr calibration uncalibrated(const device& chip) noexcept {
    return {.launch_s = chip.launch_s, .source = "none"};
}

/// The same system without measurements: only what it is described with.
[[nodiscard]] constexpr system datasheet(const system& measured) noexcept {
    system plain = measured;
    plain.links = datasheet(measured.links);
    plain.calibration = uncalibrated(measured.chip);
    return plain;
}

/// \returns errc::out_of_range for a number that is missing, negative or not finite, a fraction outside
///          (0, 1], or a network that is not valid.
[[nodiscard]] inline result<void> validate(const system& machine) {
    const std::string place = "system '" + std::string(machine.name) + "'";
    const device& chip = machine.chip;
    const hardware::calibration& fitted = machine.calibration;
    const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
    if (!positive(chip.matrix_rate(precision::fp16)) && !positive(chip.matrix_rate(precision::bf16)))
        return error{errc::out_of_range, place, "it has no rate of products in 16 bits",
                     "give that of fp16 or bf16"};
    using named = std::pair<std::string_view, double>;
    for (const auto& [name, value] :
         {named{"processors", static_cast<double>(chip.processors)}, named{"memory_bytes", chip.memory_bytes},
          named{"memory_bytes_per_s", chip.memory_bytes_per_s}, named{"cache_bytes", chip.cache_bytes},
          named{"launch_s of the chip", chip.launch_s}, named{"launch_s", fitted.launch_s}})
        if (!positive(value))
            return error{errc::out_of_range, place, std::string(name) + " is " + to_text(value),
                         "it is positive and finite"};
    for (const auto& [name, value] : {named{"matrix_fraction", fitted.matrix_fraction},
                                      named{"sustained_fraction", fitted.sustained_fraction},
                                      named{"memory_fraction", fitted.memory_fraction}})
        if (!(value > 0 && value <= 1))
            return error{errc::out_of_range, place, std::string(name) + " is " + to_text(value),
                         "a fraction is above 0 and at most 1"};
    if (auto valid = validate(machine.links); !valid) return error(valid.problem()).within(place);
    return {};
}

} // namespace dovetail::hardware
