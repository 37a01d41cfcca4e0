#include <dovetail/core/checked.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

static_assert(dovetail::checked_multiply(3, 5) == 15);
static_assert(dovetail::checked_multiply(0, largest) == 0);
static_assert(!dovetail::checked_multiply(std::int64_t{1} << 32, std::int64_t{1} << 31));
static_assert(dovetail::checked_multiply(largest, 1) == largest);
static_assert(!dovetail::checked_multiply(largest / 2 + 1, 2));
static_assert(dovetail::checked_add(largest - 1, 1) == largest);
static_assert(!dovetail::checked_add(largest, 1));
static_assert(dovetail::ceil_div(7, 3) == 3 && dovetail::ceil_div(6, 3) == 2 &&
              dovetail::ceil_div(0, 3) == 0);
static_assert(dovetail::ceil_div(largest, std::int64_t{2}) == largest / 2 + 1);

TEST(Checked, ProductStopsAtTheFirstOverflow) {
    const std::array<std::int64_t, 3> shape{1 << 20, 1 << 20, 1 << 20};
    EXPECT_EQ(dovetail::checked_product(std::span(shape).first(2)), std::int64_t{1} << 40);
    const std::array<std::int64_t, 4> large{std::int64_t{1} << 31, std::int64_t{1} << 31, 4, 0};
    EXPECT_EQ(dovetail::checked_product(large), std::nullopt);
    EXPECT_EQ(dovetail::checked_product({}), 1);
}

} // namespace
