#include <dovetail/hardware/die_cost.hpp>
#include <dovetail/hardware/limited_space.hpp>
#include <dovetail/hardware/thermal.hpp>

#include <dovetail/hardware/n7_family.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/runtime_space.hpp>
#include <dovetail/hardware/technology_n7.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <utility>

namespace dovetail::hardware {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Hennessy and Patterson, Computer Architecture, chapter 1: a wafer of 30 cm has 270 dies of 1.5 cm on a side
// and 640 of 1.0 cm; with 0.4 defects on a square centimetre and alpha = 4 their yields are 0.44 and 0.68.
TEST(die_cost, of_the_textbook_examples) {
    EXPECT_NEAR(dies_per_wafer(300, 225), 270, 0.5);
    EXPECT_NEAR(dies_per_wafer(300, 100), 640, 0.5);
    EXPECT_NEAR(yield_of(225, 0.4, 4), 0.44, 0.005);
    EXPECT_NEAR(yield_of(100, 0.4, 4), 0.68, 0.005);
}

TEST(die_cost, is_the_price_of_a_wafer_over_its_good_dies) {
    const wafer_process process{.name = "by hand",
                                .wafer_usd = 1000,
                                .wafer_mm = 200,
                                .defects_per_cm2 = 1,
                                .clustering = 2,
                                .largest_die_mm2 = 1000,
                                .source = "made up"};
    const auto cost = cost_of_die(200 * um2_per_mm2, process);
    ASSERT_TRUE(cost);
    // pi (100^2 / 200 - 200 / 20) = 40 pi dies, of which (1 + 2 / 2)^-2 are good.
    EXPECT_NEAR(cost->dies_per_wafer, 125.6637, 1e-4);
    EXPECT_DOUBLE_EQ(cost->yield, 0.25);
    EXPECT_NEAR(cost->usd, 1000 / (125.6637 * 0.25), 1e-4);
}

TEST(die_cost, grows_with_the_area_and_faster_than_it) {
    double last_usd = 0;
    double last_usd_per_mm2 = 0;
    for (double mm2 = 10; mm2 <= 850; mm2 += 10) {
        const auto cost = cost_of_die(mm2 * um2_per_mm2, n7_process);
        ASSERT_TRUE(cost) << mm2;
        EXPECT_GT(cost->usd, last_usd);
        EXPECT_GT(cost->usd / mm2, last_usd_per_mm2);
        EXPECT_LT(cost->yield, 1);
        last_usd = cost->usd;
        last_usd_per_mm2 = cost->usd / mm2;
    }
}

TEST(die_cost, less_clustered_defects_spoil_more_dies) {
    EXPECT_GT(yield_of(400, 0.5, 1), yield_of(400, 0.5, 4));
    EXPECT_GT(yield_of(400, 0.5, 4), std::exp(-2.0)); // without clusters: Poisson
    EXPECT_NEAR(yield_of(400, 0.5, 1e9), std::exp(-2.0), 1e-6);
}

TEST(die_cost, of_a_device_adds_its_memory) {
    const auto cost = cost_of_device(100 * um2_per_mm2, 32e9, n7_process, {"two dollars", 2, "made up"});
    ASSERT_TRUE(cost);
    EXPECT_DOUBLE_EQ(cost->memory_usd, 64);
    EXPECT_DOUBLE_EQ(cost->total_usd(), cost->die.usd + 64);
    EXPECT_NEAR(cost->die.usd, 9346 / 640.2 / std::pow(1 + 0.09 / 4, -4), 0.1);
}

TEST(die_cost, zero_negative_and_undefined_figures_are_refused) {
    for (const double bad : {0.0, -1.0, nan, infinity}) {
        EXPECT_FALSE(cost_of_die(bad, n7_process)) << bad;
        for (const auto member :
             {&wafer_process::wafer_usd, &wafer_process::wafer_mm, &wafer_process::defects_per_cm2,
              &wafer_process::clustering, &wafer_process::largest_die_mm2}) {
            wafer_process process = n7_process;
            process.*member = bad;
            const auto cost = cost_of_die(1e8, process);
            ASSERT_FALSE(cost) << bad;
            EXPECT_EQ(cost.problem().code, errc::out_of_range);
        }
        EXPECT_FALSE(cost_of_device(1e8, bad)) << bad;
        EXPECT_FALSE(cost_of_device(1e8, 32e9, n7_process, {"bad", bad, ""})) << bad;
    }
    EXPECT_FALSE(cost_of_die(859 * um2_per_mm2, n7_process)); // beyond the scanner's field
    EXPECT_EQ(cost_of_die(859 * um2_per_mm2, n7_process).problem().expected, "it takes at most 858 mm^2");
    wafer_process coin = n7_process;
    coin.wafer_mm = 20;
    EXPECT_FALSE(cost_of_die(400 * um2_per_mm2, coin)); // no die on the wafer
}

TEST(thermal, of_a_die_added_up_by_hand) {
    const cooling c{
        .name = "by hand", .inlet_c = 20, .sink_k_per_w = 0.2, .stack_k_mm2_per_w = 10, .source = "made up"};
    EXPECT_DOUBLE_EQ(thermal_resistance_k_per_w(c, 100 * um2_per_mm2), 0.3);
    EXPECT_DOUBLE_EQ(junction_c(c, 100, 100 * um2_per_mm2), 50);
    EXPECT_DOUBLE_EQ(largest_power_w(c, 50, 100 * um2_per_mm2), 100);
    EXPECT_LT(largest_power_w(c, 10, 100 * um2_per_mm2), 0); // the inlet is hotter
}

TEST(thermal, the_catalogue_gives_back_what_its_sources_measured) {
    // 790 W on a square centimetre, 71 K above the water.
    EXPECT_NEAR(junction_c(liquid_cooling, 790, 100 * um2_per_mm2), liquid_cooling.inlet_c + 71, 1e-9);
    // 0.15 mm of silicon and 20 um of interface material under a square centimetre.
    EXPECT_NEAR(thermal_resistance_k_per_w(air_cooling, 100 * um2_per_mm2) - 0.1, 0.0615, 1e-4);
    for (const cooling& c : known_coolings) {
        EXPECT_TRUE(validate(c)) << c.name;
        EXPECT_FALSE(c.source.empty());
        EXPECT_EQ(find_cooling(c.name).value().source, c.source);
    }
    EXPECT_EQ(find_cooling("snow").problem().code, errc::unknown_name);
}

TEST(thermal, hotter_with_power_cooler_with_area_and_the_two_are_inverse) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> watts(1, 1000);
    std::uniform_real_distribution<double> mm2(5, 800);
    for (int i = 0; i < 200; ++i)
        for (const cooling& c : known_coolings) {
            const double die_w = watts(random);
            const double area_um2 = mm2(random) * um2_per_mm2;
            const double hot_c = junction_c(c, die_w, area_um2);
            EXPECT_GT(hot_c, c.inlet_c);
            EXPECT_GT(junction_c(c, die_w + 1, area_um2), hot_c);
            EXPECT_LT(junction_c(c, die_w, area_um2 * 1.1), hot_c);
            EXPECT_NEAR(largest_power_w(c, hot_c, area_um2), die_w, 1e-9 * die_w);
            EXPECT_LT(junction_c(liquid_cooling, die_w, area_um2), junction_c(air_cooling, die_w, area_um2));
        }
}

TEST(thermal, zero_negative_and_undefined_resistances_are_refused) {
    for (const double bad : {0.0, -0.1, nan, infinity}) {
        cooling sink = air_cooling;
        sink.sink_k_per_w = bad;
        EXPECT_EQ(validate(sink).problem().code, errc::out_of_range);
        cooling stack = air_cooling;
        stack.stack_k_mm2_per_w = bad;
        EXPECT_EQ(validate(stack).problem().code, errc::out_of_range);
    }
    for (const double bad : {-300.0, nan, infinity}) {
        cooling inlet = air_cooling;
        inlet.inlet_c = bad;
        EXPECT_FALSE(validate(inlet)) << bad;
    }
}

template <parameter_space Space>
std::size_t count_within(const Space& space, const chip_limits& limits) {
    auto limited = limited_space<Space>::make(space, limits).value();
    static_assert(parameter_space<decltype(limited)>);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < space.size(); ++i) {
        const accelerator chip = space[i];
        // The limits, spelt out.
        const auto area = area_of<typename Space::technology, typename Space::platform>(chip);
        const auto tdp = tdp_of<typename Space::technology, typename Space::platform>(chip);
        const bool fits =
            area && tdp && space.keeps(chip) && tdp->total_w() <= limits.largest_tdp_w &&
            area->total_um2() <= limits.largest_area_um2 &&
            tdp->die_w() <= largest_power_w(limits.cooling, limits.largest_junction_c, area->total_um2());
        EXPECT_EQ(limited.keeps(chip), fits) << i;
        kept += fits ? 1 : 0;
    }
    return kept;
}

TEST(limited_space, keeps_what_stays_within_every_limit) {
    using space_type = runtime_space<phaze_platform, n7_technology>;
    const auto space = space_type::make("small",
                                        {.num_tc = {1, 4, 16},
                                         .num_vc = {1, 8},
                                         .width = {32, 128},
                                         .depth = {32, 128},
                                         .glb_bytes = {2 * mebibyte, 3 * mebibyte, 128 * mebibyte}},
                                        tpuv4_like)
                           .value();
    const std::size_t all = count_within(space, {});
    EXPECT_EQ(all, 72u);
    const std::size_t cool = count_within(space, {.largest_junction_c = 60});
    const std::size_t frugal = count_within(space, {.largest_tdp_w = 100});
    const std::size_t little = count_within(space, {.largest_area_um2 = 20e6});
    const std::size_t everything =
        count_within(space, {.largest_tdp_w = 100, .largest_area_um2 = 20e6, .largest_junction_c = 60});
    for (const std::size_t some : {cool, frugal, little}) {
        EXPECT_GT(some, 0u);
        EXPECT_LT(some, all);
        EXPECT_LE(everything, some);
    }
    // Water keeps more designs cool than air does.
    EXPECT_GT(count_within(space, {.largest_junction_c = 60, .cooling = liquid_cooling}), cool);
}

TEST(limited_space, limits_a_family_that_is_a_type_too) {
    EXPECT_TRUE(phaze_family::keeps(tpuv4_like));
    const auto frugal = limited_space<phaze_family>::make({}, {.largest_tdp_w = 500}).value();
    EXPECT_FALSE(frugal.keeps(tpuv4_like));
    const auto generous = limited_space<phaze_family>::make({}, {.largest_tdp_w = 5000}).value();
    EXPECT_TRUE(generous.keeps(tpuv4_like));
    EXPECT_EQ(generous.size(), phaze_family::size());
    EXPECT_EQ(generous[77], phaze_family{}[77]);
}

TEST(limited_space, a_limit_that_is_not_positive_is_refused) {
    for (const double bad : {0.0, -1.0, nan})
        for (const auto member : {&chip_limits::largest_tdp_w, &chip_limits::largest_area_um2,
                                  &chip_limits::largest_junction_c}) {
            chip_limits limits;
            limits.*member = bad;
            const auto made = limited_space<phaze_family>::make({}, limits);
            ASSERT_FALSE(made) << bad;
            EXPECT_EQ(made.problem().code, errc::out_of_range);
        }
}

TEST(n7_family, has_the_grid_of_phaze_and_the_areas_of_7_nm) {
    const n7_family family;
    EXPECT_EQ(family.size(), phaze_family::size());
    EXPECT_TRUE(family.keeps(tpuv4_like));
    EXPECT_LT(*area_um2(family, tpuv4_like), *area_um2(phaze_family{}, tpuv4_like));
    EXPECT_DOUBLE_EQ(*area_um2(family, tpuv4_like), n7_family::rule::largest_um2);
    accelerator larger = tpuv4_like;
    larger.num_tc = 16;
    EXPECT_FALSE(family.keeps(larger));
}

static_assert(within<n7_technology, phaze_platform>({.largest_junction_c = 90}, tpuv4_like));
static_assert(!within<n7_technology, phaze_platform>({.largest_junction_c = 50}, tpuv4_like));

} // namespace
} // namespace dovetail::hardware
