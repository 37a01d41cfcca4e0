#pragma once
/// \file
/// The exact placement of a chain of layers: data, pipeline and tensor parallelism together.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/placement/chain_stages.hpp>
#include <dovetail/placement/stage_program.hpp>

#include <utility>

namespace dovetail::placement {

/// The memory of a `chain_program`, to be kept from call to call: once it has seen the largest problem, no
/// call allocates. One a thread.
template <class Storage>
struct basic_chain_workspace {
    basic_plan<Storage> plan{}; ///< the answer of the last call
    detail::chain_stages<Storage> stages{};
    detail::stage_program_memory<detail::chain_stages<Storage>, Storage> memory{};
};

using chain_workspace = basic_chain_workspace<dynamic_storage>;

/// Finds a plan with the least time per batch for a chain, over all tensor widths, all cuts into stages and
/// all data-parallel degrees. Exact whatever the costs.
///
/// Among plans of equal time it keeps the narrowest, then the one with the fewest stages, then with the
/// fewest devices a replica, then the first found. Works in constant expressions and, with
/// `fixed_layer_chain`, without allocation.
///
/// \complexity About O(widths * layers * stages) where loads grow with their stages, whatever the number of
/// devices; times the number of unsplit stages that save devices. At worst one more factor `layers`.
/// \source The problem is that of PHAZE (Wang et al., ICML 2024), for which it suffices.
struct chain_program {
    objective charge = objective::every_stage; ///< who pays for the reduction
    spending* spent = nullptr; ///< where given and late, the outcome is `budget`, with the best plan so far

    /// Solves a valid problem whose edges form a chain.
    template <class Storage>
    [[nodiscard]] constexpr basic_plan<Storage> operator()(const basic_layer_graph<Storage>& problem) const {
        basic_chain_workspace<Storage> workspace{};
        (*this)(problem, workspace);
        return std::move(workspace.plan);
    }

    /// The same in memory that is kept; the answer lives in the workspace until the next call.
    template <class Storage>
    constexpr const basic_plan<Storage>& operator()(const basic_layer_graph<Storage>& problem,
                                                    basic_chain_workspace<Storage>& workspace) const {
        DOVETAIL_ASSERT(is_chain(problem), "the edges must form the chain 0 -> 1 -> ...");
        detail::stage_program<detail::chain_stages<Storage>, Storage> improve(
            workspace.stages, problem, charge, workspace.memory, workspace.plan, spent);
        for (const auto& costs : problem.widths) {
            workspace.stages.prepare(problem, costs);
            improve(costs);
        }
        if (spent != nullptr && spent->exhausted()) workspace.plan.outcome = status::budget;
        return workspace.plan;
    }
};

} // namespace dovetail::placement
