#pragma once
/// \file
/// Integer arithmetic that notices when it leaves its range, and the divisions of tiling.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

namespace dovetail {

/// `a * b` for non-negative factors, or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
    DOVETAIL_ASSERT(a >= 0 && b >= 0, "factors are counts");
    if (a != 0 && b > std::numeric_limits<std::int64_t>::max() / a) return std::nullopt;
    return a * b;
}

/// `a + b` for non-negative terms, or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
    DOVETAIL_ASSERT(a >= 0 && b >= 0, "terms are counts");
    if (b > std::numeric_limits<std::int64_t>::max() - a) return std::nullopt;
    return a + b;
}

/// The product of non-negative counts (1 for none), or nothing when it does not fit.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_product(array_view<const std::int64_t> factors) {
    std::int64_t product = 1;
    for (const std::int64_t factor : factors) {
        const auto next = checked_multiply(product, factor);
        if (!next) return std::nullopt;
        product = *next;
    }
    return product;
}

/// The smallest integer not below `a / b`, for `a >= 0` and `b > 0`.
template <std::integral Int>
[[nodiscard]] constexpr Int ceil_div(Int a, Int b) {
    DOVETAIL_ASSERT(a >= 0 && b > 0, "ceil_div takes a count and a positive divisor");
    return static_cast<Int>(a / b + (a % b != 0 ? 1 : 0));
}

} // namespace dovetail
