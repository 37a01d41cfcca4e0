#include <dovetail/core/nearest_word.hpp>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace {

constexpr std::array<std::string_view, 5> nearby{"threads", "strategy", "maxDevices", "seed", "x"};

// The textbook pair, and one edit of every kind.
static_assert(dovetail::edit_distance("kitten", "sitting") == 3);
static_assert(dovetail::edit_distance("", "abc") == 3);
static_assert(dovetail::edit_distance("abc", "") == 3);
static_assert(dovetail::edit_distance("seed", "seedy") == 1);
static_assert(dovetail::edit_distance("seed", "see") == 1);
static_assert(dovetail::edit_distance("seed", "seer") == 1);
static_assert(dovetail::edit_distance("seed", "sede") == 1);
static_assert(dovetail::edit_distance("CA", "abc") == 3); // no letter is touched twice
static_assert(dovetail::edit_distance("SEED", "seed") == 0);

TEST(NearestWord, IsWhatATypingErrorMeant) {
    EXPECT_EQ(dovetail::nearest_word("maxDevice", nearby), "maxDevices");
    EXPECT_EQ(dovetail::nearest_word("stratgey", nearby), "strategy");
    EXPECT_EQ(dovetail::nearest_word("SEED", nearby), "seed");
    EXPECT_EQ(dovetail::nearest_word("thread", nearby), "threads");
}

TEST(NearestWord, IsNoneWhereNoneIsNear) {
    EXPECT_EQ(dovetail::nearest_word("bandwidth", nearby), std::nullopt);
    EXPECT_EQ(dovetail::nearest_word("y", nearby), std::nullopt); // 'x' shares no letter with it
    EXPECT_EQ(dovetail::nearest_word("", nearby), std::nullopt);
    EXPECT_EQ(dovetail::nearest_word("seed", std::span<const std::string_view>{}), std::nullopt);
    EXPECT_EQ(dovetail::nearest_word(std::string(1'000'000, 's'), nearby), std::nullopt);
}

TEST(NearestWord, IsTheFirstOfEquals) {
    constexpr std::array<std::string_view, 3> words{"depth", "width", "with"};
    EXPECT_EQ(dovetail::nearest_word("widht", words), "width");
    constexpr std::array<std::string_view, 2> twins{"gemm_n", "gemm_m"};
    EXPECT_EQ(dovetail::nearest_word("gemm_k", twins), "gemm_n");
}

TEST(NearestWord, BecomesAQuestion) {
    EXPECT_EQ(dovetail::did_you_mean("sed", nearby, "see --help"), "did you mean 'seed'?");
    EXPECT_EQ(dovetail::did_you_mean("colour", nearby, "see --help"), "see --help");
}

TEST(NearestWord, IsInTheErrorOfAnUnknownName) {
    EXPECT_EQ(dovetail::unknown_name("axis", "widht", "it is not known", nearby).line(),
              "axis 'widht': it is not known; known are threads, strategy, maxDevices, seed, x");
    EXPECT_EQ(
        dovetail::unknown_name("axis", "sed", "it is not known", nearby).line(),
        "axis 'sed': it is not known; did you mean 'seed'? Known are threads, strategy, maxDevices, seed, x");
}

} // namespace
