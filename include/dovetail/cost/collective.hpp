#pragma once
/// \file
/// Collectives over links of equal bandwidth.

#include <dovetail/core/assert.hpp>

#include <cstdint>

namespace dovetail::cost {

/// Seconds of a ring all-reduce of `bytes` among `devices`, each sending `link_bytes_per_s`: every device
/// sends 2 (n - 1) / n of the data (Patarasuk and Yuan, JPDC 69, 2009). Nothing for a single device.
[[nodiscard]] constexpr double ring_all_reduce_s(double bytes, std::int64_t devices,
                                                 double link_bytes_per_s) {
    DOVETAIL_ASSERT(devices >= 1 && bytes >= 0 && link_bytes_per_s > 0,
                    "a ring has a device and a bandwidth");
    const auto n = static_cast<double>(devices);
    return 2.0 * (n - 1.0) / n * bytes / link_bytes_per_s;
}

/// Seconds to send `bytes` from one device to another.
[[nodiscard]] constexpr double point_to_point_s(double bytes, double link_bytes_per_s) {
    DOVETAIL_ASSERT(bytes >= 0 && link_bytes_per_s > 0, "a link has a bandwidth");
    return bytes / link_bytes_per_s;
}

} // namespace dovetail::cost
