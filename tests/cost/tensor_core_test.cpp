#include <dovetail/cost/tensor_core.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/platform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::cost {
namespace {

using hardware::accelerator;
using hardware::phaze_platform;
using workload::contraction;

// Small enough that every buffer overflows: four weights a MAC at work, little room for partial sums.
struct small_platform : phaze_platform {
    static constexpr double local_words_per_cycle = 3;
    static constexpr double global_words_per_cycle = 1e30;
    static constexpr std::int64_t tensor_register_bytes = 16;
    static constexpr std::int64_t local_buffer_bytes(std::int64_t macs) noexcept { return 48 + 5 * macs; }
};

// What one core does with some column tiles of some batches, counted loop by loop.
struct counted {
    std::int64_t cycles = 0;
    std::int64_t local_words = 0;
    std::int64_t global_words = 0;
};

struct column_tile {
    std::int64_t batch;
    std::int64_t first;
    std::int64_t last;
};

// The schedule in words: batches, blocks of rows, groups of `wide` column tiles, passes over groups of `deep`
// reduction tiles, folds; and in a fold row by row, element by element of the row's part.
template <class P>
counted run_core(const contraction& p, const accelerator& chip, std::int64_t rows,
                 const std::vector<column_tile>& tiles, std::int64_t wide, std::int64_t deep) {
    const std::int64_t passes = (p.reduction + deep * chip.depth - 1) / (deep * chip.depth);
    const std::int64_t sum_bytes_of_a_row = P::partial_sum_bytes * wide * chip.width;
    std::int64_t block = rows;
    if (passes > 1)
        block = std::clamp<std::int64_t>(P::local_buffer_bytes(chip.width * chip.depth) / sum_bytes_of_a_row,
                                         1, rows);
    counted done;
    for (std::size_t start = 0; start < tiles.size();) {
        std::size_t end = start;
        while (end < tiles.size() && tiles[end].batch == tiles[start].batch) ++end;
        for (std::int64_t row = 0; row < rows; row += block) {
            const std::int64_t in_block = std::min(block, rows - row);
            for (std::size_t group = start; group < end; group += static_cast<std::size_t>(wide)) {
                const std::size_t group_end = std::min(end, group + static_cast<std::size_t>(wide));
                for (std::int64_t k = 0; k < p.reduction; k += deep * chip.depth) {
                    const std::int64_t k_end = std::min(p.reduction, k + deep * chip.depth);
                    const bool first_pass = k == 0;
                    const bool last_pass = k_end == p.reduction;
                    for (std::int64_t r = 0; r < in_block; ++r) {
                        done.local_words += k_end - k;
                        done.global_words += k_end - k;
                        for (std::size_t t = group; t < group_end; ++t)
                            for (std::int64_t c = tiles[t].first; c < tiles[t].last; ++c) {
                                if (!first_pass) done.local_words += P::partial_sum_bytes / P::element_bytes;
                                if (last_pass) ++done.local_words; // the result leaves
                            }
                    }
                    for (std::size_t t = group; t < group_end; ++t)
                        for (std::int64_t fold = k; fold < k_end; fold += chip.depth) {
                            const std::int64_t weights = (std::min(k_end, fold + chip.depth) - fold) *
                                                         (tiles[t].last - tiles[t].first);
                            done.local_words += weights;
                            done.global_words += weights;
                            done.cycles += std::max(in_block, chip.depth);
                        }
                }
            }
        }
        start = end;
    }
    return done;
}

std::vector<column_tile> tiles_of(const contraction& p, const accelerator& chip) {
    std::vector<column_tile> tiles;
    for (std::int64_t b = 0; b < p.batch; ++b)
        for (std::int64_t c = 0; c < p.columns; c += chip.width)
            tiles.push_back({b, c, std::min(p.columns, c + chip.width)});
    return tiles;
}

// Every grouping and every halving of the rows, tiles dealt out in order; the busiest core sets the time.
template <class P>
double best_by_counting(const contraction& p, const accelerator& chip, std::int64_t cores) {
    const auto tiles = tiles_of(p, chip);
    const auto fill = static_cast<double>(chip.depth + (chip.depth + chip.width - 2));
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t parts = 1; parts <= cores; parts *= 2) {
        const std::int64_t rows = (p.rows + parts - 1) / parts;
        const std::int64_t dealers = cores / parts;
        const auto each = static_cast<std::size_t>((std::ssize(tiles) + dealers - 1) / dealers);
        for (std::int64_t wide = 1; wide <= 4; wide *= 2) {
            std::int64_t cycles = 0;
            std::int64_t words = 0;
            for (std::size_t first = 0; first < tiles.size(); first += each) {
                const std::vector<column_tile> mine(
                    tiles.begin() + static_cast<std::ptrdiff_t>(first),
                    tiles.begin() + static_cast<std::ptrdiff_t>(std::min(tiles.size(), first + each)));
                const counted done = run_core<P>(p, chip, rows, mine, wide, 4 / wide);
                cycles = std::max(cycles, done.cycles);
                words = std::max(words, done.local_words);
            }
            const double local = static_cast<double>(words) / P::local_words_per_cycle;
            best = std::min(best, std::max(static_cast<double>(cycles), local) + fill);
        }
    }
    return best;
}

accelerator chip_of(std::int64_t width, std::int64_t depth) { return {1, 1, width, depth, width, 2 << 20}; }

TEST(tensor_core, closed_form_equals_the_counted_loops_on_one_core) {
    random_source random(7);
    for (int i = 0; i < 400; ++i) {
        const contraction p{random.integer(1, 3), random.integer(1, 40), random.integer(1, 40),
                            random.integer(1, 40)};
        const accelerator chip = chip_of(random.integer(1, 9), random.integer(1, 9));
        const product_cost cost = cost_of<small_platform>(p, chip, 1);
        ASSERT_DOUBLE_EQ(cost.cycles<small_platform>(), best_by_counting<small_platform>(p, chip, 1))
            << p.batch << ' ' << p.rows << ' ' << p.reduction << ' ' << p.columns << " on " << chip.width
            << 'x' << chip.depth;
        // The mapping that was chosen has these very counts.
        bool found = false;
        for (std::int64_t wide = 1; wide <= 4; wide *= 2) {
            const counted done = run_core<small_platform>(p, chip, p.rows, tiles_of(p, chip), wide, 4 / wide);
            found = found || (static_cast<double>(done.cycles) == cost.array_cycles &&
                              static_cast<double>(done.local_words) == cost.local_words &&
                              static_cast<double>(done.global_words) == cost.global_words);
        }
        ASSERT_TRUE(found);
    }
}

TEST(tensor_core, closed_form_equals_the_counted_loops_on_many_cores) {
    random_source random(8);
    for (int i = 0; i < 300; ++i) {
        const contraction p{1, random.integer(1, 60), random.integer(1, 30), random.integer(1, 60)};
        const accelerator chip = chip_of(random.integer(1, 6), random.integer(1, 6));
        const std::int64_t cores = random.integer(1, 20);
        ASSERT_DOUBLE_EQ((cost_of<small_platform>(p, chip, cores).cycles<small_platform>()),
                         best_by_counting<small_platform>(p, chip, cores))
            << p.rows << ' ' << p.reduction << ' ' << p.columns << " on " << cores << " of " << chip.width
            << 'x' << chip.depth;
    }
}

// With batches that do not divide evenly a core may take the end of one and the start of the next; the closed
// form lets it take whole batches first, which is never worse.
TEST(tensor_core, closed_form_is_at_most_the_counted_loops_on_batches) {
    random_source random(9);
    int equal = 0;
    for (int i = 0; i < 300; ++i) {
        const contraction p{random.integer(2, 6), random.integer(1, 30), random.integer(1, 20),
                            random.integer(1, 20)};
        const accelerator chip = chip_of(random.integer(1, 6), random.integer(1, 6));
        const std::int64_t cores = random.integer(1, 20);
        const double cycles = cost_of<small_platform>(p, chip, cores).cycles<small_platform>();
        const double counted = best_by_counting<small_platform>(p, chip, cores);
        ASSERT_LE(cycles, counted * (1 + 1e-12));
        ASSERT_GE(cycles, counted * 0.5);
        equal += cycles >= counted * (1 - 1e-12) ? 1 : 0;
    }
    EXPECT_GT(equal, 200);
}

// By hand: a 4 x 4 array, a product of 10 x 8 x 12. Two reduction tiles by three column tiles are six folds
// of ten rows; eight weights a MAC hold two by four, so a single pass reads the rows once.
TEST(tensor_core, equals_a_case_by_hand) {
    const product_cost cost = cost_of<phaze_platform>({1, 10, 8, 12}, chip_of(4, 4), 1);
    EXPECT_EQ(cost.array_cycles, 6 * 10);
    EXPECT_EQ(cost.fill_cycles, 4 + (4 + 4 - 2));
    EXPECT_EQ(cost.local_words, 10 * 8 + 8 * 12 + 10 * 12);
    EXPECT_EQ(cost.global_words, 10 * 8 + 8 * 12);
    EXPECT_EQ(cost.result_words, 10 * 12);
    EXPECT_EQ(cost.local_cycles, 296 / 64.0);
}

// A single fold is the textbook's: load, stream, skew (Samajdar et al., SCALE-Sim, ISPASS 2020: 2r + c + t -
// 2).
TEST(tensor_core, single_fold_is_the_textbook_latency) {
    for (const std::int64_t rows : {128, 1000})
        EXPECT_EQ((cost_of<phaze_platform>({1, rows, 16, 8}, chip_of(8, 16), 1).cycles<phaze_platform>()),
                  static_cast<double>(2 * 16 + 8 + rows - 2));
}

TEST(tensor_core, edge_tile_costs_a_full_fold) {
    const auto cycles = [](std::int64_t reduction, std::int64_t columns) {
        return cost_of<phaze_platform>({1, 100, reduction, columns}, chip_of(8, 8), 1).array_cycles;
    };
    EXPECT_EQ(cycles(8, 8), 100);
    EXPECT_EQ(cycles(9, 8), 200);
    EXPECT_EQ(cycles(9, 9), 400);
    EXPECT_EQ(cycles(16, 16), 400);
}

TEST(tensor_core, few_rows_wait_for_the_weights) {
    EXPECT_EQ((cost_of<phaze_platform>({1, 1, 64, 64}, chip_of(8, 8), 1).array_cycles), 64.0 * 8);
}

// The 64 words a cycle belong to a core: eight of them are eight times as fast, on a product that is bound by
// them.
TEST(tensor_core, bandwidth_grows_with_the_cores) {
    const contraction p{1, 4096, 4096, 4096};
    const product_cost one = cost_of<phaze_platform>(p, hardware::tpuv4_like, 1);
    const product_cost all = cost_of<phaze_platform>(p, hardware::tpuv4_like, 8);
    EXPECT_GT(one.local_cycles, one.array_cycles);
    EXPECT_NEAR(one.cycles<phaze_platform>() / all.cycles<phaze_platform>(), 8, 0.01);
    EXPECT_EQ(one.array_cycles, 4'194'304);
    EXPECT_EQ(all.array_cycles, 524'288);
}

TEST(tensor_core, empty_product_costs_nothing) {
    EXPECT_EQ((cost_of<phaze_platform>({}, hardware::tpuv4_like, 8).cycles<phaze_platform>()), 0);
}

} // namespace
} // namespace dovetail::cost
