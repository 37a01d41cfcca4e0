#pragma once
/// \file
/// Linear expressions and the relations between them, written as in a paper.

#include <dovetail/ilp/variable.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::ilp {

/// A variable times a number.
struct term {
    variable of;
    double coefficient = 0.0;
};

/// A sum of terms and a constant. A variable may stand in several terms; they add up. Whether the variables
/// belong to one model is checked where the expression enters it.
class expression {
public:
    expression() = default;
    expression(double constant) : constant_(constant) {}
    expression(variable v) : terms_{{v, 1.0}} {}
    expression(term t) : terms_{t} {}

    [[nodiscard]] const std::vector<term>& terms() const noexcept { return terms_; }
    [[nodiscard]] double constant() const noexcept { return constant_; }

    expression& operator+=(const expression& other) { return add(other, 1.0); }
    expression& operator-=(const expression& other) { return add(other, -1.0); }
    expression& operator*=(double factor) {
        for (term& t : terms_) t.coefficient *= factor;
        constant_ *= factor;
        return *this;
    }

private:
    expression& add(const expression& other, double factor) {
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

[[nodiscard]] inline expression operator+(expression left, const expression& right) {
    return std::move(left += right);
}
[[nodiscard]] inline expression operator-(expression left, const expression& right) {
    return std::move(left -= right);
}
[[nodiscard]] inline expression operator-(expression e) { return std::move(e *= -1.0); }
[[nodiscard]] inline expression operator*(expression e, double factor) { return std::move(e *= factor); }
[[nodiscard]] inline expression operator*(double factor, expression e) { return std::move(e *= factor); }

/// How the two sides of a constraint compare.
enum class relation : std::uint8_t { less_equal, equal, greater_equal };

/// `difference` related to 0: what a comparison of two expressions gives, for `model::add_constraint`.
struct constraint {
    expression difference;
    relation sense = relation::less_equal;
};

[[nodiscard]] inline constraint operator<=(expression left, const expression& right) {
    return {std::move(left -= right), relation::less_equal};
}
[[nodiscard]] inline constraint operator>=(expression left, const expression& right) {
    return {std::move(left -= right), relation::greater_equal};
}
[[nodiscard]] inline constraint operator==(expression left, const expression& right) {
    return {std::move(left -= right), relation::equal};
}

} // namespace dovetail::ilp
