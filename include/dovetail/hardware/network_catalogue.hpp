#pragma once
/// \file
/// Networks known by name: what the datasheets say, and the few numbers that measurements add.

#include <dovetail/core/error.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/network.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dovetail::hardware {

/// A network with a name, and where its numbers come from.
struct known_network {
    std::string_view name;
    network links;
    /// The best two-parameter model of the same measurements, for comparison only: t = start + sent / rate.
    double baseline_start_s = 0.0;
    double baseline_bytes_per_s = 0.0;
    std::string_view source;
};

/// Third generation of NVLink: 600 GB/s a GPU in both directions together (NVIDIA A100 datasheet, 2021).
inline constexpr double nvlink3_bytes_per_s = 300e9;

/// What a rank of NCCL sends before its ring starts again: 24 channels, chunks of four of the eight steps of
/// a 4 MiB buffer (NCCL 2.18, `ncclParamBuffSize`, `ALLREDUCE_CHUNKSTEPS`; the measured time of an all-reduce
/// jumps at the multiples).
inline constexpr double nccl_window_bytes = 48.0 * static_cast<double>(mebibyte);

/// The catalogue. How the fitted numbers were found, and what half of the measurements says of the other
/// half: docs/models/collectives.md.
inline constexpr std::array known_networks{
    known_network{.name = "a100-nvswitch-1",
                  .links = {.levels = {network_level{.units = 8,
                                                     .device_bytes_per_s = nvlink3_bytes_per_s,
                                                     .unit_bytes_per_s = nvlink3_bytes_per_s,
                                                     .low_latency = {.step_s = 1.281e-6, .efficiency = 0.08},
                                                     .bulk = {.step_s = 4.408e-6, .efficiency = 0.861}}},
                            .depth = 1,
                            .start_s = 24.07e-6,
                            .window_bytes = nccl_window_bytes,
                            .exposed_chunks = 1.384},
                  .baseline_start_s = 59.3e-6,
                  .baseline_bytes_per_s = 225.9e9,
                  .source = "all-reduce on a node of 8 A100, 32 KiB to 16 GiB (ml-engineering)"},
    known_network{.name = "a100-nvswitch-2",
                  .links = {.levels = {network_level{.units = 8,
                                                     .device_bytes_per_s = nvlink3_bytes_per_s,
                                                     .unit_bytes_per_s = nvlink3_bytes_per_s,
                                                     .low_latency = {.step_s = 0.683e-6, .efficiency = 0.192},
                                                     .bulk = {.step_s = 2.05e-6, .efficiency = 0.791}}},
                            .depth = 1,
                            .start_s = 44.8e-6,
                            .window_bytes = nccl_window_bytes,
                            .exposed_chunks = 0.454},
                  .baseline_start_s = 59.8e-6,
                  .baseline_bytes_per_s = 220.6e9,
                  .source = "all-reduce on 2 to 8 A100 of a node, 1 MiB to 1 GiB (vTrain)"},
};

/// The network of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<known_network> find_network(std::string_view name) {
    std::string names;
    for (const known_network& known : known_networks) {
        if (known.name == name) return known;
        names += names.empty() ? "" : ", ";
        names += known.name;
    }
    return error{errc::unknown_name, "network '" + std::string(name) + "'", "it is not in the catalogue",
                 "known are " + names};
}

/// `node` joined to `nodes` of its kind by adapters: a device alone sends `device_bytes_per_s`, all of a node
/// together `node_bytes_per_s`. The steps are those of NCCL's own table for a ring through a network: 2.7 us
/// with its low-latency protocol, which sends a flag of 4 bytes with every 4, and 14 us with its bulk
/// protocol (NCCL 2.18, src/graph/tuning.cc); `efficiency` is the payload's part of the adapters' rate.
[[nodiscard]] constexpr network join(network node, std::int64_t nodes, double device_bytes_per_s,
                                     double node_bytes_per_s, double efficiency = 1.0) {
    DOVETAIL_ASSERT(node.depth < network::most_levels, "a level is left for the nodes");
    node.levels[node.depth] = {.units = nodes,
                               .device_bytes_per_s = device_bytes_per_s,
                               .unit_bytes_per_s = node_bytes_per_s,
                               .low_latency = {.step_s = 2.7e-6, .efficiency = 0.5 * efficiency},
                               .bulk = {.step_s = 14e-6, .efficiency = efficiency}};
    ++node.depth;
    return node;
}

} // namespace dovetail::hardware
