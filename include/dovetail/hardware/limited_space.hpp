#pragma once
/// \file
/// A family under limits on power, area and temperature.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/power.hpp>
#include <dovetail/hardware/thermal.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::hardware {

/// What a chip must stay within. Infinity is no limit.
struct chip_limits {
    double largest_tdp_w = std::numeric_limits<double>::infinity(); ///< of the die and its memory
    double largest_area_um2 = std::numeric_limits<double>::infinity();
    double largest_junction_c = std::numeric_limits<double>::infinity(); ///< at the TDP of the die
    hardware::cooling cooling = air_cooling;
};

/// Whether the limits can be used. \returns errc::out_of_range for a limit that is not positive, NaN
/// included, and for a cooling that is not valid.
[[nodiscard]] inline result<void> validate(const chip_limits& limits) {
    const auto bad = [](const char* what, double value, const char* unit) {
        return error{errc::out_of_range, std::string("limit on ") + what, "it is " + to_text(value) + unit,
                     "a limit is positive"};
    };
    if (!(limits.largest_tdp_w > 0)) return bad("power", limits.largest_tdp_w, " W");
    if (!(limits.largest_area_um2 > 0)) return bad("area", limits.largest_area_um2, " um^2");
    if (!(limits.largest_junction_c > 0)) return bad("temperature", limits.largest_junction_c, " C");
    return validate(limits.cooling);
}

/// Whether `chip` stays within `limits`; never where the technology lacks an area or an energy of it.
/// \complexity O(1).
template <energy_technology T, platform P, accelerator_like Chip>
[[nodiscard]] constexpr bool within(const chip_limits& limits, const Chip& chip) noexcept {
    const auto area = area_of<T, P>(chip);
    const auto tdp = tdp_of<T, P>(chip);
    if (!area || !tdp) return false;
    return tdp->total_w() <= limits.largest_tdp_w && area->total_um2() <= limits.largest_area_um2 &&
           junction_c(limits.cooling, tdp->die_w(), area->total_um2()) <= limits.largest_junction_c;
}

/// The designs of `Space` that stay within limits, on the same grid. A parameter space as well.
template <parameter_space Space>
    requires energy_technology<typename Space::technology>
class limited_space {
public:
    using platform = typename Space::platform;
    using technology = typename Space::technology;

    /// \returns as `validate`.
    [[nodiscard]] static result<limited_space> make(Space space, const chip_limits& limits) {
        if (auto valid = validate(limits); !valid) return std::move(valid).problem();
        return limited_space(std::move(space), limits);
    }

    [[nodiscard]] constexpr std::string_view name() const noexcept { return space_.name(); }
    [[nodiscard]] constexpr std::size_t size() const { return space_.size(); }
    [[nodiscard]] constexpr accelerator operator[](std::size_t position) const { return space_[position]; }
    [[nodiscard]] constexpr bool keeps(const accelerator& chip) const {
        return space_.keeps(chip) && within<technology, platform>(limits_, chip);
    }
    [[nodiscard]] constexpr accelerator reference() const { return space_.reference(); }

private:
    constexpr limited_space(Space space, const chip_limits& limits)
        : space_(std::move(space)), limits_(limits) {}

    Space space_;
    chip_limits limits_;
};

} // namespace dovetail::hardware
