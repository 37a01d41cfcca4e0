#pragma once
/// \file
/// Axes of a family as Hana sequences: which member of a design they set, and the values, all constants.

#include <dovetail/hardware/accelerator.hpp>

#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace dovetail::ext::hana {

/// The axis of one member of a design. Call it with the values to describe it: `width(values<128, 64>)`.
template <std::int64_t hardware::accelerator::*Member>
struct axis_name {
    /// An axis with its values, a Hana sequence of integral constants.
    template <class Values>
    struct axis {
        using name = axis_name;
        Values values;
    };

    template <class Values>
    [[nodiscard]] constexpr axis<Values> operator()(const Values& values) const {
        return {values};
    }
};

inline constexpr axis_name<&hardware::accelerator::num_tc> num_tc{};       ///< tensor cores
inline constexpr axis_name<&hardware::accelerator::num_vc> num_vc{};       ///< vector cores
inline constexpr axis_name<&hardware::accelerator::width> width{};         ///< columns of an array, and lanes
inline constexpr axis_name<&hardware::accelerator::depth> depth{};         ///< rows of an array
inline constexpr axis_name<&hardware::accelerator::glb_bytes> glb_bytes{}; ///< global buffer

/// The values of an axis, in any order.
template <std::int64_t... Values>
inline constexpr boost::hana::tuple<boost::hana::integral_constant<std::int64_t, Values>...> values{};

namespace detail {

template <std::int64_t Smallest, std::size_t... Exponents>
constexpr auto doublings(std::index_sequence<Exponents...>) {
    return values<(Smallest << Exponents)...>;
}

/// How often `smallest` doubles without passing `largest`, and once more.
constexpr std::size_t doubling_count(std::int64_t smallest, std::int64_t largest) {
    std::size_t count = 0;
    for (; smallest <= largest; smallest *= 2) ++count;
    return count;
}

} // namespace detail

/// `Smallest` and its doublings up to `Largest`.
template <std::int64_t Smallest, std::int64_t Largest>
    requires(Smallest > 0 && Smallest <= Largest)
inline constexpr auto powers_of_two =
    detail::doublings<Smallest>(std::make_index_sequence<detail::doubling_count(Smallest, Largest)>{});

} // namespace dovetail::ext::hana
