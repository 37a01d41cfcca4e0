#pragma once
/// \file
/// An answer to the problem of the largest load: what every device holds, and why there is nothing better.

#include <dovetail/core/status.hpp>
#include <dovetail/graph/digraph.hpp>

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace dovetail::placement {

/// The two kinds of devices.
enum class device_kind : std::uint8_t { accelerator, cpu };

/// The name of a kind, as printed.
[[nodiscard]] constexpr std::string_view to_string(device_kind k) noexcept {
    return k == device_kind::cpu ? "cpu" : "accelerator";
}

/// One device that is not idle.
struct device_use {
    device_kind kind = device_kind::accelerator;
    std::vector<graph::index> nodes{}; ///< ascending
    double load_s = 0.0;               ///< for one sample
};

/// What a search spent.
struct max_load_effort {
    std::int64_t searches = 0; ///< loads for which it was asked whether a plan stays below
    std::int64_t sets = 0;     ///< sets of nodes looked at for a device
    std::int64_t downsets = 0; ///< kept, in the largest of the searches
};

/// Devices in the order of the pipeline: no forward edge leads from a device to an earlier one.
struct device_plan {
    status outcome = status::infeasible;
    double max_load_s = std::numeric_limits<double>::infinity();
    double lower_bound_s = 0.0; ///< proved; the largest load itself where the plan is optimal
    std::vector<device_use> devices{};
    max_load_effort effort{};
};

} // namespace dovetail::placement
