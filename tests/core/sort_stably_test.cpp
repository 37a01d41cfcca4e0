#include <dovetail/core/sort_stably.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace {

using entry = std::pair<int, std::size_t>; // a key, and where it was

constexpr bool by_key(const entry& a, const entry& b) { return a.first < b.first; }

TEST(SortStably, KeepsTheOrderOfEqualsAtEverySize) {
    std::mt19937 random(7);
    for (std::size_t size :
         {0u, 1u, 2u, 15u, 16u, 17u, 31u, 32u, 33u, 48u, 49u, 64u, 65u, 100u, 1000u, 1025u})
        for (int keys : {1, 2, 7, 1000}) {
            std::vector<entry> all;
            for (std::size_t i = 0; i < size; ++i)
                all.emplace_back(static_cast<int>(random() % 1000) % keys, i);
            std::vector<entry> expected = all;
            // Together with where it was every entry is different: any sort gives the one right order.
            std::sort(expected.begin(), expected.end());
            dovetail::sort_stably(all.begin(), all.end(), by_key);
            EXPECT_EQ(all, expected) << size << " entries of " << keys << " keys";
            dovetail::sort_stably(all.begin(), all.end(), by_key);
            EXPECT_EQ(all, expected) << "when it was sorted already";
        }
}

TEST(SortStably, MovesWhatCannotBeCopied) {
    std::vector<std::unique_ptr<int>> all;
    for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<int>(i * 37 % 100));
    dovetail::sort_stably(all.begin(), all.end(), [](const auto& a, const auto& b) { return *a < *b; });
    for (int i = 0; i < 100; ++i) EXPECT_EQ(*all[static_cast<std::size_t>(i)], i);
}

constexpr std::array<entry, 40> sorted_by_the_compiler() {
    std::array<entry, 40> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = {static_cast<int>((all.size() - i) / 3), i};
    dovetail::sort_stably(all.begin(), all.end(), by_key);
    return all;
}
constexpr std::array<entry, 40> by_the_compiler = sorted_by_the_compiler();
static_assert(std::is_sorted(by_the_compiler.begin(), by_the_compiler.end()));

} // namespace
