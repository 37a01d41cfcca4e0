#pragma once
/// \file
/// The designs of a family that a search may take: those within its limits on area, power and temperature.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/hardware/power.hpp>
#include <dovetail/hardware/thermal.hpp>
#include <dovetail/search/options.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::search {

/// The designs within the limits, in the order of the grid; without any, the limit that excludes all.
struct admitted {
    std::vector<hardware::kept_design> designs;
    std::string binding;
};

/// Those of `kept` that `options` admit. The power is the TDP of the die and its memory; the temperature is
/// that of the junction at the TDP of the die. \returns errc::unsupported for a limit on either where the
/// technology knows areas only, and as `hardware::validate` for a cooling that cannot be used.
/// \complexity O(designs).
template <hardware::parameter_space Space>
[[nodiscard]] result<admitted> admit(const Space& space, const std::vector<hardware::kept_design>& kept,
                                     const space_options& options) {
    using technology = typename Space::technology;
    constexpr double none = std::numeric_limits<double>::infinity();
    admitted answer;
    double least_mm2 = none;
    double least_w = none;
    double least_c = none;
    if (options.max_tdp_w == none && options.max_junction_c == none) {
        for (const hardware::kept_design& design : kept) {
            least_mm2 = std::min(least_mm2, design.area_um2 / um2_per_mm2);
            if (design.area_um2 <= options.max_area_mm2 * um2_per_mm2) answer.designs.push_back(design);
        }
    } else if constexpr (hardware::energy_technology<technology>) {
        if (auto valid = hardware::validate(options.cooling); !valid) return std::move(valid).problem();
        for (const hardware::kept_design& design : kept) {
            least_mm2 = std::min(least_mm2, design.area_um2 / um2_per_mm2);
            const auto tdp = hardware::tdp_of<technology, typename Space::platform>(design.chip);
            if (!tdp) continue; // of unknown power
            const double junction_c = hardware::junction_c(options.cooling, tdp->die_w(), design.area_um2);
            least_w = std::min(least_w, tdp->total_w());
            least_c = std::min(least_c, junction_c);
            if (design.area_um2 <= options.max_area_mm2 * um2_per_mm2 &&
                tdp->total_w() <= options.max_tdp_w && junction_c <= options.max_junction_c)
                answer.designs.push_back(design);
        }
    } else {
        return error{errc::unsupported, "family " + std::string(space.name()),
                     "its technology has no energies", "leave out the limits on power and temperature"};
    }
    if (!answer.designs.empty()) return answer;
    if (least_mm2 > options.max_area_mm2)
        answer.binding = "area: the limit is " + readable(options.max_area_mm2, 6) +
                         " mm^2, the smallest chip of the family takes " + readable(least_mm2, 6) + " mm^2";
    else if (least_w > options.max_tdp_w)
        answer.binding = "power: the limit is " + readable(options.max_tdp_w, 6) +
                         " W, the most frugal chip of the family has a TDP of " + readable(least_w, 6) + " W";
    else if (least_c > options.max_junction_c)
        answer.binding = "temperature: the limit is " + readable(options.max_junction_c, 6) +
                         " C, the coolest chip of the family reaches " + readable(least_c, 6) +
                         " C (cooling: " + std::string(options.cooling.name) + ")";
    else
        answer.binding = "area, power and temperature: no chip of the family stays within all these limits";
    return answer;
}

} // namespace dovetail::search
