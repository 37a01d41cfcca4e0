#pragma once
/// \file
/// The exact placement of any graph of layers: a chain by prefix sums, all else by downsets.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/downset_stages.hpp>

#include <cstddef>
#include <utility>

namespace dovetail::placement {

/// Finds a plan with the least time per batch for any graph, branches and skipping edges included. Ties are
/// broken as by `chain_program`, which solves the chains.
struct exact_program {
    objective charge = objective::every_stage; ///< who pays for the reduction
    std::size_t downset_limit = 2048; ///< of a graph that is no chain; its memory grows by the square
    spending* spent = nullptr; ///< where given and late, the outcome is `budget`, with the best plan so far

    /// Solves a valid problem. \returns errc::unsupported for more downsets than the limit.
    /// \complexity For a graph with d downsets and p nested pairs of them O(widths * (p * layers + p *
    /// stages)).
    [[nodiscard]] result<plan> operator()(const layer_graph& problem) const {
        if (is_chain(problem)) return chain_program{charge, spent}(problem);
        auto space = detail::downset_stages::make(problem, downset_limit);
        if (!space) return space.problem();
        plan best;
        detail::stage_program_memory<detail::downset_stages, dynamic_storage> memory;
        detail::stage_program improve(*space, problem, charge, memory, best, spent);
        for (const width_costs& costs : problem.widths) {
            space->prepare(problem, costs);
            improve(costs);
        }
        if (spent != nullptr && spent->exhausted()) best.outcome = status::budget;
        return best;
    }
};

} // namespace dovetail::placement
