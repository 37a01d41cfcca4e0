#pragma once
/// \file
/// A 7 nm technology of published figures: TSMC's SRAM, TPUv4i's arrays, Google's table of energies.

#include <dovetail/core/units.hpp>
#include <dovetail/hardware/energy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace dovetail::hardware {

/// Areas and energies of the 7 nm class, with bfloat16 products that are summed in float32.
///
/// Energies are those of table 2 of Jouppi et al., ISCA 2021 ("Ten lessons from three generations shaped
/// Google's TPUv4i"), unless another source is named. docs/models/power.md lists every constant.
struct n7_technology {
    /// TPUv4i's four arrays of 128 x 128 take 11 % of a die of at most 400 mm^2 (Jouppi et al., ISCA 2021),
    /// wires and control included: an upper bound.
    static constexpr double mac_um2 = 0.11 * 400e6 / (4 * 128 * 128);

    /// Latches: the smallest of the ASAP7 library, 0.81 um x 0.27 um a bit (Clark et al., Microelectronics
    /// Journal 53, 2016; cell DHLx1, as distributed with OpenROAD).
    [[nodiscard]] static constexpr double registers_um2(std::int64_t bytes) noexcept {
        return static_cast<double>(bytes) * 8 * 0.81 * 0.27;
    }

    /// 29.2 Mb/mm^2 in a single-port macro of 256 kb (Yokoyama et al., VLSI Circuits 2020, on the bit cell of
    /// 0.027 um^2). Larger buffers are banks of it. Of any size; nothing for none.
    [[nodiscard]] static constexpr std::optional<double> sram_um2(std::int64_t bytes) noexcept {
        if (bytes <= 0) return std::nullopt;
        return static_cast<double>(bytes) * 8 / 29.2;
    }

    /// A bfloat16 product, 0.21 pJ, and a float32 sum, 0.38 pJ.
    static constexpr double mac_j = (0.21 + 0.38) * 1e-12;

    /// Derived: those of `phaze_technology` before their scaling from 45 nm, a multiply-accumulate of 1.6 pJ
    /// having become 0.93807 pJ, times what became of a float32 product and sum from 45 to 7 nm: 4.6 to 1.69
    /// pJ in table 2. For the register files of a MAC and of a lane; nothing for others.
    [[nodiscard]] static constexpr std::optional<double> register_read_j(std::int64_t bytes) noexcept {
        return of_register_file(bytes, 0.222334e-12, 0.103455e-12);
    }

    /// As `register_read_j`.
    [[nodiscard]] static constexpr std::optional<double> register_write_j(std::int64_t bytes) noexcept {
        return of_register_file(bytes, 0.296446e-12, 0.137940e-12);
    }

    /// For 64 bits 7.5 pJ from 8 KiB, 8.5 pJ from 32 KiB, 14 pJ from 1 MiB; between these along the square
    /// root of the size, as the wires of an array grow. A smaller buffer costs what 8 KiB do; a larger one is
    /// banks of 1 MiB, and the wires between them are not counted. Nothing for no buffer.
    [[nodiscard]] static constexpr std::optional<double> sram_j_per_byte(std::int64_t bytes) noexcept {
        if (bytes <= 0) return std::nullopt;
        struct point {
            std::int64_t bytes;
            double pj;
        };
        constexpr std::array points{point{8 * kibibyte, 7.5}, point{32 * kibibyte, 8.5},
                                    point{mebibyte, 14.0}};
        double pj = points.front().pj;
        for (std::size_t i = 1; i < points.size() && bytes > points[i - 1].bytes; ++i) {
            const double from = root(points[i - 1].bytes);
            const double share = (root(bytes) - from) / (root(points[i].bytes) - from);
            pj = bytes >= points[i].bytes ? points[i].pj
                                          : points[i - 1].pj + share * (points[i].pj - points[i - 1].pj);
        }
        return pj * 1e-12 / 8;
    }

    /// HBM2: 3.92 pJ a bit (O'Connor et al., MICRO 2017); table 2 gives 250 to 450 pJ for 64 bits, 3.9 to 7.0
    /// a bit.
    static constexpr double hbm_j_per_byte = 3.92e-12 * 8;

    /// TPUv4 draws 90 W when idle, HBM included, on a die of at most 600 mm^2 (Jouppi et al., ISCA 2023,
    /// table 4): what a die of this class draws while nothing runs, its clocks and its memories' standby
    /// included.
    static constexpr double static_w_per_um2 = 90.0 / 600e6;

private:
    [[nodiscard]] static constexpr std::optional<double> of_register_file(std::int64_t bytes, double of_a_mac,
                                                                          double of_a_lane) noexcept {
        constexpr double scale = 1.6 / 0.93807 * (0.38 + 1.31) / (0.9 + 3.7);
        if (bytes == 32) return of_a_mac * scale;
        if (bytes == 12) return of_a_lane * scale;
        return std::nullopt;
    }

    /// A square root that constant expressions can take, by Newton's method from above.
    [[nodiscard]] static constexpr double root(std::int64_t value) noexcept {
        const auto square = static_cast<double>(value);
        double estimate = square;
        for (double next = 0.5 * (estimate + 1); next < estimate; next = 0.5 * (estimate + square / estimate))
            estimate = next;
        return estimate;
    }
};

static_assert(energy_technology<n7_technology>);

} // namespace dovetail::hardware
