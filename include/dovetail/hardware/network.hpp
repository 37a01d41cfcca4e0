#pragma once
/// \file
/// A network in levels, as a communication library sees it: devices in a node, nodes in a rack, and so on.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::hardware {

/// One way in which a library moves data over a level. The less it waits for in a step, the more of the wire
/// its flags take.
struct wire_protocol {
    double step_s = 0.0;     ///< from the start of a step to the arrival of its first byte, any rate
    double efficiency = 1.0; ///< payload, in parts of the level's bandwidth: in (0, 1]
};

/// Protocols of a level.
inline constexpr std::size_t wire_protocols = 3;

/// One level of a network: `units` units of the level below, joined. The units of the innermost level are
/// devices.
struct network_level {
    std::int64_t units = 1;
    double device_bytes_per_s = 0.0; ///< that a device can send through this level when it is alone
    double unit_bytes_per_s = 0.0;   ///< that a unit of the level below can send, all its devices together
    /// From the quickest to the most efficient: LL, LL128 and Simple of NCCL. A library with fewer protocols
    /// has the same more than once.
    std::array<wire_protocol, wire_protocols> protocols{};
};

/// Devices, and the levels that join them, innermost first. Latencies and rates are of one direction; both
/// directions work at the same time.
struct network {
    static constexpr std::size_t most_levels = 4;

    std::array<network_level, most_levels> levels{};
    std::size_t depth = 1;       ///< levels in use
    double start_s = 0.0;        ///< of a collective or a transfer: the launch, before any step
    double exposed_chunks = 0.0; ///< parts of a ring's vector, one a rank, whose time nothing else hides

    /// Devices of a unit that `level` joins: 1 at the innermost, where the units are devices.
    [[nodiscard]] constexpr std::int64_t unit_devices(std::size_t level) const {
        DOVETAIL_ASSERT(level <= depth, "a network has the levels it has");
        std::int64_t product = 1;
        for (std::size_t l = 0; l < level; ++l) product *= levels[l].units;
        return product;
    }
    [[nodiscard]] constexpr std::int64_t devices() const { return unit_devices(depth); }
};

/// Checks that every level in use has units, rates, latencies and efficiencies that are positive and finite.
/// \returns errc::out_of_range with the first that is not.
[[nodiscard]] inline result<void> validate(const network& n) {
    if (n.depth < 1 || n.depth > network::most_levels)
        return error{errc::out_of_range, "network", "it has " + to_text(n.depth) + " levels",
                     "give 1 to " + to_text(network::most_levels)};
    const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
    const auto wrong = [](std::string place, std::string_view what, double value, std::string_view right) {
        return error{errc::out_of_range, std::move(place), std::string(what) + " is " + to_text(value),
                     std::string(right)};
    };
    std::int64_t devices = 1;
    for (std::size_t l = 0; l < n.depth; ++l) {
        const network_level& level = n.levels[l];
        const std::string place = "network level " + to_text(l + 1);
        constexpr std::int64_t most_devices = std::int64_t{1} << 40;
        if (level.units < 1 || level.units > most_devices / devices)
            return error{errc::out_of_range, place, "it joins " + to_text(level.units) + " units",
                         "it must join at least 1, and all levels at most " + readable(most_devices) +
                             " devices"};
        devices *= level.units;
        if (!positive(level.device_bytes_per_s))
            return wrong(place, "device_bytes_per_s", level.device_bytes_per_s, "it is positive and finite");
        if (!positive(level.unit_bytes_per_s))
            return wrong(place, "unit_bytes_per_s", level.unit_bytes_per_s, "it is positive and finite");
        for (const wire_protocol& protocol : level.protocols) {
            if (!positive(protocol.step_s))
                return wrong(place, "step_s", protocol.step_s, "it is positive and finite");
            if (!(protocol.efficiency > 0 && protocol.efficiency <= 1))
                return wrong(place, "efficiency", protocol.efficiency, "it is in (0, 1]");
        }
    }
    if (!positive(n.start_s)) return wrong("network", "start_s", n.start_s, "it is positive and finite");
    if (!(n.exposed_chunks >= 0 && std::isfinite(n.exposed_chunks)))
        return wrong("network", "exposed_chunks", n.exposed_chunks, "it is at least 0 and finite");
    return {};
}

/// Where the ranks of a group sit: how many are in a unit that holds some, level by level. The last unit may
/// hold fewer than the others.
struct rank_group {
    /// In a unit that level l joins: 1 in a device, which is what the innermost level joins; all of them in
    /// the whole network, and in every level beyond it.
    std::array<std::int64_t, network::most_levels + 1> inside{1, 1, 1, 1, 1};
    /// Whether the devices of a unit that are not of this group are of others, which send at the same time.
    bool crowded = true;

    [[nodiscard]] constexpr std::int64_t ranks() const { return inside.back(); }

    /// Units that level l joins and that hold ranks, in the whole network.
    [[nodiscard]] constexpr std::int64_t units(std::size_t level) const {
        return (ranks() + inside[level] - 1) / inside[level];
    }
    /// Of those, the ones in one unit of the level above.
    [[nodiscard]] constexpr std::int64_t members(std::size_t level) const {
        return (inside[level + 1] + inside[level] - 1) / inside[level];
    }
    /// The outermost level that the group communicates through; the innermost for a single rank.
    [[nodiscard]] constexpr std::size_t meeting_level() const {
        std::size_t level = 0;
        while (inside[level + 1] < ranks()) ++level;
        return level;
    }
};

/// The group of `ranks` devices of which every one is `stride` further than the one before: tensor-parallel
/// ranks have stride 1, data-parallel replicas that of the degrees placed inside them.
[[nodiscard]] constexpr rank_group spread(const network& n, std::int64_t ranks, std::int64_t stride = 1,
                                          bool crowded = true) {
    DOVETAIL_ASSERT(ranks >= 1 && stride >= 1, "a group has a rank, and ranks differ");
    rank_group group{.crowded = crowded};
    for (std::size_t l = 1; l <= network::most_levels; ++l)
        group.inside[l] =
            l < n.depth ? std::min(ranks, std::max<std::int64_t>(1, n.unit_devices(l) / stride)) : ranks;
    return group;
}

/// Bytes a second that a member of `group` can send through `level`, payload or not: its share of the unit's,
/// and no more than its own.
[[nodiscard]] constexpr double member_bytes_per_s(const network& n, const rank_group& group,
                                                  std::size_t level) {
    const network_level& l = n.levels[level];
    const std::int64_t senders = group.crowded ? n.unit_devices(level) : group.inside[level];
    return std::min(l.device_bytes_per_s, l.unit_bytes_per_s / static_cast<double>(senders));
}

} // namespace dovetail::hardware
