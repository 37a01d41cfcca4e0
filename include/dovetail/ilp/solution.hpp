#pragma once
/// \file
/// What a solver answers.

#include <dovetail/ilp/variable.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail::ilp {

/// How a solver ended.
enum class verdict : std::uint8_t {
    optimal,    ///< the values are proved best
    feasible,   ///< the values are within the gap that was asked for
    infeasible, ///< proved that no values satisfy the rows
    unbounded,  ///< proved that the objective has no limit
    budget,     ///< a limit ended the search; values, if any, are the best so far
};

/// The name of a verdict, as printed.
[[nodiscard]] constexpr std::string_view to_string(verdict v) noexcept {
    switch (v) {
    case verdict::optimal:
        return "optimal";
    case verdict::feasible:
        return "feasible";
    case verdict::infeasible:
        return "infeasible";
    case verdict::unbounded:
        return "unbounded";
    case verdict::budget:
        return "budget";
    }
    return "unknown";
}

/// The answer to a model.
struct solution {
    verdict ending = verdict::budget; ///< how the solver ended
    double objective = 0.0;           ///< of the values; meaningless without
    double bound = 0.0;               ///< no values do better; infinite where nothing is known
    std::vector<double> values;       ///< one a column, integers exact; empty when none were found
    std::int64_t nodes = 0;           ///< of the search tree

    /// Whether any values were found.
    [[nodiscard]] bool has_values() const noexcept { return !values.empty(); }
    /// The value of a variable; there must be values.
    [[nodiscard]] double operator[](variable v) const { return values[v.index]; }
};

} // namespace dovetail::ilp
