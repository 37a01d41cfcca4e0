// doors: hana
#include <dovetail/ext/hana/family.hpp>

#include <dovetail/core/units.hpp>
#include <dovetail/ext/hana/for_each_design.hpp>
#include <dovetail/ext/hana/phaze.hpp>
#include <dovetail/hardware/phaze_family.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace dovetail::ext::hana {
namespace {

using hardware::accelerator;
using hardware::phaze_platform;
using hardware::phaze_technology;

constexpr double cap_um2 = 30e6;

// In an order of its own, with lists in both directions.
constexpr auto edge = family<phaze_platform, phaze_technology>(
    "edge",
    axes(glb_bytes(values<2 * mebibyte, 8 * mebibyte>), num_tc(powers_of_two<1, 4>), depth(values<32, 64>),
         num_vc(values<2>), width(values<64, 16>)),
    limits(area_between(0, cap_um2),
           [](const accelerator& chip, double) { return chip.width <= chip.depth; }),
    {4, 2, 64, 64, 64, 8 * mebibyte});

// The same family as a struct of its own, with loops where the other has digits.
std::vector<accelerator> edge_points() {
    std::vector<accelerator> points;
    for (const std::int64_t tc : {4, 2, 1})
        for (const std::int64_t columns : {64, 16})
            for (const std::int64_t rows : {64, 32})
                for (const std::int64_t mib : {8, 2})
                    points.push_back({tc, 2, columns, rows, columns, mib << 20});
    return points;
}

static_assert(hardware::parameter_space<std::remove_const_t<decltype(edge)>>);
static_assert(edge.size() == 3 * 1 * 2 * 2 * 2);
static_assert(edge[0] == accelerator{4, 2, 64, 64, 64, 8 * mebibyte});
static_assert(edge[edge.size() - 1] == accelerator{1, 2, 16, 32, 16, 2 * mebibyte});
static_assert(!edge.keeps({1, 2, 64, 32, 64, 2 * mebibyte}), "wider than deep");
static_assert(edge.name() == "edge" && edge.reference().num_tc == 4);

TEST(hana_family, has_the_points_of_the_loops_that_it_stands_for) {
    const auto points = edge_points();
    ASSERT_EQ(edge.size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) EXPECT_EQ(edge[i], points[i]) << i;
}

TEST(hana_family, keeps_what_obeys_every_limit) {
    std::size_t kept = 0;
    for (const accelerator& chip : edge_points()) {
        const double area = hardware::area_of<phaze_technology, phaze_platform>(chip)->total_um2();
        const bool keep = area <= cap_um2 && chip.width <= chip.depth;
        EXPECT_EQ(edge.keeps(chip), keep);
        kept += keep ? 1U : 0U;
    }
    EXPECT_GT(kept, 0U);
    EXPECT_LT(kept, edge.size());
    EXPECT_EQ(kept_count<edge>, kept);
}

TEST(hana_family, keeps_nothing_whose_area_is_unknown) {
    static constexpr auto odd =
        family<phaze_platform, phaze_technology>("odd",
                                                 axes(num_tc(values<1>), num_vc(values<1>), width(values<16>),
                                                      depth(values<16>), glb_bytes(values<3 * mebibyte>)),
                                                 limits(), hardware::tpuv4_like);
    EXPECT_FALSE(odd.keeps(odd[0]));
    const auto kept = hardware::kept_designs(odd);
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.problem().code, errc::empty_space);
}

TEST(hana_family, equals_the_hand_written_phaze_family_point_by_point) {
    constexpr hardware::phaze_family by_hand;
    ASSERT_EQ(phaze.size(), by_hand.size());
    EXPECT_EQ(phaze.name(), by_hand.name());
    EXPECT_EQ(phaze.reference(), by_hand.reference());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < by_hand.size(); ++i) {
        const accelerator chip = by_hand[i];
        ASSERT_EQ(phaze[i], chip) << i;
        ASSERT_EQ(phaze.keeps(chip), by_hand.keeps(chip)) << i;
        ASSERT_EQ(hardware::area_um2(phaze, chip), hardware::area_um2(by_hand, chip)) << i;
        kept += phaze.keeps(chip) ? 1U : 0U;
    }
    EXPECT_EQ(kept, 29'360U);
}

TEST(for_each_design, visits_every_kept_design_as_a_type_in_order) {
    std::vector<accelerator> visited;
    for_each_design<edge>([&](auto chip) {
        using design = decltype(chip);
        static_assert(std::is_empty_v<design> && design::num_vc == 2 && design::width <= design::depth);
        visited.push_back(hardware::as_point(chip));
    });
    std::vector<accelerator> expected;
    for (const auto& design : hardware::kept_designs(edge).value()) expected.push_back(design.chip);
    EXPECT_EQ(visited, expected);
}

} // namespace
} // namespace dovetail::ext::hana
