#pragma once
/// \file
/// Between which values a linear expression lies, by the bounds of its variables alone.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/model.hpp>

#include <cmath>
#include <string>

namespace dovetail::ilp {

/// The numbers from `lower` to `upper`, both included; infinite where there is no limit.
struct interval {
    double lower = 0.0;
    double upper = 0.0;
};

/// The values that a variable can take by its bounds; whole ones where it is not continuous. Empty, with
/// `lower` above `upper`, for bounds without a whole number between them.
[[nodiscard]] inline interval value_range(const column& c) {
    if (c.kind == domain::continuous) return {c.lower, c.upper};
    return {std::ceil(c.lower), std::floor(c.upper)};
}

/// The least and the largest value of an expression over the bounds of its variables, rows left aside. Both
/// are attained, but for the rounding of the sum: terms of one variable are merged first. \returns
/// errc::out_of_range for a variable of another model, or a number that is not finite. \complexity O(t log t)
/// for t terms.
[[nodiscard]] inline result<interval> value_range(const model& m, const expression& e) {
    const auto bad = [](std::string wrong, const char* expected) {
        return error{errc::out_of_range, "expression", std::move(wrong), expected};
    };
    interval range{e.constant(), e.constant()};
    for (const term& t : merged_terms(e)) {
        if (!m.owns(t.of))
            return bad("it names a variable of another model", "variables come from the model itself");
        const column& c = m.columns()[t.of.index];
        if (!std::isfinite(t.coefficient))
            return bad("the coefficient of '" + display_name(c.name, "x", t.of.index) + "' is " +
                           to_text(t.coefficient),
                       "it must be finite");
        if (t.coefficient == 0.0) continue; // times infinity it would be NaN
        const interval of = value_range(c);
        range.lower += t.coefficient * (t.coefficient > 0.0 ? of.lower : of.upper);
        range.upper += t.coefficient * (t.coefficient > 0.0 ? of.upper : of.lower);
    }
    // Last, since a coefficient that is not finite makes the constant NaN as well.
    if (!std::isfinite(e.constant()))
        return bad("its constant is " + to_text(e.constant()), "it must be finite");
    return range;
}

} // namespace dovetail::ilp
