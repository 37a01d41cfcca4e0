#pragma once
/// \file
/// The published 22 nm technology of PHAZE: areas of MACs, registers and SRAMs.

#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace dovetail::hardware {

namespace detail {

/// Scales a 45 nm, 32-bit table entry to 22 nm (251/600) and 16 bit (1/2), and rounds it to the six decimals
/// with which the published tables carry it on.
[[nodiscard]] constexpr double published(double table_um2) {
    return static_cast<double>(static_cast<std::int64_t>(table_um2 * (251.0 / 1200.0) * 1e6 + 0.5)) / 1e6;
}

} // namespace detail

/// PHAZE's areas, reproduced exactly so that its 29,360 published configurations come out to the last digit.
///
/// \warning The MAC areas are known to be about 1.66 times too large. The published scale from 45 nm to 22 nm
/// is 251/600, a table interpolated the wrong way round where 0.2517 is right; it is kept here since it is
/// part of the published family, and no other technology should inherit it.
struct phaze_technology {
    /// Accelergy's table plug-in: `intmac`, 45 nm, 32 bit, two stages, 3632 um^2.
    static constexpr double mac_um2 = detail::published(3632.0);

    /// Accelergy's table plug-in: `regfile`, 45 nm, 32 bit, 0.104 um^2 a word; a scaled word has two bytes.
    [[nodiscard]] static constexpr double registers_um2(std::int64_t bytes) noexcept {
        const std::int64_t words = bytes / 2;
        return detail::published(0.104 * static_cast<double>(words));
    }

    /// CACTI 7 at 22 nm: 64-bit words, two read-write ports, four banks, least leakage. Powers of two from
    /// 1 KiB to 128 MiB; nothing for any other size.
    [[nodiscard]] static constexpr std::optional<double> sram_um2(std::int64_t bytes) noexcept {
        constexpr std::array table{6133.98,   8248.43,    12610.5,    22139.9,    38583.0,    63338.4,
                                   115579.0,  204764.0,   446565.0,   897890.0,   1634130.0,  3338220.0,
                                   6078640.0, 11952400.0, 23745200.0, 46750900.0, 88605700.0, 175423000.0};
        if (bytes < kibibyte || !std::has_single_bit(static_cast<std::uint64_t>(bytes))) return std::nullopt;
        const auto entry =
            static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(bytes / kibibyte)));
        if (entry >= table.size()) return std::nullopt;
        return table[entry];
    }
};

static_assert(technology<phaze_technology>);

} // namespace dovetail::hardware
