#pragma once
/// \file
/// Mappings of a matrix product to tensor cores and their memories: the declared space, and what one costs.

#include <dovetail/core/checked.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace dovetail::cost {

/// A memory as a mapping sees it. A word is one element.
struct memory_level {
    double capacity_words = std::numeric_limits<double>::infinity();
    bool per_operand = false;     ///< the capacity holds for each of the three operands by itself
    bool double_buffered = false; ///< one half works while the other is filled and drained
    double read_words_per_cycle = 0;
    double write_words_per_cycle = 0;
    bool one_port = false; ///< words read and written share the rate of reading
    double word_pj = 0;    ///< of a word read or written

    /// What tiles may take.
    [[nodiscard]] constexpr double usable_words() const noexcept {
        return double_buffered ? capacity_words / 2 : capacity_words;
    }
    /// Whether tiles of the three operands fit.
    [[nodiscard]] constexpr bool holds(double inputs, double weights, double sums) const noexcept {
        const double most = usable_words();
        return per_operand ? inputs <= most && weights <= most && sums <= most
                           : inputs + weights + sums <= most;
    }
};

/// Tensor cores and their memories, as data.
struct mapping_hardware {
    std::int64_t cores = 1;
    std::int64_t width = 0;        ///< units of an array along the columns of the result
    std::int64_t depth = 0;        ///< units of an array along the reduction
    std::int64_t weights_held = 0; ///< by the registers of one unit, at most `most_weights_held`
    memory_level local{};          ///< the buffer of one core
    bool local_per_core = false;   ///< its rates are those of one core, not of all together
    memory_level global{};
    memory_level dram{};
    double mac_pj = 0;
    double register_pj = 0; ///< of a weight read for a multiply-accumulate
    double sum_words = 1;   ///< words of a partial sum; a finished result has one
};

/// The largest `weights_held` that is searched.
inline constexpr std::int64_t most_weights_held = 64;

/// The same hardware with its numbers as constants of a type, so that the search folds them into its code.
template <const mapping_hardware& Hardware>
struct fixed_mapping_hardware {
    static constexpr std::int64_t cores = Hardware.cores;
    static constexpr std::int64_t width = Hardware.width;
    static constexpr std::int64_t depth = Hardware.depth;
    static constexpr std::int64_t weights_held = Hardware.weights_held;
    static constexpr memory_level local = Hardware.local;
    static constexpr bool local_per_core = Hardware.local_per_core;
    static constexpr memory_level global = Hardware.global;
    static constexpr memory_level dram = Hardware.dram;
    static constexpr double mac_pj = Hardware.mac_pj;
    static constexpr double register_pj = Hardware.register_pj;
    static constexpr double sum_words = Hardware.sum_words;
};

/// The operand that stays in a memory while the innermost loop over its tiles runs: that loop is over the
/// rows, the columns, or the reduction.
enum class stays : std::uint8_t { weights, inputs, sums };

/// Every loop order that matters: a memory with room for one tile of each operand keeps one across its
/// innermost loop, and none across two.
inline constexpr std::array loop_orders{stays::weights, stays::inputs, stays::sums};

/// One mapping. A tile is what a local buffer holds of the operands; a block is what the global buffer holds.
///
/// The weights of a tile are whole folds, units of an array by units of an array. They stay in the registers
/// while the rows of the tile stream through them. A core takes whole tiles of the result.
struct mapping {
    bool turned = false;              ///< the reduction runs along the width of the arrays
    std::int64_t tile_rows = 0;       ///< rows
    std::int64_t tile_columns = 0;    ///< folds
    std::int64_t tile_reduction = 0;  ///< folds
    std::int64_t block_rows = 0;      ///< rows
    std::int64_t block_columns = 0;   ///< tiles
    std::int64_t block_reduction = 0; ///< tiles
    stays in_block = stays::sums;     ///< across the tiles of a block
    stays in_dram = stays::sums;      ///< across blocks

    friend constexpr bool operator==(const mapping&, const mapping&) = default;
};

/// Words that cross the border of a memory towards the cores, and back.
struct moved_words {
    double read = 0;
    double written = 0;

    /// The energy of moving them at `level`.
    [[nodiscard]] constexpr double energy_pj(const memory_level& level) const noexcept {
        return (read + written) * level.word_pj;
    }
    /// The cycles that `level` is busy with them.
    [[nodiscard]] constexpr double cycles(const memory_level& level) const noexcept {
        if (level.one_port) return (read + written) / level.read_words_per_cycle;
        return std::max(read / level.read_words_per_cycle, written / level.write_words_per_cycle);
    }
};

/// What a mapping costs. A word that moves between two memories is counted once, at the outer one: what fills
/// a buffer is free there.
struct mapping_cost {
    double compute_cycles = 0; ///< of the busiest core
    double local_share = 1;    ///< of the words of all local buffers, what passes the one that sets the pace
    moved_words local{};
    moved_words global{};
    moved_words dram{};
    double cycles = 0; ///< of whatever is busiest; all overlap
    double energy_pj = 0;

    [[nodiscard]] constexpr double edp() const noexcept { return cycles * energy_pj; }
};

namespace detail {

/// How a product lies on the arrays.
struct array_layout {
    std::int64_t column_units;    ///< of an array
    std::int64_t reduction_units; ///< of an array
    std::int64_t column_folds;    ///< of the product
    std::int64_t reduction_folds; ///< of the product
    std::int64_t copies;          ///< of a fold that fits more than once: so many rows a cycle

    template <class Hardware>
    constexpr array_layout(const Hardware& hardware, const workload::contraction& product, bool turned)
        : column_units(turned ? hardware.depth : hardware.width),
          reduction_units(turned ? hardware.width : hardware.depth),
          column_folds(ceil_div(product.columns, column_units)),
          reduction_folds(ceil_div(product.reduction, reduction_units)),
          copies(std::max<std::int64_t>(1, column_units / product.columns) *
                 std::max<std::int64_t>(1, reduction_units / product.reduction)) {}
};

/// The words of a product that cross a border, by how often each operand does.
class operand_words {
public:
    constexpr explicit operand_words(const workload::contraction& p)
        : weights_(real(p.batch) * real(p.reduction) * real(p.columns)),
          results_(real(p.batch) * real(p.rows) * real(p.columns)) {}

    /// Parts along the rows, the columns and the reduction.
    struct cuts {
        double rows, columns, reduction;
    };

    /// Words moved for each of the parts `inner`, where the operand that stays is moved only for the parts
    /// `outer`, which they are cut from. Sums are written for every part of the reduction, the last time as
    /// results, and read before every part but the first. \param inputs  words of the inputs, read once
    [[nodiscard]] constexpr moved_words moved(const cuts& inner, const cuts& outer, stays order,
                                              double inputs, double sum_words) const noexcept {
        const double reads = order == stays::inputs ? outer.columns : inner.columns;
        const double weight_reads = order == stays::weights ? outer.rows : inner.rows;
        const double visits = order == stays::sums ? outer.reduction : inner.reduction;
        const double again = (visits - 1) * sum_words * results_;
        return {.read = weights_ * weight_reads + inputs * reads + again, .written = results_ + again};
    }
    /// The same with nothing that stays.
    [[nodiscard]] constexpr moved_words moved(const cuts& parts, double inputs,
                                              double sum_words) const noexcept {
        return moved(parts, parts, stays::sums, inputs, sum_words);
    }

    [[nodiscard]] constexpr double weights() const noexcept { return weights_; }
    [[nodiscard]] constexpr double results() const noexcept { return results_; }

    [[nodiscard]] static constexpr double real(std::int64_t count) noexcept {
        return static_cast<double>(count);
    }

private:
    double weights_;
    double results_;
};

/// Cycles of a single core.
[[nodiscard]] constexpr double alone_cycles(const workload::contraction& product,
                                            const array_layout& layout) {
    const auto real = operand_words::real;
    return real(product.batch) * real(ceil_div(product.rows, layout.copies)) * real(layout.column_folds) *
           real(layout.reduction_folds);
}

/// Sets what depends on the busiest core, when tiles of the result, of `rows.part` rows and `tile_columns`
/// folds, are dealt out. None works longer than a single core would.
template <class Hardware>
constexpr void deal_out(const Hardware& hardware, const workload::contraction& product,
                        const array_layout& layout, const even_cut& rows, std::int64_t tile_columns,
                        std::int64_t column_tiles, mapping_cost& cost) {
    cost.compute_cycles = alone_cycles(product, layout);
    if (hardware.cores == 1) return;
    const auto real = operand_words::real;
    const std::int64_t tiles = product.batch * rows.count * column_tiles;
    const double busiest = real(ceil_div<std::int64_t>(tiles, hardware.cores));
    cost.compute_cycles =
        std::min(cost.compute_cycles, busiest * real(ceil_div(rows.part, layout.copies)) *
                                          real(tile_columns) * real(layout.reduction_folds));
    if (hardware.local_per_core) cost.local_share = busiest / real(tiles);
}

/// Adds up cycles and energy.
template <class Hardware>
constexpr void add_up(const Hardware& hardware, double macs, mapping_cost& cost) {
    cost.cycles = std::max({cost.compute_cycles, cost.local.cycles(hardware.local) * cost.local_share,
                            cost.global.cycles(hardware.global), cost.dram.cycles(hardware.dram)});
    cost.energy_pj = macs * (hardware.mac_pj + hardware.register_pj) + cost.local.energy_pj(hardware.local) +
                     cost.global.energy_pj(hardware.global) + cost.dram.energy_pj(hardware.dram);
}

/// Elements of a part along the columns and along the reduction, of so many folds.
struct part_extents {
    std::int64_t columns, reduction;

    constexpr part_extents(const array_layout& layout, const workload::contraction& product,
                           std::int64_t column_folds, std::int64_t reduction_folds)
        : columns(std::min(product.columns, column_folds * layout.column_units)),
          reduction(std::min(product.reduction, reduction_folds * layout.reduction_units)) {}
};

} // namespace detail

/// Whether `m` is a mapping of `op` to `hardware`: every tile and block has a size, is cut as the operator is
/// cut, and fits.
template <class Hardware, mapped_operator Operator>
[[nodiscard]] constexpr bool fits(const Hardware& hardware, const Operator& op, const mapping& m) {
    for (const std::int64_t part :
         {m.tile_rows, m.tile_columns, m.tile_reduction, m.block_rows, m.block_columns, m.block_reduction})
        if (part < 1) return false;
    if (m.tile_columns * m.tile_reduction > hardware.weights_held) return false;
    const workload::contraction product = op.product();
    const even_cut rows = op.cut_rows(m.tile_rows);
    if (rows.part != m.tile_rows || m.block_rows < m.tile_rows ||
        op.cut_blocks(rows, m.block_rows).part != m.block_rows)
        return false;
    const detail::array_layout layout(hardware, product, m.turned);
    const auto held = [&](const memory_level& level, std::int64_t of_rows, std::int64_t columns,
                          std::int64_t reduction) {
        const detail::part_extents e(layout, product, columns, reduction);
        const auto real = detail::operand_words::real;
        return level.holds(op.held_inputs(of_rows, e.reduction), real(e.reduction) * real(e.columns),
                           real(of_rows) * real(e.columns) * hardware.sum_words);
    };
    return held(hardware.local, m.tile_rows, m.tile_columns, m.tile_reduction) &&
           held(hardware.global, m.block_rows, m.tile_columns * m.block_columns,
                m.tile_reduction * m.block_reduction);
}

/// What `m`, which fits, costs. Batches follow one another, tile by tile.
///
/// With A, B, C tiles along rows, columns and reduction, the local buffers give the weights A times, the
/// inputs B times, and the partial sums C - 1 times, which they take C times. The global buffer fills the
/// local ones tile by tile and keeps nothing from block to block; the DRAM fills the global one likewise.
/// \complexity O(1), no allocation.
template <class Hardware, mapped_operator Operator>
[[nodiscard]] constexpr mapping_cost price(const Hardware& hardware, const Operator& op, const mapping& m) {
    const auto real = detail::operand_words::real;
    const workload::contraction product = op.product();
    const detail::array_layout layout(hardware, product, m.turned);
    const detail::operand_words words(product);
    const even_cut a = op.cut_rows(m.tile_rows);
    const std::int64_t b = ceil_div(layout.column_folds, m.tile_columns);
    const std::int64_t c = ceil_div(layout.reduction_folds, m.tile_reduction);
    const detail::operand_words::cuts tiles{real(a.count), real(b), real(c)};
    const detail::operand_words::cuts blocks{real(op.cut_blocks(a, m.block_rows).count),
                                             real(ceil_div(b, m.block_columns)),
                                             real(ceil_div(c, m.block_reduction))};
    const auto fetched = [&](std::int64_t rows, std::int64_t columns, std::int64_t reduction) {
        const detail::part_extents e(layout, product, columns, reduction);
        return real(product.batch) * op.fetched_inputs(rows, e.reduction);
    };
    mapping_cost cost;
    detail::deal_out(hardware, product, layout, a, m.tile_columns, b, cost);
    cost.local = words.moved(tiles, real(product.batch) * real(product.rows) * real(product.reduction),
                             hardware.sum_words);
    cost.global = words.moved(tiles, blocks, m.in_block,
                              fetched(m.tile_rows, m.tile_columns, m.tile_reduction), hardware.sum_words);
    cost.dram = words.moved(
        blocks, {1, 1, 1}, m.in_dram,
        fetched(m.block_rows, m.tile_columns * m.block_columns, m.tile_reduction * m.block_reduction),
        hardware.sum_words);
    detail::add_up(hardware, product.macs(), cost);
    return cost;
}

} // namespace dovetail::cost
