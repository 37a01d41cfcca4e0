#include <dovetail/cost/energy_model.hpp>

#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/power.hpp>
#include <dovetail/hardware/technology_n7.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>

namespace dovetail::cost {
namespace {

using sound_prices = sound_model<hardware::phaze_platform>;
using hardware::phaze_platform;
using hardware::tpuv4_like;

// Powers of ten, so that a wrong factor shows in the digits of the sum.
constexpr hardware::event_energies digits{.mac_j = 1,
                                          .lane_cycle_j = 10,
                                          .tensor_buffer_j_per_byte = 100,
                                          .vector_buffer_j_per_byte = 1'000,
                                          .global_buffer_j_per_byte = 10'000,
                                          .hbm_j_per_byte = 100'000};

TEST(energy_model, of_a_product_counts_macs_and_the_bytes_of_every_level) {
    workload::operator_work work;
    work.product = {.batch = 2, .rows = 3, .reduction = 5, .columns = 7};
    const estimate e{.local_bytes = 11, .global_bytes = 13, .hbm_bytes = 17};
    const operator_energy spent = energy_of<sound_prices>(work, e, digits);
    EXPECT_EQ(spent.tensor_j, 210);
    EXPECT_EQ(spent.vector_j, 0);
    EXPECT_EQ(spent.local_j, 1'100);
    EXPECT_EQ(spent.global_j, 130'000);
    EXPECT_EQ(spent.hbm_j, 1'700'000);
    EXPECT_EQ(spent.total_j(), 1'831'310);
}

TEST(energy_model, of_an_epilogue_charges_its_words_at_the_buffer_of_a_vector_core) {
    workload::operator_work work;
    work.product = {.batch = 1, .rows = 1, .reduction = 1, .columns = 1};
    work.lane_cycles = 4;
    work.product_operand_elements = 2;
    work.product_result_elements = 1;
    work.read_elements = 3; // one of them by the epilogue
    work.written_elements = 1;
    // Two words in and one out, two bytes each, written and read: 12 bytes; 8 more are the product's.
    const operator_energy spent = energy_of<sound_prices>(work, estimate{.local_bytes = 20}, digits);
    EXPECT_EQ(spent.vector_j, 40);
    EXPECT_EQ(spent.local_j, 12 * 1'000 + 8 * 100);
}

TEST(energy_model, of_no_work_is_zero) { EXPECT_EQ(energy_of<sound_prices>({}, {}, digits).total_j(), 0); }

// A chip cannot draw more than the sum of its parts at their fastest, whatever runs and on however many
// cores.
template <class Technology>
void never_above_the_tdp(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto between = [&](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
    };
    for (int i = 0; i < 300; ++i) {
        const auto width = std::int64_t{1} << between(1, 8);
        const hardware::accelerator chip{.num_tc = between(1, 16),
                                         .num_vc = between(1, 16),
                                         .width = width,
                                         .depth = std::int64_t{1} << between(1, 8),
                                         .width_vc = width,
                                         .glb_bytes = (std::int64_t{2} << between(0, 6)) * mebibyte};
        const auto events = hardware::energies_of<Technology, phaze_platform>(chip);
        const auto tdp = hardware::tdp_of<Technology, phaze_platform>(chip);
        ASSERT_TRUE(events);
        ASSERT_TRUE(tdp);
        workload::operator_work work;
        if (i % 3 != 0) {
            work.product = {between(1, 4), between(1, 3000), between(1, 3000), between(1, 3000)};
            const auto& p = work.product;
            work.product_operand_elements = static_cast<double>(p.batch * p.reduction * (p.rows + p.columns));
            work.product_result_elements = static_cast<double>(p.batch * p.rows * p.columns);
        }
        if (i % 3 != 1) work.lane_cycles = static_cast<double>(between(1, 1'000'000));
        work.read_elements = work.product_operand_elements + static_cast<double>(between(0, 100'000));
        work.written_elements = static_cast<double>(between(1, 100'000));
        for (const core_mode mode : {core_mode::one_core, core_mode::all_cores}) {
            const estimate e = sound_prices{}(work, chip, mode);
            const double joules = energy_of<sound_prices>(work, e, *events).total_j();
            EXPECT_GT(joules, 0);
            EXPECT_LE(joules, (tdp->total_w() - tdp->static_w) * e.latency_s() * (1 + 1e-12)) << i;
        }
    }
}

TEST(energy_model, of_any_operator_stays_below_the_tdp) {
    never_above_the_tdp<hardware::phaze_technology>(1);
    never_above_the_tdp<hardware::n7_technology>(2);
}

TEST(energy_model, more_work_never_takes_less) {
    const auto events = hardware::energies_of<hardware::n7_technology, phaze_platform>(tpuv4_like);
    ASSERT_TRUE(events);
    double last = 0;
    for (std::int64_t rows = 64; rows <= 8192; rows *= 2) {
        workload::operator_work work;
        work.product = {.batch = 1, .rows = rows, .reduction = 512, .columns = 512};
        work.product_operand_elements = static_cast<double>(512 * (rows + 512));
        work.product_result_elements = static_cast<double>(512 * rows);
        work.read_elements = work.product_operand_elements;
        work.written_elements = work.product_result_elements;
        const estimate e = sound_prices{}(work, tpuv4_like, core_mode::all_cores);
        const double joules = energy_of<sound_prices>(work, e, *events).total_j();
        EXPECT_GT(joules, last);
        last = joules;
    }
}

static_assert(energy_of<sound_prices>(
                  {}, {}, *hardware::energies_of<hardware::n7_technology, phaze_platform>(tpuv4_like))
                  .total_j() == 0);

} // namespace
} // namespace dovetail::cost
