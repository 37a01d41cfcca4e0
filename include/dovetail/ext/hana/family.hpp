#pragma once
/// \file
/// A family of designs described with Boost.Hana: axes, limits and constants, all known to the compiler.

#include <dovetail/ext/hana/axis.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/axes.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/platform.hpp>

#include <boost/hana/bool.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/front.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dovetail::ext::hana {

/// The axes of a family: one for each of num_tc, num_vc, width, depth and glb_bytes, in any order.
template <class... Axes>
[[nodiscard]] constexpr auto axes(const Axes&... described) {
    return boost::hana::make_tuple(described...);
}

/// The limits of a family: predicates of a design and its area in um^2, all of which must hold.
template <class... Predicates>
    requires(std::is_invocable_r_v<bool, const Predicates&, const hardware::accelerator&, double>&&...)
[[nodiscard]] constexpr auto limits(const Predicates&... predicates) {
    return boost::hana::make_tuple(predicates...);
}

/// The limit of an area between two bounds [um^2].
[[nodiscard]] constexpr auto area_between(double smallest_um2, double largest_um2) {
    return [=](const hardware::accelerator&, double area_um2) {
        return area_um2 >= smallest_um2 && area_um2 <= largest_um2;
    };
}

namespace detail {

/// The values of the axis `Name` in `Axes`, from largest to smallest.
template <class Name, class Axes>
constexpr auto sorted_values(const Axes& described) {
    const auto named = boost::hana::filter(described, [](const auto& axis) {
        return boost::hana::bool_c<std::is_same_v<typename std::remove_cvref_t<decltype(axis)>::name, Name>>;
    });
    constexpr std::size_t found = decltype(boost::hana::length(named))::value;
    static_assert(found != 0,
                  "dovetail: a family lacks an axis; give num_tc, num_vc, width, depth, glb_bytes");
    static_assert(found < 2, "dovetail: a family has an axis twice");
    return boost::hana::unpack(boost::hana::front(named).values, [](auto... constants) {
        static_assert(sizeof...(constants) > 0, "dovetail: an axis of a family has no value");
        static_assert(((decltype(constants)::value > 0) && ...),
                      "dovetail: values of an axis are at least 1");
        std::array<std::int64_t, sizeof...(constants)> values{decltype(constants)::value...};
        std::ranges::sort(values, std::greater<>{});
        return values;
    });
}

} // namespace detail

/// A model of `hardware::parameter_space` whose type knows its axes: size and points are constant
/// expressions. Make one with `family`.
template <hardware::platform P, hardware::technology T, class Axes, class Limits>
class described_family {
    template <class Name>
    static constexpr auto values = detail::sorted_values<Name>(Axes{});

public:
    using platform = P;
    using technology = T;

    constexpr described_family(std::string_view name, const Limits& limits,
                               const hardware::accelerator& reference)
        : name_(name), limits_(limits), reference_(reference) {}

    /// The grid, each axis from largest to smallest.
    static constexpr hardware::grid_axes axes{.num_tc = values<std::remove_const_t<decltype(num_tc)>>,
                                              .num_vc = values<std::remove_const_t<decltype(num_vc)>>,
                                              .width = values<std::remove_const_t<decltype(width)>>,
                                              .depth = values<std::remove_const_t<decltype(depth)>>,
                                              .glb_bytes = values<std::remove_const_t<decltype(glb_bytes)>>};

    [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return axes.size(); }
    [[nodiscard]] constexpr hardware::accelerator operator[](std::size_t position) const {
        return axes.at(position);
    }
    [[nodiscard]] constexpr bool keeps(const hardware::accelerator& chip) const {
        const auto area = hardware::area_of<T, P>(chip);
        if (!area) return false;
        const double area_um2 = area->total_um2();
        return boost::hana::unpack(limits_,
                                   [&](const auto&... limit) { return (limit(chip, area_um2) && ...); });
    }
    [[nodiscard]] constexpr hardware::accelerator reference() const noexcept { return reference_; }

private:
    std::string_view name_;
    Limits limits_;
    hardware::accelerator reference_;
};

/// Describes a family on the platform `P` in the technology `T`.
///
/// \param name       a literal, for people
/// \param described  what `axes` returns; a missing, doubled or empty axis does not compile
/// \param limited    what `limits` returns
/// \param reference  the design that others are compared with; it need not be in the grid
template <hardware::platform P, hardware::technology T, class Axes, class Limits>
[[nodiscard]] constexpr auto family(std::string_view name, [[maybe_unused]] const Axes& described,
                                    const Limits& limited, const hardware::accelerator& reference) {
    return described_family<P, T, Axes, Limits>(name, limited, reference);
}

} // namespace dovetail::ext::hana
