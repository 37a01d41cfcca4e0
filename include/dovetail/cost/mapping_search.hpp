#pragma once
/// \file
/// The best mapping of a product or a convolution, exact over the declared space.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/mapping_bound.hpp>
#include <dovetail/cost/mapping_objective.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace dovetail::cost {

/// The best mapping, or the proof that no tile fits: then there is neither a mapping nor a cost.
struct mapping_outcome {
    status outcome = status::infeasible; ///< `optimal`, or `infeasible`
    mapping best;
    mapping_cost cost;
    std::int64_t priced = 0; ///< mappings whose cost was computed
};

namespace detail {

/// One search: the mappings of one operator to one chip, and the best of those seen.
template <class Hardware, mapped_operator Operator>
class mapping_explorer {
public:
    constexpr mapping_explorer(const Hardware& hardware, const Operator& op, mapping_objective goal)
        : hardware_(hardware), op_(op), product_(op.product()), goal_(goal), words_(product_),
          macs_(product_.macs()) {}

    constexpr mapping_outcome operator()() {
        explore(false);
        if (hardware_.width != hardware_.depth) explore(true);
        return found_;
    }

private:
    using cuts = operand_words::cuts;

    /// One way to cut the columns or the reduction into tiles, in folds.
    struct side {
        even_cut cut;
        std::int64_t extent = 0; ///< elements of the part
        double rows_most = 0;    ///< that fit beside it, where every operand has a capacity of its own
    };
    struct sides {
        std::array<side, most_weights_held> of{};
        std::size_t count = 0;
    };

    /// Where a shape stands among the sides, and the bound on its mappings.
    struct candidate {
        std::uint8_t columns, reduction;
        objective_value bound;
    };
    // Pairs of numbers whose product is at most `most_weights_held`.
    static constexpr std::size_t most_candidates = [] {
        std::int64_t pairs = 0;
        for (std::int64_t i = 1; i <= most_weights_held; ++i) pairs += most_weights_held / i;
        return static_cast<std::size_t>(pairs);
    }();

    /// Tiles of one shape but for their rows.
    struct shape {
        const side* columns;
        const side* reduction;
        even_cut rows; ///< the fewest
        double inputs; ///< words fetched for all of them
        objective_value bound;
    };

    static constexpr double real(std::int64_t count) noexcept { return static_cast<double>(count); }

    constexpr sides sides_of(std::int64_t folds, std::int64_t units, std::int64_t extent,
                             auto rows_within) const {
        sides all;
        for (std::int64_t part = std::min(folds, hardware_.weights_held); part >= 1; --part) {
            const even_cut cut = even_cut::of(folds, part);
            part = cut.part;
            const std::int64_t elements = std::min(extent, part * units);
            const double rows_most =
                hardware_.local.per_operand ? rows_within(elements) : real(product_.rows);
            if (rows_most >= 1) all.of[all.count++] = {cut, elements, rows_most};
        }
        return all;
    }

    // Every shape of a tile on arrays that are turned, or not.
    constexpr void explore(bool turned) {
        const array_layout layout(hardware_, product_, turned);
        alone_ = alone_cycles(product_, layout);
        row_steps_ = product_.batch * ceil_div(product_.rows, layout.copies);
        const double most = hardware_.local.usable_words();
        const sides columns =
            sides_of(layout.column_folds, layout.column_units, product_.columns,
                     [&](std::int64_t extent) { return most / (hardware_.sum_words * real(extent)); });
        const sides reduction =
            sides_of(layout.reduction_folds, layout.reduction_units, product_.reduction,
                     [&](std::int64_t extent) { return op_.rows_within(most, extent, 0); });
        std::array<candidate, most_candidates> candidates;
        std::size_t count = 0;
        for (std::size_t x = 0; x < columns.count; ++x)
            for (std::size_t y = 0; y < reduction.count; ++y) {
                const shape t = shape_of(layout, columns.of[x], reduction.of[y]);
                if (t.rows.part > 0 && t.bound < best_)
                    candidates[count++] = {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y),
                                           t.bound};
            }
        // The most promising first, until the rest cannot be better than what is found.
        for (; count > 0; --count) {
            candidate* const next =
                std::min_element(candidates.data(), candidates.data() + count,
                                 [](const candidate& a, const candidate& b) { return a.bound < b.bound; });
            if (!(next->bound < best_)) return;
            explore(layout, turned,
                    shape_of(layout, columns.of[next->columns], reduction.of[next->reduction]));
            *next = candidates[count - 1];
        }
    }

    // The fewest tiles along the rows that fit, none if no row does, and the bound on all of this shape.
    constexpr shape shape_of(const array_layout& layout, const side& columns, const side& reduction) const {
        shape s{&columns, &reduction, {0, 0}, 0, {}};
        if (columns.cut.part * reduction.cut.part > hardware_.weights_held) return s;
        const double words = hardware_.local.usable_words();
        const double weights = real(columns.extent) * real(reduction.extent);
        if (weights > words) return s;
        const double most = hardware_.local.per_operand
                                ? std::min(columns.rows_most, reduction.rows_most)
                                : op_.rows_within(words - weights, reduction.extent,
                                                  real(columns.extent) * hardware_.sum_words);
        if (most >= 1) cut_rows(layout, most, s);
        return s;
    }

    constexpr void cut_rows(const array_layout& layout, double most, shape& s) const {
        s.rows = op_.cut_rows(most < real(product_.rows) ? static_cast<std::int64_t>(most) : product_.rows);
        s.inputs = fetched(s.rows.part, s.reduction->extent);
        mapping_cost least = cost_of_local(tiles_of(s));
        least.compute_cycles = least_compute(layout, s);
        if (hardware_.local_per_core) least.local_share = 1 / real(hardware_.cores);
        s.bound = bound_of(s, least);
    }

    constexpr double fetched(std::int64_t rows, std::int64_t reduction) const {
        return real(product_.batch) * op_.fetched_inputs(rows, reduction);
    }

    constexpr cuts tiles_of(const shape& s) const {
        return {real(s.rows.count), real(s.columns->cut.count), real(s.reduction->cut.count)};
    }

    // Cycles of the busiest core at least, however the rows are cut.
    constexpr double least_compute(const array_layout& layout, const shape& s) const {
        if (hardware_.cores == 1) return alone_;
        const std::int64_t steps = row_steps_ * s.columns->cut.count;
        return std::min(alone_, real(ceil_div<std::int64_t>(steps, hardware_.cores)) *
                                    real(s.columns->cut.part) * real(layout.reduction_folds));
    }

    // What no block of any size gets by with.
    constexpr least_words least_of_dram() const {
        least_words least(words_.moved({1, 1, 1}, inputs_once_, hardware_.sum_words));
        if constexpr (!Operator::inputs_overlap) {
            const double s = hardware_.sum_words;
            const part_limits block{real(product_.rows), real(product_.columns), real(product_.reduction),
                                    hardware_.global.usable_words(), s};
            const double weights = least.read - inputs_once_;
            const double results = least.written;
            least.read = block.least_moved(macs_, inputs_once_, weights, results, s);
            least.both = block.least_moved(macs_, inputs_once_, weights, results, 2 * s) + results;
        }
        return least;
    }

    constexpr objective_value bound_of(const mapping_cost& cores, const least_words& global,
                                       const least_words& dram) const {
        const double cycles =
            std::max({cores.compute_cycles, cores.local.cycles(hardware_.local) * cores.local_share,
                      global.cycles(hardware_.global), dram.cycles(hardware_.dram)});
        const double energy_pj = macs_ * (hardware_.mac_pj + hardware_.register_pj) +
                                 cores.local.energy_pj(hardware_.local) +
                                 global.both * hardware_.global.word_pj + dram.both * hardware_.dram.word_pj;
        return value_of(goal_, cycles, energy_pj);
    }

    // No mapping with these tiles, and cores that take as long, is better.
    constexpr objective_value bound_of(const shape& s, const mapping_cost& cores) const {
        // Whatever stays, no more is saved than by the best for reading, and for both.
        const cuts tiles = tiles_of(s);
        least_words global(words_.moved(tiles, s.inputs, hardware_.sum_words));
        const double saved = std::max(words_.weights() * (tiles.rows - 1), s.inputs * (tiles.columns - 1));
        const double sums = hardware_.sum_words * words_.results() * (tiles.reduction - 1);
        global.read -= std::max(saved, sums);
        global.written -= sums;
        global.both -= std::max(saved, 2 * sums);
        return bound_of(cores, global, least_of_dram_);
    }

    constexpr mapping_cost cost_of_local(const cuts& tiles) const {
        mapping_cost cost;
        cost.local = words_.moved(tiles, streamed_, hardware_.sum_words);
        return cost;
    }

    // All cuts of the rows of one shape, from the fewest tiles on. The bound only grows with their number.
    constexpr void explore(const array_layout& layout, bool turned, shape s) {
        for (;;) {
            mapping_cost cost = cost_of_local(tiles_of(s));
            deal_out(hardware_, product_, layout, s.rows, s.columns->cut.part, s.columns->cut.count, cost);
            mapping m{.turned = turned,
                      .tile_rows = s.rows.part,
                      .tile_columns = s.columns->cut.part,
                      .tile_reduction = s.reduction->cut.part};
            if (bound_of(s, cost) < best_) explore_blocks(layout, s, cost, m);
            if (s.rows.part == 1) return;
            cut_rows(layout, real(s.rows.part - 1), s);
            if (!(s.bound < best_)) return;
        }
    }

    // All blocks of tiles, in every order.
    constexpr void explore_blocks(const array_layout& layout, const shape& s, mapping_cost& cost,
                                  mapping& m) {
        const bool all_fit = rows_of_block({layout, product_, layout.column_folds, layout.reduction_folds}) >=
                             real(product_.rows);
        for (const stays in_block : loop_orders)
            for (const stays in_dram : loop_orders) {
                m.in_block = in_block;
                m.in_dram = in_dram;
                explore_order(layout, s, cost, m);
                if (all_fit) break; // a single block has no order
            }
    }

    // The blocks of one order. Along the rows the largest that fits: fewer blocks never move more words. A
    // side whose number of blocks makes no difference gets the smallest, to leave room for the others.
    constexpr void explore_order(const array_layout& layout, const shape& s, mapping_cost& cost, mapping& m) {
        constexpr bool overlap = Operator::inputs_overlap;
        const bool by_rows = overlap || m.in_block == stays::weights || m.in_dram != stays::weights;
        const bool by_columns = overlap || m.in_block == stays::inputs || m.in_dram != stays::inputs;
        const bool by_reduction = overlap || m.in_block == stays::sums || m.in_dram != stays::sums;
        if (!(bound_of_order(s, {1, 1, 1}, cost, m) < best_)) return;
        const std::int64_t most_columns = columns_of_block(s);
        for (std::int64_t b = by_columns ? most_columns : std::min<std::int64_t>(1, most_columns); b >= 1;
             --b) {
            const even_cut columns = even_cut::of(s.columns->cut.count, b);
            b = columns.part;
            const double column_blocks = real(columns.count);
            if (by_columns && !(bound_of_order(s, {1, column_blocks, 1}, cost, m) < best_)) return;
            const std::int64_t column_folds = columns.part * s.columns->cut.part;
            bool holds_all = false; // along the rows and the reduction, as far as they matter
            for (std::int64_t c = by_reduction ? reduction_of_block(layout, s, column_folds) : 1; c >= 1;
                 --c) {
                const even_cut reduction = even_cut::of(s.reduction->cut.count, c);
                c = reduction.part;
                const part_extents extents(layout, product_, column_folds,
                                           reduction.part * s.reduction->cut.part);
                const double most = rows_of_block(extents);
                if (most < real(s.rows.part)) continue;
                const double reduction_blocks = real(reduction.count);
                if (!(bound_of_order(s, {1, column_blocks, reduction_blocks}, cost, m) < best_)) break;
                even_cut rows = s.rows;
                if (by_rows)
                    rows = op_.cut_blocks(s.rows, most < real(product_.rows) ? static_cast<std::int64_t>(most)
                                                                             : product_.rows);
                m.block_rows = rows.part;
                m.block_columns = columns.part;
                m.block_reduction = reduction.part;
                consider(s, {real(rows.count), column_blocks, reduction_blocks},
                         fetched(rows.part, extents.reduction), cost, m);
                // Once there is nothing to gain along the rows, a smaller block only moves more: but for
                // channels at its borders, which even more blocks may cut less often.
                if (by_rows && rows.count > 1) continue;
                holds_all = holds_all || !by_reduction || reduction.count == 1;
                if (!overlap) break;
            }
            if (holds_all) return;
        }
    }

    // No cut into as many blocks or more is better, in the order of `m`.
    constexpr objective_value bound_of_order(const shape& s, const cuts& blocks, const mapping_cost& cores,
                                             const mapping& m) const {
        const double sum_words = hardware_.sum_words;
        least_words dram(words_.moved(blocks, {1, 1, 1}, m.in_dram, inputs_once_, sum_words));
        dram.read = std::max(dram.read, least_of_dram_.read);
        dram.both = std::max(dram.both, least_of_dram_.both);
        return bound_of(
            cores, least_words(words_.moved(tiles_of(s), blocks, m.in_block, s.inputs, sum_words)), dram);
    }

    // Column tiles that fit into a block of one tile along the other sides.
    constexpr std::int64_t columns_of_block(const shape& s) const {
        const memory_level& level = hardware_.global;
        const double words = level.usable_words();
        const double weights = real(s.reduction->extent);
        const double sums = real(s.rows.part) * hardware_.sum_words;
        const double inputs = op_.held_inputs(s.rows.part, s.reduction->extent);
        if (inputs > words) return 0;
        const double most =
            level.per_operand ? words / std::max(weights, sums) : (words - inputs) / (weights + sums);
        return tiles_within(most, s.columns->extent, product_.columns, s.columns->cut.count);
    }

    // Tiles along the reduction that may fit into a block of one tile along the rows, beside so many columns.
    constexpr std::int64_t reduction_of_block(const array_layout& layout, const shape& s,
                                              std::int64_t column_folds) const {
        if constexpr (Operator::inputs_overlap) return s.reduction->cut.count;
        const memory_level& level = hardware_.global;
        const double words = level.usable_words();
        const double weights = real(std::min(product_.columns, column_folds * layout.column_units));
        const double inputs = real(s.rows.part);
        const double sums = inputs * weights * hardware_.sum_words;
        const double most =
            level.per_operand ? words / std::max(weights, inputs) : (words - sums) / (weights + inputs);
        return tiles_within(most, s.reduction->extent, product_.reduction, s.reduction->cut.count);
    }

    // Whole tiles of `tile` elements within `most`, of `count` that make up `extent`.
    static constexpr std::int64_t tiles_within(double most, std::int64_t tile, std::int64_t extent,
                                               std::int64_t count) {
        return most >= real(extent) ? count : std::min(count, static_cast<std::int64_t>(most / real(tile)));
    }

    // Rows that fit into a block beside so many columns and so much of the reduction.
    constexpr double rows_of_block(const part_extents& extents) const {
        const memory_level& level = hardware_.global;
        const double words = level.usable_words();
        const double weights = real(extents.columns) * real(extents.reduction);
        if (weights > words) return 0;
        const double sums = real(extents.columns) * hardware_.sum_words;
        return level.per_operand ? std::min(words / sums, op_.rows_within(words, extents.reduction, 0))
                                 : op_.rows_within(words - weights, extents.reduction, sums);
    }

    constexpr void consider(const shape& s, const cuts& blocks, double inputs, mapping_cost& cost,
                            const mapping& m) {
        cost.global = words_.moved(tiles_of(s), blocks, m.in_block, s.inputs, hardware_.sum_words);
        cost.dram = words_.moved(blocks, {1, 1, 1}, m.in_dram, inputs, hardware_.sum_words);
        add_up(hardware_, macs_, cost);
        ++found_.priced;
        const objective_value value = value_of(goal_, cost.cycles, cost.energy_pj);
        if (!(value < best_)) return;
        best_ = value;
        found_.outcome = status::optimal;
        found_.best = m;
        found_.cost = cost;
    }

    const Hardware& hardware_;
    const Operator& op_;
    workload::contraction product_;
    mapping_objective goal_;
    operand_words words_;
    double macs_;
    double streamed_ = real(product_.batch) * real(product_.rows) * real(product_.reduction);
    double inputs_once_ = fetched(product_.rows, product_.reduction);
    least_words least_of_dram_ = least_of_dram();
    double alone_ = 0;           // cycles of a single core, as the arrays are turned
    std::int64_t row_steps_ = 0; // rows that go through an array, of all batches
    objective_value best_;
    mapping_outcome found_;
};

} // namespace detail

/// Finds the best mapping of an operator: every turn of the arrays, every even cut into tiles and blocks that
/// fit, every loop order. Of a product, no cut of any kind is better than the even ones.
///
/// Exact: a part of the space is left out only when its bound is no better than a mapping in hand. Batches
/// follow one another. Deterministic, constexpr, and allocates nothing. \see price, mapping_bound
struct mapping_search {
    mapping_objective goal = mapping_objective::latency;

    template <class Hardware, mapped_operator Operator>
    [[nodiscard]] constexpr mapping_outcome operator()(const Hardware& hardware, const Operator& op) const {
        const workload::contraction product = op.product();
        DOVETAIL_ASSERT(product.batch > 0 && product.rows > 0 && product.reduction > 0 && product.columns > 0,
                        "a product has a size");
        DOVETAIL_ASSERT(product.macs() < 4.6e18, "the multiply-accumulates fit 62 bits");
        DOVETAIL_ASSERT(hardware.cores > 0 && hardware.width > 0 && hardware.depth > 0 &&
                            hardware.weights_held > 0 && hardware.weights_held <= most_weights_held,
                        "a core has units, and registers for up to 64 weights each");
        for ([[maybe_unused]] const memory_level& level : {hardware.local, hardware.global, hardware.dram})
            DOVETAIL_ASSERT(level.read_words_per_cycle > 0 && level.write_words_per_cycle > 0,
                            "every memory can be read and written");
        return detail::mapping_explorer<Hardware, Operator>(hardware, op, goal)();
    }
};

} // namespace dovetail::cost
