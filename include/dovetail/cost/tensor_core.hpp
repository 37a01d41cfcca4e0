#pragma once
/// \file
/// Matrix products on weight-stationary arrays: cycles, and words at every level of the memory.

#include <dovetail/core/checked.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace dovetail::cost {

/// What a product takes on the cores that it is mapped to. Cycles of the slowest core; words of the chip.
struct product_cost {
    double array_cycles = 0; ///< streaming and weight loads
    double fill_cycles = 0;  ///< first load, fill and drain, which nothing overlaps
    double local_cycles = 0; ///< of the busier port of a core's buffer
    double global_words = 0; ///< read from the global buffer by all cores together
    double result_words = 0; ///< written to the global buffer

    /// The time of the array, given that its words come in time from everywhere.
    template <hardware::platform P>
    [[nodiscard]] constexpr double cycles() const noexcept {
        const double global_cycles = std::max(global_words, result_words) / P::global_words_per_cycle;
        return std::max({array_cycles, local_cycles, global_cycles}) + fill_cycles;
    }
};

namespace detail {

/// How many weight tiles a core holds at once, columns by reduction; one set works while the next is loaded.
struct held_tiles {
    int column_shift; ///< log2 of the column tiles: an input vector is read once for all of them
    int depth_shift;  ///< log2 of the reduction tiles: a partial sum is read and written once for all of them
};

/// The mapping of one product to arrays of one kind.
///
/// A core keeps the partial sums of a block of rows and one group of column tiles in its local buffer and
/// runs over the reduction. Each fold streams the block's rows through a `depth` x `width` tile of weights
/// while the next tile is loaded, a row of weights a cycle. Inputs and weights pass through the local buffer.
/// An edge tile costs a full fold.
template <hardware::platform P, hardware::accelerator_like Chip>
class array_mapping {
public:
    constexpr array_mapping(const workload::contraction& product, const Chip& chip)
        : product_(product), width_(chip.width), depth_(chip.depth),
          column_tiles_(ceil_div<std::int64_t>(product.columns, chip.width)),
          depth_tiles_(ceil_div<std::int64_t>(product.reduction, chip.depth)) {
        constexpr std::int64_t held = P::tensor_register_bytes / P::element_bytes / 2;
        const std::int64_t buffer = P::local_buffer_bytes(width_ * depth_);
        int splits = 0;
        while ((std::int64_t{2} << splits) <= held) ++splits;
        for (int columns = 0; columns <= splits && option_count_ < options_.size(); ++columns) {
            // More column tiles than the product has would only shrink the block of rows.
            if (columns > 0 && (std::int64_t{1} << (columns - 1)) >= column_tiles_) break;
            const std::int64_t row_bytes = P::partial_sum_bytes * (width_ << columns);
            options_[option_count_++] = {{columns, splits - columns},
                                         std::max<std::int64_t>(1, buffer / row_bytes)};
        }
    }

    /// The best mapping to `cores` cores: batches and column tiles are dealt out, and rows split in two as
    /// often as that helps. The reduction is never split.
    [[nodiscard]] constexpr product_cost on(std::int64_t cores) const {
        product_cost best;
        double best_cycles = std::numeric_limits<double>::infinity();
        const std::int64_t units = product_.batch * column_tiles_;
        for (std::int64_t row_parts = 1; row_parts <= cores; row_parts *= 2) {
            const std::int64_t rows = ceil_div(product_.rows, row_parts);
            const std::int64_t unit_parts = std::min(units, cores / row_parts);
            const std::int64_t units_a_core = ceil_div(units, unit_parts);
            const double cores_used = static_cast<double>(row_parts * ceil_div(units, units_a_core));
            for (std::size_t i = 0; i < option_count_; ++i) {
                const product_cost cost = map(options_[i], rows, units_a_core, cores_used);
                const double cycles = cost.template cycles<P>();
                if (cycles < best_cycles) {
                    best_cycles = cycles;
                    best = cost;
                }
            }
            if (rows <= depth_) break; // below, a fold waits for its weights and more parts only add traffic
        }
        return best;
    }

    /// No mapping to `cores` cores takes fewer cycles: every weight tile must be loaded or streamed through.
    [[nodiscard]] constexpr double least_cycles(std::int64_t cores) const {
        return product_.macs() / (static_cast<double>(width_ * depth_) * static_cast<double>(cores));
    }

private:
    struct option {
        held_tiles held{};
        std::int64_t row_block = 1; ///< rows whose partial sums fit into the local buffer
    };

    [[nodiscard]] constexpr product_cost map(const option& choice, std::int64_t rows, std::int64_t units,
                                             double cores_used) const {
        const std::int64_t column_group = std::int64_t{1} << choice.held.column_shift;
        const std::int64_t depth_group = std::int64_t{1} << choice.held.depth_shift;
        const std::int64_t blocks = choice.row_block >= rows ? 1 : ceil_div(rows, choice.row_block);
        const std::int64_t last_block = rows - (blocks - 1) * choice.row_block;
        const std::int64_t streamed =
            (blocks - 1) * std::max(choice.row_block, depth_) + std::max(last_block, depth_);
        const auto folds = static_cast<double>(units * depth_tiles_);
        // Column tiles of one batch share their inputs; those of different batches do not.
        const std::int64_t batches = units <= column_tiles_ ? 1 : ceil_div(units, column_tiles_);
        const std::int64_t tiles_a_batch = units <= column_tiles_ ? units : column_tiles_;
        const std::int64_t groups =
            batches * ((tiles_a_batch + column_group - 1) >> choice.held.column_shift);
        const std::int64_t passes = (depth_tiles_ + depth_group - 1) >> choice.held.depth_shift;

        constexpr double sum_words =
            static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
        const auto m = static_cast<double>(rows);
        const auto k = static_cast<double>(product_.reduction);
        const double columns = units == column_tiles_ ? static_cast<double>(product_.columns)
                                                      : static_cast<double>(units * width_);
        const double inputs = m * k * static_cast<double>(groups);
        const double weights = k * columns * static_cast<double>(blocks);
        const double results = m * columns;
        const double partial_sums = results * static_cast<double>(passes - 1) * sum_words;

        product_cost cost;
        cost.array_cycles = folds * static_cast<double>(streamed);
        cost.fill_cycles = static_cast<double>(2 * depth_ + width_ - 2);
        const double reads = inputs + weights + partial_sums + results;
        const double writes = inputs + weights + partial_sums + results * sum_words;
        cost.local_cycles = std::max(reads, writes) / P::local_words_per_cycle;
        cost.global_words = (inputs + weights) * cores_used;
        cost.result_words = results * cores_used;
        return cost;
    }

    workload::contraction product_;
    std::int64_t width_, depth_;
    std::int64_t column_tiles_, depth_tiles_;
    std::array<option, 8> options_{};
    std::size_t option_count_ = 0;
};

} // namespace detail

/// What `product` takes on at most `cores` tensor cores of `chip`: the best of all, half, a quarter … of
/// them, so that more cores never make it slower. \complexity O(log^2 cores) at worst, no allocation.
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr product_cost cost_of(const workload::contraction& product, const Chip& chip,
                                             std::int64_t cores) {
    if (product.macs() <= 0) return {};
    const detail::array_mapping<P, Chip> mapping(product, chip);
    product_cost best = mapping.on(cores);
    double best_cycles = best.cycles<P>();
    for (std::int64_t fewer = cores / 2; fewer >= 1 && mapping.least_cycles(fewer) < best_cycles;
         fewer /= 2) {
        const product_cost cost = mapping.on(fewer);
        const double cycles = cost.cycles<P>();
        if (cycles < best_cycles) {
            best_cycles = cycles;
            best = cost;
        }
    }
    return best;
}

/// Elements that a product moves between the HBM and a global buffer of `glb_bytes`: each operand and the
/// result once where a batch fits; else the best of keeping a panel of either operand, or a block of the
/// result. Half of the buffer works while the other half is filled. Never below `compulsory_elements`.
template <hardware::platform P>
[[nodiscard]] constexpr double hbm_elements(const workload::contraction& product, double compulsory_elements,
                                            std::int64_t glb_bytes) {
    const auto m = static_cast<double>(product.rows);
    const auto k = static_cast<double>(product.reduction);
    const auto n = static_cast<double>(product.columns);
    const double usable = static_cast<double>(glb_bytes) / 2.0 / static_cast<double>(P::element_bytes);
    if (m * k + k * n + m * n <= usable) return compulsory_elements;
    const auto parts = [](double extent, double fitting) {
        // Whole parts of at least one row or column each.
        const double size = std::max(1.0, fitting);
        const double count = extent / size;
        const auto whole = static_cast<double>(static_cast<std::int64_t>(count));
        return whole < count ? whole + 1.0 : std::max(1.0, whole);
    };
    constexpr double sum_words =
        static_cast<double>(P::partial_sum_bytes) / static_cast<double>(P::element_bytes);
    const double panel = usable / k;
    const double keep_weights = m * k * parts(n, panel) + k * n;
    const double keep_inputs = m * k + k * n * parts(m, panel);
    // A square block of the result; the integer square root needs no library.
    double side = usable / sum_words;
    for (double next = (side + 1.0) / 2.0; next < side; next = (next + usable / sum_words / next) / 2.0)
        side = next;
    const double keep_results = m * k * parts(n, side) + k * n * parts(m, side);
    double moved = std::min(keep_inputs, keep_weights);
    moved = std::min(moved, keep_results) + m * n;
    return std::max(compulsory_elements, moved * static_cast<double>(product.batch));
}

} // namespace dovetail::cost
