#pragma once
/// \file
/// Networks known by name: what the datasheets say, and the few numbers that measurements add.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/error.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/hardware/network.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

/// The protocols LL, LL128 and Simple as NCCL itself assumes them when it chooses one, for rings through
/// NVLink (NCCL 2.20, src/graph/tuning.cc: `hwLat`; LL at a quarter of the bandwidth, LL128 at 120 / 128).
inline constexpr std::array<wire_protocol, wire_protocols> nccl_nvlink{
    wire_protocol{.step_s = 0.6e-6, .efficiency = 0.25},
    wire_protocol{.step_s = 1.9e-6, .efficiency = 0.9375},
    wire_protocol{.step_s = 3.4e-6, .efficiency = 1.0}};

/// The same for rings through a network between nodes.
inline constexpr std::array<wire_protocol, wire_protocols> nccl_network{
    wire_protocol{.step_s = 2.7e-6, .efficiency = 0.25},
    wire_protocol{.step_s = 4.0e-6, .efficiency = 0.9375},
    wire_protocol{.step_s = 14.0e-6, .efficiency = 1.0}};

/// Seconds that NCCL assumes for the start of a ring, in its protocol Simple (the same file: `baseLat`).
inline constexpr double nccl_start_s = 8.4e-6;

/// Third generation of NVLink: 600 GB/s a GPU in both directions together (NVIDIA A100 datasheet, 2021).
inline constexpr double nvlink3_bytes_per_s = 300e9;

/// A node of 8 A100 and NVSwitch. Measured, and the same on both machines of the catalogue: the rates of LL
/// and Simple, the step of Simple, and the chunks that are exposed. The step of LL is NCCL's.
[[nodiscard]] constexpr network a100_node(double start_s, const wire_protocol& ll128) {
    return {.levels = {network_level{
                .units = 8,
                .device_bytes_per_s = nvlink3_bytes_per_s,
                .unit_bytes_per_s = nvlink3_bytes_per_s,
                .protocols = {wire_protocol{.step_s = nccl_nvlink.front().step_s, .efficiency = 0.083}, ll128,
                              wire_protocol{.step_s = 13.1e-6, .efficiency = 0.813}}}},
            .depth = 1,
            .start_s = start_s,
            .exposed_chunks = 0.535};
}

/// The catalogue. How the measured numbers were found, and what half of the measurements says of the other
/// half: docs/models/collectives.md.
inline constexpr std::array known_networks{
    known_network{.name = "a100-nvswitch-1",
                  .links = a100_node(33.6e-6, {.step_s = 3.3e-6, .efficiency = 0.591}),
                  .baseline_start_s = 59.3e-6,
                  .baseline_bytes_per_s = 225.9e9,
                  .source = "all-reduce on a node of 8 A100, 32 KiB to 16 GiB (ml-engineering)"},
    known_network{.name = "a100-nvswitch-2",
                  .links = a100_node(34.1e-6, {.step_s = 2.6e-6, .efficiency = 0.745}),
                  .baseline_start_s = 59.8e-6,
                  .baseline_bytes_per_s = 220.6e9,
                  .source = "all-reduce on 2 to 8 A100 of a node, 1 MiB to 1 GiB (vTrain)"},
};

/// The network of a name.
/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<known_network> find_network(std::string_view name) {
    std::vector<std::string_view> names;
    for (const known_network& known : known_networks) {
        if (known.name == name) return known;
        names.push_back(known.name);
    }
    return unknown_name("network", name, "it is not in the catalogue", names);
}

/// `nodes` nodes like `node`, joined by adapters: a device alone sends `device_bytes_per_s`, all of a node
/// together `node_bytes_per_s`. The protocols are NCCL's, of whose rates the payload is the part
/// `efficiency`.
[[nodiscard]] constexpr network join(network node, std::int64_t nodes, double device_bytes_per_s,
                                     double node_bytes_per_s, double efficiency = 1.0) {
    DOVETAIL_ASSERT(node.depth < network::most_levels, "a level is left for the nodes");
    network_level& level = node.levels[node.depth];
    level = {.units = nodes,
             .device_bytes_per_s = device_bytes_per_s,
             .unit_bytes_per_s = node_bytes_per_s,
             .protocols = nccl_network};
    for (wire_protocol& wire : level.protocols) wire.efficiency *= efficiency;
    ++node.depth;
    return node;
}

} // namespace dovetail::hardware
