#pragma once
/// \file
/// A placement on accelerators and CPUs.

#include <dovetail/core/status.hpp>
#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail::placement {

/// The two kinds of devices.
enum class device_kind : std::uint8_t { accelerator, cpu };

/// The word for a kind in plans and messages.
[[nodiscard]] constexpr std::string_view to_string(device_kind kind) noexcept {
    return kind == device_kind::cpu ? "cpu" : "accelerator";
}

/// What one device holds.
struct device_share {
    device_kind kind = device_kind::accelerator;
    std::vector<graph::index> nodes{}; ///< ascending, one at least
    double load_s = 0.0;
    double memory_bytes = 0.0; ///< of its nodes; limited on accelerators

    friend bool operator==(const device_share&, const device_share&) = default;
};

/// Devices in the order of the pipeline, without those that hold nothing.
struct device_plan {
    status outcome = status::infeasible;
    std::vector<device_share> devices{}; ///< empty: no plan is known
    double max_load_s = 0.0;
    double lower_bound_s = 0.0; ///< no plan has a smaller largest load

    friend bool operator==(const device_plan&, const device_plan&) = default;

    /// The first device with the largest load of a plan that has one.
    [[nodiscard]] std::size_t busiest_device() const {
        const auto busiest = std::max_element(
            devices.begin(), devices.end(),
            [](const device_share& a, const device_share& b) { return a.load_s < b.load_s; });
        return static_cast<std::size_t>(busiest - devices.begin());
    }
};

} // namespace dovetail::placement
