#pragma once
/// \file
/// The family of PHAZE described with Hana: the example of a large family, equal to the hand-written one.

#include <dovetail/core/units.hpp>
#include <dovetail/ext/hana/family.hpp>
#include <dovetail/hardware/phaze_family.hpp>

namespace dovetail::ext::hana {

/// 75,712 designs, of which 29,360 are kept: `hardware::phaze_family`, point by point.
inline constexpr auto phaze = family<hardware::phaze_platform, hardware::phaze_technology>(
    "phaze",
    axes(num_tc(powers_of_two<1, 4096>), num_vc(powers_of_two<1, 4096>), width(powers_of_two<2, 256>),
         depth(powers_of_two<2, 256>), glb_bytes(powers_of_two<2 * mebibyte, 128 * mebibyte>)),
    limits([](const hardware::accelerator& chip, double area_um2) {
        using rule = hardware::phaze_family::rule;
        return area_um2 <= rule::largest_um2 &&
               (area_um2 >= rule::smallest_um2 || chip.num_tc == 1 || chip.num_vc == 1);
    }),
    hardware::tpuv4_like);

static_assert(phaze.size() == 75'712);

} // namespace dovetail::ext::hana
