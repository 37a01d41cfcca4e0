#include <dovetail/cost/phaze_model.hpp>

#include <dovetail/core/parallel.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/cost/remembered_phaze_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <laws/latency_model_laws.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::cost {
namespace {

using hardware::accelerator;
using hardware::tpuv4_like;
using test::product_work;
using workload::operator_work;

constexpr phaze_model<> phaze_price;
constexpr std::array modes{core_mode::one_core, core_mode::all_cores};

TEST(phaze_model, a_product_takes_the_published_cycles) {
    // One core of 128 x 128, and eight: the chip has one local bandwidth.
    const operator_work cube = product_work({1, 4096, 4096, 4096});
    for (const core_mode mode : modes) {
        const estimate e = phaze_price(cube, tpuv4_like, mode);
        EXPECT_DOUBLE_EQ(e.latency_s(), 6'029'312 / 1.05e9);
        EXPECT_EQ(e.bound_by(), bound::local_buffer);
    }
    EXPECT_DOUBLE_EQ(phaze_price(cube, tpuv4_like, core_mode::one_core).tensor_s, 4'194'304 / 1.05e9);
    EXPECT_DOUBLE_EQ(phaze_price(cube, tpuv4_like, core_mode::all_cores).tensor_s, 524'288 / 1.05e9);
}

TEST(phaze_model, vector_operators_take_their_lanes_and_no_memory) {
    operator_work work;
    work.lane_cycles = 1e9;
    work.read_elements = 3e9;
    work.written_elements = 1e9;
    const estimate e = phaze_price(work, tpuv4_like, core_mode::all_cores);
    EXPECT_DOUBLE_EQ(e.latency_s(), 1e9 / 256 / 1.05e9);
    EXPECT_EQ(e.bound_by(), bound::vector_core);
    EXPECT_EQ(e.hbm_bytes, 8e9);
    work.read_discrete_bytes = 1e9;
    EXPECT_EQ(phaze_price(work, tpuv4_like, core_mode::all_cores).hbm_bytes, 9e9);
    EXPECT_DOUBLE_EQ(phaze_price(work, tpuv4_like, core_mode::one_core).latency_s(), 1e9 / 128 / 1.05e9);
}

TEST(phaze_model, an_epilogue_works_beside_its_product) {
    operator_work work = product_work({1, 4096, 4096, 4096});
    const double alone_s = phaze_price(work, tpuv4_like, core_mode::all_cores).latency_s();
    work.lane_cycles = 1e6;
    EXPECT_EQ(phaze_price(work, tpuv4_like, core_mode::all_cores).latency_s(), alone_s);
    work.lane_cycles = 1e10;
    EXPECT_DOUBLE_EQ(phaze_price(work, tpuv4_like, core_mode::all_cores).latency_s(), 1e10 / 256 / 1.05e9);
}

TEST(phaze_model, more_hardware_never_has_a_larger_energy_delay_product) {
    random_source random(31);
    const auto extent = [&] { return random.integer(1, std::int64_t{1} << random.integer(0, 12)); };
    for (int i = 0; i < 1500; ++i) {
        const workload::contraction product{random.integer(1, 4), extent(), extent(), extent()};
        const accelerator chip = test::random_chip(random);
        const double before = phaze_model<>::product_part(product, chip, chip.num_tc).edp();
        const std::int64_t cores = chip.num_tc + random.integer(1, chip.num_tc);
        ASSERT_LE(phaze_model<>::product_part(product, chip, cores).edp(), before);
        ASSERT_LE(before, phaze_model<>::product_part(product, chip, 1).edp());
        accelerator more = chip;
        more.glb_bytes += random.integer(1, chip.glb_bytes);
        ASSERT_LE(phaze_model<>::product_part(product, more, chip.num_tc).edp(), before);
        // Nothing is faster than by latency, nor takes less than by energy.
        const auto fastest =
            phaze_model<mapping_objective::latency>::product_part(product, chip, chip.num_tc);
        const auto least = phaze_model<mapping_objective::energy>::product_part(product, chip, chip.num_tc);
        ASSERT_LE(fastest.cycles * least.energy_pj, before * (1 + 1e-12));
    }
}

TEST(phaze_model, remembers_to_the_last_bit_whatever_the_threads) {
    random_source random(32);
    struct question {
        operator_work work;
        accelerator chip;
        core_mode mode;
    };
    std::vector<question> questions;
    for (int i = 0; i < 300; ++i)
        questions.push_back({test::random_work(random), test::random_chip(random), modes[random() % 2]});
    std::vector<estimate> expected;
    for (const question& q : questions) expected.push_back(phaze_price(q.work, q.chip, q.mode));
    for (const std::size_t places : {1u, 64u, 4096u}) { // of which the first hold next to nothing
        const remembered_phaze_model<> remembered(places);
        const std::size_t asked = 3 * questions.size();
        std::vector<estimate> found(asked);
        parallel_for(asked, 4, 1, [&](std::size_t, std::size_t i) {
            const question& q = questions[i * 7 % questions.size()];
            found[i] = remembered(q.work, q.chip, q.mode);
        });
        for (std::size_t i = 0; i < asked; ++i) {
            const estimate& e = expected[i * 7 % questions.size()];
            ASSERT_EQ(found[i].latency_s(), e.latency_s());
            ASSERT_EQ(found[i].hbm_bytes, e.hbm_bytes);
            ASSERT_EQ(found[i].local_bytes, e.local_bytes);
        }
    }
}

} // namespace
} // namespace dovetail::cost
