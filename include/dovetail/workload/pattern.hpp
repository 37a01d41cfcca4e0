#pragma once
/// \file
/// Formulas as patterns: `x * sigmoid(x)` is a constant that says what to look for in a graph.

#include <dovetail/core/array_view.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace dovetail::workload {

/// A node of a formula, as data.
struct pattern {
    enum class kind : std::uint8_t {
        operand,   ///< any tensor, the same wherever the slot occurs
        weight,    ///< the same, for a tensor that does not depend on data
        setting,   ///< a constant of any value, the same wherever it occurs
        number,    ///< a constant of this value
        operation, ///< the result of an operation on these operands
        chain,     ///< the result of an associative and commutative operation on them, grouped in any way
        choice,    ///< the result of any one of these formulas
    };

    kind what{};
    std::size_t slot = 0;
    double value = 0;
    operator_type type{};
    array_view<const pattern* const> operands{};
};

/// Formulas are empty objects whose types spell them out; `node` is the formula as data.
namespace formula {

template <class E>
concept expression = std::same_as<decltype(E::node), const pattern>;

/// An operand that a match binds: the same slot stands for the same tensor wherever it occurs.
template <pattern::kind Kind, std::size_t Slot>
struct variable {
    static constexpr pattern node{.what = Kind, .slot = Slot};
};
/// The operand `Slot` of the operation that a formula stands for.
template <std::size_t Slot>
using operand = variable<pattern::kind::operand, Slot>;
/// The same, for one that is a weight or made of weights.
template <std::size_t Slot>
using weight = variable<pattern::kind::weight, Slot>;
/// The number that a formula leaves open.
using setting = variable<pattern::kind::setting, 0>;

/// The bits of a number, since compilers do not take real template arguments yet.
[[nodiscard]] consteval std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// A constant, written `number<bits(0.5)>`. It matches within half a unit of the last place of bfloat16, the
/// coarsest type that constants are stored in.
template <std::uint64_t Bits>
struct number {
    static constexpr pattern node{.what = pattern::kind::number, .value = std::bit_cast<double>(Bits)};
};

/// An operation on other expressions.
template <pattern::kind Kind, operator_type Type, expression... Operands>
struct branch {
    static constexpr std::array<const pattern*, sizeof...(Operands)> operands{&Operands::node...};
    static constexpr pattern node{.what = Kind, .type = Type, .operands = operands};
};

/// The result of `Op`.
template <operator_descriptor Op, expression... Operands>
[[nodiscard]] constexpr auto apply(Operands...) {
    return branch<pattern::kind::operation, type_of<Op>, Operands...>{};
}
/// Any one of several formulas.
template <expression... Formulas>
[[nodiscard]] constexpr auto either(Formulas...) {
    return branch<pattern::kind::choice, operator_type{}, Formulas...>{};
}

/// Sums and products flatten: `a * b * c` matches all groupings and orders of its factors.
template <operator_type Type, expression... Operands>
using chain = branch<pattern::kind::chain, Type, Operands...>;
template <expression A, expression B>
[[nodiscard]] constexpr auto operator+(A, B) {
    return chain<type_of<op::add>, A, B>{};
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator*(A, B) {
    return chain<type_of<op::mul>, A, B>{};
}
template <expression... A, expression B>
[[nodiscard]] constexpr auto operator*(chain<type_of<op::mul>, A...>, B) {
    return chain<type_of<op::mul>, A..., B>{};
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator-(A a, B b) {
    return apply<op::sub>(a, b);
}
template <expression A, expression B>
[[nodiscard]] constexpr auto operator/(A a, B b) {
    return apply<op::div>(a, b);
}

/// The mean along the axes that a formula is about, kept as dimensions of one element.
[[nodiscard]] constexpr auto mean(expression auto x) { return apply<op::reduce_mean>(x); }

} // namespace formula

} // namespace dovetail::workload
