#pragma once
/// \file
/// PHAZE's grid of designs in the 7 nm technology.

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_n7.hpp>

#include <string_view>

namespace dovetail::hardware {

/// The designs of `phaze_family`, with PHAZE's rule on the areas of `n7_technology`: no larger than the
/// TPUv4-like design there. It keeps others than `phaze_family`, since memory shrank more than logic did.
struct n7_family : phaze_family {
    using technology = n7_technology;
    using rule = phaze_rule<technology, platform, tpuv4_like>;

    [[nodiscard]] static constexpr std::string_view name() noexcept { return "n7"; }
    [[nodiscard]] static constexpr bool keeps(const accelerator& chip) { return rule::keeps(chip); }
};

static_assert(parameter_space<n7_family>);

} // namespace dovetail::hardware
