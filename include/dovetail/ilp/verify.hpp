#pragma once
/// \file
/// An independent check of values against a model: bounds, integrality, rows, objective.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/ilp/model.hpp>

#include <cmath>
#include <cstddef>
#include <string>

namespace dovetail::ilp {

/// What is worst about some values, and what they are worth.
struct verification {
    double objective = 0.0;         ///< recomputed from the columns' costs
    double largest_violation = 0.0; ///< absolute, in the units of the bound or row; infinite for a NaN
    std::string where; ///< "lower bound of x", "integrality of x", "row r"; empty when nothing is broken

    /// Whether nothing is broken by more than `tolerance`.
    [[nodiscard]] bool holds(double tolerance) const noexcept { return largest_violation <= tolerance; }
};

/// Recomputes everything that the model says of `values`, one a column. \complexity O(coefficients).
[[nodiscard]] inline verification verify(const model& m, array_view<const double> values) {
    DOVETAIL_ASSERT(values.size() == m.columns().size(), "one value a column");
    verification found{.objective = m.offset(), .largest_violation = 0.0, .where = {}};
    const auto worse = [&](double violation) {
        if (std::isnan(violation)) violation = infinity;
        if (!(violation > found.largest_violation)) return false;
        found.largest_violation = violation;
        return true;
    };
    for (std::size_t k = 0; k < values.size(); ++k) {
        const column& c = m.columns()[k];
        const double off = c.kind == domain::continuous ? 0.0 : std::abs(values[k] - std::round(values[k]));
        if (worse(c.lower - values[k])) found.where = "lower bound of " + display_name(c.name, "x", k);
        if (worse(values[k] - c.upper)) found.where = "upper bound of " + display_name(c.name, "x", k);
        if (worse(off)) found.where = "integrality of " + display_name(c.name, "x", k);
        found.objective += c.cost * values[k];
    }
    for (std::size_t k = 0; k < m.rows().size(); ++k) {
        const row& r = m.rows()[k];
        double excess = -r.right_side;
        for (const entry& e : r.entries) excess += e.coefficient * values[e.column];
        if (r.sense == relation::greater_equal) excess = -excess;
        if (r.sense == relation::equal) excess = std::abs(excess);
        if (worse(excess)) found.where = "row " + display_name(r.name, "r", k);
    }
    return found;
}

} // namespace dovetail::ilp
