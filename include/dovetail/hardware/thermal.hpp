#pragma once
/// \file
/// How hot a die gets: a steady-state bound from power, area and cooling, and the power that a limit leaves.

#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::hardware {

/// A way to cool a die. The junction is `inlet_c` + power * (`sink_k_per_w` + `stack_k_mm2_per_w` / area).
struct cooling {
    std::string_view name;
    double inlet_c = 0;           ///< of the air or water that arrives
    double sink_k_per_w = 0;      ///< from the sink to what arrives, whatever the area of the die
    double stack_k_mm2_per_w = 0; ///< between junction and sink, of a square millimetre
    std::string_view source;
};

/// A large heat sink with a fan, and what lies under it: 0.15 mm of silicon at 130 W/(m K), 20 um of
/// interface material at 4 W/(m K). The spreader is left out, as if it were perfect.
inline constexpr cooling air_cooling{
    .name = "air",
    .inlet_c = 45,
    .sink_k_per_w = 0.1,
    .stack_k_mm2_per_w = 1e6 * (150e-6 / 130 + 20e-6 / 4),
    .source = "HotSpot's example configuration (Huang et al., IEEE TVLSI 14, 2006)"};

/// Water through channels etched into the back of the die: 790 W on a square centimetre heated it by 71 K
/// above the inlet. Of these, 600 ml/min of water account for 19 K, whatever the area. What liquid can do at
/// best, not what cold plates do.
inline constexpr cooling liquid_cooling{
    .name = "liquid",
    .inlet_c = 32,
    .sink_k_per_w = 1 / (10 * 4.18),
    .stack_k_mm2_per_w = 100 * (71.0 / 790 - 1 / (10 * 4.18)),
    .source =
        "Tuckerman and Pease, IEEE Electron Device Letters 2, 1981; inlet: ASHRAE TC 9.9, 2011, class W3"};

/// All of them.
inline constexpr std::array known_coolings{air_cooling, liquid_cooling};

/// \returns errc::unknown_name, listing the names that are known.
[[nodiscard]] inline result<cooling> find_cooling(std::string_view name) {
    std::vector<std::string_view> names;
    for (const cooling& known : known_coolings) {
        if (known.name == name) return known;
        names.push_back(known.name);
    }
    return unknown_name("cooling", name, "it is not known", names);
}

/// Whether `c` can be used. \returns errc::out_of_range for a resistance that is not positive and finite, or
/// an inlet that is not finite or below absolute zero.
[[nodiscard]] inline result<void> validate(const cooling& c) {
    const std::string place = "cooling '" + std::string(c.name) + "'";
    if (!std::isfinite(c.inlet_c) || c.inlet_c < -273.15)
        return error{errc::out_of_range, place, "its inlet has " + to_text(c.inlet_c) + " C",
                     "give a temperature"};
    if (!is_positive(c.sink_k_per_w))
        return error{errc::out_of_range, place, "its sink has " + to_text(c.sink_k_per_w) + " K/W",
                     "a resistance is positive and finite"};
    if (!is_positive(c.stack_k_mm2_per_w))
        return error{errc::out_of_range, place, "its stack has " + to_text(c.stack_k_mm2_per_w) + " K mm^2/W",
                     "a resistance is positive and finite"};
    return {};
}

/// From the junction of a die of `area_um2` to what arrives [K/W].
[[nodiscard]] constexpr double thermal_resistance_k_per_w(const cooling& c, double area_um2) noexcept {
    return c.sink_k_per_w + c.stack_k_mm2_per_w * um2_per_mm2 / area_um2;
}

/// The junction temperature of a die in the steady state [C], with its power spread evenly and none of it
/// leaving through the board: a lower bound, since a hot spot is hotter. T = inlet + P (R_sink + r / A). The
/// cooling must be valid, the area positive.
[[nodiscard]] constexpr double junction_c(const cooling& c, double die_w, double area_um2) noexcept {
    return c.inlet_c + die_w * thermal_resistance_k_per_w(c, area_um2);
}

/// The largest power of a die whose junction stays at `largest_junction_c` [W]: the inverse of `junction_c`;
/// negative where the inlet alone is hotter.
[[nodiscard]] constexpr double largest_power_w(const cooling& c, double largest_junction_c,
                                               double area_um2) noexcept {
    return (largest_junction_c - c.inlet_c) / thermal_resistance_k_per_w(c, area_um2);
}

} // namespace dovetail::hardware
