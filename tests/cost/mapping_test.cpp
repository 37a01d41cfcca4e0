#include <dovetail/cost/mapping.hpp>

#include <cost/mapping_problems.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/cost/mapped_operator.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::cost {
namespace {

using workload::contraction;

// A machine that runs the loop nest tile by tile and counts what it moves. A memory has one slot for each
// operand; only the operand that stays is found in its slot again.
class machine {
public:
    machine(const mapping_hardware& hardware, const contraction& product, const mapping& m)
        : hardware_(hardware), product_(product), m_(m),
          column_part_(m.tile_columns * (m.turned ? hardware.depth : hardware.width)),
          reduction_part_(m.tile_reduction * (m.turned ? hardware.width : hardware.depth)) {}

    mapping_cost run() {
        const std::array extents{product_.rows, product_.columns, product_.reduction};
        const std::array tile{m_.tile_rows, column_part_, reduction_part_};
        const std::array block{m_.block_rows, column_part_ * m_.block_columns,
                               reduction_part_ * m_.block_reduction};
        for (std::int64_t batch = 0; batch < product_.batch; ++batch) {
            slots dram_slots;
            visits_of in_dram;
            visits_of in_global;
            for_parts({0, 0, 0}, extents, block, m_.in_dram, [&](const part& outer) {
                fetch(outer, m_.in_dram, dram_slots, in_dram, cost_.dram);
                slots block_slots;
                for_parts(outer.from, outer.to, tile, m_.in_block, [&](const part& inner) {
                    fetch(inner, m_.in_block, block_slots, in_global, cost_.global);
                    work(inner);
                });
                store(block_slots, in_global, cost_.global);
            });
            store(dram_slots, in_dram, cost_.dram);
        }
        return cost_;
    }

private:
    using triple = std::array<std::int64_t, 3>; // rows, columns, reduction
    struct part {
        triple from, to;
    };
    using place = std::array<std::int64_t, 4>;
    struct slots {
        std::optional<place> weights, inputs, sums;
    };
    using visits_of = std::map<place, std::int64_t>; // how much of the reduction a part of the result has

    template <class Body>
    static void for_parts(const triple& from, const triple& to, const triple& size, stays order, Body body) {
        const std::size_t inner = order == stays::weights ? 0 : order == stays::inputs ? 1 : 2;
        const std::size_t middle = (inner + 1) % 3;
        const std::size_t outer = (inner + 2) % 3;
        triple at = from;
        for (at[outer] = from[outer]; at[outer] < to[outer]; at[outer] += size[outer])
            for (at[middle] = from[middle]; at[middle] < to[middle]; at[middle] += size[middle])
                for (at[inner] = from[inner]; at[inner] < to[inner]; at[inner] += size[inner]) {
                    part p{at, at};
                    for (std::size_t i = 0; i < 3; ++i) p.to[i] = std::min(to[i], at[i] + size[i]);
                    body(p);
                }
    }

    static place area(const part& p, std::size_t a, std::size_t b) {
        return {p.from[a], p.to[a], p.from[b], p.to[b]};
    }
    static double words(const place& p) { return static_cast<double>((p[1] - p[0]) * (p[3] - p[2])); }

    void fetch(const part& p, stays order, slots& in, visits_of& visits, moved_words& moved) {
        const auto load = [&](std::optional<place>& slot, const place& wanted, bool may_stay) {
            if (may_stay && slot == wanted) return;
            slot = wanted;
            moved.read += words(wanted);
        };
        load(in.weights, area(p, 1, 2), order == stays::weights);
        load(in.inputs, area(p, 0, 2), order == stays::inputs);
        const place sums = area(p, 0, 1);
        if (order != stays::sums || in.sums != sums) {
            store(in, visits, moved);
            in.sums = sums;
            if (visits[sums] > 0) moved.read += words(sums) * hardware_.sum_words;
        }
        visits[sums] += p.to[2] - p.from[2];
    }
    void store(slots& in, visits_of& visits, moved_words& moved) {
        if (!in.sums) return;
        const bool finished = visits[*in.sums] == product_.reduction;
        moved.written += words(*in.sums) * (finished ? 1 : hardware_.sum_words);
        in.sums.reset();
    }
    void work(const part& p) {
        const double sums = words(area(p, 0, 1));
        cost_.local.read += words(area(p, 1, 2)) + words(area(p, 0, 2));
        if (p.from[2] > 0) cost_.local.read += sums * hardware_.sum_words;
        cost_.local.written += sums * (p.to[2] == product_.reduction ? 1 : hardware_.sum_words);
    }

    const mapping_hardware& hardware_;
    contraction product_;
    mapping m_;
    std::int64_t column_part_, reduction_part_;
    mapping_cost cost_;
};

TEST(mapping, costs_what_its_loops_move) {
    random_source random(11);
    int compared = 0;
    for (int i = 0; i < 60; ++i) {
        const mapping_hardware hardware = test::small_hardware(random);
        const contraction product = test::small_product(random);
        const mapped_product op(product);
        std::vector<mapping> all;
        test::over_all_mappings(hardware, op, [&](const mapping& m) { all.push_back(m); });
        for (int j = 0; j < 60 && !all.empty(); ++j) {
            const mapping& m = all[random() % all.size()];
            const mapping_cost expected = machine(hardware, product, m).run();
            const mapping_cost cost = price(hardware, op, m);
            for (const auto& [found, counted] : {std::pair{cost.local, expected.local},
                                                 {cost.global, expected.global},
                                                 {cost.dram, expected.dram}}) {
                ASSERT_EQ(found.read, counted.read);
                ASSERT_EQ(found.written, counted.written);
            }
            ++compared;
        }
    }
    EXPECT_GT(compared, 1000);
}

TEST(mapping, deals_out_whole_tiles) {
    mapping_hardware hardware;
    hardware.width = hardware.depth = 4;
    hardware.weights_held = 4;
    for (memory_level* level : {&hardware.local, &hardware.global, &hardware.dram})
        level->read_words_per_cycle = level->write_words_per_cycle = 1e9;
    const mapped_product op({1, 12, 16, 24});
    const mapping m{.tile_rows = 6,
                    .tile_columns = 2,
                    .tile_reduction = 2,
                    .block_rows = 12,
                    .block_columns = 3,
                    .block_reduction = 2};
    ASSERT_TRUE(fits(hardware, op, m));
    // 2 x 3 tiles of 6 rows, 2 column folds and all 4 reduction folds: a fold takes a cycle a row.
    const std::array<std::pair<std::int64_t, double>, 6> cycles{
        {{1, 12 * 6 * 4}, {2, 3 * 48}, {3, 2 * 48}, {4, 2 * 48}, {6, 48}, {100, 48}}};
    for (const auto& [cores, expected] : cycles) {
        hardware.cores = cores;
        EXPECT_EQ(price(hardware, op, m).compute_cycles, expected) << cores;
    }
    // Its local buffer gives a core the words of its tiles, and they may set the pace: 2 of 6.
    hardware.cores = 4;
    hardware.local_per_core = true;
    hardware.local.read_words_per_cycle = 0.5;
    const mapping_cost shared = price(hardware, op, m);
    EXPECT_DOUBLE_EQ(shared.cycles, shared.local.read / 0.5 / 3);
    hardware.local.one_port = true;
    EXPECT_DOUBLE_EQ(price(hardware, op, m).cycles, (shared.local.read + shared.local.written) / 0.5 / 3);
    // A fold that leaves half of the array idle is laid out twice, for two rows at a time.
    hardware.cores = 1;
    hardware.local_per_core = false;
    const mapped_product narrow({1, 12, 16, 2});
    EXPECT_EQ(price(hardware, narrow, m).compute_cycles, 6 * 4);
}

using element = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

// The inputs under output rows [from, to) and reduction steps [low, high) of a convolution.
std::set<element> inputs_under(const convolution& c, std::int64_t from, std::int64_t to, std::int64_t low,
                               std::int64_t high) {
    std::set<element> touched;
    for (std::int64_t row = from; row < to; ++row)
        for (std::int64_t step = low; step < high; ++step) {
            const std::int64_t image = row / (c.height * c.width);
            const std::int64_t line = row / c.width % c.height;
            const std::int64_t point = row % c.width;
            const std::int64_t channel = step / (c.kernel_height * c.kernel_width);
            const std::int64_t r = step / c.kernel_width % c.kernel_height;
            const std::int64_t s = step % c.kernel_width;
            touched.emplace(image, channel, line * c.stride + r, point * c.stride + s);
        }
    return touched;
}

// The bounds of all parts of the rows, as a convolution cuts them: images, lines of an image, points of one.
std::vector<std::pair<std::int64_t, std::int64_t>> row_parts(const convolution& c, std::int64_t part) {
    const std::int64_t image = c.height * c.width;
    const std::int64_t within = part >= image ? c.images * image : part >= c.width ? image : c.width;
    std::vector<std::pair<std::int64_t, std::int64_t>> parts;
    for (std::int64_t start = 0; start < c.images * image; start += within)
        for (std::int64_t at = start; at < start + within; at += part)
            parts.emplace_back(at, std::min(start + within, at + part));
    return parts;
}

TEST(mapping, convolutions_fetch_overlapping_windows_once) {
    random_source random(3);
    for (int i = 0; i < 150; ++i) {
        const convolution c = test::small_convolution(random);
        const mapped_convolution op(c);
        const contraction p = op.product();
        const even_cut rows = op.cut_rows(random.integer(1, p.rows));
        const std::int64_t reduction = random.integer(1, p.reduction);
        const auto parts = row_parts(c, rows.part);
        ASSERT_EQ(static_cast<std::int64_t>(parts.size()), rows.count);
        double fetched = 0;
        std::size_t most = 0;
        for (const auto& [from, to] : parts)
            for (std::int64_t low = 0; low < p.reduction; low += reduction) {
                const std::size_t words =
                    inputs_under(c, from, to, low, std::min(p.reduction, low + reduction)).size();
                fetched += static_cast<double>(words);
                most = std::max(most, words);
            }
        // Whole channels are exact; of a channel that is begun all is fetched.
        const bool whole = reduction % (c.kernel_height * c.kernel_width) == 0;
        ASSERT_GE(op.fetched_inputs(rows.part, reduction), fetched);
        ASSERT_GE(op.held_inputs(rows.part, reduction), static_cast<double>(most));
        if (whole) {
            ASSERT_EQ(op.fetched_inputs(rows.part, reduction), fetched);
            ASSERT_EQ(op.held_inputs(rows.part, reduction), static_cast<double>(most));
        }
    }
}

TEST(mapping, convolution_blocks_are_whole_tiles) {
    random_source random(4);
    for (int i = 0; i < 400; ++i) {
        const convolution c = test::small_convolution(random);
        const mapped_convolution op(c);
        const even_cut tiles = op.cut_rows(random.integer(1, op.product().rows));
        const std::int64_t most = random.integer(tiles.part, op.product().rows);
        const even_cut blocks = op.cut_blocks(tiles, most);
        ASSERT_LE(blocks.part, most);
        ASSERT_EQ(op.cut_blocks(tiles, blocks.part), blocks);
        const auto inner = row_parts(c, tiles.part);
        const auto outer = row_parts(c, blocks.part);
        ASSERT_EQ(static_cast<std::int64_t>(outer.size()), blocks.count);
        for (const auto& [from, to] : outer) {
            const auto starts = [from = from](const auto& part) { return part.first == from; };
            const auto ends = [to = to](const auto& part) { return part.second == to; };
            ASSERT_TRUE(std::any_of(inner.begin(), inner.end(), starts));
            ASSERT_TRUE(std::any_of(inner.begin(), inner.end(), ends));
        }
    }
}

TEST(mapping, a_convolution_of_points_is_its_product) {
    random_source random(5);
    for (int i = 0; i < 40; ++i) {
        const mapping_hardware hardware = test::small_hardware(random);
        const contraction p = test::small_product(random);
        const mapped_product product(p);
        const mapped_convolution points(
            {.groups = p.batch, .images = p.rows, .channels = p.reduction, .filters = p.columns});
        test::over_all_mappings(hardware, product, [&](const mapping& m) {
            ASSERT_TRUE(fits(hardware, points, m));
            const mapping_cost a = price(hardware, product, m);
            const mapping_cost b = price(hardware, points, m);
            ASSERT_EQ(a.cycles, b.cycles);
            ASSERT_EQ(a.energy_pj, b.energy_pj);
        });
    }
}

} // namespace
} // namespace dovetail::cost
