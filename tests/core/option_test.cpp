#include <dovetail/core/option.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

namespace {

struct settings {
    int devices = 4;
    double area_mm2 = 10;
    std::vector<double> sizes{1, 2};
    bool fast = false;

    static constexpr auto table() {
        return std::tuple{
            dovetail::option<settings, int>{"devices", "devices in the cluster", &settings::devices, 1, 1e6},
            dovetail::option<settings, double>{"area", "largest area [mm^2]", &settings::area_mm2, 0},
            dovetail::option<settings, std::vector<double>>{"sizes", "sizes to try", &settings::sizes, 1, 8},
            dovetail::option<settings, bool>{"fast", "skip the proof", &settings::fast},
        };
    }
};
static_assert(dovetail::tabled_options<settings>);
static_assert(!dovetail::tabled_options<int>);

TEST(Options, DefaultsAreValid) { EXPECT_TRUE(dovetail::validate(settings{})); }

TEST(Options, NamesTheOptionAndTheRange) {
    const auto zero = dovetail::validate(settings{.devices = 0});
    ASSERT_FALSE(zero);
    EXPECT_EQ(
        zero.problem().line(),
        "option --devices: its value is '0'; it must be a whole number, at least 1 and at most 1,000,000");
}

TEST(Options, NanIsOutsideEveryRange) {
    const auto nan = dovetail::validate(settings{.area_mm2 = std::numeric_limits<double>::quiet_NaN()});
    ASSERT_FALSE(nan);
    EXPECT_EQ(nan.problem().line(), "option --area: its value is 'nan'; it must be a number, at least 0");
}

TEST(Options, ListsAreCheckedItemByItem) {
    const auto large = dovetail::validate(settings{.sizes = {1, 9}});
    ASSERT_FALSE(large);
    EXPECT_EQ(large.problem().line(),
              "option --sizes: its value is '9'; it must be a number, at least 1 and at most 8");
    const auto empty = dovetail::validate(settings{.sizes = {}});
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.problem().line(), "option --sizes: its list is empty; it must have at least one value");
}

// A limit that is rounded, or written with an exponent, is another limit, or none that people read.
TEST(Options, WritesEveryLimitExactly) {
    constexpr double none = std::numeric_limits<double>::infinity();
    EXPECT_EQ(dovetail::number_range<int>(1, 1 << 20), "a whole number, at least 1 and at most 1,048,576");
    EXPECT_EQ(dovetail::number_range<std::int64_t>(0, 1e12),
              "a whole number, at least 0 and at most 1,000,000,000,000");
    EXPECT_EQ(dovetail::number_range<double>(1e-6, 1e9),
              "a number, at least 0.000001 and at most 1,000,000,000");
    EXPECT_EQ(dovetail::number_range<double>(0.001, none), "a number, at least 0.001");
    EXPECT_EQ(dovetail::number_range<double>(-none, 2.5), "a number, at most 2.5");
    EXPECT_EQ(dovetail::number_range<double>(-none, none), "a number");
}

TEST(Options, AWholeNumberWithoutLimitsHasThoseOfItsType) {
    constexpr double none = std::numeric_limits<double>::infinity();
    EXPECT_EQ(dovetail::number_range<std::uint64_t>(0, none),
              "a whole number, at least 0 and at most 18,446,744,073,709,551,615");
    EXPECT_EQ(dovetail::number_range<std::int64_t>(-none, none),
              "a whole number, at least -9,223,372,036,854,775,808 and at most 9,223,372,036,854,775,807");
    EXPECT_EQ(dovetail::number_range<std::int32_t>(-5, 1e300),
              "a whole number, at least -5 and at most 2,147,483,647");
}

} // namespace
