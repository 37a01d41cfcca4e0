#include <dovetail/workload/repetition.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace dovetail::workload {
namespace {

std::vector<repetition> cut(std::string_view text, std::string_view parting = {}) {
    std::vector<std::uint64_t> items(text.begin(), text.end());
    std::vector<std::uint8_t> bonds(text.size(), 0);
    for (std::size_t i = 0; i < parting.size(); ++i) bonds[i] = parting[i] == '|' ? 0 : 1;
    return repetitions(items, bonds);
}

/// The best repetition by trying every stretch and every period.
repetition best_of_all(const std::vector<std::uint64_t>& items, const std::vector<std::uint8_t>& bonds) {
    repetition best;
    std::tuple<std::size_t, long, long, long> merit{1, 0, 0, 0};
    const auto n = items.size();
    for (std::size_t first = 0; first < n; ++first)
        for (std::size_t period = 1; first + 2 * period <= n; ++period)
            for (std::size_t count = 2; first + count * period <= n; ++count) {
                bool repeats = true;
                for (std::size_t i = first; i < first + (count - 1) * period; ++i)
                    repeats = repeats && items[i] == items[i + period];
                if (!repeats) continue;
                long parted = 0;
                for (std::size_t k = 0; k <= count; ++k)
                    if (first + k * period < n) parted += bonds[first + k * period];
                const std::tuple candidate{count * period, -static_cast<long>(period), -parted,
                                           -static_cast<long>(first)};
                if (best.count > 1 ? candidate > merit : std::get<0>(candidate) > 1) {
                    merit = candidate;
                    best = {.first = first, .period = period, .count = count};
                }
            }
    return best;
}

TEST(Repetition, CutsASequenceIntoRuns) {
    EXPECT_EQ(cut("eafafafh"), (std::vector<repetition>{{0, 1, 1}, {1, 2, 3}, {7, 1, 1}}));
    EXPECT_EQ(cut("sabbcdddx"),
              (std::vector<repetition>{{0, 1, 1}, {1, 1, 1}, {2, 1, 2}, {4, 1, 1}, {5, 1, 3}, {8, 1, 1}}));
    EXPECT_EQ(cut("xyz"), (std::vector<repetition>{{0, 1, 1}, {1, 1, 1}, {2, 1, 1}}));
    EXPECT_TRUE(cut("").empty());
}

TEST(Repetition, PrefersTheSmallestPeriod) {
    EXPECT_EQ(cut("aaaa"), (std::vector<repetition>{{0, 1, 4}}));
    EXPECT_EQ(cut("abababab"), (std::vector<repetition>{{0, 2, 4}}));
}

TEST(Repetition, CoversMoreRatherThanRepeatingMoreOften) {
    EXPECT_EQ(cut("aaabcdbcd"), (std::vector<repetition>{{0, 1, 3}, {3, 3, 2}}));
    EXPECT_EQ(longest_repetition(std::vector<std::uint64_t>{1, 1, 1, 2, 3, 4, 2, 3, 4},
                                 std::vector<std::uint8_t>(9, 0)),
              (repetition{3, 3, 2}));
}

TEST(Repetition, PartsWhatBelongsTogetherOnlyToCoverMore) {
    // "nanan" holds "na" and "an" twice each. Without bonds the first start wins.
    EXPECT_EQ(cut("enananh"), (std::vector<repetition>{{0, 1, 1}, {1, 2, 2}, {5, 1, 1}, {6, 1, 1}}));
    // With a bond before each n, the unit is "an".
    EXPECT_EQ(cut("enananh", "|-|-|-|"),
              (std::vector<repetition>{{0, 1, 1}, {1, 1, 1}, {2, 2, 2}, {6, 1, 1}}));
    // A third repeat is worth the cut.
    EXPECT_EQ(cut("nanana", "--|-|-"), (std::vector<repetition>{{0, 2, 3}}));
}

TEST(Repetition, EqualsTheBestOfAllStretches) {
    random_source random(11);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::uint64_t> items(static_cast<std::size_t>(random.integer(1, 14)));
        std::vector<std::uint8_t> bonds(items.size());
        const auto letters = random.integer(1, 3);
        for (std::uint64_t& item : items) item = static_cast<std::uint64_t>(random.integer(1, letters));
        for (std::uint8_t& bond : bonds) bond = static_cast<std::uint8_t>(random.integer(0, 1));
        EXPECT_EQ(longest_repetition(items, bonds), best_of_all(items, bonds)) << "round " << round;
    }
}

TEST(Repetition, CoversEveryItemOnce) {
    random_source random(12);
    for (int round = 0; round < 500; ++round) {
        std::vector<std::uint64_t> items(static_cast<std::size_t>(random.integer(0, 40)));
        for (std::uint64_t& item : items) item = static_cast<std::uint64_t>(random.integer(1, 3));
        std::size_t next = 0;
        for (const repetition& r : repetitions(items, std::vector<std::uint8_t>(items.size(), 0))) {
            EXPECT_EQ(r.first, next);
            for (std::size_t i = r.first; i + r.period < r.last(); ++i)
                EXPECT_EQ(items[i], items[i + r.period]);
            next = r.last();
        }
        EXPECT_EQ(next, items.size());
    }
}

constexpr bool constant_expressions_work() {
    const std::array<std::uint64_t, 6> items{9, 1, 2, 1, 2, 8};
    const std::array<std::uint8_t, 6> bonds{};
    return longest_repetition(items, bonds) == repetition{.first = 1, .period = 2, .count = 2};
}
static_assert(constant_expressions_work());

} // namespace
} // namespace dovetail::workload
