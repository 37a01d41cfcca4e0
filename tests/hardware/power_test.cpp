#include <dovetail/hardware/power.hpp>

#include <dovetail/hardware/catalogue.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/technology_n7.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace dovetail::hardware {
namespace {

// A technology and a platform of round numbers, so that a TDP can be added up by hand.
struct round_technology {
    static constexpr double mac_um2 = 10;
    [[nodiscard]] static constexpr double registers_um2(std::int64_t) noexcept { return 1; }
    [[nodiscard]] static constexpr std::optional<double> sram_um2(std::int64_t bytes) noexcept {
        return static_cast<double>(bytes);
    }
    static constexpr double mac_j = 1e-12;
    [[nodiscard]] static constexpr std::optional<double> register_read_j(std::int64_t) noexcept {
        return 2e-12;
    }
    [[nodiscard]] static constexpr std::optional<double> register_write_j(std::int64_t) noexcept {
        return 3e-12;
    }
    [[nodiscard]] static constexpr std::optional<double> sram_j_per_byte(std::int64_t bytes) noexcept {
        if (bytes == 12345) return std::nullopt;
        return bytes > 1024 ? 5e-12 : 4e-12;
    }
    static constexpr double hbm_j_per_byte = 7e-12;
    static constexpr double static_w_per_um2 = 1e-6;
};

struct round_platform : phaze_platform {
    static constexpr double clock_hz = 1e9;
    static constexpr double local_words_per_cycle = 10;
    static constexpr double global_words_per_cycle = 100;
    static constexpr double hbm_bytes_per_s = 1e12;
};

constexpr accelerator small{
    .num_tc = 2, .num_vc = 3, .width = 4, .depth = 8, .width_vc = 4, .glb_bytes = 2048};

TEST(power, tdp_of_a_small_chip_added_up_by_hand) {
    const auto tdp = tdp_of<round_technology, round_platform>(small);
    ASSERT_TRUE(tdp);
    EXPECT_NEAR(tdp->tensor_cores_w, 64 * 1e9 * 3e-12, 1e-12);              // product and weight
    EXPECT_NEAR(tdp->vector_cores_w, 12 * 1e9 * 8e-12, 1e-12);              // two reads, one write
    EXPECT_NEAR(tdp->local_buffers_w, 5 * 2 * 10 * 2 * 1e9 * 4e-12, 1e-12); // 5 cores, 2 ports, 2 bytes
    EXPECT_NEAR(tdp->global_buffer_w, 2 * 100 * 2 * 1e9 * 5e-12, 1e-12);
    EXPECT_NEAR(tdp->hbm_w, 7, 1e-12);
    // 2 x (32 x 11 + 1024) + 3 x (4 x 11 + 1024) + 2048 um^2
    EXPECT_NEAR(tdp->static_w, 8004e-6, 1e-12);
    EXPECT_NEAR(tdp->die_w(), 0.192 + 0.096 + 0.8 + 2 + 0.008004, 1e-9);
    EXPECT_NEAR(tdp->total_w(), tdp->die_w() + 7, 1e-12);
}

TEST(power, of_a_size_without_an_energy_is_nothing_and_never_zero) {
    accelerator odd = small;
    odd.glb_bytes = 12345;
    EXPECT_TRUE((area_of<round_technology, round_platform>(odd)));
    EXPECT_FALSE((energies_of<round_technology, round_platform>(odd)));
    EXPECT_FALSE((tdp_of<round_technology, round_platform>(odd)));
    odd.glb_bytes = 3 * mebibyte; // CACTI's table has powers of two
    EXPECT_FALSE((tdp_of<phaze_technology, phaze_platform>(odd)));
    EXPECT_TRUE((tdp_of<n7_technology, phaze_platform>(odd)));
}

// A figure that a technology gives as zero counts as missing.
struct free_buffer : round_technology {
    [[nodiscard]] static constexpr std::optional<double> sram_j_per_byte(std::int64_t) noexcept {
        return 0.0;
    }
};
struct free_register : round_technology {
    [[nodiscard]] static constexpr std::optional<double> register_read_j(std::int64_t) noexcept {
        return 0.0;
    }
};
struct flat_buffer : round_technology {
    [[nodiscard]] static constexpr std::optional<double> sram_um2(std::int64_t) noexcept { return 0.0; }
};
struct flat_register : round_technology {
    [[nodiscard]] static constexpr double registers_um2(std::int64_t) noexcept { return 0; }
};

TEST(power, of_a_part_that_costs_nothing_is_nothing) {
    EXPECT_FALSE((tdp_of<free_buffer, round_platform>(small)));
    EXPECT_FALSE((tdp_of<free_register, round_platform>(small)));
    EXPECT_FALSE((area_of<flat_buffer, round_platform>(small)));
    EXPECT_FALSE((area_of<flat_register, round_platform>(small)));
}

// A constant that is zero, negative, infinite or missing makes no technology.
struct free_mac : round_technology {
    static constexpr double mac_j = 0;
};
struct negative_leak : round_technology {
    static constexpr double static_w_per_um2 = -1e-6;
};
struct unbounded_hbm : round_technology {
    static constexpr double hbm_j_per_byte = std::numeric_limits<double>::infinity();
};
struct undefined_area : round_technology {
    static constexpr double mac_um2 = std::numeric_limits<double>::quiet_NaN();
};
struct areas_only {
    static constexpr double mac_um2 = 10;
    [[nodiscard]] static double registers_um2(std::int64_t) noexcept { return 1; }
    [[nodiscard]] static std::optional<double> sram_um2(std::int64_t) noexcept { return 1.0; }
};
static_assert(energy_technology<round_technology>);
static_assert(!energy_technology<free_mac>);
static_assert(!energy_technology<negative_leak>);
static_assert(!energy_technology<unbounded_hbm>);
static_assert(!technology<undefined_area>);
static_assert(technology<areas_only> && !energy_technology<areas_only>);

template <class T>
void grows_with_every_part() {
    const accelerator chip{4, 4, 64, 64, 64, 16 * mebibyte};
    const double before_w = tdp_of<T, phaze_platform>(chip)->total_w();
    for (const auto axis : {&accelerator::num_tc, &accelerator::num_vc, &accelerator::width,
                            &accelerator::depth, &accelerator::width_vc, &accelerator::glb_bytes}) {
        accelerator more = chip;
        more.*axis *= 2;
        EXPECT_GT((tdp_of<T, phaze_platform>(more)->total_w()), before_w);
        EXPECT_GT((*static_power_w<T, phaze_platform>(more)), (*static_power_w<T, phaze_platform>(chip)));
    }
}

TEST(power, grows_with_every_part_of_a_chip) {
    grows_with_every_part<phaze_technology>();
    grows_with_every_part<n7_technology>();
}

template <class T>
void every_kept_design_has_a_positive_tdp() {
    const phaze_family family;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < family.size(); i += 37) {
        const accelerator chip = family[i];
        if (!family.keeps(chip)) continue;
        const auto tdp = tdp_of<T, phaze_platform>(chip);
        ASSERT_TRUE(tdp);
        for (const double part : {tdp->tensor_cores_w, tdp->vector_cores_w, tdp->local_buffers_w,
                                  tdp->global_buffer_w, tdp->static_w, tdp->hbm_w})
            ASSERT_TRUE(is_positive(part));
        ++seen;
    }
    EXPECT_GT(seen, 700u);
}

TEST(power, of_every_part_of_every_kept_design_is_positive) {
    every_kept_design_has_a_positive_tdp<phaze_technology>();
    every_kept_design_has_a_positive_tdp<n7_technology>();
}

TEST(power, the_phaze_technology_has_the_energies_of_its_tools) {
    EXPECT_DOUBLE_EQ(phaze_technology::mac_j, 0.93807e-12);
    // CACTI 7 prints 1.84464 and 1.91281 pJ for 1 KiB, 629.087 and 599.762 pJ for 128 MiB.
    EXPECT_DOUBLE_EQ(*phaze_technology::sram_j_per_byte(1024), (1.84464 + 1.91281) / 2 / 8 * 1e-12);
    EXPECT_DOUBLE_EQ(*phaze_technology::sram_j_per_byte(128 * mebibyte), (629.087 + 599.762) / 2 / 8 * 1e-12);
    EXPECT_FALSE(phaze_technology::sram_j_per_byte(3 * kibibyte));
    EXPECT_FALSE(phaze_technology::sram_j_per_byte(512));
    EXPECT_FALSE(phaze_technology::sram_j_per_byte(256 * mebibyte));
    EXPECT_FALSE(phaze_technology::register_read_j(16));
    for (std::int64_t bytes = kibibyte; bytes < 128 * mebibyte; bytes *= 2)
        EXPECT_LT(*phaze_technology::sram_j_per_byte(bytes), *phaze_technology::sram_j_per_byte(2 * bytes));
}

TEST(power, the_n7_technology_has_the_published_energies_of_sram_and_grows_between_them) {
    const auto pj_of_64_bits = [](std::int64_t bytes) {
        return *n7_technology::sram_j_per_byte(bytes) * 8e12;
    };
    EXPECT_NEAR(pj_of_64_bits(8 * kibibyte), 7.5, 1e-12);
    EXPECT_NEAR(pj_of_64_bits(32 * kibibyte), 8.5, 1e-12);
    EXPECT_NEAR(pj_of_64_bits(mebibyte), 14, 1e-12);
    // Half way between the roots of 8 KiB and 32 KiB, which are in the ratio 1 : 2, lies 1.5^2 * 8 KiB.
    EXPECT_NEAR(pj_of_64_bits(18 * kibibyte), 8, 1e-12);
    EXPECT_EQ(pj_of_64_bits(kibibyte), pj_of_64_bits(8 * kibibyte));
    EXPECT_EQ(pj_of_64_bits(128 * mebibyte), pj_of_64_bits(mebibyte));
    for (std::int64_t bytes = 8 * kibibyte; bytes < mebibyte; bytes += 1000)
        EXPECT_LT(pj_of_64_bits(bytes), pj_of_64_bits(bytes + 1000)) << bytes;
    EXPECT_FALSE(n7_technology::sram_j_per_byte(0));
    EXPECT_FALSE(n7_technology::sram_um2(0));
    EXPECT_FALSE(n7_technology::sram_um2(-1));
}

TEST(power, the_n7_technology_is_smaller_than_22_nm_and_does_not_inherit_its_scale) {
    for (std::int64_t bytes = kibibyte; bytes <= 128 * mebibyte; bytes *= 2)
        EXPECT_LT(*n7_technology::sram_um2(bytes), *phaze_technology::sram_um2(bytes));
    // The arrays of TPUv4i by its own share: four of them are 11 % of 400 mm^2.
    EXPECT_NEAR(4 * 128 * 128 * n7_technology::mac_um2 / um2_per_mm2, 44, 1e-9);
    // No bit is smaller than TSMC's bit cell of 0.027 um^2.
    EXPECT_GT(*n7_technology::sram_um2(1) / 8, 0.027);
}

// TPUv4 draws 121 to 192 W, 170 W on average and 90 W when idle, HBM included (Jouppi et al., ISCA 2023,
// table 4). A TPUv4-like chip lacks its network, links and sparse cores: the order of magnitude is what is
// checked.
TEST(power, of_the_tpuv4_like_chip_in_n7_has_the_order_of_the_published_one) {
    const auto tdp = tdp_of<n7_technology, phaze_platform>(tpuv4_like);
    ASSERT_TRUE(tdp);
    EXPECT_GT(tdp->total_w(), 192.0 / 2);
    EXPECT_LT(tdp->total_w(), 192.0 * 2);
    EXPECT_LT(tdp->static_w, 90);
    EXPECT_LT((area_of<n7_technology, phaze_platform>(tpuv4_like)->total_um2()), 600 * um2_per_mm2);
}

// TPUv4i has four such arrays, 128 MiB of common memory, 614 GB/s, a TDP of 175 W and 55 W when idle, on less
// than 400 mm^2, of which that memory takes 28 % (Jouppi et al., ISCA 2021, table 1 and figure 6).
struct tpuv4i_platform : phaze_platform {
    static constexpr double hbm_bytes_per_s = 614e9;
};

TEST(power, of_a_tpuv4i_like_chip_in_n7_has_the_order_of_the_published_one) {
    constexpr accelerator chip{4, 1, 128, 128, 128, 128 * mebibyte};
    const auto tdp = tdp_of<n7_technology, tpuv4i_platform>(chip);
    ASSERT_TRUE(tdp);
    EXPECT_GT(tdp->total_w(), 175.0 / 2);
    EXPECT_LT(tdp->total_w(), 175.0 * 2);
    EXPECT_LT(tdp->static_w, 55);
    const auto area = area_of<n7_technology, tpuv4i_platform>(chip);
    ASSERT_TRUE(area);
    EXPECT_LT(area->total_um2(), 400 * um2_per_mm2);
    EXPECT_LT(area->global_buffer_um2, 0.28 * 400 * um2_per_mm2);
}

static_assert(tdp_of<n7_technology, phaze_platform>(tpuv4_like)->total_w() > 0);
static_assert(tdp_of<n7_technology, phaze_platform>(fix<tpuv4_like>{})->total_w() ==
              tdp_of<n7_technology, phaze_platform>(tpuv4_like)->total_w());

} // namespace
} // namespace dovetail::hardware
