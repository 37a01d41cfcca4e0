#pragma once
/// \file
/// Numbers as people read them: plain, with a comma between thousands. Scripts read `to_text`.

#include <dovetail/core/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace dovetail {

namespace detail {

/// `number`, written without an exponent, with a comma between its thousands.
[[nodiscard]] inline std::string with_thousands(std::string_view number) {
    const std::size_t first = number.starts_with('-') ? 1 : 0;
    const std::size_t point = std::min(number.find('.'), number.size());
    std::string text;
    for (std::size_t i = 0; i < number.size(); ++i) {
        if (i > first && i < point && (point - i) % 3 == 0) text += ',';
        text += number[i];
    }
    return text;
}

/// The sizes that are written without an exponent.
[[nodiscard]] inline bool is_plain(double value) noexcept {
    const double size = std::abs(value);
    return value == 0 || (size >= 1e-6 && size < 1e15);
}

} // namespace detail

/// A whole number, exactly: "1,048,576".
template <std::integral Number>
[[nodiscard]] inline std::string readable(Number value) {
    return detail::with_thousands(to_text(value));
}

/// `value` with every digit that reading it back needs: "1,048,576", "0.000001". Below 1e-6 and from 1e15 on
/// as `to_text`.
[[nodiscard]] inline std::string readable(double value) {
    if (!detail::is_plain(value)) return to_text(value);
    std::array<char, 64> buffer;
    const auto [end, code] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return code == std::errc{} ? detail::with_thousands({buffer.data(), end}) : to_text(value);
}

/// `value` rounded to `digits` significant digits, and to no fewer than its whole part has: plain, without
/// needless zeros, with a comma between thousands ("33,427.1"). Below 1e-6 and from 1e15 on as `to_text`.
[[nodiscard]] inline std::string readable(double value, int digits) {
    const double size = std::abs(value);
    if (value == 0) return "0";
    if (!detail::is_plain(value)) return to_text(value, digits);
    const int whole =
        static_cast<int>(std::floor(std::log10(size))) + 1; // digits of it; below 1 of a fraction
    const int decimals = digits > whole ? digits - whole : 0;
    std::array<char, 64> buffer;
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                           std::chars_format::fixed, decimals);
    if (code != std::errc{}) return to_text(value);
    std::string_view text(buffer.data(), end);
    if (decimals > 0) text = text.substr(0, text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.remove_suffix(1);
    return detail::with_thousands(text);
}

} // namespace dovetail
