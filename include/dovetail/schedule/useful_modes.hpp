#pragma once
/// \file
/// The modes of a task that some shortest schedule may need.

#include <dovetail/core/array_view.hpp>
#include <dovetail/schedule/mode_table.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule {

/// What a mode holds: one of no duration nothing.
[[nodiscard]] constexpr demand held_by(const mode& m) noexcept {
    return m.duration_s > 0.0 ? m.use : demand{};
}

/// Positions of the modes that stay within the capacities and that no other such mode replaces by being
/// neither longer nor larger; of equal ones the first. A mode of no duration holds nothing, so where there is
/// one it stands alone. \complexity O(modes^2).
[[nodiscard]] constexpr std::vector<std::uint32_t> useful_modes(array_view<const mode> modes,
                                                                const demand& capacity) {
    const auto replaces = [&](const mode& a, const mode& b) {
        return fits(a.use, capacity) && a.duration_s <= b.duration_s && fits(held_by(a), held_by(b));
    };
    std::vector<std::uint32_t> useful;
    for (std::uint32_t k = 0; k < modes.size(); ++k) {
        bool needed = fits(modes[k].use, capacity);
        for (std::uint32_t other = 0; other < modes.size() && needed; ++other)
            if (other != k && replaces(modes[other], modes[k]))
                needed = other > k && replaces(modes[k], modes[other]);
        if (needed) useful.push_back(k);
    }
    return useful;
}

} // namespace dovetail::schedule
