#include <dovetail/cost/attention.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace dovetail::cost {
namespace {

double all(const moved_words& moved) { return moved.read + moved.written; }

// Runs the blocks of one head and counts every word.
moved_words run(const attention& a, std::int64_t queries, std::int64_t keys, bool queries_stay) {
    moved_words moved;
    const auto parts = [](std::int64_t extent, std::int64_t part, auto body) {
        for (std::int64_t at = 0; at < extent; at += part)
            body(at, static_cast<double>(std::min(part, extent - at)));
    };
    const auto key = static_cast<double>(a.key_size);
    const auto value = static_cast<double>(a.value_size);
    if (queries_stay)
        parts(a.queries, queries, [&](std::int64_t, double rows) {
            moved.read += rows * key;
            parts(a.keys, keys, [&](std::int64_t, double columns) { moved.read += columns * (key + value); });
            moved.written += rows * value;
        });
    else
        parts(a.keys, keys, [&](std::int64_t at, double columns) {
            moved.read += columns * (key + value);
            const bool first = at == 0;
            const bool last = at + keys >= a.keys;
            parts(a.queries, queries, [&](std::int64_t, double rows) {
                moved.read += rows * key + (first ? 0 : rows * (value + 2));
                moved.written += rows * (value + (last ? 0 : 2));
            });
        });
    return moved;
}

TEST(attention, blocks_move_the_fewest_words_of_all) {
    random_source random(41);
    int possible = 0;
    for (int i = 0; i < 200; ++i) {
        const attention a{.heads = random.integer(1, 3),
                          .queries = random.integer(1, 14),
                          .keys = random.integer(1, 14),
                          .key_size = random.integer(1, 5),
                          .value_size = random.integer(1, 5)};
        const auto words = static_cast<double>(random.integer(4, 200));
        const std::int64_t least = random.integer(1, 3);
        double fewest = std::numeric_limits<double>::infinity();
        for (std::int64_t r = std::min(least, a.queries); r <= a.queries; ++r)
            for (std::int64_t c = std::min(least, a.keys); c <= a.keys; ++c) {
                const std::int64_t held =
                    r * a.key_size + c * a.key_size + c * a.value_size + r * a.value_size + r * c + 2 * r;
                if (static_cast<double>(held) > words) continue;
                for (const bool stay : {false, true})
                    fewest = std::min(fewest, static_cast<double>(a.heads) * all(run(a, r, c, stay)));
            }
        const attention_blocks blocks = fused_attention_blocks(a, words, least);
        if (blocks.queries == 0) {
            ASSERT_EQ(fewest, std::numeric_limits<double>::infinity());
            continue;
        }
        ++possible;
        ASSERT_EQ(all(blocks.dram), fewest);
        const moved_words counted = run(a, blocks.queries, blocks.keys, blocks.queries_stay);
        ASSERT_EQ(blocks.dram.read, static_cast<double>(a.heads) * counted.read);
        ASSERT_EQ(blocks.dram.written, static_cast<double>(a.heads) * counted.written);
    }
    EXPECT_GT(possible, 100);
}

TEST(attention, fused_traffic_is_of_the_published_order) {
    // On the order of N^2 d^2 / M for d <= M <= N d; plain on the order of N d + N^2.
    for (const std::int64_t n : {4096, 16'384, 65'536})
        for (const std::int64_t d : {64, 128}) {
            const attention a{.queries = n, .keys = n, .key_size = d, .value_size = d};
            for (double words = 32.0 * static_cast<double>(d); words <= static_cast<double>(n * d) / 4;
                 words *= 2) {
                const double order = static_cast<double>(n * d) * static_cast<double>(n * d) / words;
                const double moved = all(fused_attention_blocks(a, words).dram);
                EXPECT_GT(moved, 2 * order) << n << ' ' << d << ' ' << words;
                EXPECT_LT(moved, 6 * order) << n << ' ' << d << ' ' << words;
            }
            EXPECT_EQ(all(plain_attention_words(a)),
                      4.0 * static_cast<double>(n * d) + 4.0 * static_cast<double>(n * n));
            // With all on the chip, every operand passes once.
            EXPECT_EQ(all(fused_attention_blocks(a, 1e15).dram), 4.0 * static_cast<double>(n * d));
        }
}

TEST(attention, a_fused_backward_pass_has_five_products) {
    const attention a{.heads = 12, .queries = 1024, .keys = 1024, .key_size = 64, .value_size = 64};
    const double product = 12.0 * 1024 * 1024 * 64;
    EXPECT_EQ(a.forward_macs(), 2 * product);
    EXPECT_EQ(a.backward_macs(false), 4 * product);
    EXPECT_EQ(a.backward_macs(true), 5 * product);
}

TEST(attention, fused_takes_no_longer_and_less_energy) {
    const mapping_hardware hardware = phaze_mapping_hardware(hardware::tpuv4_like, 8);
    for (const std::int64_t n : {1024, 4096, 16'384}) {
        const attention a{.heads = 32, .queries = n, .keys = n, .key_size = 128, .value_size = 128};
        for (const mapping_objective goal :
             {mapping_objective::latency, mapping_objective::energy, mapping_objective::edp}) {
            const auto cost = price_attention(hardware, a, {goal});
            ASSERT_TRUE(cost);
            EXPECT_LE(cost->fused.cycles, cost->plain.cycles);
            EXPECT_LT(cost->fused.energy_pj, cost->plain.energy_pj);
            EXPECT_GE(cost->fused.compute_cycles, a.forward_macs() / (8 * 128 * 128));
            EXPECT_EQ(all(cost->plain.dram), all(plain_attention_words(a)));
            EXPECT_LT(all(cost->fused.dram), all(cost->plain.dram));
        }
    }
    // A chip that holds no block, or no tile.
    mapping_hardware tiny = hardware;
    tiny.global.capacity_words = 100;
    EXPECT_FALSE(price_attention(tiny, {.queries = 64, .keys = 64, .key_size = 64, .value_size = 64}, {}));
}

} // namespace
} // namespace dovetail::cost
