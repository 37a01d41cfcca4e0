#pragma once
/// \file
/// The answer to a problem of layers with variants: stages, each with a width, replicas and a variant a
/// layer.

#include <dovetail/core/status.hpp>
#include <dovetail/graph/digraph.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::placement {

/// One stage of the pipeline.
struct variant_stage {
    std::vector<graph::index> layers;    ///< ascending
    std::vector<std::uint32_t> variants; ///< of every layer: its number at the stage's width
    std::int64_t width = 1;              ///< devices that share every layer of a replica
    std::int64_t replicas = 1;           ///< data-parallel
    double time_s = 0.0;       ///< of one micro-batch of the whole pipeline, spread over the replicas
    double memory_bytes = 0.0; ///< on each of its devices

    /// Devices of all replicas.
    [[nodiscard]] constexpr std::int64_t devices() const { return width * replicas; }
};

/// A pipeline, first stage first. An infeasible one has no stage and an infinite time.
struct variant_plan {
    status outcome = status::infeasible;
    double time_s = std::numeric_limits<double>::infinity();        ///< of the slowest stage
    double lower_bound_s = std::numeric_limits<double>::infinity(); ///< proved: no plan is faster
    std::vector<variant_stage> stages;

    [[nodiscard]] constexpr std::int64_t devices() const {
        std::int64_t sum = 0;
        for (const variant_stage& s : stages) sum += s.devices();
        return sum;
    }

    /// The first of the stages with the largest time: it sets the pace of the pipeline.
    [[nodiscard]] constexpr std::size_t slowest_stage() const {
        std::size_t slowest = 0;
        for (std::size_t s = 1; s < stages.size(); ++s)
            if (stages[s].time_s > stages[slowest].time_s) slowest = s;
        return slowest;
    }
};

} // namespace dovetail::placement
