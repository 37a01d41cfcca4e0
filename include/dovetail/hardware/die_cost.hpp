#pragma once
/// \file
/// What a device costs: good dies of a wafer, and memory.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/area.hpp>

#include <cmath>
#include <numbers>
#include <string>
#include <string_view>

namespace dovetail::hardware {

/// A process as its customers pay for it.
struct wafer_process {
    std::string_view name;
    double wafer_usd = 0;
    double wafer_mm = 0;        ///< diameter
    double defects_per_cm2 = 0; ///< that kill a die
    double clustering = 0;      ///< alpha: the fewer, the more defects share a die
    double largest_die_mm2 = 0; ///< the field of the scanner
    std::string_view source;
};

/// TSMC N7 in its third quarter of volume, at the price that foundries took in 2020.
inline constexpr wafer_process n7_process{
    .name = "n7",
    .wafer_usd = 9346,
    .wafer_mm = 300,
    .defects_per_cm2 = 0.09,
    .clustering = 4,
    .largest_die_mm2 = 26 * 33,
    .source = "price: Khan and Mann, AI Chips, CSET 2020; defects: TSMC at the VLSI Symposium 2019, as "
              "reported by AnandTech (Cutress, 2020); clustering: Hennessy and Patterson, 4th edition, "
              "chapter 1; field: 26 mm x 33 mm, ASML's scanners"};

/// Memory as it is sold.
struct memory_price {
    std::string_view name;
    double usd_per_gb = 0; ///< of 10^9 bytes
    std::string_view source;
};

/// High-bandwidth memory. Published estimates differ by a factor of two.
inline constexpr memory_price hbm_price{
    .name = "HBM3E",
    .usd_per_gb = 16.5,
    .source = "middle of 15 to 18 USD (Stacklyn Labs, May 2026); 8 to 10 USD in Asia Tech Feed, 2026"};

/// The dies of a wafer and what a good one costs, before test and package.
struct die_cost {
    double dies_per_wafer = 0;
    double yield = 0; ///< good dies of all
    double usd = 0;   ///< of a good die
};

/// What a device costs, before test, package and profit.
struct device_cost {
    die_cost die;
    double memory_usd = 0;

    [[nodiscard]] constexpr double total_usd() const noexcept { return die.usd + memory_usd; }
};

/// Dies of `area_mm2` on a wafer, partial ones at its rim left out:
/// N = pi (d/2)^2 / A - pi d / sqrt(2 A) (Hennessy and Patterson). Not rounded, so that a larger
/// die always costs more.
[[nodiscard]] inline double dies_per_wafer(double wafer_mm, double area_mm2) noexcept {
    return std::numbers::pi * (wafer_mm * wafer_mm / 4 / area_mm2 - wafer_mm / std::sqrt(2 * area_mm2));
}

/// The share of good dies, with defects that come in clusters: Y = (1 + A D / a)^-a (the
/// negative binomial of Stapper, IBM Journal 27, 1983; Hennessy and Patterson, 4th edition).
[[nodiscard]] inline double yield_of(double area_mm2, double defects_per_cm2, double clustering) noexcept {
    constexpr double mm2_per_cm2 = 100;
    return std::pow(1 + area_mm2 / mm2_per_cm2 * defects_per_cm2 / clustering, -clustering);
}

/// The cost of a good die of `area_um2`. \returns errc::out_of_range for an area that is not positive and
/// finite or larger than the process makes, and for a constant of the process that is not positive and
/// finite.
[[nodiscard]] inline result<die_cost> cost_of_die(double area_um2, const wafer_process& process) {
    const std::string place = "process '" + std::string(process.name) + "'";
    struct constant {
        const char* name;
        double value;
    };
    for (const auto& [name, value] :
         {constant{"price of a wafer", process.wafer_usd}, constant{"diameter", process.wafer_mm},
          constant{"defect density", process.defects_per_cm2}, constant{"clustering", process.clustering},
          constant{"largest die", process.largest_die_mm2}})
        if (!is_positive(value))
            return error{errc::out_of_range, place, std::string("its ") + name + " is " + to_text(value),
                         "a constant is positive and finite"};
    const double area_mm2 = area_um2 / um2_per_mm2;
    if (!is_positive(area_mm2))
        return error{errc::out_of_range, place, "a die takes " + to_text(area_mm2) + " mm^2",
                     "an area is positive and finite"};
    if (area_mm2 > process.largest_die_mm2)
        return error{errc::out_of_range, place, "a die takes " + readable(area_mm2, 6) + " mm^2",
                     "it takes at most " + readable(process.largest_die_mm2, 6) + " mm^2"};
    die_cost cost{.dies_per_wafer = dies_per_wafer(process.wafer_mm, area_mm2),
                  .yield = yield_of(area_mm2, process.defects_per_cm2, process.clustering)};
    if (cost.dies_per_wafer < 1)
        return error{errc::out_of_range, place,
                     "a die takes " + readable(area_mm2, 6) + " mm^2 and none fits on its wafer",
                     "the wafer holds a die at least"};
    cost.usd = process.wafer_usd / (cost.dies_per_wafer * cost.yield);
    return cost;
}

/// The cost of a die of `area_um2` with `hbm_bytes` of memory. \returns as `cost_of_die`, and
/// errc::out_of_range for a size or a price of memory that is not positive and finite.
[[nodiscard]] inline result<device_cost> cost_of_device(double area_um2, double hbm_bytes,
                                                        const wafer_process& process = n7_process,
                                                        const memory_price& memory = hbm_price) {
    const auto die = cost_of_die(area_um2, process);
    if (!die) return die.problem();
    const std::string place = "memory '" + std::string(memory.name) + "'";
    if (!is_positive(memory.usd_per_gb))
        return error{errc::out_of_range, place, "it costs " + to_text(memory.usd_per_gb) + " USD/GB",
                     "a price is positive and finite"};
    if (!is_positive(hbm_bytes))
        return error{errc::out_of_range, place, "there are " + to_text(hbm_bytes) + " bytes of it",
                     "a size is positive and finite"};
    return device_cost{.die = *die, .memory_usd = hbm_bytes / giga * memory.usd_per_gb};
}

} // namespace dovetail::hardware
