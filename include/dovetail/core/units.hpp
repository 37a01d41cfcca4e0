#pragma once
/// \file
/// Binary and decimal multiples. Units themselves live in names: `latency_s`, `size_bytes`, `area_um2`.

#include <cstdint>

namespace dovetail {

inline constexpr std::int64_t kibibyte = std::int64_t{1} << 10;
inline constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
inline constexpr std::int64_t gibibyte = std::int64_t{1} << 30;
inline constexpr double giga = 1e9;

/// Square micrometres in a square millimetre.
inline constexpr double um2_per_mm2 = 1e6;

} // namespace dovetail
