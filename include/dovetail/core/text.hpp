#pragma once
/// \file
/// Numbers as text: the shortest form that reads back to the same value, independent of the locale; text in
/// parts.

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

namespace detail {

inline void append_part(std::string& text, std::string_view part) { text.append(part); }
inline void append_part(std::string& text, char part) { text.push_back(part); }
template <class Number>
    requires std::floating_point<Number> || std::integral<Number>
void append_part(std::string& text, Number part) { text.append(to_text(part)); }

} // namespace detail

/// The parts one after another: texts and characters as they are, numbers as `to_text` writes them. It
/// appends, where `"_" + to_text(i)` inserts: g++ 12 misreads the insertion of one character as an
/// overlapping copy at -O3.
template <class... Parts>
[[nodiscard]] std::string joined(const Parts&... parts) {
    std::string text;
    (detail::append_part(text, parts), ...);
    return text;
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
