#pragma once
/// \file
/// The time of a matrix product on a real system: tiles, waves of tiles, memory and power.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/hardware/system.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <tuple>

namespace dovetail::cost {

/// `batch` products of an m x k by a k x n matrix.
struct gemm {
    std::int64_t m = 1;
    std::int64_t n = 1;
    std::int64_t k = 1;
    std::int64_t batch = 1;
    hardware::precision operands = hardware::precision::bf16;
    hardware::precision result = hardware::precision::bf16;
    bool accumulate = false; ///< the result is added to what is there, which is read as well

    static constexpr std::int64_t most_extent = std::int64_t{1} << 28; ///< so that tiles can be counted
    static constexpr std::int64_t most_batch = std::int64_t{1} << 16;

    /// Whether every extent and the batch are at least 1 and at most the above.
    [[nodiscard]] constexpr bool in_range() const noexcept {
        return std::min({m, n, k, batch}) >= 1 && std::max({m, n, k}) <= most_extent && batch <= most_batch;
    }
    [[nodiscard]] constexpr double flops() const noexcept {
        return 2.0 * static_cast<double>(batch) * static_cast<double>(m) * static_cast<double>(n) *
               static_cast<double>(k);
    }
    /// Bytes that a result element moves.
    [[nodiscard]] constexpr double result_bytes() const noexcept {
        return hardware::bytes_of(result) * (accumulate ? 2.0 : 1.0);
    }
    /// Bytes that move when every element does once.
    [[nodiscard]] constexpr double bytes() const noexcept {
        const auto rows = static_cast<double>(m);
        const auto columns = static_cast<double>(n);
        const auto depth = static_cast<double>(k);
        return static_cast<double>(batch) *
               (hardware::bytes_of(operands) * depth * (rows + columns) + result_bytes() * rows * columns);
    }
};

/// Seconds that no machine with this datasheet can beat: peak rate and peak bandwidth, nothing else.
/// Source: Williams, Waterman and Patterson, CACM 52(4), 2009.
[[nodiscard]] constexpr double roofline_s(const hardware::device& chip, const gemm& product) {
    const double rate = chip.matrix_rate(product.operands);
    DOVETAIL_ASSERT(rate > 0, "the chip multiplies operands of this precision");
    return std::max(product.flops() / rate, product.bytes() / chip.memory_bytes_per_s);
}

/// The time of a product. A library cuts the result into tiles; every processor works on one, and waves of
/// tiles follow each other. A few large tiles may be cut along k as well. Of all tiles and cuts that a
/// library has, the fastest counts. The layout of the operands is no input: in three sets of measurements it
/// moves the error by less than 2 %. Equations, constants and what they predict: docs/models/gemm_time.md.
struct gemm_time_model {
    double tile_s = 1e-6;          ///< to fill and drain the pipeline of a tile
    double exposed_fraction = 0.5; ///< of the time to write a tile: the rest is hidden behind other tiles
    double half_rate_reuse = 32;   ///< uses of a loaded element where the rate is half that of endless tiles

    static constexpr auto table() {
        using o = gemm_time_model;
        return std::tuple{
            option<o, double>{"tile-s", "to fill and drain the pipeline of a tile [s]", &o::tile_s, 0, 1e-3},
            option<o, double>{"exposed-fraction", "of the time to write a tile", &o::exposed_fraction, 0, 1},
            option<o, double>{"half-rate-reuse", "uses of a loaded element at half the rate",
                              &o::half_rate_reuse, 0, 1024},
        };
    }

    /// Rows and columns of the tiles that libraries for GPUs have (CUTLASS: "efficient GEMM"), largest first.
    struct tile {
        std::int64_t rows;
        std::int64_t columns;

        [[nodiscard]] constexpr double elements() const noexcept {
            return static_cast<double>(rows) * static_cast<double>(columns);
        }
        /// Uses of every operand element that is loaded.
        [[nodiscard]] constexpr double reuse() const noexcept {
            return elements() / static_cast<double>(rows + columns);
        }
    };
    static constexpr std::array<tile, 6> tiles{
        {{256, 128}, {128, 256}, {128, 128}, {128, 64}, {64, 128}, {64, 64}}};
    static constexpr std::int64_t most_cuts = 8; ///< of a tile along k

    /// Seconds from the call to the end; at least `roofline_s`. The chip has a rate for the operands.
    /// \complexity O(tiles x cuts): constant.
    [[nodiscard]] constexpr double operator()(const hardware::system& machine, const gemm& product) const {
        DOVETAIL_ASSERT(product.in_range(), "a product has extents, and its tiles can be counted");
        DOVETAIL_ASSERT(machine.chip.matrix_rate(product.operands) > 0,
                        "the chip multiplies operands of this precision");
        const hardware::calibration& fitted = machine.calibration;
        const double stream_bytes_per_s = machine.chip.memory_bytes_per_s * fitted.memory_fraction;
        double compute_s = std::numeric_limits<double>::infinity();
        for (const tile& shape : tiles)
            for (std::int64_t cuts = 1; cuts <= most_cuts; ++cuts) {
                const std::int64_t results =
                    ceiling(product.m, shape.rows) * ceiling(product.n, shape.columns) * product.batch;
                // Processors without a tile are what cutting along k is for.
                if (cuts > 1 && results > machine.chip.processors) break;
                compute_s = std::min(compute_s, waves_s(machine, product, shape, results, cuts));
            }
        return fitted.launch_s + std::max(compute_s, product.bytes() / stream_bytes_per_s);
    }

private:
    [[nodiscard]] static constexpr std::int64_t ceiling(std::int64_t a, std::int64_t b) {
        return (a + b - 1) / b;
    }

    // Seconds of all waves of `results` tiles, each cut into `cuts` along k.
    [[nodiscard]] constexpr double waves_s(const hardware::system& machine, const gemm& product,
                                           const tile& shape, std::int64_t results, std::int64_t cuts) const {
        const hardware::calibration& fitted = machine.calibration;
        const hardware::device& chip = machine.chip;
        const double rate = chip.matrix_rate(product.operands);
        const auto processors = static_cast<double>(chip.processors);
        const double stream_bytes_per_s = chip.memory_bytes_per_s * fitted.memory_fraction;
        const auto waves = static_cast<double>(ceiling(results * cuts, chip.processors));
        const auto depth = static_cast<double>(ceiling(product.k, cuts));

        // Small tiles load more for the same work.
        const double reach = (1.0 + half_rate_reuse / tiles[0].reuse()) /
                             (1.0 + half_rate_reuse / shape.reuse()) * fitted.matrix_fraction;
        const double tile_flops = 2.0 * shape.elements() * depth;
        // Power is drawn by what is computed, so idle processors leave some to the others.
        const double loops_s = std::max(waves * tile_flops * processors / (rate * reach),
                                        product.flops() / (rate * fitted.sustained_fraction));
        // A processor holds as many small tiles as fit in place of a large one, and hides one behind another.
        const double resident = tiles[0].elements() / shape.elements();
        const double write_s = shape.elements() * product.result_bytes() * processors / stream_bytes_per_s;
        const double ends_s = std::max(1.0, waves / resident) * (tile_s + exposed_fraction * write_s);
        if (cuts == 1) return loops_s + ends_s;
        // The parts are written in 32 bits and read again by another kernel.
        constexpr double part_bytes = 4.0;
        const double parts = static_cast<double>(product.batch * cuts) * static_cast<double>(product.m) *
                             static_cast<double>(product.n);
        return loops_s + ends_s + tile_s + 2.0 * part_bytes * parts / stream_bytes_per_s;
    }
};

} // namespace dovetail::cost
