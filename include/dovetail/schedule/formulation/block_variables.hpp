#pragma once
/// \file
/// The columns of one block in the disjunctive program.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/variable.hpp>
#include <dovetail/schedule/mode_table.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace dovetail::schedule::formulation::detail {

/// One way to run a task.
struct mode_variable {
    std::uint32_t mode;
    ilp::variable chosen;                     ///< y
    std::array<double, max_resources> busy{}; ///< units of time that it takes each resource altogether
};

/// A task of a block.
struct task_variables {
    graph::index task;
    ilp::variable start; ///< from the start of the block
    std::vector<mode_variable> choices;
    ilp::expression duration;
    demand largest{}; ///< the most that a mode holds, those without duration left aside
};

/// What a block adds to a model.
struct block_variables {
    ilp::variable extent; ///< from its start to its end
    std::vector<task_variables> tasks;
};

} // namespace dovetail::schedule::formulation::detail
