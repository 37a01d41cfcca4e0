#pragma once
/// \file
/// What a model's relaxation says of it: the bound from which a search starts.

#include <dovetail/core/result.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/solver.hpp>

#include <utility>

namespace dovetail::ilp {

/// The optimum of the model where every variable may be fractional: no whole values do better. Infinite on
/// the bad side where even that is infeasible, on the good side where it is unbounded or the solver's limits
/// ended it. \returns the errors of the solver.
template <solver Solver>
[[nodiscard]] result<double> relaxation_bound(const Solver& solve, const model& m) {
    result<solution> relaxed = solve(m.relaxed());
    if (!relaxed) return std::move(relaxed).problem();
    return relaxed->bound;
}

} // namespace dovetail::ilp
