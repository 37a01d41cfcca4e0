#pragma once
/// \file
/// Collectives: their time on links of equal bandwidth, and on a network in levels.

#include <dovetail/core/assert.hpp>
#include <dovetail/hardware/network.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace dovetail::cost {

/// Seconds of a ring all-reduce of `bytes` among `devices`, each sending `link_bytes_per_s`: every device
/// sends 2 (n - 1) / n of the data (Patarasuk and Yuan, JPDC 69, 2009). Nothing for a single device.
[[nodiscard]] constexpr double ring_all_reduce_s(double bytes, std::int64_t devices,
                                                 double link_bytes_per_s) {
    DOVETAIL_ASSERT(devices >= 1 && bytes >= 0 && link_bytes_per_s > 0,
                    "a ring has a device and a bandwidth");
    const auto n = static_cast<double>(devices);
    return 2.0 * (n - 1.0) / n * bytes / link_bytes_per_s;
}

/// Seconds to send `bytes` from one device to another.
[[nodiscard]] constexpr double point_to_point_s(double bytes, double link_bytes_per_s) {
    DOVETAIL_ASSERT(bytes >= 0 && link_bytes_per_s > 0, "a link has a bandwidth");
    return bytes / link_bytes_per_s;
}

/// What ranks do with their data. The size of a collective is that of the whole vector on one rank: of the
/// operand of all-reduce, reduce-scatter and all-to-all, of the result of all-gather.
enum class collective : std::uint8_t { all_reduce, reduce_scatter, all_gather, all_to_all };

/// The name of a collective, as benchmarks print it.
[[nodiscard]] constexpr std::string_view to_string(collective kind) noexcept {
    switch (kind) {
    case collective::all_reduce:
        return "all_reduce";
    case collective::reduce_scatter:
        return "reduce_scatter";
    case collective::all_gather:
        return "all_gather";
    case collective::all_to_all:
        return "all_to_all";
    }
    return "unknown";
}

/// Who sends to whom.
enum class collective_algorithm : std::uint8_t {
    ring,         ///< each to the next, through all levels
    tree,         ///< a chain in every innermost unit, trees above: all-reduce only
    hierarchical, ///< a ring in every unit of a level, level by level, on ever smaller parts
    direct,       ///< everybody to everybody, at the same time
};

/// Times that all parts of a vector go round: an all-reduce is a reduce-scatter and an all-gather.
[[nodiscard]] constexpr double phases_of(collective kind) noexcept {
    return kind == collective::all_reduce ? 2.0 : 1.0;
}

/// Bytes that each rank of `ranks` sends, in parts of the vector's: 2 (n - 1) / n for an all-reduce, half of
/// that for the others. What is sent in a second is what benchmarks print as bus bandwidth.
[[nodiscard]] constexpr double sent_parts(collective kind, std::int64_t ranks) {
    DOVETAIL_ASSERT(ranks >= 1, "a collective has a rank");
    return phases_of(kind) * static_cast<double>(ranks - 1) / static_cast<double>(ranks);
}

/// The time of collectives on a network in levels: of the protocols of the network and the algorithms that
/// the library has, the fastest. Equations and their sources: docs/models/collectives.md.
struct collective_model {
    bool ring = true;
    bool tree = true;
    bool hierarchical = false;
    bool direct = false;
    /// Of a ring's bandwidth, what a tree reaches: NCCL's own estimate (NCCL 2.20, src/graph/tuning.cc).
    double tree_efficiency = 0.92;

    /// Seconds of a collective of `bytes` among the ranks of `group`; nothing for one rank. An all-to-all is
    /// direct whatever the library has. Constant time.
    [[nodiscard]] constexpr double operator()(const hardware::network& n, const hardware::rank_group& group,
                                              collective kind, double bytes) const {
        DOVETAIL_ASSERT(bytes >= 0, "a collective has a size");
        if (group.ranks() == 1) return 0.0;
        double best = std::numeric_limits<double>::infinity();
        const auto consider = [&](bool known, collective_algorithm algorithm) {
            if (!known) return;
            for (std::size_t protocol = 0; protocol < hardware::wire_protocols; ++protocol)
                best = std::min(best, time_s(n, group, kind, bytes, algorithm, protocol));
        };
        if (kind == collective::all_to_all) {
            consider(true, collective_algorithm::direct);
            return best;
        }
        consider(ring, collective_algorithm::ring);
        consider(tree && kind == collective::all_reduce, collective_algorithm::tree);
        consider(hierarchical, collective_algorithm::hierarchical);
        consider(direct, collective_algorithm::direct);
        DOVETAIL_ASSERT(best < std::numeric_limits<double>::infinity(), "the library has an algorithm");
        return best;
    }

    /// Seconds of one algorithm over one protocol of every level. A tree only does an all-reduce.
    [[nodiscard]] constexpr double time_s(const hardware::network& n, const hardware::rank_group& group,
                                          collective kind, double bytes, collective_algorithm algorithm,
                                          std::size_t protocol) const {
        switch (algorithm) {
        case collective_algorithm::ring:
            return ring_s(n, group, kind, bytes, protocol);
        case collective_algorithm::tree:
            DOVETAIL_ASSERT(kind == collective::all_reduce, "a tree does an all-reduce");
            return tree_s(n, group, bytes, protocol);
        case collective_algorithm::hierarchical:
            return hierarchical_s(n, group, kind, bytes, protocol);
        case collective_algorithm::direct:
            return direct_s(n, group, kind, bytes, protocol);
        }
        return 0.0;
    }

private:
    // What all members inside a unit can send together.
    [[nodiscard]] static constexpr double
    unit_bytes_per_s(const hardware::network& n, const hardware::rank_group& group, std::size_t level) {
        return static_cast<double>(group.inside[level]) * member_bytes_per_s(n, group, level);
    }

    // One ring through all ranks, which enters and leaves every unit once.
    [[nodiscard]] static constexpr double ring_s(const hardware::network& n,
                                                 const hardware::rank_group& group, collective kind,
                                                 double bytes, std::size_t protocol) {
        const auto ranks = static_cast<double>(group.ranks());
        double steps_s = 0;
        double s_per_byte = 0;
        for (std::size_t l = 0; l < n.depth; ++l) {
            if (group.members(l) == 1) continue;
            const hardware::wire_protocol& wire = n.levels[l].protocols[protocol];
            steps_s += static_cast<double>(group.units(l) - group.units(l + 1)) * wire.step_s;
            s_per_byte = std::max(s_per_byte, 1.0 / (unit_bytes_per_s(n, group, l) * wire.efficiency));
        }
        const double chunks = phases_of(kind) * (ranks - 1) + n.exposed_chunks;
        return n.start_s + phases_of(kind) * steps_s + chunks * (bytes / ranks) * s_per_byte;
    }

    // Up and down: every byte passes every link once in each direction, in a pipeline.
    [[nodiscard]] constexpr double tree_s(const hardware::network& n, const hardware::rank_group& group,
                                          double bytes, std::size_t protocol) const {
        double steps_s = 0;
        double s_per_byte = 0;
        for (std::size_t l = 0; l < n.depth; ++l) {
            const std::int64_t members = group.members(l);
            if (members == 1) continue;
            const hardware::wire_protocol& wire = n.levels[l].protocols[protocol];
            const auto height = // log2, rounded up
                static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(members - 1)));
            steps_s += static_cast<double>(l == 0 ? members - 1 : height) * wire.step_s;
            s_per_byte = std::max(s_per_byte, 1.0 / (unit_bytes_per_s(n, group, l) * wire.efficiency));
        }
        return n.start_s + 2.0 * steps_s + 2.0 * bytes * s_per_byte / tree_efficiency;
    }

    // Reduce-scatter inside every unit, level by level outwards, then all-gather inwards.
    [[nodiscard]] static constexpr double hierarchical_s(const hardware::network& n,
                                                         const hardware::rank_group& group, collective kind,
                                                         double bytes, std::size_t protocol) {
        double total = n.start_s;
        double part = bytes;
        for (std::size_t l = 0; l < n.depth; ++l) {
            if (group.members(l) == 1) continue;
            const hardware::wire_protocol& wire = n.levels[l].protocols[protocol];
            const auto members = static_cast<double>(group.members(l));
            const double steps = phases_of(kind) * (members - 1);
            const double rate = member_bytes_per_s(n, group, l) * wire.efficiency;
            total += steps * wire.step_s + (steps + n.exposed_chunks) * (part / members) / rate;
            part /= members;
        }
        return total;
    }

    // One step a phase. The levels carry what leaves their units at the same time.
    [[nodiscard]] static constexpr double direct_s(const hardware::network& n,
                                                   const hardware::rank_group& group, collective kind,
                                                   double bytes, std::size_t protocol) {
        double step_s = 0;
        double busiest_s = 0;
        for (std::size_t l = 0; l < n.depth; ++l) {
            if (group.members(l) == 1) continue;
            const hardware::wire_protocol& wire = n.levels[l].protocols[protocol];
            const auto elsewhere = static_cast<double>(group.ranks() - group.inside[l]);
            const double leaving = bytes * elsewhere / static_cast<double>(group.ranks());
            step_s = std::max(step_s, wire.step_s);
            busiest_s = std::max(busiest_s, leaving / (member_bytes_per_s(n, group, l) * wire.efficiency));
        }
        return n.start_s + phases_of(kind) * (step_s + busiest_s);
    }
};

/// Seconds to send `bytes` between two devices that meet at `level`, while `senders` devices of each unit
/// below it do the same.
[[nodiscard]] constexpr double point_to_point_s(const hardware::network& n, std::size_t level,
                                                std::int64_t senders, double bytes) {
    DOVETAIL_ASSERT(level < n.depth && senders >= 1 && bytes >= 0, "two devices meet at a level");
    const hardware::network_level& l = n.levels[level];
    const double rate = std::min(l.device_bytes_per_s, l.unit_bytes_per_s / static_cast<double>(senders));
    const auto over = [&](const hardware::wire_protocol& wire) {
        return n.start_s + wire.step_s + bytes / (rate * wire.efficiency);
    };
    double best = over(l.protocols.front());
    for (const hardware::wire_protocol& wire : l.protocols) best = std::min(best, over(wire));
    return best;
}

} // namespace dovetail::cost
