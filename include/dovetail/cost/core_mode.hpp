#pragma once
/// \file
/// How many cores of its type an operator runs on.

#include <cstdint>

namespace dovetail::cost {

/// An operator runs on one core, or is split over all cores of its types.
enum class core_mode : std::uint8_t { one_core, all_cores };

} // namespace dovetail::cost
