#include <dovetail/hardware/area.hpp>

#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace dovetail::hardware {
namespace {

double total(const accelerator& chip) { return area_of<phaze_technology, phaze_platform>(chip)->total_um2(); }

// Whole cores as published to a tenth of a square micrometre, found as the difference that one more core
// makes.
TEST(area, of_a_tensor_core_is_the_published_one) {
    struct core {
        std::int64_t side;
        double area_um2;
    };
    for (const auto& [side, area_um2] :
         {core{4, 18'294.6}, core{8, 54'776.6}, core{16, 207'181.1}, core{32, 816'865.4},
          core{64, 3'228'708.5}, core{128, 12'899'083.1}, core{256, 51'444'202.3}}) {
        const accelerator one{1, 1, side, side, 128, 2 << 20};
        accelerator two = one;
        two.num_tc = 2;
        EXPECT_NEAR(total(two) - total(one), area_um2, 6)
            << side; // published within 3.6 um^2 of the exact one
    }
}

TEST(area, of_a_vector_core_is_the_published_one) {
    for (const auto& [lanes, area_um2] : {std::pair{128, 105'505.9}, std::pair{256, 207'125.4}}) {
        const accelerator one{1, 1, 16, 16, lanes, 2 << 20};
        accelerator two = one;
        two.num_vc = 2;
        EXPECT_NEAR(total(two) - total(one), area_um2, 0.5) << lanes;
    }
}

TEST(area, shares_of_the_tpuv4_like_point_are_the_published_ones) {
    const auto parts = area_of<phaze_technology, phaze_platform>(tpuv4_like);
    ASSERT_TRUE(parts);
    EXPECT_NEAR(parts->global_buffer_um2 / parts->total_um2(), 0.629, 5e-4);
    EXPECT_NEAR(parts->tensor_cores_um2 / parts->total_um2(), 0.370, 5e-4);
    EXPECT_NEAR(parts->vector_cores_um2 / parts->total_um2(), 0.0008, 5e-5);
}

TEST(area, is_linear_in_the_number_of_cores) {
    const accelerator chip{3, 5, 32, 64, 32, 8 << 20};
    accelerator more = chip;
    more.num_tc = 6;
    accelerator most = chip;
    most.num_tc = 9;
    EXPECT_NEAR(total(most) - total(more), total(more) - total(chip), 1e-3);
}

TEST(area, of_a_size_without_an_entry_is_nothing_and_never_zero) {
    accelerator chip = tpuv4_like;
    for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{-1024}, std::int64_t{512},
                                     std::int64_t{3} << 20, std::int64_t{256} << 20, std::int64_t{1} << 62}) {
        chip.glb_bytes = bytes;
        EXPECT_EQ((area_of<phaze_technology, phaze_platform>(chip).has_value()), false) << bytes;
        EXPECT_EQ(phaze_technology::sram_um2(bytes), std::nullopt) << bytes;
    }
    chip = tpuv4_like;
    chip.width = 96; // a private buffer of 192 KiB, which the technology lacks
    EXPECT_FALSE((area_of<phaze_technology, phaze_platform>(chip).has_value()));
}

TEST(technology_phaze, grows_with_the_size_of_a_buffer) {
    double smaller = 0;
    for (std::int64_t bytes = 1024; bytes <= std::int64_t{128} << 20; bytes *= 2) {
        const auto area = phaze_technology::sram_um2(bytes);
        ASSERT_TRUE(area) << bytes;
        EXPECT_GT(*area, smaller) << bytes;
        smaller = *area;
    }
}

} // namespace
} // namespace dovetail::hardware
