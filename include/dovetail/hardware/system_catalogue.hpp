#pragma once
/// \file
/// Real systems known by name, every number with its source.

#include <dovetail/core/error.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/hardware/network_catalogue.hpp>
#include <dovetail/hardware/system.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::hardware {

/// Nodes that the network of a system is described for.
inline constexpr std::int64_t most_nodes = 4096;

/// A node of `devices` that are all joined, without measurements; `device_bytes_per_s` is of one direction.
[[nodiscard]] constexpr network described_node(std::int64_t devices, double device_bytes_per_s) noexcept {
    network node;
    node.levels[0] = {
        .units = devices, .device_bytes_per_s = device_bytes_per_s, .unit_bytes_per_s = device_bytes_per_s};
    return datasheet(node);
}

namespace detail {

// Makers count memory in binary multiples and call them GB: an H200 of "141 GB" reports 143,771 MiB.
inline constexpr double gib = static_cast<double>(gibibyte);
inline constexpr double mib = static_cast<double>(mebibyte);

} // namespace detail

/// Launches that LLMCompass (Zhang et al., ISCA 2024) describes its machines with: of a product, called from
/// PyTorch or JAX.
inline constexpr double launch_a100_s = 21e-6;
inline constexpr double launch_mi210_s = 34e-6;
inline constexpr double launch_tpu_v3_s = 110e-6;

/// NVIDIA V100. Datasheet (2020), V100 architecture whitepaper (2017).
inline constexpr device v100{
    .name = "NVIDIA V100-SXM2-32GB",
    .matrix_flop_per_s = {15.7e12, 0, 125e12, 0, 0}, // datasheet; tensor cores of fp16 only
    .processors = 80,                                // whitepaper, table 1: SMs
    .memory_bytes = 32 * detail::gib,                // datasheet
    .memory_bytes_per_s = 900e9,                     // datasheet
    .cache_bytes = 6 * detail::mib,                  // whitepaper, table 1: 6144 KB
    .launch_s = launch_a100_s,                       // of A100
    .source = "NVIDIA V100 datasheet (2020), V100 architecture whitepaper (2017)"};

/// NVIDIA A100, SXM4 module with 40 GB. Datasheet (2021), A100 architecture whitepaper (2020).
inline constexpr device a100_sxm_40{.name = "NVIDIA A100-SXM4-40GB",
                                    .matrix_flop_per_s = {19.5e12, 156e12, 312e12, 312e12, 0},
                                    .processors = 108, // whitepaper, table 4: SMs
                                    .memory_bytes = 40 * detail::gib,
                                    .memory_bytes_per_s = 1555e9,
                                    .cache_bytes = 40 * detail::mib, // whitepaper, table 4: 40960 KB
                                    .launch_s = launch_a100_s,
                                    .source =
                                        "NVIDIA A100 datasheet (2021), A100 architecture whitepaper (2020)"};

/// The same chip with `bytes` of memory at `bytes_per_s`.
[[nodiscard]] constexpr device with_memory(device chip, std::string_view name, double bytes,
                                           double bytes_per_s) noexcept {
    chip.name = name;
    chip.memory_bytes = bytes;
    chip.memory_bytes_per_s = bytes_per_s;
    return chip;
}

/// NVIDIA A100 with 80 GB. Datasheet (2021): 2,039 GB/s on SXM4, 1,935 GB/s on PCIe.
inline constexpr device a100_sxm_80 =
    with_memory(a100_sxm_40, "NVIDIA A100-SXM4-80GB", 80 * detail::gib, 2039e9);
inline constexpr device a100_pcie_80 =
    with_memory(a100_sxm_40, "NVIDIA A100-PCIe-80GB", 80 * detail::gib, 1935e9);

/// NVIDIA H100. Datasheet (2023; half of its rates "with sparsity"), H100 architecture whitepaper (2022).
inline constexpr device h100_sxm{
    .name = "NVIDIA H100-SXM5-80GB",
    .matrix_flop_per_s = {67e12, 494.7e12, 989.4e12, 989.4e12, 1978.9e12}, // whitepaper
    .processors = 132,                                                     // whitepaper: SMs
    .memory_bytes = 80 * detail::gib,
    .memory_bytes_per_s = 3350e9,
    .cache_bytes = 50 * detail::mib, // whitepaper
    .launch_s = launch_a100_s,       // of A100
    .source = "NVIDIA H100 datasheet (2023), H100 architecture whitepaper (2022)"};

/// NVIDIA H200: the chip of the H100. Datasheet (2023): 141 GB at 4.8 TB/s.
inline constexpr device h200_sxm = with_memory(h100_sxm, "NVIDIA H200-SXM5-141GB", 141 * detail::gib, 4800e9);

/// NVIDIA B200. DGX B200 datasheet (2024): an eighth of 72 PFLOPS fp8 "with sparsity", halved, and of
/// 1,440 GB; HGX B200 for fp32, tf32 and bf16. SMs, L2 and the 7680 bits at 3996 MHz of its memory are those
/// that its driver reports (pytorch/ao, pull request 4002, 2026).
inline constexpr device b200_sxm{
    .name = "NVIDIA B200-SXM-180GB",
    .matrix_flop_per_s = {80e12, 1100e12, 2250e12, 2250e12, 4500e12},
    .processors = 148,
    .memory_bytes = 180 * detail::gib,
    .memory_bytes_per_s = 7672e9,
    .cache_bytes = 126.5 * detail::mib,
    .launch_s = launch_a100_s, // of A100
    .source = "NVIDIA DGX B200 and HGX B200 datasheets (2024), driver's report (pytorch/ao 4002)"};

/// AMD Instinct MI210. Datasheet (2022), ROCm's table of accelerator specifications.
inline constexpr device mi210{.name = "AMD Instinct MI210",
                              .matrix_flop_per_s = {45.3e12, 0, 181e12, 181e12, 0}, // datasheet: matrix rates
                              .processors = 104, // datasheet: compute units
                              .memory_bytes = 64 * detail::gib,
                              .memory_bytes_per_s = 1638.4e9, // datasheet: 4096 bits at 3.2 GT/s
                              .cache_bytes = 8 * detail::mib, // ROCm: L2
                              .launch_s = launch_mi210_s,
                              .source =
                                  "AMD Instinct MI210 datasheet (2022), ROCm accelerator specifications"};

/// Google TPU v4. Cloud TPU documentation ("TPU v4"); Jouppi et al., ISCA 2023: 128 MiB of CMEM.
inline constexpr device tpu_v4{.name = "Google TPU v4",
                               .matrix_flop_per_s = {0, 0, 0, 275e12, 0},
                               .processors = 2, // TensorCores
                               .memory_bytes = 32 * detail::gib,
                               .memory_bytes_per_s = 1200e9,
                               .cache_bytes = 128 * detail::mib,
                               .launch_s = launch_tpu_v3_s, // of TPU v3
                               .source = "Google Cloud documentation, TPU v4; Jouppi et al., ISCA 2023"};

/// The catalogue. Fractions were fitted with `dovetail calibrate`; docs/models/systems.md says to what.
inline constexpr std::array known_systems{
    // DGX-1: NVLink 300 GB/s in both directions together, four EDR adapters (100 Gb/s) a node.
    system{.name = "v100",
           .chip = v100,
           .links = join(described_node(8, 150e9), most_nodes, 12.5e9, 50e9),
           .calibration = uncalibrated(v100)},
    // DGX A100: NVLink 600 GB/s in both directions together, an HDR adapter (200 Gb/s) a device.
    system{.name = "a100-sxm-40",
           .chip = a100_sxm_40,
           .links = join(known_networks[0].links, most_nodes, 25e9, 200e9),
           .calibration = {.launch_s = 27.9e-6,
                           .matrix_fraction = 0.968,
                           .sustained_fraction = 0.927,
                           .memory_fraction = 0.901,
                           .source = "that of a100-sxm-80: the same chip"}},
    system{.name = "a100-sxm-80",
           .chip = a100_sxm_80,
           .links = join(known_networks[0].links, most_nodes, 25e9, 200e9),
           .calibration = {.launch_s = 27.9e-6,
                           .matrix_fraction = 0.968,
                           .sustained_fraction = 0.927,
                           .memory_fraction = 0.901,
                           .source = "20 products in fp16, called from PyTorch (LLMCompass)"}},
    // The same chips in nodes that share 800 Gb/s, two devices an adapter: the cluster of vTrain (Bang et
    // al.,
    // MICRO 2024), where `known_networks[1]` was measured.
    system{.name = "a100-sxm-80-800g",
           .chip = a100_sxm_80,
           .links = join(known_networks[1].links, most_nodes, 25e9, 100e9),
           .calibration = {.launch_s = 27.9e-6,
                           .matrix_fraction = 0.968,
                           .sustained_fraction = 0.927,
                           .memory_fraction = 0.901,
                           .source = "that of a100-sxm-80: the same chip"}},
    // PCIe 4.0 x16: 64 GB/s in both directions together (datasheet).
    system{
        .name = "a100-pcie-80",
        .chip = a100_pcie_80,
        .links = described_node(8, 32e9),
        .calibration = {.launch_s = 6.2e-6,
                        .matrix_fraction = 0.803,
                        .sustained_fraction = 0.757,
                        .memory_fraction = 0.901,
                        .source =
                            "113 products in bf16 (SimuMax); memory, which they do not show: a100-sxm-80"}},
    // DGX H100 and H200: NVLink 900 GB/s in both directions together, an NDR adapter (400 Gb/s) a device.
    system{
        .name = "h100-sxm",
        .chip = h100_sxm,
        .links = join(described_node(8, 450e9), most_nodes, 50e9, 400e9),
        .calibration = {.launch_s = 22.6e-6,
                        .matrix_fraction = 1.0,
                        .sustained_fraction = 0.684,
                        .memory_fraction = 0.833,
                        .source = "180 products in bf16, called from PyTorch 2.11: docs/models/systems.md"}},
    system{
        .name = "h200-sxm",
        .chip = h200_sxm,
        .links = join(described_node(8, 450e9), most_nodes, 50e9, 400e9),
        .calibration = {.launch_s = 16.6e-6,
                        .matrix_fraction = 1.0,
                        .sustained_fraction = 0.671,
                        .memory_fraction = 0.781,
                        .source = "180 products in bf16, called from PyTorch 2.11: docs/models/systems.md"}},
    // DGX B200: NVLink 1.8 TB/s in both directions together, an NDR adapter (400 Gb/s) a device.
    system{.name = "b200-sxm",
           .chip = b200_sxm,
           .links = join(described_node(8, 900e9), most_nodes, 50e9, 400e9),
           .calibration = uncalibrated(b200_sxm)},
    // Four cards joined by three links of Infinity Fabric each: 300 GB/s in both directions (datasheet).
    system{.name = "mi210",
           .chip = mi210,
           .links = described_node(4, 150e9),
           .calibration = uncalibrated(mi210)},
    // A pod of 4096 chips, six links of 50 GB/s in each direction a chip (Jouppi et al., ISCA 2023).
    system{.name = "tpu-v4",
           .chip = tpu_v4,
           .links = described_node(4096, 300e9),
           .calibration = uncalibrated(tpu_v4)},
};

/// The system of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<system> find_system(std::string_view name) {
    std::vector<std::string_view> names;
    for (const system& known : known_systems) {
        if (known.name == name) return known;
        names.push_back(known.name);
    }
    return unknown_name("system", name, "it is not in the catalogue", names);
}

} // namespace dovetail::hardware
