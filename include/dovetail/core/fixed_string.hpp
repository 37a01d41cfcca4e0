#pragma once
/// \file
/// A string as a template argument: the names of axes, operators and options.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace dovetail {

/// A structural string of `Size` characters and a terminating zero.
template <std::size_t Size>
struct fixed_string {
    char characters[Size + 1]{};

    constexpr fixed_string(const char (&text)[Size + 1]) noexcept { std::copy_n(text, Size + 1, characters); }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, Size}; }
    constexpr operator std::string_view() const noexcept { return view(); }

    template <std::size_t Other>
    [[nodiscard]] constexpr bool operator==(const fixed_string<Other>& other) const noexcept {
        return view() == other.view();
    }
};

template <std::size_t SizeWithZero>
fixed_string(const char (&)[SizeWithZero]) -> fixed_string<SizeWithZero - 1>;

} // namespace dovetail
