#pragma once
/// \file
/// Real systems known by name, every number with its source.

#include <dovetail/core/error.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/system.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dovetail::hardware {

/// Nodes that a system of the catalogue may have: its network is described up to there.
inline constexpr std::int64_t most_nodes = 4096;

/// Links of a node of `devices` with `device_bytes_per_s` each, and of nodes with an adapter of
/// `adapter_bytes_per_s` for every `devices_per_adapter` of them, behind a network that carries what they
/// send. Latencies: NCCL 2.10, src/graph/tuning.cc (rings: LL and Simple, NVLink and network). Efficiencies
/// are of the protocols alone: LL carries a flag with every word.
[[nodiscard]] constexpr network nccl_links(std::int64_t devices, double device_bytes_per_s,
                                           double adapter_bytes_per_s, std::int64_t devices_per_adapter = 1) {
    network links;
    links.depth = 2;
    links.levels[0] = {.units = devices,
                       .device_bytes_per_s = device_bytes_per_s,
                       .unit_bytes_per_s = device_bytes_per_s,
                       .low_latency = {.step_s = 0.47e-6, .efficiency = 0.5},
                       .bulk = {.step_s = 3.4e-6, .efficiency = 1.0}};
    links.levels[1] = {.units = most_nodes,
                       .device_bytes_per_s = adapter_bytes_per_s,
                       .unit_bytes_per_s = adapter_bytes_per_s * static_cast<double>(devices) /
                                           static_cast<double>(devices_per_adapter),
                       .low_latency = {.step_s = 2.7e-6, .efficiency = 0.5},
                       .bulk = {.step_s = 9.6e-6, .efficiency = 1.0}};
    links.start_s = 3.6e-6;              // base latency of a ring with LL
    links.window_bytes = 4.0 * mebibyte; // NCCL_BUFFSIZE
    links.exposed_chunks = 1;
    return links;
}

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
    .source = "NVIDIA A100 datasheet (2021); NVIDIA A100 Tensor Core GPU Architecture whitepaper (2020)"};

/// The catalogue.
inline constexpr std::array known_systems{
    system{
        .name = "a100-sxm-80",
        .chip = a100_sxm_80,
        // DGX A100 datasheet: NVLink 600 GB/s in both directions together, an HDR adapter (200 Gb/s) a GPU.
        .links = nccl_links(8, 300e9, 25e9),
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
