#pragma once
/// \file
/// Bad input as a value: what kind, where, what is wrong and what would be right.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail {

/// The kind of a bad input, for programs; people read the text of `error`.
enum class errc : std::uint8_t {
    io,               ///< a file cannot be opened, read or written
    parse,            ///< bytes are not of the announced format
    unknown_operator, ///< an operator type without a descriptor
    unknown_name,     ///< a model, family, axis, strategy or format nobody knows
    shape,            ///< shapes or types that do not fit together
    dynamic_shape,    ///< a dimension without a value
    cycle,            ///< a graph that must be acyclic is not
    out_of_range,     ///< a number outside its range: negative, NaN, zero devices
    overflow,         ///< a product that leaves 64 bits
    empty_space,      ///< a parameter space without a point
    unsupported,      ///< well-formed, but outside what a routine handles
};

/// The name of a code, as printed.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::io:
        return "io";
    case errc::parse:
        return "parse";
    case errc::unknown_operator:
        return "unknown operator";
    case errc::unknown_name:
        return "unknown name";
    case errc::shape:
        return "shape";
    case errc::dynamic_shape:
        return "dynamic shape";
    case errc::cycle:
        return "cycle";
    case errc::out_of_range:
        return "out of range";
    case errc::overflow:
        return "overflow";
    case errc::empty_space:
        return "empty space";
    case errc::unsupported:
        return "unsupported";
    }
    return "unknown";
}

/// One bad input. `line()` is the single line that a user sees.
struct error {
    errc code{};
    std::string place;    ///< file, and the place in it: "bert.onnx: node 'MatMul_7'"
    std::string wrong;    ///< what is wrong, with the offending value
    std::string expected; ///< what would be right

    /// "place: what is wrong; what would be right".
    [[nodiscard]] std::string line() const {
        std::string text;
        if (!place.empty()) text += place + ": ";
        text += wrong;
        if (!expected.empty()) text += "; " + expected;
        // Names come from files: a line break in one must not make two lines.
        for (char& c : text)
            if (static_cast<unsigned char>(c) < ' ') c = ' ';
        return text;
    }

    /// The same error seen from further out: `outer` is put before the place.
    [[nodiscard]] error within(std::string_view outer) && {
        place = place.empty() ? std::string(outer) : std::string(outer) + ": " + place;
        return std::move(*this);
    }
};

} // namespace dovetail
