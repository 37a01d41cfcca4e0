#pragma once
/// \file
/// What a plan may choose beyond PHAZE's problem, and the network that it runs on.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/objective.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::placement {

/// Devices that share a faster network. A tensor group stays inside a node unless told otherwise; the
/// replicas of a stage stand next to one another, so that stages are linked through the slower network unless
/// the whole plan fits in a node.
struct node_layout {
    std::int64_t devices = 0;      ///< of one node; 0: the network is flat
    double link_bytes_per_s = 0.0; ///< of a device, to others of its node: never slower than between nodes
    bool tensor_across = false;    ///< whether a tensor group may span nodes

    /// Bytes a second inside a node, given those between nodes.
    [[nodiscard]] constexpr double inside_bytes_per_s(double between_bytes_per_s) const {
        return std::max(link_bytes_per_s, between_bytes_per_s);
    }
    /// Tensor groups of `width` devices that a node holds, or 1 where a group spans nodes.
    [[nodiscard]] constexpr std::int64_t groups(std::int64_t width) const {
        return std::max<std::int64_t>(1, devices / width);
    }
    /// Of `total` devices, those that groups of `width` can use.
    [[nodiscard]] constexpr std::int64_t usable(std::int64_t total, std::int64_t width) const {
        if (devices == 0 || tensor_across) return total;
        return (total / devices * (devices / width) + total % devices / width) * width;
    }
};

/// The extensions of PHAZE's problem, each off by default: then a program finds PHAZE's optimum exactly.
struct plan_space {
    objective charge = objective::every_stage; ///< who pays for the work after the last micro-batch
    /// Every stage chooses its own recomputation, the last one too; off, `layer_graph::recompute` decides.
    bool choose_recomputation = false;
    /// The replicas share out the optimizer's state and its step (ZeRO stage 1: Rajbhandari et al., SC 2020).
    /// The bytes that they exchange stay the same: a reduce-scatter and an all-gather make an all-reduce.
    bool shard_optimizer = false;
    /// The reduction runs beside the last micro-batch's backward pass; what outlasts it is charged.
    bool overlap_reduction = false;
    /// A stage keeps no more micro-batches than its replica has; off, one for every stage behind it.
    bool count_short_batches = false;
    node_layout node{};
};

/// Seconds of adding up `bytes` over `replicas` replicas of a stage on `width` devices each: a ring over
/// `link_bytes_per_s`, or, with nodes, a reduce-scatter inside each node, an all-reduce of the shares between
/// the nodes, and an all-gather inside.
[[nodiscard]] constexpr double reduction_s(double bytes, std::int64_t replicas, std::int64_t width,
                                           double link_bytes_per_s, const node_layout& node) {
    if (node.devices == 0) return ring_all_reduce_s(bytes, replicas, link_bytes_per_s);
    const std::int64_t inside = std::min(replicas, node.groups(width));
    return ring_all_reduce_s(bytes, inside, node.inside_bytes_per_s(link_bytes_per_s)) +
           ring_all_reduce_s(bytes / static_cast<double>(inside), ceil_div(replicas, inside),
                             link_bytes_per_s);
}

/// Bytes a second between two stages of a plan on `devices` devices.
[[nodiscard]] constexpr double stage_link_bytes_per_s(std::int64_t devices, double link_bytes_per_s,
                                                      const node_layout& node) {
    return devices <= node.devices ? node.inside_bytes_per_s(link_bytes_per_s) : link_bytes_per_s;
}

/// \returns errc::out_of_range for a node of a negative size or without a link.
[[nodiscard]] inline result<void> validate(const plan_space& space) {
    if (space.node.devices < 0)
        return error{errc::out_of_range, "node.devices", "it is " + to_text(space.node.devices),
                     "it must be 0 (a flat network) or more"};
    if (space.node.devices > 0 && !(space.node.link_bytes_per_s > 0.0))
        return error{errc::out_of_range, "node.link_bytes_per_s",
                     "it is " + to_text(space.node.link_bytes_per_s), "it must be positive"};
    return {};
}

} // namespace dovetail::placement
