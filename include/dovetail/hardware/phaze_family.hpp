#pragma once
/// \file
/// The family of PHAZE (Wang et al., ICML 2024), written by hand: nothing but the standard library.

#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/axes.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dovetail::hardware {

/// TPUv4-like: 8 tensor cores of 128 x 128, 2 vector cores of 128 lanes, 128 MiB.
inline constexpr accelerator tpuv4_like{
    .num_tc = 8, .num_vc = 2, .width = 128, .depth = 128, .width_vc = 128, .glb_bytes = 128 * mebibyte};

/// PHAZE's rule: no larger than a reference design, and at least 0.3 times as large unless it has a single
/// core of either type.
template <technology T, platform P, accelerator Reference>
struct phaze_rule {
    static constexpr double largest_um2 = area_of<T, P>(Reference)->total_um2();
    static constexpr double smallest_um2 = 0.3 * largest_um2;

    [[nodiscard]] static constexpr bool keeps(const accelerator& chip) {
        const auto area = area_of<T, P>(chip);
        if (!area || area->total_um2() > largest_um2) return false;
        return area->total_um2() >= smallest_um2 || chip.num_tc == 1 || chip.num_vc == 1;
    }
};

/// 75,712 designs, of which the rule keeps 29,360.
struct phaze_family {
    using platform = phaze_platform;
    using technology = phaze_technology;
    using rule = phaze_rule<technology, platform, tpuv4_like>;

    static constexpr auto cores = powers_of_two<1, 4096>();
    static constexpr auto extents = powers_of_two<2, 256>();
    static constexpr auto buffers = powers_of_two<2 * mebibyte, 128 * mebibyte>();
    static constexpr grid_axes axes{
        .num_tc = cores, .num_vc = cores, .width = extents, .depth = extents, .glb_bytes = buffers};

    [[nodiscard]] static constexpr std::string_view name() noexcept { return "phaze"; }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return axes.size(); }
    [[nodiscard]] constexpr accelerator operator[](std::size_t position) const { return axes.at(position); }
    [[nodiscard]] static constexpr bool keeps(const accelerator& chip) { return rule::keeps(chip); }
    [[nodiscard]] static constexpr accelerator reference() noexcept { return tpuv4_like; }
};

static_assert(parameter_space<phaze_family>);

} // namespace dovetail::hardware
