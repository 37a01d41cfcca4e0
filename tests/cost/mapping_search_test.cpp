#include <dovetail/cost/mapping_search.hpp>

#include <cost/mapping_problems.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/mapping_bound.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/sound_mapping_hardware.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/platform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace dovetail::cost {
namespace {

using workload::contraction;

constexpr std::array goals{mapping_objective::latency, mapping_objective::energy, mapping_objective::edp};

constexpr mapping_hardware phaze(std::int64_t cores, std::int64_t extent,
                                 std::int64_t glb_bytes = 128 * mebibyte) {
    return phaze_mapping_hardware(
        hardware::accelerator{.width = extent, .depth = extent, .glb_bytes = glb_bytes}, cores);
}

constexpr mapping_hardware one_core_of_128 = phaze(1, 128);
static_assert(mapping_search{mapping_objective::edp}(one_core_of_128, mapped_product({1, 4096, 4096, 4096}))
                  .cost.cycles == 6'029'312);

template <class Operator>
void expect_best_of_all(const mapping_hardware& hardware, const Operator& op) {
    std::array<objective_value, 3> best{};
    test::over_all_mappings(hardware, op, [&](const mapping& m) {
        const mapping_cost cost = price(hardware, op, m);
        for (std::size_t g = 0; g < goals.size(); ++g)
            best[g] = std::min(best[g], value_of(goals[g], cost.cycles, cost.energy_pj));
    });
    for (std::size_t g = 0; g < goals.size(); ++g) {
        const mapping_outcome found = mapping_search{goals[g]}(hardware, op);
        const bool possible = best[g].first < std::numeric_limits<double>::infinity();
        ASSERT_EQ(found.outcome, possible ? status::optimal : status::infeasible);
        if (!possible) continue;
        const objective_value value = value_of(goals[g], found.cost.cycles, found.cost.energy_pj);
        ASSERT_DOUBLE_EQ(value.first, best[g].first) << g;
        ASSERT_NEAR(value.second, best[g].second, 1e-9 * best[g].second) << g;
        // The mapping is what it is said to be.
        ASSERT_TRUE(fits(hardware, op, found.best));
        const mapping_cost again = price(hardware, op, found.best);
        ASSERT_EQ(again.cycles, found.cost.cycles);
        ASSERT_EQ(again.energy_pj, found.cost.energy_pj);
    }
}

TEST(mapping_search, finds_the_best_of_all_mappings_of_a_product) {
    random_source random(21);
    for (int i = 0; i < 150; ++i)
        expect_best_of_all(test::small_hardware(random), mapped_product(test::small_product(random)));
}

TEST(mapping_search, finds_the_best_of_all_mappings_of_a_convolution) {
    random_source random(22);
    for (int i = 0; i < 60; ++i)
        expect_best_of_all(test::small_hardware(random), mapped_convolution(test::small_convolution(random)));
}

TEST(mapping_search, no_mapping_beats_the_bound) {
    random_source random(23);
    const auto extent = [&] { return random.integer(1, std::int64_t{1} << random.integer(0, 13)); };
    for (int i = 0; i < 1500; ++i) {
        const bool is_small = i % 2 == 0;
        const mapping_hardware chip =
            is_small ? test::small_hardware(random)
                     : phaze(random.integer(1, 64), std::int64_t{1} << random.integer(1, 8),
                             mebibyte << random.integer(1, 7));
        const mapped_product op(is_small ? test::small_product(random)
                                         : contraction{1, extent(), extent(), extent()});
        const mapping_limit limit = mapping_bound(chip, op);
        ASSERT_GT(limit.energy_pj, 0);
        for (const mapping_objective goal : goals) {
            const mapping_outcome found = mapping_search{goal}(chip, op);
            if (found.outcome == status::infeasible) continue;
            ASSERT_LE(limit.cycles, found.cost.cycles);
            ASSERT_LE(limit.energy_pj, found.cost.energy_pj * (1 + 1e-12));
            ASSERT_LE(limit.edp(), found.cost.edp() * (1 + 1e-12));
        }
    }
}

/// Cycles of the published mapper for a product, on one core of 64 x 64, one and eight of 128 x 128, and one
/// of 256 x 256 units, all with a global buffer of 128 MiB.
struct published {
    contraction product;
    std::array<double, 4> cycles;
    bool same_space; ///< its tiles divide the extents, and so do ours
};

constexpr std::array<published, 11> golden{{
    {{1, 4096, 4096, 4096}, {16'777'216, 6'029'312, 6'029'312, 2'883'584}, true},
    {{1, 4096, 4096, 11'008}, {45'088'768, 24'657'920, 24'657'920, 22'544'384}, false},
    {{1, 4096, 11'008, 4096}, {45'088'768, 25'100'288, 25'100'288, 22'986'752}, false},
    {{1, 4096, 4096, 32'000}, {131'072'000, 71'680'000, 71'680'000, 65'536'000}, false},
    {{1, 2048, 12'288, 12'672}, {77'856'768, 32'034'816, 32'034'816, 16'404'480}, false},
    {{1, 2048, 12'288, 9216}, {56'623'104, 20'938'752, 20'938'752, 10'321'920}, true},
    {{1, 2048, 12'288, 12'288}, {75'497'472, 27'918'336, 27'918'336, 13'762'560}, true},
    {{1, 512, 1024, 1024}, {131'072, 40'960, 40'960, 24'576}, true},
    {{1, 512, 1024, 4096}, {524'288, 163'840, 163'840, 98'304}, true},
    {{1, 131'072, 4096, 128}, {16'777'216, 17'039'360, 17'039'360, 12'582'912}, false},
    {{1, 131'072, 128, 4096}, {16'777'216, 8'388'608, 8'388'608, 8'388'608}, true},
}};
constexpr std::array<mapping_hardware, 4> golden_chips{phaze(1, 64), phaze(1, 128), phaze(8, 128),
                                                       phaze(1, 256)};

TEST(mapping_search, reproduces_the_published_cycles_or_betters_them) {
    for (const published& row : golden)
        for (std::size_t i = 0; i < golden_chips.size(); ++i) {
            const mapped_product op(row.product);
            const mapping_outcome found = mapping_search{mapping_objective::edp}(golden_chips[i], op);
            const auto& [batch, m, k, n] = row.product;
            SCOPED_TRACE(testing::Message() << m << " x " << k << " x " << n << " on chip " << i);
            // One core of 64 x 64 units is bound by its arrays in every row.
            if (row.same_space || i == 0)
                EXPECT_EQ(found.cost.cycles, row.cycles[i]);
            else
                EXPECT_LT(found.cost.cycles, row.cycles[i]);
            // A mapping below the published one is a mapping all the same.
            EXPECT_TRUE(fits(golden_chips[i], op, found.best));
            EXPECT_EQ(price(golden_chips[i], op, found.best).cycles, found.cost.cycles);
            EXPECT_LE(mapping_bound(golden_chips[i], op).cycles, found.cost.cycles);
        }
}

TEST(mapping_search, reproduces_published_cycles_on_other_chips) {
    const mapped_product cube({1, 4096, 4096, 4096});
    const auto cycles = [&](const mapping_hardware& hardware) {
        return mapping_search{mapping_objective::edp}(hardware, cube).cost.cycles;
    };
    // Published to three or four digits: many small cores are slower, since they share one bandwidth.
    EXPECT_NEAR(cycles(phaze(32, 64)), 12.3e6, 0.05e6);
    EXPECT_NEAR(cycles(phaze(128, 32)), 24.9e6, 0.05e6);
    EXPECT_NEAR(cycles(phaze(512, 16)), 50.1e6, 0.05e6);
    EXPECT_NEAR(cycles(phaze(2048, 8)), 100e6, 0.5e6);
    // With a local bandwidth for every core. At 256 words a cycle the tiles, which every core fetches for
    // itself, would take longer.
    mapping_hardware wide = phaze(8, 128);
    wide.local.read_words_per_cycle = wide.local.write_words_per_cycle = 512;
    wide.global.read_words_per_cycle = wide.global.write_words_per_cycle = 4096;
    EXPECT_EQ(cycles(wide), 753'664);
    mapping_hardware wider = phaze(2, 256);
    wider.local.read_words_per_cycle = wider.local.write_words_per_cycle = 512;
    wider.global.read_words_per_cycle = wider.global.write_words_per_cycle = 4096;
    wider.dram.read_words_per_cycle = wider.dram.write_words_per_cycle = 512;
    EXPECT_EQ(cycles(wider), 524'288);
    // A global buffer of a quarter changes nothing here.
    EXPECT_EQ(cycles(phaze(1, 128, 32 * mebibyte)), 6'029'312);
    // The published mapper uses all four cores and takes 73,728; three of them may rest.
    EXPECT_EQ(mapping_search{mapping_objective::edp}(phaze(4, 256), mapped_product({1, 512, 1024, 1024}))
                  .cost.cycles,
              24'576);
}

TEST(mapping_search, meets_the_bound_on_cubes) {
    const mapped_product cube({1, 4096, 4096, 4096});
    for (const std::int64_t extent : {64, 128, 256}) {
        const mapping_hardware hardware = phaze(1, extent);
        const double cycles = mapping_search{mapping_objective::edp}(hardware, cube).cost.cycles;
        EXPECT_NEAR(mapping_bound(hardware, cube).cycles, cycles, 1e-9 * cycles);
    }
}

TEST(mapping_search, hardware_as_a_type_gives_the_same) {
    static constexpr mapping_hardware hardware = phaze(8, 128, 4 * mebibyte);
    const fixed_mapping_hardware<hardware> fixed;
    for (const published& row : golden)
        for (const mapping_objective goal : goals) {
            const mapped_product op(row.product);
            const mapping_outcome a = mapping_search{goal}(hardware, op);
            const mapping_outcome b = mapping_search{goal}(fixed, op);
            ASSERT_EQ(a.best, b.best);
            ASSERT_EQ(a.cost.energy_pj, b.cost.energy_pj);
            ASSERT_EQ(a.priced, b.priced);
        }
}

TEST(mapping_search, a_sound_chip_gains_from_its_cores) {
    using platform = hardware::phaze_platform;
    const mapped_product cube({1, 4096, 4096, 4096});
    double before = std::numeric_limits<double>::infinity();
    for (const std::int64_t cores : {1, 2, 4, 8}) {
        const mapping_hardware hardware = sound_mapping_hardware<platform>(hardware::tpuv4_like, cores);
        const mapping_outcome found = mapping_search{}(hardware, cube);
        ASSERT_TRUE(fits(hardware, cube, found.best));
        EXPECT_LE(mapping_bound(hardware, cube).cycles, found.cost.cycles);
        EXPECT_LT(found.cost.cycles, 0.6 * before);
        EXPECT_GE(found.cost.cycles, 4'194'304.0 / static_cast<double>(cores));
        before = found.cost.cycles;
    }
    // Half of the buffer works, and a word has two bytes.
    const mapping_hardware hardware = sound_mapping_hardware<platform>(hardware::tpuv4_like, 1);
    EXPECT_EQ(hardware.local.usable_words(), 16.0 * 128 * 128 / 2 / 2);
    EXPECT_EQ(hardware.weights_held, 8);
}

TEST(mapping_search, batches_are_products_of_their_own) {
    const mapping_hardware hardware = phaze(1, 128);
    for (const mapping_objective goal : goals) {
        const mapping_cost one = mapping_search{goal}(hardware, mapped_product({1, 700, 300, 500})).cost;
        const mapping_cost many = mapping_search{goal}(hardware, mapped_product({24, 700, 300, 500})).cost;
        EXPECT_DOUBLE_EQ(many.cycles, 24 * one.cycles);
        EXPECT_DOUBLE_EQ(many.energy_pj, 24 * one.energy_pj);
    }
    // A grouped convolution is as many of them.
    const convolution whole{.images = 2,
                            .channels = 64,
                            .filters = 64,
                            .height = 28,
                            .width = 28,
                            .kernel_height = 3,
                            .kernel_width = 3};
    convolution grouped = whole;
    grouped.groups = 8;
    grouped.channels = grouped.filters = 8;
    EXPECT_EQ(grouped.product().macs() * 8, whole.product().macs());
    EXPECT_LT(mapping_search{}(hardware, mapped_convolution(grouped)).cost.dram.read,
              mapping_search{}(hardware, mapped_convolution(whole)).cost.dram.read);
}

TEST(mapping_search, a_native_convolution_reads_an_input_once) {
    // ResNet-50's 3 x 3 layers, 8 images: the implicit product names every input nine times.
    const mapping_hardware hardware = phaze(1, 128);
    for (const auto& [channels, extent] : {std::pair<int, int>{64, 56}, {128, 28}, {256, 14}, {512, 7}}) {
        const convolution conv{.images = 8,
                               .channels = channels,
                               .filters = channels,
                               .height = extent,
                               .width = extent,
                               .kernel_height = 3,
                               .kernel_width = 3};
        const mapping_outcome native =
            mapping_search{mapping_objective::edp}(hardware, mapped_convolution(conv));
        const mapping_outcome implicit =
            mapping_search{mapping_objective::edp}(hardware, mapped_product(conv.product()));
        EXPECT_LE(native.cost.cycles, implicit.cost.cycles * (1 + 1e-12));
        EXPECT_LT(native.cost.energy_pj, implicit.cost.energy_pj);
        EXPECT_EQ(native.cost.dram.read,
                  8.0 * channels * (extent + 2) * (extent + 2) + 9.0 * channels * channels);
        EXPECT_EQ(implicit.cost.dram.read, 8.0 * channels * 9 * extent * extent + 9.0 * channels * channels);
    }
}

} // namespace
} // namespace dovetail::cost
