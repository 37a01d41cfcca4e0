#include <dovetail/hardware/catalogue.hpp>

#include <dovetail/hardware/platform.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace dovetail::hardware {
namespace {

TEST(catalogue, finds_its_designs_and_names_their_sources) {
    std::set<std::string_view> names;
    for (const known_design& known : known_designs) {
        EXPECT_EQ(find_design(known.name).value(), known.chip);
        EXPECT_FALSE(known.source.empty());
        EXPECT_TRUE(names.insert(known.name).second);
        EXPECT_TRUE((area_of<phaze_technology, phaze_platform>(known.chip).has_value())) << known.name;
    }
    EXPECT_EQ(find_design("tpuv4-like").value(), tpuv4_like);
}

// The public peaks at the public clocks of 700, 940 and 1,050 MHz: 45, 123 and 275 TFLOP/s.
TEST(catalogue, has_the_arrays_of_the_chips_that_it_names) {
    const auto flops_per_cycle = [](std::string_view name) {
        return 2.0 * static_cast<double>(tensor_macs(find_design(name).value()));
    };
    EXPECT_NEAR(flops_per_cycle("tpuv2-like") * 700e6, 45e12, 1e12);
    EXPECT_NEAR(flops_per_cycle("tpuv3-like") * 940e6, 123e12, 1e12);
    EXPECT_NEAR(flops_per_cycle("tpuv4-like") * 1050e6, 275e12, 1e12);
}

TEST(catalogue, refuses_an_unknown_name_with_the_known_ones) {
    const auto unknown = find_design("tpu");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.problem().code, errc::unknown_name);
    EXPECT_EQ(unknown.problem().line(),
              "design 'tpu': it is not in the catalogue; known are tpuv2-like, tpuv3-like, "
              "tpuv4-like");
}

} // namespace
} // namespace dovetail::hardware
