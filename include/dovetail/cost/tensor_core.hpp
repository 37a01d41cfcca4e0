#pragma once
/// \file
/// Matrix products on weight-stationary arrays: cycles, and words at every level of the chip's memory.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace dovetail::cost {

/// Words that the rest of a fused group moves through the global buffer while the product runs.
struct words_beside {
    double read = 0;
    double written = 0;
};

/// What a product takes on the cores that it is mapped to: cycles of the slowest core, words of all of them.
struct product_cost {
    double array_cycles = 0; ///< streaming and weight loads
    double fill_cycles = 0;  ///< first load, fill and drain, which nothing overlaps
    double local_cycles = 0; ///< of each port of a core's buffer
    double local_words = 0;  ///< read from the local buffers; as many are written
    double global_words = 0; ///< read from the global buffer
    double result_words = 0; ///< written to the global buffer

    /// The time of the product, given that its words come in time from the HBM.
    template <hardware::platform P>
    [[nodiscard]] constexpr double cycles(const words_beside& beside = {}) const noexcept {
        const double global_cycles =
            std::max(global_words + beside.read, result_words + beside.written) / P::global_words_per_cycle;
        return std::max({array_cycles, local_cycles, global_cycles}) + fill_cycles;
    }
};

namespace detail {

/// The mappings of one product to arrays of one kind, and the best of them.
///
/// The units of work are the column tiles (`width` columns) of all batches; cores take whole units, and parts
/// of the rows. A core holds a group of weight tiles in one half of its registers, some column tiles by some
/// reduction tiles (`depth` rows of weights), and streams rows through them: a row is read once for all
/// column tiles held, and a partial sum is read and written once for all reduction tiles held. Meanwhile the
/// next group is loaded into the other half, a row of weights a cycle: one fold, the rows through one tile,
/// takes as many cycles as rows, and `depth` at least. An edge tile costs a full fold.
///
/// Everything passes through the local buffer, written by one port and read by the other. Partial sums stay
/// in it between passes; that bounds the block of rows for which a core fetches its weights, unless a single
/// pass covers the reduction. The network on chip sends a word that several cores wait for to all of them at
/// once.
template <hardware::platform P, hardware::accelerator_like Chip>
class array_mapping {
public:
    constexpr array_mapping(const workload::contraction& product, const Chip& chip)
        : product_(product), width_(chip.width), depth_(chip.depth),
          column_tiles_(ceil_div<std::int64_t>(product.columns, chip.width)),
          depth_tiles_(ceil_div<std::int64_t>(product.reduction, chip.depth)) {
        constexpr double sum_words =
            static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
        const std::int64_t rows_of_a_tile =
            P::local_buffer_bytes(width_ * depth_) / (P::partial_sum_bytes * width_);
        for (int log_columns = log_held; log_columns >= 0; --log_columns) {
            // With twice as many column tiles as there are, fewer do as well.
            if (log_columns > 0 && (std::int64_t{1} << (log_columns - 1)) >= column_tiles_) continue;
            const std::int64_t passes = shifted_up(depth_tiles_, log_held - log_columns);
            groupings_[grouping_count_++] = {
                .log_columns = log_columns,
                .row_block =
                    passes == 1 ? product_.rows : std::max<std::int64_t>(1, rows_of_a_tile >> log_columns),
                .partial_sum_words = static_cast<double>(passes - 1) * sum_words};
            if (passes == 1) break; // fewer column tiles would only read the rows more often
        }
    }

    /// The best mapping to `cores` cores. Units are dealt out evenly, and rows are halved as often as it
    /// helps; the reduction is never split. More cores only add to the mappings that are compared, and make
    /// none of them slower.
    [[nodiscard]] constexpr product_cost on(std::int64_t cores, const words_beside& beside) const {
        const std::int64_t units = product_.batch * column_tiles_;
        product_cost best;
        double best_cycles = std::numeric_limits<double>::infinity();
        for (int log_parts = 0; (cores >> log_parts) > 0; ++log_parts) {
            const std::int64_t unit_parts = cores >> log_parts;
            const std::int64_t rows = shifted_up(product_.rows, log_parts);
            const std::int64_t core_units = unit_parts >= units ? 1 : ceil_div(units, unit_parts);
            const auto folds = static_cast<double>(core_units * depth_tiles_);
            // Further halves leave each core as many folds or more, none shorter than `depth`.
            if (folds * static_cast<double>(depth_) >= best_cycles) break;
            if (folds * static_cast<double>(rows) >= best_cycles) continue;
            const share busiest{.rows = rows,
                                .units = core_units,
                                .cores = std::min(product_.rows, std::int64_t{1} << log_parts) *
                                         std::min(units, unit_parts)};
            for (std::size_t i = 0; i < grouping_count_; ++i) {
                const product_cost cost = map(groupings_[i], busiest);
                const double cycles = cost.template cycles<P>(beside);
                if (cycles < best_cycles) {
                    best_cycles = cycles;
                    best = cost;
                }
            }
        }
        return best;
    }

private:
    static constexpr std::int64_t held = P::tensor_register_bytes / P::element_bytes / 2;
    static_assert(held >= 1, "a MAC has room for two weights or more: one works while the other is loaded");
    static constexpr auto log_held = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(held))) - 1;

    /// A group of weight tiles that a core holds at once.
    struct grouping {
        int log_columns = 0;          ///< log2 of its column tiles
        std::int64_t row_block = 0;   ///< rows whose partial sums fit into the local buffer
        double partial_sum_words = 0; ///< read, and as many written, for one element of the result
    };

    /// What the busiest core gets, of `cores` that work.
    struct share {
        std::int64_t rows;
        std::int64_t units;
        std::int64_t cores;
    };

    [[nodiscard]] static constexpr std::int64_t shifted_up(std::int64_t value, int log_divisor) {
        return (value + (std::int64_t{1} << log_divisor) - 1) >> log_divisor;
    }

    [[nodiscard]] constexpr product_cost map(const grouping& group, const share& busiest) const {
        const std::int64_t blocks =
            busiest.rows <= group.row_block ? 1 : ceil_div(busiest.rows, group.row_block);
        const std::int64_t last_block = busiest.rows - (blocks - 1) * group.row_block;
        const std::int64_t streamed =
            (blocks - 1) * std::max(group.row_block, depth_) + std::max(last_block, depth_);

        // Column tiles of one batch share their rows; those of different batches do not.
        const std::int64_t whole_batches = busiest.units < column_tiles_ ? 0 : busiest.units / column_tiles_;
        const std::int64_t more_tiles = busiest.units - whole_batches * column_tiles_;
        const std::int64_t batch_passes = shifted_up(column_tiles_, group.log_columns);
        const std::int64_t more_passes = shifted_up(more_tiles, group.log_columns);
        const auto rows = static_cast<double>(busiest.rows);
        const auto reduction = static_cast<double>(product_.reduction);
        const auto columns = static_cast<double>(whole_batches * product_.columns +
                                                 std::min(more_tiles * width_, product_.columns));
        const double core_words =
            rows * reduction * static_cast<double>(whole_batches * batch_passes + more_passes) +
            reduction * columns * static_cast<double>(blocks) +
            rows * columns * (group.partial_sum_words + 1.0);

        const auto batch = static_cast<double>(product_.batch);
        const auto all_rows = static_cast<double>(product_.rows);
        const auto all_columns = static_cast<double>(product_.columns);
        return {
            .array_cycles = static_cast<double>(busiest.units * depth_tiles_) * static_cast<double>(streamed),
            .fill_cycles = static_cast<double>(2 * depth_ + width_ - 2),
            .local_cycles = core_words / P::local_words_per_cycle,
            .local_words = core_words * static_cast<double>(busiest.cores),
            .global_words = batch * reduction *
                            (all_rows * static_cast<double>(whole_batches > 0 ? batch_passes : more_passes) +
                             all_columns * static_cast<double>(blocks)),
            .result_words = batch * all_rows * all_columns};
    }

    workload::contraction product_;
    std::int64_t width_, depth_;
    std::int64_t column_tiles_, depth_tiles_;
    std::array<grouping, static_cast<std::size_t>(log_held) + 1> groupings_{};
    std::size_t grouping_count_ = 0;
};

} // namespace detail

/// What `product` takes on `cores` tensor cores of `chip`, on the best of the mappings that are compared.
///
/// More cores never take more time, nor a larger product less. The array does at most one multiply-accumulate
/// a unit and cycle. An empty product costs nothing. \param beside  what else the global buffer moves
/// meanwhile: it may make a mapping with fewer words the best \complexity O(log cores), no allocation.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr product_cost cost_of(const workload::contraction& product, const Chip& chip,
                                             std::int64_t cores, const words_beside& beside = {}) {
    DOVETAIL_ASSERT(chip.width > 0 && chip.depth > 0 && cores > 0, "a product needs a core");
    if (product.macs() <= 0) return {};
    return detail::array_mapping<P, Chip>(product, chip).on(cores, beside);
}

} // namespace dovetail::cost
