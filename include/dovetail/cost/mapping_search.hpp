#pragma once
/// \file
/// The best mapping of a matrix product, exact over the declared space.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace dovetail::cost {

/// What a mapping is chosen by. Ties go to the lower energy, or to fewer cycles where energy decides.
enum class mapping_objective : std::uint8_t { latency, energy, edp };

/// A cost as the objective orders it: first, then second.
struct objective_value {
    double first = std::numeric_limits<double>::infinity();
    double second = std::numeric_limits<double>::infinity();

    friend constexpr bool operator<(const objective_value& a, const objective_value& b) noexcept {
        return a.first < b.first || (a.first == b.first && a.second < b.second);
    }
};

/// `cycles` and `energy_pj` as `goal` orders them.
[[nodiscard]] constexpr objective_value value_of(mapping_objective goal, double cycles, double energy_pj) {
    switch (goal) {
    case mapping_objective::latency:
        return {cycles, energy_pj};
    case mapping_objective::energy:
        return {energy_pj, cycles};
    case mapping_objective::edp:
        break;
    }
    return {cycles * energy_pj, cycles};
}

/// The best mapping, or the proof that no tile fits: then the cost is infinite.
struct mapping_outcome {
    status outcome = status::infeasible; ///< `optimal`, or `infeasible`
    mapping best;
    mapping_cost cost;
    std::int64_t priced = 0; ///< mappings whose cost was computed
};

namespace detail {

/// One search: the mappings of one product to one chip, and what is known of the best.
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

    /// The parts of a cut that a tile may have along one side, in folds, and its largest other sides.
    struct side {
        even_cut cut;
        std::int64_t extent = 0; ///< elements of the part
        double rows_most = 0;    ///< that fit with it, if every operand has a capacity of its own
    };
    struct sides {
        std::array<side, most_weights_held> of{};
        std::size_t count = 0;
    };

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
        const double most = hardware_.local.usable_words();
        const sides columns =
            sides_of(layout.column_folds, layout.column_units, product_.columns,
                     [&](std::int64_t extent) { return most / (hardware_.sum_words * real(extent)); });
        const sides reduction =
            sides_of(layout.reduction_folds, layout.reduction_units, product_.reduction,
                     [&](std::int64_t extent) { return op_.rows_within(most, extent, 0); });
        // The most promising first, since a good mapping rules out many others by their bounds.
        shape first{};
        for (std::size_t x = 0; x < columns.count; ++x)
            for (std::size_t y = 0; y < reduction.count; ++y) {
                const shape s = shape_of(layout, columns.of[x], reduction.of[y]);
                if (s.rows.part > 0 && s.bound < first.bound) first = s;
            }
        if (!(first.bound < best_)) return;
        explore(layout, turned, first);
        for (std::size_t x = 0; x < columns.count; ++x)
            for (std::size_t y = 0; y < reduction.count; ++y) {
                if (&columns.of[x] == first.columns && &reduction.of[y] == first.reduction) continue;
                const shape s = shape_of(layout, columns.of[x], reduction.of[y]);
                if (s.rows.part > 0 && s.bound < best_) explore(layout, turned, s);
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
        s.bound = bound_of(layout, s);
    }

    constexpr double fetched(std::int64_t rows, std::int64_t reduction) const {
        return real(product_.batch) * op_.fetched_inputs(rows, reduction);
    }

    constexpr cuts tiles_of(const shape& s) const {
        return {real(s.rows.count), real(s.columns->cut.count), real(s.reduction->cut.count)};
    }

    // No mapping with these tiles, or with more along the rows, is better: all cores are busy, and the global
    // buffer holds everything.
    constexpr objective_value bound_of(const array_layout& layout, const shape& s) const {
        const cuts tiles = tiles_of(s);
        mapping_cost least = cost_of_local(tiles);
        least.compute_cycles = alone_cycles(product_, layout) / real(hardware_.cores);
        least.dram = words_.moved({1, 1, 1}, inputs_once_, hardware_.sum_words);
        constexpr double none = std::numeric_limits<double>::infinity();
        least.global = {none, none};
        double fewest = none;
        for (const stays order : loop_orders) {
            const moved_words moved = words_.moved(tiles, {1, 1, 1}, order, s.inputs, hardware_.sum_words);
            least.global.read = std::min(least.global.read, moved.read);
            least.global.written = std::min(least.global.written, moved.written);
            fewest = std::min(fewest, moved.read + moved.written);
        }
        add_up(hardware_, macs_, least);
        least.energy_pj += (fewest - least.global.read - least.global.written) * hardware_.global.word_pj;
        return value_of(goal_, least.cycles, least.energy_pj);
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
            cost.compute_cycles = compute_cycles(hardware_, product_, layout, s.rows, s.columns->cut.part,
                                                 s.columns->cut.count);
            mapping m{.turned = turned,
                      .tile_rows = s.rows.part,
                      .tile_columns = s.columns->cut.part,
                      .tile_reduction = s.reduction->cut.part};
            explore_blocks(layout, s, cost, m);
            if (s.rows.part == 1) return;
            cut_rows(layout, real(s.rows.part - 1), s);
            if (!(s.bound < best_)) return;
        }
    }

    // All blocks of tiles. Along the rows the largest that fits: fewer blocks never move more words.
    constexpr void explore_blocks(const array_layout& layout, const shape& s, mapping_cost& cost,
                                  mapping& m) {
        for (std::int64_t b = s.columns->cut.count; b >= 1; --b) {
            const even_cut columns = even_cut::of(s.columns->cut.count, b);
            b = columns.part;
            bool holds_all = false;
            for (std::int64_t c = s.reduction->cut.count; c >= 1; --c) {
                const even_cut reduction = even_cut::of(s.reduction->cut.count, c);
                c = reduction.part;
                const part_extents extents(layout, product_, columns.part * s.columns->cut.part,
                                           reduction.part * s.reduction->cut.part);
                const double most = rows_of_block(extents);
                if (most < real(s.rows.part)) continue;
                const even_cut rows = op_.cut_blocks(
                    s.rows, most < real(product_.rows) ? static_cast<std::int64_t>(most) : product_.rows);
                m.block_rows = rows.part;
                m.block_columns = columns.part;
                m.block_reduction = reduction.part;
                const double inputs = fetched(rows.part, extents.reduction);
                consider(s, {real(rows.count), real(columns.count), real(reduction.count)}, inputs, cost, m);
                // Once there is nothing to gain along the rows, a smaller block only moves more.
                if (rows.count > 1) continue;
                holds_all = reduction.count == 1;
                break;
            }
            if (holds_all) break;
        }
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
                            mapping& m) {
        for (const stays in_block : loop_orders) {
            cost.global = words_.moved(tiles_of(s), blocks, in_block, s.inputs, hardware_.sum_words);
            for (const stays in_dram : loop_orders) {
                cost.dram = words_.moved(blocks, {1, 1, 1}, in_dram, inputs, hardware_.sum_words);
                add_up(hardware_, macs_, cost);
                ++found_.priced;
                const objective_value value = value_of(goal_, cost.cycles, cost.energy_pj);
                if (!(value < best_)) continue;
                best_ = value;
                m.in_block = in_block;
                m.in_dram = in_dram;
                found_.outcome = status::optimal;
                found_.best = m;
                found_.cost = cost;
            }
        }
    }

    const Hardware& hardware_;
    const Operator& op_;
    workload::contraction product_;
    mapping_objective goal_;
    operand_words words_;
    double macs_;
    double streamed_ = real(product_.batch) * real(product_.rows) * real(product_.reduction);
    double inputs_once_ = fetched(product_.rows, product_.reduction);
    objective_value best_;
    mapping_outcome found_;
};

} // namespace detail

/// Finds the best mapping of a product: every turn of the arrays, every even cut into tiles and blocks that
/// fit, every loop order.
///
/// Exact: a part of the space is left out only when its bound is no better than a mapping in hand. Batches
/// follow one another. Deterministic, and allocates nothing. \see price, mapping_bound
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
        return detail::mapping_explorer<Hardware, Operator>(hardware, op, goal)();
    }
};

} // namespace dovetail::cost
