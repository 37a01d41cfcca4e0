#pragma once
/// \file
/// Numbers as people read them.

#include <dovetail/core/text.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace dovetail::report {

/// `value` rounded to `digits` significant digits, and to no fewer than its whole part has: plain, without
/// needless zeros, with a comma between thousands ("33,427.1"). Below 1e-6 and from 1e15 on as `to_text`.
[[nodiscard]] inline std::string readable(double value, int digits) {
    const double size = std::abs(value);
    if (value == 0) return "0";
    if (!(size >= 1e-6 && size < 1e15)) return to_text(value, digits);
    const int whole =
        static_cast<int>(std::floor(std::log10(size))) + 1; // digits of it; below 1 of a fraction
    const int decimals = digits > whole ? digits - whole : 0;
    std::array<char, 64> buffer;
    const auto [end, code] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), size, std::chars_format::fixed, decimals);
    if (code != std::errc{}) return to_text(value);
    std::string text(buffer.data(), end);
    if (decimals > 0) text.resize(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    std::size_t place = text.find('.') == std::string::npos ? text.size() : text.find('.');
    for (; place > 3; place -= 3) text.insert(place - 3, 1, ',');
    return value < 0 ? '-' + text : text;
}

} // namespace dovetail::report
