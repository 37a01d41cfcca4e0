#pragma once
/// \file
/// Real systems known by name, every number with its source.

#include <dovetail/core/error.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/system.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dovetail::hardware {

/// NVIDIA A100, SXM4 module, 80 GB.
inline constexpr device a100_sxm_80{
    .name = "NVIDIA A100-SXM4-80GB",
    // Datasheet: 19.5 TFLOPS fp32, 156 tf32, 312 fp16 and bf16, all dense; no fp8.
    .matrix_flop_per_s = {19.5e12, 156e12, 312e12, 312e12, 0},
    .vector_flop_per_s = 19.5e12,
    .processors = 108,              // whitepaper, table 4
    .clock_hz = 1410e6,             // whitepaper, table 4: boost
    .memory_bytes = 80e9,           // datasheet
    .memory_bytes_per_s = 2039e9,   // datasheet
    .cache_bytes = 40.0 * mebibyte, // whitepaper, table 4
    .cache_bytes_per_clock = 5120,  // whitepaper, "A100 L2 Cache"
    .source = "NVIDIA A100 datasheet (2021); NVIDIA A100 Tensor Core GPU Architecture whitepaper (2020)"};

/// The catalogue.
inline constexpr std::array known_systems{
    system{.name = "a100-sxm-80",
           .chip = a100_sxm_80,
           // The call of a product from a framework: LLMCompass (Zhang et al., ISCA 2024), overhead of A100.
           .calibration = {.launch_s = 21e-6, .source = "none: datasheet only"}},
};

/// The system of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<system> find_system(std::string_view name) {
    std::string names;
    for (const system& known : known_systems) {
        if (known.name == name) return known;
        names += names.empty() ? "" : ", ";
        names += known.name;
    }
    return error{errc::unknown_name, "system '" + std::string(name) + "'", "it is not in the catalogue",
                 "known are " + names};
}

} // namespace dovetail::hardware
