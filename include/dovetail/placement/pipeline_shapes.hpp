#pragma once
/// \file
/// The shapes that a pipeline can have for one tensor width: stages, devices, replicas.

#include <dovetail/core/checked.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/plan_space.hpp>
#include <dovetail/placement/replica_shape.hpp>
#include <dovetail/placement/stage_pricing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::placement::detail {

/// Pipelines of `stages` stages, `singles` of them on a single device, on so many replicas.
template <class Policy, class Storage>
struct pipeline_shapes {
    const Policy& policy;
    const plan_space& space;
    const basic_layer_graph<Storage>& problem;
    replica_shape shape{};
    std::int64_t usable = 0; ///< devices

    constexpr pipeline_shapes(const Policy& policy_of, const plan_space& space_of,
                              const basic_layer_graph<Storage>& problem_of,
                              const chain_stages<Storage>& chain, std::int64_t width)
        : policy(policy_of), space(space_of), problem(problem_of), shape(replica_shape::of(chain, width)) {
        if (policy.chunks() > 1) shape.max_singles = 0;
        usable = space.node.usable(problem.devices, shape.stage_devices);
    }

    /// Devices of a replica whose pipeline has `stages` stages.
    [[nodiscard]] constexpr std::int64_t replica_devices(std::size_t stages, std::size_t singles) const {
        return shape.devices(stages / policy.chunks(), singles);
    }

    [[nodiscard]] constexpr stage_pricing<Policy> priced(std::size_t stages, std::int64_t replicas,
                                                         std::size_t singles) const {
        const double link = problem.link_bytes_per_s;
        return {.policy = policy,
                .space = space,
                .recompute = problem.recompute,
                .devices = stages / policy.chunks(),
                .replicas = replicas,
                .micro_batches = static_cast<std::size_t>(ceil_div(problem.micro_batches, replicas)),
                .stage_devices = shape.stage_devices,
                .stage_link_bytes_per_s =
                    stage_link_bytes_per_s(replicas * replica_devices(stages, singles), link, space.node),
                .reduce_link_bytes_per_s = link};
    }

    /// Every number of replicas that can be best, most first. Fewer replicas for as many micro-batches each
    /// have less to reduce; only where they share out the optimizer can more of them be worth it.
    template <class Visit>
    constexpr void for_each_degree(std::size_t stages, std::size_t singles, const Visit& visit) const {
        std::int64_t d = std::min(problem.micro_batches, usable / replica_devices(stages, singles));
        for (; d > 0; --d) {
            const std::int64_t each = ceil_div(problem.micro_batches, d);
            if (!space.shard_optimizer) d = ceil_div(problem.micro_batches, each);
            if (policy.admits(stages / policy.chunks(), static_cast<std::size_t>(each))) visit(d);
        }
    }
};

} // namespace dovetail::placement::detail
