#pragma once
/// \file
/// Axes of a grid of designs, and the map from a position in the grid to a design.

#include <dovetail/core/array_view.hpp>
#include <dovetail/hardware/accelerator.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace dovetail::hardware {

/// The powers of two from `Largest` down to `Smallest`, both included.
template <std::int64_t Smallest, std::int64_t Largest>
    requires(Smallest > 0 && Smallest <= Largest)
[[nodiscard]] consteval auto powers_of_two() {
    constexpr std::size_t count = [] {
        std::size_t n = 0;
        for (std::int64_t value = Smallest; value <= Largest; value *= 2) ++n;
        return n;
    }();
    std::array<std::int64_t, count> values{};
    std::int64_t value = Smallest;
    for (std::size_t i = count; i-- > 0; value *= 2) values[i] = value;
    return values;
}

/// The axes of a grid in the published order: the first varies slowest. A vector core is as wide as a tensor
/// core, as in PHAZE, so its width is no axis.
struct grid_axes {
    array_view<const std::int64_t> num_tc;
    array_view<const std::int64_t> num_vc;
    array_view<const std::int64_t> width;
    array_view<const std::int64_t> depth;
    array_view<const std::int64_t> glb_bytes;

    /// Designs of the grid.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return num_tc.size() * num_vc.size() * width.size() * depth.size() * glb_bytes.size();
    }

    /// The design at `position` < `size()`. \complexity O(axes).
    [[nodiscard]] constexpr accelerator at(std::size_t position) const {
        const auto next = [&](array_view<const std::int64_t> values) {
            const std::int64_t value = values[position % values.size()];
            position /= values.size();
            return value;
        };
        accelerator chip;
        chip.glb_bytes = next(glb_bytes);
        chip.depth = next(depth);
        chip.width = next(width);
        chip.width_vc = chip.width;
        chip.num_vc = next(num_vc);
        chip.num_tc = next(num_tc);
        return chip;
    }
};

} // namespace dovetail::hardware
