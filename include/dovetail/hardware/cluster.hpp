#pragma once
/// \file
/// Many equal devices and the links between them.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>

#include <cmath>
#include <cstdint>

namespace dovetail::hardware {

/// A cluster without topology: every device sends at `link_bytes_per_s` to any other.
struct cluster {
    std::int64_t devices = 1024;
    double hbm_bytes = 80.0 * static_cast<double>(gibibyte);
    double link_bytes_per_s = 4.0 * static_cast<double>(gibibyte); ///< PHAZE: PCIe 3.0
};

/// \returns errc::out_of_range for no device, or a memory or bandwidth that is not positive and finite.
[[nodiscard]] inline result<void> validate(const cluster& c) {
    if (c.devices < 1)
        return error{errc::out_of_range, "cluster", "it has " + to_text(c.devices) + " devices",
                     "give at least 1"};
    const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
    if (!positive(c.hbm_bytes))
        return error{errc::out_of_range, "cluster",
                     "a device has " + to_text(c.hbm_bytes) + " bytes of memory",
                     "the memory is positive and finite"};
    if (!positive(c.link_bytes_per_s))
        return error{errc::out_of_range, "cluster",
                     "a link sends " + to_text(c.link_bytes_per_s) + " bytes/s",
                     "the bandwidth is positive and finite"};
    return {};
}

} // namespace dovetail::hardware
