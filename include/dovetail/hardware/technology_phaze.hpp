#pragma once
/// \file
/// The published 22 nm technology of PHAZE: areas of MACs, registers and SRAMs, and the energies that the
/// same tools give.

#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>
#include <dovetail/hardware/energy.hpp>

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
///
/// Energies are derived, not published: PHAZE reads them from Accelergy at run time and ships no table. They
/// were computed with the same tools and inputs, which give the published areas to the last digit.
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
        constexpr std::array<double, sizes> table{6133.98,    8248.43,    12610.5,    22139.9,    38583.0,
                                                  63338.4,    115579.0,   204764.0,   446565.0,   897890.0,
                                                  1634130.0,  3338220.0,  6078640.0,  11952400.0, 23745200.0,
                                                  46750900.0, 88605700.0, 175423000.0};
        return entry(table, bytes);
    }

    /// Accelergy's table plug-in, `intmac`: 3.2 pJ at 45 nm, 32 bit, scaled to 16 bit and 22 nm.
    static constexpr double mac_j = 0.93807e-12;

    /// Accelergy's table plug-in, `regfile`, of 16 words (a MAC) and of 6 words (a lane). Nothing for others.
    [[nodiscard]] static constexpr std::optional<double> register_read_j(std::int64_t bytes) noexcept {
        return of_register_file(bytes, 0.222334e-12, 0.103455e-12);
    }

    /// As `register_read_j`.
    [[nodiscard]] static constexpr std::optional<double> register_write_j(std::int64_t bytes) noexcept {
        return of_register_file(bytes, 0.296446e-12, 0.137940e-12);
    }

    /// CACTI 7 with the inputs of `sram_um2`: the mean of a read and a write of 64 bits. It grows with the
    /// wires across the whole buffer. The same sizes as there.
    [[nodiscard]] static constexpr std::optional<double> sram_j_per_byte(std::int64_t bytes) noexcept {
        constexpr std::array<double, sizes> pj_per_64_bits{
            1.878725, 2.192315, 2.83442, 3.90409, 5.780255, 7.195705, 11.14545, 14.6197, 23.9931,
            32.64765, 47.3003,  65.9088, 96.6937, 143.991,  206.5555, 301.233,  423.314, 614.4245};
        const auto pj = entry(pj_per_64_bits, bytes);
        if (!pj) return std::nullopt;
        return *pj * 1e-12 / 8;
    }

    /// Accelergy's `DRAM`: 512 pJ for 64 bits.
    static constexpr double hbm_j_per_byte = 64e-12;

    /// CACTI 7 with the inputs of `sram_um2`, low-standby-power devices at 300 K: the largest leakage per
    /// area of the 18 sizes (4 KiB). Logic is taken to leak as much as memory.
    static constexpr double static_w_per_um2 = 1.2944e-10;

private:
    static constexpr std::size_t sizes = 18; // powers of two from 1 KiB to 128 MiB

    [[nodiscard]] static constexpr std::optional<double> entry(const std::array<double, sizes>& table,
                                                               std::int64_t bytes) noexcept {
        if (bytes < kibibyte || !std::has_single_bit(static_cast<std::uint64_t>(bytes))) return std::nullopt;
        const auto position =
            static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(bytes / kibibyte)));
        if (position >= sizes) return std::nullopt;
        return table[position];
    }

    [[nodiscard]] static constexpr std::optional<double> of_register_file(std::int64_t bytes, double of_a_mac,
                                                                          double of_a_lane) noexcept {
        if (bytes == 32) return of_a_mac;
        if (bytes == 12) return of_a_lane;
        return std::nullopt;
    }
};

static_assert(energy_technology<phaze_technology>);

} // namespace dovetail::hardware
