#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>

namespace {

using dovetail::random_source;

static_assert(std::uniform_random_bit_generator<random_source>);

TEST(Random, FirstOutputsOfSplitMix64) {
    // Published reference sequence of SplitMix64 for seed 1234567.
    random_source source(1234567);
    EXPECT_EQ(source(), 6457827717110365317ULL);
    EXPECT_EQ(source(), 3203168211198807973ULL);
    EXPECT_EQ(source(), 9817491932198370423ULL);
}

TEST(Random, IntegersStayInRangeAndReachBothEnds) {
    random_source source(7);
    std::array<int, 5> seen{};
    for (int i = 0; i < 1000; ++i) ++seen[static_cast<std::size_t>(source.integer(-2, 2) + 2)];
    for (const int count : seen) EXPECT_GT(count, 120);
    EXPECT_EQ(source.integer(5, 5), 5);
    constexpr auto low = std::numeric_limits<std::int64_t>::min();
    constexpr auto high = std::numeric_limits<std::int64_t>::max();
    static_cast<void>(source.integer(low, high));
}

TEST(Random, RealsAreHalfOpen) {
    random_source source(9);
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double x = source.real(2, 4);
        ASSERT_GE(x, 2);
        ASSERT_LT(x, 4);
        sum += x;
    }
    EXPECT_NEAR(sum / 10000, 3, 0.03);
}

} // namespace
