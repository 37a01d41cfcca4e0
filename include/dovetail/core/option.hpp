#pragma once
/// \file
/// Options as a table: name, meaning and range in one place, which validates them, documents them and feeds
/// the command line. The default is the initialiser of the member itself.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace dovetail {

/// One row of an option table: a member of `Options` of type `Value`.
template <class Options, class Value>
struct option {
    std::string_view name; ///< as on the command line, without dashes
    std::string_view meaning;
    Value Options::*member;
    double lowest = -std::numeric_limits<double>::infinity(); ///< of every number in it, included
    double highest = std::numeric_limits<double>::infinity();
};

/// An aggregate of options that brings its table: a tuple of `option` rows from a static `table()`.
template <class Options>
concept tabled_options = requires {
    std::tuple_size<decltype(Options::table())>::value;
};

/// What a number of an option must be, both ends included: "a whole number, at least 1 and at most
/// 1,048,576". Ends are exact; where a whole number has none, those of its type are.
template <class Number>
    requires std::is_arithmetic_v<Number>
[[nodiscard]] std::string number_range(double lowest, double highest) {
    using limits = std::numeric_limits<Number>;
    std::string least, most;
    if constexpr (std::is_integral_v<Number>) {
        least = lowest > static_cast<double>(limits::lowest()) ? readable(static_cast<Number>(lowest))
                                                               : readable(limits::lowest());
        most = highest < static_cast<double>(limits::max()) ? readable(static_cast<Number>(highest))
                                                            : readable(limits::max());
    } else {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (lowest > -infinity) least = readable(lowest);
        if (highest < infinity) most = readable(highest);
    }
    std::string text = std::is_integral_v<Number> ? "a whole number" : "a number";
    if (!least.empty()) text += ", at least " + least;
    if (!most.empty()) text += (least.empty() ? ", at most " : " and at most ") + most;
    return text;
}

/// The error of a value, as its user wrote it, that is no number of an option's range: the one form that
/// all of them have.
template <class Number>
[[nodiscard]] error number_error(errc code, std::string_view name, std::string_view text, double lowest,
                                 double highest) {
    return {code, "option --" + std::string(name), "its value is '" + std::string(text) + "'",
            "it must be " + number_range<Number>(lowest, highest)};
}

namespace detail {

template <class Number>
[[nodiscard]] result<void> check_range(std::string_view name, Number value, double lowest, double highest) {
    if constexpr (std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>) {
        const auto real = static_cast<double>(value);
        if (!(real >= lowest && real <= highest)) // written so that NaN fails
            return number_error<Number>(errc::out_of_range, name, to_text(value), lowest, highest);
    }
    return {};
}

template <class Number>
[[nodiscard]] result<void> check_range(std::string_view name, const std::vector<Number>& values,
                                       double lowest, double highest) {
    if (values.empty())
        return error{errc::out_of_range, "option --" + std::string(name), "its list is empty",
                     "it must have at least one value"};
    for (const Number& value : values)
        if (auto checked = check_range(name, value, lowest, highest); !checked) return checked;
    return {};
}

} // namespace detail

/// Checks every option against the range of its row; NaN is outside every range, an empty list is refused.
/// \returns the first violation, named as on the command line.
template <tabled_options Options>
[[nodiscard]] result<void> validate(const Options& options) {
    result<void> outcome;
    const auto check = [&](const auto& row) {
        outcome = detail::check_range(row.name, options.*row.member, row.lowest, row.highest);
        return outcome.has_value();
    };
    std::apply([&](const auto&... row) { static_cast<void>((check(row) && ...)); }, Options::table());
    return outcome;
}

} // namespace dovetail
