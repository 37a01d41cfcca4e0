#pragma once
/// \file
/// Elementwise arithmetic on the small integer tensors that compute shapes.

#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::workload::op::arithmetic {

// Unsigned arithmetic wraps instead of being undefined; a wrapped size fails the checks of shapes.
inline constexpr auto plus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
};
inline constexpr auto minus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
};
inline constexpr auto times = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
};
/// Towards zero, as ONNX divides integers; division by zero gives 0, and a shape of it fails.
inline constexpr auto over = [](std::int64_t a, std::int64_t b) {
    if (b == 0) return std::int64_t{0};
    return b == -1 ? minus(0, a) : a / b;
};
/// With the sign of the divisor, as ONNX's Mod takes remainders of integers.
inline constexpr auto remainder = [](std::int64_t a, std::int64_t b) {
    if (b == 0 || b == -1) return std::int64_t{0};
    const std::int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
};
inline constexpr auto power = [](std::int64_t base, std::int64_t exponent) {
    std::int64_t result = 1;
    for (std::int64_t bit = 62; bit >= 0; --bit) {
        result = times(result, result);
        if ((exponent >> bit & 1) != 0) result = times(result, base);
    }
    return exponent < 0 ? std::int64_t{0} : result;
};
inline constexpr auto smaller = [](std::int64_t a, std::int64_t b) { return std::min(a, b); };
inline constexpr auto larger = [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
inline constexpr auto equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a == b}; };
inline constexpr auto less = [](std::int64_t a, std::int64_t b) { return std::int64_t{a < b}; };
inline constexpr auto less_or_equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a <= b}; };
inline constexpr auto greater = [](std::int64_t a, std::int64_t b) { return std::int64_t{a > b}; };
inline constexpr auto greater_or_equal = [](std::int64_t a, std::int64_t b) { return std::int64_t{a >= b}; };
inline constexpr auto both = [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 && b != 0}; };
inline constexpr auto either = [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 || b != 0}; };
inline constexpr auto one_of = [](std::int64_t a, std::int64_t b) {
    return std::int64_t{(a != 0) != (b != 0)};
};

/// Whether the value of `t` is known and is a scalar or a list: what shapes are computed with.
[[nodiscard]] inline bool known_list(const tensor& t) {
    return !t.integers.empty() && !is_floating(t.type) && t.dims.size() <= 1;
}

/// `fold` over two known lists, a single element being repeated; empty where a value is not known.
template <class Fold>
[[nodiscard]] std::vector<std::int64_t> folded(const tensor& x, const tensor& y, Fold fold) {
    std::vector<std::int64_t> values;
    if (!known_list(x) || !known_list(y)) return values;
    const std::vector<std::int64_t>& a = x.integers;
    const std::vector<std::int64_t>& b = y.integers;
    if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return values;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
        values.push_back(fold(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]));
    return values;
}

} // namespace dovetail::workload::op::arithmetic
