#pragma once
/// \file
/// Why nothing fits on the accelerators, and how much memory would.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>
#include <dovetail/placement/max_load_program.hpp>

#include <limits>
#include <vector>

namespace dovetail::placement {

/// The memory that every accelerator needs where accelerators alone hold everything, whatever they support:
/// the least largest sum of bytes, found as a load. A plan with the outcome `infeasible` where there is no
/// accelerator; in all others read bytes for seconds.
[[nodiscard]] inline device_plan smallest_device_memory(const device_graph& problem,
                                                        const max_load_program& solve = {}) {
    const device_classes contracted = contract(problem);
    device_graph by_memory{.accelerators = problem.accelerators};
    for (const device_class& c : contracted.classes)
        by_memory.nodes.push_back({.cpu_s = c.size_bytes, .accelerator_s = c.size_bytes});
    by_memory.edges.assign(contracted.order.arcs().begin(), contracted.order.arcs().end());
    return solve(by_memory);
}

} // namespace dovetail::placement
