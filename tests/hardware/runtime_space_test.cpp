#include <dovetail/hardware/runtime_space.hpp>

#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace dovetail::hardware {
namespace {

using space = runtime_space<phaze_platform, phaze_technology>;

axis_values small_axes() {
    return {
        .num_tc = {1, 4, 2}, .num_vc = {2}, .width = {8, 16}, .depth = {16}, .glb_bytes = {2 << 20, 4 << 20}};
}

std::string problem_of(axis_values axes) {
    const auto made = space::make("test", std::move(axes), tpuv4_like);
    return made ? "none" : made.problem().line();
}

TEST(runtime_space, sorts_its_axes_and_varies_the_last_fastest) {
    const auto made = space::make("test", small_axes(), tpuv4_like);
    ASSERT_TRUE(made);
    std::vector<accelerator> expected;
    for (const std::int64_t tc : {4, 2, 1})
        for (const std::int64_t width : {16, 8})
            for (const std::int64_t mib : {4, 2}) expected.push_back({tc, 2, width, 16, width, mib << 20});
    ASSERT_EQ(made->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ((*made)[i], expected[i]) << i;
    EXPECT_EQ(made->name(), "test");
    EXPECT_EQ(made->reference(), tpuv4_like);
}

TEST(runtime_space, with_the_axes_of_a_fixed_family_has_its_points) {
    const auto list = [](const auto& values) {
        return std::vector<std::int64_t>(values.begin(), values.end());
    };
    const auto made = space::make("phaze at run time",
                                  {.num_tc = list(phaze_family::cores),
                                   .num_vc = list(phaze_family::cores),
                                   .width = list(phaze_family::extents),
                                   .depth = list(phaze_family::extents),
                                   .glb_bytes = list(phaze_family::buffers),
                                   .largest_um2 = phaze_family::rule::largest_um2},
                                  tpuv4_like);
    ASSERT_TRUE(made);
    ASSERT_EQ(made->size(), phaze_family::size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < made->size(); ++i) {
        ASSERT_EQ((*made)[i], phaze_family{}[i]);
        if (phaze_family::keeps((*made)[i])) {
            EXPECT_TRUE(made->keeps((*made)[i]));
            ++kept;
        }
    }
    EXPECT_EQ(kept, 29'360U);
}

TEST(runtime_space, refuses_nonsense_with_one_line) {
    axis_values axes = small_axes();
    axes.depth = {};
    EXPECT_EQ(problem_of(axes), "family test: axis depth: it has no value; give at least one");
    axes = small_axes();
    axes.width = {8, 0};
    EXPECT_EQ(problem_of(axes), "family test: axis width: it has the value 0; values are at least 1");
    axes.width = {-8, 8};
    EXPECT_EQ(problem_of(axes), "family test: axis width: it has the value -8; values are at least 1");
    axes = small_axes();
    axes.smallest_um2 = 2;
    axes.largest_um2 = 1;
    EXPECT_EQ(problem_of(axes),
              "family test: its area limits are 2 and 1 um^2; the first is at most the second");
    axes.largest_um2 = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(problem_of(axes),
              "family test: its area limits are 2 and nan um^2; the first is at most the second");
    axes = small_axes();
    axes.num_tc = {2, 4, 2};
    EXPECT_EQ(problem_of(axes), "family test: axis num_tc: it has the value 2 twice; give every value once");
}

TEST(kept_designs, is_the_filtered_grid_with_areas) {
    axis_values axes = small_axes();
    axes.largest_um2 = 6.2e6;
    const auto made = space::make("test", axes, tpuv4_like);
    const auto kept = kept_designs(*made);
    ASSERT_TRUE(kept);
    std::size_t next = 0;
    for (std::size_t i = 0; i < made->size(); ++i) {
        const double area = area_of<phaze_technology, phaze_platform>((*made)[i])->total_um2();
        if (area > 6.2e6) continue;
        ASSERT_LT(next, kept->size());
        EXPECT_EQ((*kept)[next].position, i);
        EXPECT_EQ((*kept)[next].chip, (*made)[i]);
        EXPECT_EQ((*kept)[next].area_um2, area);
        ++next;
    }
    EXPECT_EQ(next, kept->size());
    EXPECT_GT(next, 0U);
    EXPECT_LT(next, made->size());
}

TEST(kept_designs, of_an_empty_space_names_what_excludes_them) {
    const auto limited = kept_designs(phaze_family{}, 3e6);
    ASSERT_FALSE(limited);
    EXPECT_EQ(limited.problem().code, errc::empty_space);
    EXPECT_EQ(limited.problem().line(),
              "family phaze: no design is within the area limit of 3 mm^2; the smallest takes 3.35505 mm^2");

    axis_values axes = small_axes();
    axes.smallest_um2 = 1e12;
    const auto ruled_out = kept_designs(*space::make("test", axes, tpuv4_like));
    ASSERT_FALSE(ruled_out);
    EXPECT_EQ(ruled_out.problem().code, errc::empty_space);
    EXPECT_EQ(ruled_out.problem().line(),
              "family test: its rule keeps none of its 12 designs; widen its axes or its limits");
}

TEST(kept_designs, leaves_out_what_has_no_area) {
    axis_values axes = small_axes();
    axes.glb_bytes = {3 << 20, 2 << 20};
    const auto kept = kept_designs(*space::make("test", axes, tpuv4_like));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->size(), 6U);
    EXPECT_TRUE(std::ranges::all_of(*kept, [](const kept_design& d) { return d.chip.glb_bytes == 2 << 20; }));
}

} // namespace
} // namespace dovetail::hardware
