#pragma once
/// \file
/// A placement for latency: where every node of a device graph runs, and when the last one is done.

#include <dovetail/core/status.hpp>
#include <dovetail/graph/digraph.hpp>

#include <limits>
#include <vector>

namespace dovetail::placement {

/// Where one sample's way through a device graph is spent. Every accelerator runs once, on a set of nodes: it
/// starts when the last producer outside the set is done, fetches what they hand over, computes node after
/// node, hands over its own outputs, and then all its nodes are done. A node on the host starts when its
/// producers are done. The host has as many cores as it takes: `device_graph::cpus` says nothing here.
///
/// `outcome` is `optimal`, or `budget` where `lower_bound_s` is smaller than `latency_s`. There is always a
/// plan, all on the host at worst.
struct latency_plan {
    status outcome = status::budget;
    double latency_s = std::numeric_limits<double>::infinity();
    double lower_bound_s = 0.0;         ///< proved: no plan is shorter
    std::vector<graph::index> device{}; ///< by node: the number of its accelerator; `none`: on the host

    friend bool operator==(const latency_plan&, const latency_plan&) = default;
};

} // namespace dovetail::placement
