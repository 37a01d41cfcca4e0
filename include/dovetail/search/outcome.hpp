#pragma once
/// \file
/// What a joint search returns: the best chip with its plan, what it was compared with, and how it was found.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/search/evaluate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::search {

/// Where the energy of a training step goes, over all devices of a plan, in joules.
struct step_energy {
    double forward_j = 0;
    double backward_j = 0;
    double recompute_j = 0;
    double update_j = 0; ///< the optimizer's step
    double static_j = 0; ///< drawn from the start of a batch to its end

    [[nodiscard]] constexpr double total_j() const noexcept {
        return forward_j + backward_j + recompute_j + update_j + static_j;
    }
};

/// The power of a chip, and the energy of a step with it.
struct power_figures {
    double tdp_w = 0; ///< of one die with its memory
    step_energy step;
};

/// A chip with its best plan. Without a plan the throughput is 0.
struct solution {
    hardware::accelerator chip;
    double area_um2 = 0;
    double throughput_samples_per_s = 0;
    search::setting setting;
    std::int64_t micro_batch = 0;
    placement::layer_graph problem; ///< what was placed
    placement::plan plan;
    std::optional<power_figures> power; ///< where it was asked for

    [[nodiscard]] bool feasible() const noexcept { return throughput_samples_per_s > 0; }
};

/// A chip that was evaluated.
struct evaluated_design {
    std::size_t position = 0; ///< in the family's grid
    double area_um2 = 0;
    double throughput_samples_per_s = 0; ///< 0 where no plan fits
};

/// How a search went.
struct search_record {
    std::string_view strategy;
    std::size_t evaluated = 0; ///< chips that were priced and placed
    std::size_t pruned = 0;    ///< chips left out, by a bound or by the strategy's rule
    double seconds = 0;
    bool complete = false; ///< no chip of the space can be better
    std::string proof;     ///< in a sentence: why it ended, and what that proves
};

/// The outcome of a joint search over a family of chips and the plans of a model.
struct outcome {
    dovetail::status status = dovetail::status::infeasible;
    solution best;
    solution baseline;                     ///< the family's reference chip with its own best plan
    std::vector<evaluated_design> designs; ///< in the order of the grid
    search_record search;
    std::string binding; ///< infeasible: the constraint that nothing satisfies
};

/// The designs that no smaller or equal one matches, by rising area: what area buys.
/// \complexity O(n log n).
[[nodiscard]] inline std::vector<evaluated_design> frontier(array_view<const evaluated_design> designs) {
    std::vector<evaluated_design> sorted(designs.begin(), designs.end());
    std::sort(sorted.begin(), sorted.end(), [](const evaluated_design& a, const evaluated_design& b) {
        if (a.area_um2 != b.area_um2) return a.area_um2 < b.area_um2;
        if (a.throughput_samples_per_s != b.throughput_samples_per_s)
            return a.throughput_samples_per_s > b.throughput_samples_per_s;
        return a.position < b.position;
    });
    std::vector<evaluated_design> front;
    for (const evaluated_design& d : sorted)
        if (d.throughput_samples_per_s > (front.empty() ? 0.0 : front.back().throughput_samples_per_s))
            front.push_back(d);
    return front;
}

} // namespace dovetail::search
