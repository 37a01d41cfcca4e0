#pragma once
/// \file
/// Numbers as text: the shortest form that reads back to the same value, independent of the locale.

#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace dovetail {

/// The shortest decimal that reads back to `value`; "inf", "-inf" and "nan" for the rest.
template <class Number>
    requires std::floating_point<Number> || std::integral<Number>
[[nodiscard]] inline std::string to_text(Number value) {
    std::array<char, 64> buffer;
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return code == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

/// `value` with `digits` significant digits, for people.
[[nodiscard]] inline std::string to_text(double value, int digits) {
    std::array<char, 64> buffer;
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                           std::chars_format::general, digits);
    return code == std::errc{} ? std::string(buffer.data(), end) : to_text(value);
}

/// The number that is all of `text`, or nothing.
template <class Number>
    requires std::floating_point<Number> || std::integral<Number>
[[nodiscard]] inline std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

} // namespace dovetail
