#pragma once
/// \file
/// A loop over a small family, unrolled: every design is a type with its axes as constants.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/parameter_space.hpp>

#include <boost/hana/for_each.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/range.hpp>

#include <array>
#include <cstddef>

namespace dovetail::ext::hana {

/// The number of designs that the constant `Family` keeps.
template <const auto& Family>
inline constexpr std::size_t kept_count = [] {
    std::size_t kept = 0;
    for (std::size_t position = 0; position < Family.size(); ++position)
        if (Family.keeps(Family[position])) ++kept;
    return kept;
}();

/// The designs that the constant `Family` keeps, in the order of its grid.
template <const auto& Family>
inline constexpr std::array<hardware::accelerator, kept_count<Family>> kept_points = [] {
    std::array<hardware::accelerator, kept_count<Family>> points{};
    std::size_t kept = 0;
    for (std::size_t position = 0; position < Family.size(); ++position) {
        const hardware::accelerator point = Family[position];
        if (Family.keeps(point)) points[kept++] = point;
    }
    return points;
}();

/// The design at `Index` in `kept_points<Family>`, with its axes as constants of the type.
template <const auto& Family, std::size_t Index>
struct kept_design {
    static constexpr hardware::accelerator point = kept_points<Family>[Index];
    using type = hardware::fixed_accelerator<point.num_tc, point.num_vc, point.width, point.depth,
                                             point.width_vc, point.glb_bytes>;
};

/// Calls `visit(chip)` for every design that `Family` keeps, in the order of its grid; `chip` is a
/// `hardware::fixed_accelerator`, so that what `visit` computes from it is specialised on that design.
///
/// \tparam Family  a constant with static storage that models `hardware::parameter_space`. Every kept design
///                 instantiates `visit` once more: up to some hundreds are reasonable.
template <const auto& Family, class Visitor>
constexpr void for_each_design(Visitor&& visit) {
    namespace bh = boost::hana;
    bh::for_each(bh::make_range(bh::size_c<0>, bh::size_c<kept_count<Family>>), [&visit](auto index) {
        visit(typename kept_design<Family, decltype(index)::value>::type{});
    });
}

} // namespace dovetail::ext::hana
