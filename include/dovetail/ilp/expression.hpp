#pragma once
/// \file
/// Linear expressions and the relations between them, written as in a paper.

#include <dovetail/core/sort_stably.hpp>
#include <dovetail/ilp/variable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::ilp {

/// A variable times a number.
struct term {
    variable of;              ///< the variable
    double coefficient = 0.0; ///< what it is multiplied by
};

/// A sum of terms and a constant. A variable may stand in several terms; they add up. Whether the variables
/// belong to one model is checked where the expression enters it.
class expression {
public:
    expression() = default;
    /// A number.
    constexpr expression(double constant) : constant_(constant) {}
    /// One variable.
    constexpr expression(variable v) : terms_{{v, 1.0}} {}
    /// One variable times a number.
    constexpr expression(term t) : terms_{t} {}

    /// The terms in the order in which they were added, none merged.
    [[nodiscard]] constexpr const std::vector<term>& terms() const noexcept { return terms_; }
    /// What the expression is worth where all variables are 0.
    [[nodiscard]] constexpr double constant() const noexcept { return constant_; }

    /// Adds another expression, itself included.
    constexpr expression& operator+=(const expression& other) { return add(other, 1.0); }
    /// Subtracts another expression.
    constexpr expression& operator-=(const expression& other) { return add(other, -1.0); }
    /// Scales every term and the constant.
    constexpr expression& operator*=(double factor) {
        for (term& t : terms_) t.coefficient *= factor;
        constant_ *= factor;
        return *this;
    }

private:
    constexpr expression& add(const expression& other, double factor) {
        // By position: `other` may be this very expression.
        const std::size_t count = other.terms_.size();
        terms_.reserve(terms_.size() + count);
        for (std::size_t k = 0; k < count; ++k)
            terms_.push_back({other.terms_[k].of, factor * other.terms_[k].coefficient});
        constant_ += factor * other.constant_;
        return *this;
    }

    std::vector<term> terms_;
    double constant_ = 0.0;
};

/// The terms of an expression by rising owner and index, one a variable; a sum of 0 stays. \complexity
/// O(t log t) for t terms.
[[nodiscard]] inline std::vector<term> merged_terms(const expression& e) {
    std::vector<term> terms = e.terms();
    // Stable, so that rounding depends on the order in which the terms were written and on nothing else.
    const auto before = [](const term& a, const term& b) {
        return a.of.owner != b.of.owner ? a.of.owner < b.of.owner : a.of.index < b.of.index;
    };
    sort_stably(terms.begin(), terms.end(), before);
    std::size_t kept = 0;
    for (const term& t : terms)
        if (kept > 0 && !before(terms[kept - 1], t))
            terms[kept - 1].coefficient += t.coefficient;
        else
            terms[kept++] = t;
    terms.resize(kept);
    return terms;
}

/// The sum of two expressions.
[[nodiscard]] constexpr expression operator+(expression left, const expression& right) {
    return std::move(left += right);
}
/// The difference of two expressions.
[[nodiscard]] constexpr expression operator-(expression left, const expression& right) {
    return std::move(left -= right);
}
/// The negated expression.
[[nodiscard]] constexpr expression operator-(expression e) { return std::move(e *= -1.0); }
/// An expression times a number.
[[nodiscard]] constexpr expression operator*(expression e, double factor) { return std::move(e *= factor); }
/// A number times an expression.
[[nodiscard]] constexpr expression operator*(double factor, expression e) { return std::move(e *= factor); }

/// How the two sides of a constraint compare.
enum class relation : std::uint8_t { less_equal, equal, greater_equal };

/// `difference` related to 0: what a comparison of two expressions gives, for `model::add_constraint`.
struct constraint {
    expression difference;                 ///< left side minus right side
    relation sense = relation::less_equal; ///< how it compares with 0
};

/// `left` is at most `right`.
[[nodiscard]] constexpr constraint operator<=(expression left, const expression& right) {
    return {std::move(left -= right), relation::less_equal};
}
/// `left` is at least `right`.
[[nodiscard]] constexpr constraint operator>=(expression left, const expression& right) {
    return {std::move(left -= right), relation::greater_equal};
}
/// `left` equals `right`.
[[nodiscard]] constexpr constraint operator==(expression left, const expression& right) {
    return {std::move(left -= right), relation::equal};
}

} // namespace dovetail::ilp
