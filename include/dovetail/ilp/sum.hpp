#pragma once
/// \file
/// Sums over ranges and over indices, written as in a paper.

#include <dovetail/ilp/expression.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <ranges>
#include <utility>

namespace dovetail::ilp {

/// The sum of what `projection` makes of every element: numbers, variables, terms, expressions or a mixture.
/// Without a projection, of the elements themselves. An empty range sums to 0. \complexity linear in the
/// terms.
template <std::ranges::input_range Range, class Projection = std::identity>
    requires std::convertible_to<std::invoke_result_t<Projection&, std::ranges::range_reference_t<Range>>,
                                 expression>
[[nodiscard]] constexpr expression sum(Range&& range, Projection projection = {}) {
    expression total;
    for (auto&& element : range) total += std::invoke(projection, std::forward<decltype(element)>(element));
    return total;
}

/// `summand(0) + ... + summand(count - 1)`: `sum(n, [&](std::size_t i) { return a[i] * x[i]; })`.
template <class Summand>
    requires std::convertible_to<std::invoke_result_t<Summand&, std::size_t>, expression>
[[nodiscard]] constexpr expression sum(std::size_t count, Summand summand) {
    expression total;
    for (std::size_t k = 0; k < count; ++k) total += std::invoke(summand, k);
    return total;
}

} // namespace dovetail::ilp
