#pragma once
/// \file
/// A family whose axes and limits are known at run time only.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/axes.hpp>
#include <dovetail/hardware/parameter_space.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::hardware {

/// The values of every axis, in any order, and the limits of the area.
struct axis_values {
    std::vector<std::int64_t> num_tc;
    std::vector<std::int64_t> num_vc;
    std::vector<std::int64_t> width;
    std::vector<std::int64_t> depth;
    std::vector<std::int64_t> glb_bytes;
    double smallest_um2 = 0;
    double largest_um2 = std::numeric_limits<double>::infinity();
};

/// The grid over `axis_values`, each axis from largest to smallest, on platform `P` in technology `T`.
template <hardware::platform P, hardware::technology T>
class runtime_space {
public:
    using platform = P;
    using technology = T;

    /// \returns errc::empty_space for an axis without a value, errc::out_of_range for a value below 1 or
    /// given twice.
    [[nodiscard]] static result<runtime_space> make(std::string name, axis_values values,
                                                    const accelerator& reference) {
        runtime_space space(std::move(name), std::move(values), reference);
        const std::array<std::pair<const char*, std::vector<std::int64_t>*>, 5> axes{
            {{"num_tc", &space.values_.num_tc},
             {"num_vc", &space.values_.num_vc},
             {"width", &space.values_.width},
             {"depth", &space.values_.depth},
             {"glb_bytes", &space.values_.glb_bytes}}};
        for (const auto& [axis, list] : axes) {
            const std::string place = "family " + space.name_ + ": axis " + axis;
            if (list->empty()) return error{errc::empty_space, place, "it has no value", "give at least one"};
            std::sort(list->begin(), list->end(), std::greater<>{});
            if (list->back() < 1)
                return error{errc::out_of_range, place, "it has the value " + to_text(list->back()),
                             "values are at least 1"};
            if (const auto twice = std::adjacent_find(list->begin(), list->end()); twice != list->end())
                return error{errc::out_of_range, place, "it has the value " + to_text(*twice) + " twice",
                             "give every value once"};
        }
        if (!(space.values_.smallest_um2 <= space.values_.largest_um2))
            return error{errc::out_of_range, "family " + space.name_,
                         "its area limits are " + to_text(space.values_.smallest_um2) + " and " +
                             to_text(space.values_.largest_um2) + " um^2",
                         "the first is at most the second"};
        return space;
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::size_t size() const noexcept { return axes().size(); }
    [[nodiscard]] accelerator operator[](std::size_t position) const { return axes().at(position); }
    [[nodiscard]] bool keeps(const accelerator& chip) const {
        const auto area = area_of<T, P>(chip);
        return area && area->total_um2() >= values_.smallest_um2 && area->total_um2() <= values_.largest_um2;
    }
    [[nodiscard]] accelerator reference() const noexcept { return reference_; }

private:
    runtime_space(std::string name, axis_values values, const accelerator& reference)
        : name_(std::move(name)), values_(std::move(values)), reference_(reference) {}

    [[nodiscard]] grid_axes axes() const noexcept {
        return {values_.num_tc, values_.num_vc, values_.width, values_.depth, values_.glb_bytes};
    }

    std::string name_;
    axis_values values_;
    accelerator reference_;
};

} // namespace dovetail::hardware
