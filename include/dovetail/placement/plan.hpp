#pragma once
/// \file
/// A placement: which layers form a stage, how wide, how often replicated, and what that costs.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/storage.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace dovetail::placement {

/// What a stage keeps of a forward pass for the backward pass, and what it computes again instead.
enum class recomputation : std::uint8_t {
    none,      ///< keeps everything
    selective, ///< repeats the inside of attention, where little work makes many bytes
    full,      ///< keeps its inputs and repeats the whole forward pass
};

/// All of them, the least work first.
inline constexpr std::array every_recomputation{recomputation::none, recomputation::selective,
                                                recomputation::full};

/// The name of a way to recompute.
[[nodiscard]] constexpr std::string_view to_string(recomputation r) noexcept {
    switch (r) {
    case recomputation::none:
        return "none";
    case recomputation::selective:
        return "selective";
    case recomputation::full:
        return "full";
    }
    return "unknown";
}

/// One stage of a pipeline: the layers at the positions [begin, end) of the plan's order.
struct stage {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::int64_t devices = 1; ///< of one replica: the tensor width, or 1 where no layer is split
    double load_s = 0.0;      ///< one micro-batch, forward and backward, transfers and recomputation included
    double memory_bytes = 0.0; ///< at its peak, on each device
    double tail_s = 0.0;       ///< its own gradient reduction and update, after the last micro-batch
    recomputation repeats = recomputation::none;

    friend constexpr bool operator==(const stage&, const stage&) = default;
};

/// The answer to a placement problem. `outcome` is `optimal` or `infeasible`; an infeasible plan has no stage
/// and an infinite time.
template <class Storage>
struct basic_plan {
    status outcome = status::infeasible;
    std::int64_t tensor_parallel = 0;  ///< the tensor width
    std::int64_t data_parallel = 0;    ///< replicas of the whole pipeline
    std::size_t stages_per_device = 1; ///< the stages s, s + p, s + 2 p, … share devices, of p in all
    double time_per_batch_s = std::numeric_limits<double>::infinity();
    typename Storage::template up_to_layers<stage> stages{};       ///< first to last
    typename Storage::template up_to_layers<graph::index> order{}; ///< the layers, stage by stage

    /// The layers of stage `s`, in topological order.
    [[nodiscard]] constexpr array_view<const graph::index> layers(std::size_t s) const {
        return array_view<const graph::index>(order.data(), order.size())
            .subspan(stages[s].begin, stages[s].end - stages[s].begin);
    }

    /// Devices that the plan occupies, over all replicas.
    [[nodiscard]] constexpr std::int64_t devices() const {
        std::int64_t replica = 0;
        for (const stage& s : stages) replica += s.devices;
        return replica / static_cast<std::int64_t>(stages_per_device) * data_parallel;
    }

    /// The first of the stages with the largest load: it sets the pace of the pipeline.
    [[nodiscard]] constexpr std::size_t heaviest_stage() const {
        std::size_t heaviest = 0;
        for (std::size_t s = 1; s < stages.size(); ++s)
            if (stages[s].load_s > stages[heaviest].load_s) heaviest = s;
        return heaviest;
    }
};

using plan = basic_plan<dynamic_storage>;

} // namespace dovetail::placement
