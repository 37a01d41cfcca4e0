#pragma once
/// \file
/// The concept of a family of designs, and what every family offers.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/platform.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::hardware {

/// A family of designs: a numbered grid, a rule that keeps some of it, and the constants that all share.
///
/// A hand-written struct serves as well as a family described with ext/hana or one whose axes are known at
/// run time only.
template <class Space>
concept parameter_space = platform<typename Space::platform> && technology<typename Space::technology> &&
    requires(const Space& space, std::size_t position, const accelerator& chip) {
    { space.name() } -> std::convertible_to<std::string_view>;
    { space.size() } -> std::convertible_to<std::size_t>;      // of the grid
    { space[position] } -> std::convertible_to<accelerator>;   // position < size()
    { space.keeps(chip) } -> std::same_as<bool>;               // whether the rule keeps a design
    { space.reference() } -> std::convertible_to<accelerator>; // what others are compared with
};

/// The area of a design of `Space` [um^2], or nothing where its technology lacks a part.
template <parameter_space Space>
[[nodiscard]] constexpr std::optional<double> area_um2(const Space&, const accelerator& chip) {
    const auto parts = area_of<typename Space::technology, typename Space::platform>(chip);
    if (!parts) return std::nullopt;
    return parts->total_um2();
}

/// A design that a family keeps.
struct kept_design {
    std::size_t position = 0; ///< in the grid
    accelerator chip;
    double area_um2 = 0;
};

/// The designs that `space` keeps and that are no larger than `largest_um2`, in the order of the grid.
/// \returns errc::empty_space when there is none, naming what excludes them.
/// \complexity O(size).
template <parameter_space Space>
[[nodiscard]] result<std::vector<kept_design>>
kept_designs(const Space& space, double largest_um2 = std::numeric_limits<double>::infinity()) {
    std::vector<kept_design> kept;
    std::size_t kept_at_any_size = 0;
    double smallest_um2 = std::numeric_limits<double>::infinity();
    for (std::size_t position = 0; position < space.size(); ++position) {
        const accelerator chip = space[position];
        if (!space.keeps(chip)) continue;
        const auto area = area_um2(space, chip);
        if (!area) continue;
        ++kept_at_any_size;
        smallest_um2 = *area < smallest_um2 ? *area : smallest_um2;
        if (*area <= largest_um2) kept.push_back({position, chip, *area});
    }
    if (!kept.empty()) return kept;
    const std::string place = "family " + std::string(space.name());
    if (space.size() == 0)
        return error{errc::empty_space, place, "an axis has no value", "every axis has at least one"};
    if (kept_at_any_size == 0)
        return error{errc::empty_space, place,
                     "its rule keeps none of its " + readable(space.size()) + " designs",
                     "widen its axes or its limits"};
    return error{errc::empty_space, place,
                 "no design is within the area limit of " + readable(largest_um2 / um2_per_mm2, 6) + " mm^2",
                 "the smallest takes " + readable(smallest_um2 / um2_per_mm2, 6) + " mm^2"};
}

} // namespace dovetail::hardware
