#pragma once
/// \file
/// Hardware and operators for the tests of mappings: the published chip, and small ones at random.

#include <dovetail/core/random.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::test {

/// A few units, and memories of some dozen words, shared or one for each operand, with or without double
/// buffers.
inline cost::mapping_hardware small_hardware(random_source& random) {
    const auto level = [&](std::int64_t least, std::int64_t most) {
        cost::memory_level l;
        l.capacity_words = static_cast<double>(random.integer(least, most));
        l.per_operand = random.integer(0, 1) == 1;
        l.double_buffered = random.integer(0, 2) == 0;
        l.read_words_per_cycle = static_cast<double>(random.integer(1, 8));
        l.write_words_per_cycle = static_cast<double>(random.integer(1, 8));
        l.one_port = random.integer(0, 3) == 0;
        l.word_pj = static_cast<double>(random.integer(0, 60));
        return l;
    };
    cost::mapping_hardware h;
    h.cores = random.integer(1, 4);
    h.width = random.integer(1, 3);
    h.depth = random.integer(1, 3);
    h.weights_held = random.integer(1, 4);
    h.local = level(8, 60);
    h.local_per_core = random.integer(0, 1) == 1;
    h.global = level(20, 200);
    h.dram = level(1, 1);
    h.mac_pj = static_cast<double>(random.integer(0, 3));
    h.register_pj = 0.25;
    h.sum_words = static_cast<double>(random.integer(1, 2));
    return h;
}

inline workload::contraction small_product(random_source& random) {
    return {random.integer(1, 2), random.integer(1, 6), random.integer(1, 6), random.integer(1, 6)};
}

inline cost::convolution small_convolution(random_source& random) {
    return {.groups = random.integer(1, 2),
            .images = random.integer(1, 3),
            .channels = random.integer(1, 3),
            .filters = random.integer(1, 3),
            .height = random.integer(1, 4),
            .width = random.integer(1, 4),
            .kernel_height = random.integer(1, 3),
            .kernel_width = random.integer(1, 3),
            .stride = random.integer(1, 3)};
}

/// Whether the columns and the reduction, of so many folds, are cut evenly.
inline bool is_even(const cost::mapping& m, std::int64_t column_folds, std::int64_t reduction_folds) {
    const auto even = [](std::int64_t extent, std::int64_t part) {
        return cost::even_cut::of(extent, part).part == part;
    };
    const auto tiles = [](std::int64_t folds, std::int64_t part) { return (folds + part - 1) / part; };
    return even(column_folds, m.tile_columns) && even(reduction_folds, m.tile_reduction) &&
           even(tiles(column_folds, m.tile_columns), m.block_columns) &&
           even(tiles(reduction_folds, m.tile_reduction), m.block_reduction);
}

/// Calls `body(mapping)` for every mapping of `op` that fits: of every size where parts share no inputs, else
/// of even cuts.
template <class Operator, class Body>
void over_all_mappings(const cost::mapping_hardware& hardware, const Operator& op, Body body) {
    const workload::contraction p = op.product();
    for (const bool turned : {false, true}) {
        const std::int64_t across = turned ? hardware.depth : hardware.width;
        const std::int64_t along = turned ? hardware.width : hardware.depth;
        const std::int64_t columns = (p.columns + across - 1) / across;
        const std::int64_t reduction = (p.reduction + along - 1) / along;
        cost::mapping m{.turned = turned};
        for (m.tile_rows = 1; m.tile_rows <= p.rows; ++m.tile_rows)
            for (m.tile_columns = 1; m.tile_columns <= columns; ++m.tile_columns)
                for (m.tile_reduction = 1; m.tile_reduction <= reduction; ++m.tile_reduction)
                    for (m.block_rows = m.tile_rows; m.block_rows <= p.rows; ++m.block_rows)
                        for (m.block_columns = 1; m.block_columns <= columns; ++m.block_columns)
                            for (m.block_reduction = 1; m.block_reduction <= reduction; ++m.block_reduction) {
                                if (Operator::inputs_overlap && !is_even(m, columns, reduction)) continue;
                                if (!cost::fits(hardware, op, m)) continue;
                                for (const cost::stays in_block : cost::loop_orders)
                                    for (const cost::stays in_dram : cost::loop_orders) {
                                        m.in_block = in_block;
                                        m.in_dram = in_dram;
                                        body(m);
                                    }
                            }
    }
}

} // namespace dovetail::test
