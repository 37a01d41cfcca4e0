#pragma once
/// \file
/// What it takes to be a solver, and one that does nothing.

#include <dovetail/core/result.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>

#include <concepts>

namespace dovetail::ilp {

/// A function object that answers a model. An error is a model that fails `model::check`, or a solver that
/// broke; infeasible, unbounded and out of budget are verdicts.
template <class Solver>
concept solver = requires(const Solver& s, const model& m) {
    { s(m) } -> std::same_as<result<solution>>;
};

/// Answers every model with "no time to look": a backend to copy, and the solver of a build without one.
struct null_solver {
    /// No values, and a bound that says nothing; or what `model::check` finds wrong.
    [[nodiscard]] result<solution> operator()(const model& m) const {
        if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
        const bool down = m.sense() == direction::minimize;
        return solution{.ending = verdict::budget,
                        .objective = down ? infinity : -infinity,
                        .bound = down ? -infinity : infinity,
                        .values = {},
                        .nodes = 0};
    }
};

static_assert(solver<null_solver>);

} // namespace dovetail::ilp
