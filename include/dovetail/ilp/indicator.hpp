#pragma once
/// \file
/// Constraints that hold only where a binary variable says so: big-M rows with the smallest valid M.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace dovetail::ilp {

/// By how much values within their bounds can break a constraint at most: the smallest M for which
/// `left <= right + M` always holds; for an equality, the larger of its two directions. Negative where no
/// values come nearer than that, infinite where a bound is missing. \returns the errors of `value_range`.
[[nodiscard]] inline result<double> big_m(const model& m, const constraint& c) {
    const result<interval> range = value_range(m, c.difference);
    if (!range) return range.problem();
    if (c.sense == relation::less_equal) return range->upper;
    if (c.sense == relation::greater_equal) return -range->lower;
    return std::fmax(range->upper, -range->lower);
}

namespace detail {

/// Which missing bound leaves an expression without a largest (else: smallest) value, in words; empty where
/// none is missing.
[[nodiscard]] inline std::string missing_bound(const model& m, const expression& e, bool largest) {
    for (const term& t : merged_terms(e)) {
        if (t.coefficient == 0.0) continue;
        const column& c = m.columns()[t.of.index];
        const bool upper = largest == (t.coefficient > 0.0);
        if (!std::isfinite(upper ? c.upper : c.lower))
            return joined('\'', display_name(c.name, "x", t.of.index), "' has no ", upper ? "upper" : "lower",
                          " bound");
    }
    return {};
}

} // namespace detail

/// Adds `binary == active implies c`: the row `left <= right + M (1 - binary)`, or with `binary` in
/// the place of `1 - binary` where `active` is false. M is the smallest valid one by the bounds of the
/// variables; the switch may stand in `c` too. An equality gives two rows, `name_le` and `name_ge`, each with
/// its own M. There is no row where the bounds imply it already, and no M where bounds fix the switch.
/// `model::check` fails afterwards for a switch that is not 0 or 1, or a bound without which no M is finite.
/// \complexity O(t log t) for t terms.
inline void add_indicator(model& m, variable binary, bool active, const constraint& c,
                          const std::string& name = {}) {
    const std::string place =
        "indicator " + (name.empty() ? joined('#', m.rows().size()) : joined('\'', name, '\''));
    if (!m.owns(binary))
        return m.reject(place, "its switch is a variable of another model",
                        "variables come from this model's add_variable");
    const column& of = m.columns()[binary.index];
    const interval values = value_range(of);
    if (of.kind == domain::continuous || values.lower < 0.0 || values.upper > 1.0)
        return m.reject(place, "its switch '" + display_name(of.name, "x", binary.index) + "' is not binary",
                        "it takes the values 0 and 1 alone");
    const auto can_be = [&](double value) { return values.lower <= value && value <= values.upper; };
    const double on = active ? 1.0 : 0.0;
    if (!can_be(on)) return;

    double coefficient = 0.0; // of the switch in c
    for (const term& t : c.difference.terms())
        if (t.of.owner == binary.owner && t.of.index == binary.index) coefficient += t.coefficient;
    // c with the switch replaced by a number.
    const auto where_it_is = [&](double value, relation sense) {
        return constraint{c.difference + coefficient * value - coefficient * binary, sense};
    };
    const auto add = [&](relation sense, const std::string& row_name) {
        const result<double> where_on = big_m(m, where_it_is(on, sense));
        if (!where_on) return m.reject(place, where_on.problem().wrong, where_on.problem().expected);
        if (*where_on <= 0.0) return; // the bounds imply it
        if (!can_be(1.0 - on)) return m.add_constraint({c.difference, sense}, row_name);
        const constraint where_off = where_it_is(1.0 - on, sense);
        const double most = big_m(m, where_off).value();
        if (!std::isfinite(most)) {
            std::string wrong = detail::missing_bound(m, where_off.difference, sense == relation::less_equal);
            if (wrong.empty()) wrong = "its M would be " + to_text(most);
            return m.reject(place, std::move(wrong), "no finite M covers it; give its variables bounds");
        }
        const expression slack = most * (active ? 1.0 - binary : expression(binary));
        m.add_constraint(sense == relation::less_equal ? c.difference <= slack : c.difference >= -slack,
                         row_name);
    };
    const bool both = c.sense == relation::equal;
    const auto named = [&](const char* suffix) { return both && !name.empty() ? name + suffix : name; };
    if (c.sense != relation::greater_equal) add(relation::less_equal, named("_le"));
    if (c.sense != relation::less_equal) add(relation::greater_equal, named("_ge"));
}

} // namespace dovetail::ilp
