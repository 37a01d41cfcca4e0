#include <dovetail/core/option.hpp>

#include <gtest/gtest.h>

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
    EXPECT_EQ(zero.problem().line(),
              "option --devices: its value is 0; it must be at least 1 and at most 1e+06");
}

TEST(Options, NanIsOutsideEveryRange) {
    const auto nan = dovetail::validate(settings{.area_mm2 = std::numeric_limits<double>::quiet_NaN()});
    ASSERT_FALSE(nan);
    EXPECT_EQ(nan.problem().line(), "option --area: its value is nan; it must be at least 0");
}

TEST(Options, ListsAreCheckedItemByItem) {
    const auto large = dovetail::validate(settings{.sizes = {1, 9}});
    ASSERT_FALSE(large);
    EXPECT_EQ(large.problem().line(), "option --sizes: its value is 9; it must be at least 1 and at most 8");
    const auto empty = dovetail::validate(settings{.sizes = {}});
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.problem().line(), "option --sizes: its list is empty; give at least one value");
}

} // namespace
