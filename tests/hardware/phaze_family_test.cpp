#include <dovetail/hardware/phaze_family.hpp>

#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace dovetail::hardware {
namespace {

const std::vector<kept_design>& kept() {
    static const std::vector<kept_design> designs = kept_designs(phaze_family{}).value();
    return designs;
}

// The published enumeration, as the loops that it is.
std::vector<accelerator> enumerate() {
    std::vector<accelerator> points;
    for (std::int64_t tc = 4096; tc >= 1; tc /= 2)
        for (std::int64_t vc = 4096; vc >= 1; vc /= 2)
            for (std::int64_t width = 256; width >= 2; width /= 2)
                for (std::int64_t depth = 256; depth >= 2; depth /= 2)
                    for (std::int64_t mib = 128; mib >= 2; mib /= 2)
                        points.push_back({tc, vc, width, depth, width, mib * 1024 * 1024});
    return points;
}

TEST(phaze_family, enumerates_in_the_published_order) {
    const auto points = enumerate();
    ASSERT_EQ(points.size(), 75'712U);
    ASSERT_EQ(phaze_family{}.size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) ASSERT_EQ(phaze_family{}[i], points[i]) << i;
}

TEST(phaze_family, keeps_the_published_number_of_designs) {
    ASSERT_EQ(kept().size(), 29'360U);
    EXPECT_TRUE(std::ranges::is_sorted(kept(), {}, &kept_design::position));
    EXPECT_EQ(phaze_family{}[kept().front().position], kept().front().chip);
}

// Facts about the published list that no line of the code states.
TEST(phaze_family, agrees_with_facts_of_the_published_list) {
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>> tensor_parts;
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> vector_parts;
    std::set<std::int64_t> buckets;
    std::ptrdiff_t with_a_single_core = 0;
    double smallest = INFINITY;
    for (const auto& [position, chip, area] : kept()) {
        tensor_parts.emplace(chip.num_tc, chip.width, chip.depth, chip.glb_bytes);
        vector_parts.emplace(chip.num_vc, chip.width_vc, chip.glb_bytes);
        buckets.insert(std::llround(std::floor(area / 1e4)));
        with_a_single_core += chip.num_tc == 1 || chip.num_vc == 1 ? 1 : 0;
        smallest = std::min(smallest, area);
    }
    EXPECT_EQ(tensor_parts.size(), 4186U);
    EXPECT_EQ(vector_parts.size(), 697U);
    EXPECT_EQ(with_a_single_core, 9308);
    EXPECT_NEAR(smallest / 1e6, 3.355, 5e-4);
    EXPECT_EQ(buckets.size(), 13'506U);

    const auto within = [](double mm2) {
        return std::ranges::count_if(kept(), [&](const kept_design& d) {
            return phaze_family::rule::largest_um2 - d.area_um2 <= mm2 * 1e6;
        });
    };
    EXPECT_EQ(within(0.1), 13);
    EXPECT_EQ(within(1), 38);
    EXPECT_EQ(within(10), 291);
}

TEST(phaze_family, has_the_tpuv4_like_point_as_its_cap) {
    EXPECT_NEAR(phaze_family::rule::largest_um2, 278'826'676.312160, 1e-6);
    EXPECT_EQ(phaze_family::reference(), (accelerator{8, 2, 128, 128, 128, 134'217'728}));
    EXPECT_TRUE(phaze_family::keeps(tpuv4_like));
    EXPECT_NEAR(peak_flops<phaze_platform>(tpuv4_like), 275.25e12, 0.01e12); // TPUv4: 275 TFLOP/s
}

// The shuffled file holds half of the published list: its rows, each with its area, must be designs that are
// kept, and every kept design that it lacks belongs to the other half.
TEST(phaze_family, has_every_published_row_and_area) {
    DOVETAIL_SHARED_OR_SKIP(path, "reference/hardware/phaze_areas_half.csv");
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>,
             double>
        areas;
    for (const auto& [position, c, area] : kept())
        areas[{c.num_tc, c.num_vc, c.width, c.depth, c.width_vc, c.glb_bytes}] = area;

    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    ASSERT_TRUE(line.starts_with("num_tc,num_vc,width,depth,width_vc,GLB_Buffer,area")) << line;
    std::size_t rows = 0;
    double worst = 0;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        accelerator c;
        char comma = 0;
        double area = 0;
        fields >> c.num_tc >> comma >> c.num_vc >> comma >> c.width >> comma >> c.depth >> comma >>
            c.width_vc >> comma >> c.glb_bytes >> comma >> area;
        ASSERT_TRUE(fields) << line;
        const auto found = areas.find({c.num_tc, c.num_vc, c.width, c.depth, c.width_vc, c.glb_bytes});
        ASSERT_NE(found, areas.end()) << line;
        worst = std::max(worst, std::abs(found->second - area) / area);
        areas.erase(found);
        ++rows;
    }
    EXPECT_EQ(rows, 29'360U / 2);
    EXPECT_LT(worst, 1e-9);
    EXPECT_EQ(areas.size(), 29'360U - rows);
}

} // namespace
} // namespace dovetail::hardware
