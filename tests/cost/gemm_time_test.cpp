#include <dovetail/cost/gemm_time.hpp>

#include <dovetail/core/csv.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/core/statistics.hpp>
#include <dovetail/hardware/system_catalogue.hpp>

#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::cost;
using hardware::precision;

// A machine of round numbers: one processor multiplies a tile of 256 x 128 x 1 in a nanosecond.
constexpr hardware::system round_machine() {
    hardware::system machine = hardware::known_systems[1];
    machine.chip.processors = 10;
    machine.chip.matrix_flop_per_s = {};
    machine.chip.matrix_flop_per_s[static_cast<std::size_t>(precision::bf16)] = 10 * 2.0 * 256 * 128 * 1e9;
    machine.chip.memory_bytes_per_s = 1e15;
    machine.calibration = {
        .launch_s = 1e-3, .matrix_fraction = 1, .sustained_fraction = 1, .memory_fraction = 1, .source = ""};
    return machine;
}

constexpr gemm_time_model bare{.tile_s = 0, .exposed_fraction = 0};

// Ten tiles are one wave, eleven are two.
static_assert(bare(round_machine(), {.m = 2560, .n = 128, .k = 1000000}) > 1.9e-3);
static_assert(bare(round_machine(), {.m = 2560, .n = 128, .k = 1000000}) < 2.1e-3);

TEST(gemm_time, waves_follow_each_other) {
    const hardware::system machine = round_machine();
    const auto seconds = [&](std::int64_t m) {
        return bare(machine, {.m = m, .n = 128, .k = 1000000}) - machine.calibration.launch_s;
    };
    EXPECT_NEAR(seconds(2560), 1e-3, 1e-8);
    EXPECT_NEAR(seconds(5120), 2e-3, 1e-8);
    // A little more than a wave takes more than one, and no more than two; small tiles fill the second.
    EXPECT_GT(seconds(2561), 1.2e-3);
    EXPECT_LE(seconds(2561), 2e-3 + 1e-8);
}

TEST(gemm_time, idle_processors_leave_power_to_the_others) {
    hardware::system machine = round_machine();
    machine.calibration.sustained_fraction = 0.5;
    const auto seconds = [&](std::int64_t m) {
        return bare(machine, {.m = m, .n = 128, .k = 1000000}) - machine.calibration.launch_s;
    };
    EXPECT_NEAR(seconds(2560), 2e-3, 1e-8);     // all ten at half their rate
    EXPECT_NEAR(seconds(2560 / 2), 1e-3, 2e-5); // five, or ten on the halves of their depth, at full rate
}

TEST(gemm_time, a_thin_product_takes_the_time_of_its_bytes) {
    hardware::system machine = round_machine();
    machine.chip.memory_bytes_per_s = 1e12;
    machine.calibration.memory_fraction = 0.8;
    const gemm thin{.m = 1, .n = 100000, .k = 10000};
    EXPECT_NEAR(bare(machine, thin) - machine.calibration.launch_s, thin.bytes() / 0.8e12, 1e-9);
    // Accumulation reads the result as well, and wide results move more.
    EXPECT_EQ((gemm{.m = 4, .n = 5, .k = 6}.bytes()), 2 * 6 * 9 + 2 * 20);
    EXPECT_EQ((gemm{.m = 4, .n = 5, .k = 6, .result = precision::fp32, .accumulate = true}.bytes()),
              2 * 6 * 9 + 8 * 20);
    EXPECT_EQ((gemm{.m = 4, .n = 5, .k = 6, .batch = 3, .operands = precision::fp8}.bytes()),
              3 * (6 * 9 + 2 * 20));
}

gemm any_product(random_source& random) {
    const auto extent = [&] {
        return static_cast<std::int64_t>(std::exp(random.real() * std::log(40000.0)));
    };
    gemm product{.m = extent(), .n = extent(), .k = extent()};
    product.batch = random.integer(1, 4);
    if (random.real() < 0.3) {
        product.result = precision::fp32;
        product.accumulate = true;
    }
    return product;
}

TEST(gemm_time_laws, nothing_beats_the_roofline_and_no_measurement_beats_the_datasheet) {
    random_source random(1);
    for (int i = 0; i < 300; ++i) {
        gemm product = any_product(random);
        for (const hardware::system& machine : hardware::known_systems) {
            if (!(machine.chip.matrix_rate(product.operands) > 0)) product.operands = precision::fp16;
            if (!(machine.chip.matrix_rate(product.operands) > 0)) product.operands = precision::bf16;
            const double calibrated_s = gemm_time_model{}(machine, product);
            hardware::system plain = hardware::datasheet(machine);
            EXPECT_GE(calibrated_s, roofline_s(machine.chip, product)) << machine.name;
            EXPECT_GE(gemm_time_model{}(plain, product), roofline_s(machine.chip, product));
            plain.calibration.launch_s = machine.calibration.launch_s;
            EXPECT_GE(calibrated_s, gemm_time_model{}(plain, product) * (1 - 1e-12));
        }
    }
}

TEST(gemm_time_laws, more_work_takes_no_less_time) {
    random_source random(2);
    for (int i = 0; i < 2000; ++i) {
        const gemm product = any_product(random);
        for (const auto extent : {&gemm::m, &gemm::n, &gemm::k, &gemm::batch}) {
            gemm more = product;
            more.*extent += random.integer(1, 300);
            for (const std::size_t s : {std::size_t{2}, std::size_t{3}}) {
                const hardware::system& machine = hardware::known_systems[s];
                const double seconds = gemm_time_model{}(machine, product);
                EXPECT_GE(gemm_time_model{}(machine, more), seconds * (1 - 1e-12))
                    << product.m << ' ' << product.n << ' ' << product.k << ' ' << product.batch << " to "
                    << more.m << ' ' << more.n << ' ' << more.k << ' ' << more.batch;
            }
        }
    }
}

TEST(gemm_time_laws, every_number_of_a_machine_counts_in_its_direction) {
    random_source random(3);
    const hardware::system machine = hardware::find_system("a100-sxm-80").value();
    for (int i = 0; i < 300; ++i) {
        const gemm product = any_product(random);
        const double seconds = gemm_time_model{}(machine, product);
        for (const auto number :
             {&hardware::calibration::matrix_fraction, &hardware::calibration::sustained_fraction,
              &hardware::calibration::memory_fraction}) {
            hardware::system slower = machine;
            slower.calibration.*number *= 0.9;
            EXPECT_GE(gemm_time_model{}(slower, product), seconds);
            EXPECT_LE(gemm_time_model{}(slower, product), seconds / 0.9 * (1 + 1e-12));
        }
        hardware::system later = machine;
        later.calibration.launch_s += 1e-6;
        EXPECT_NEAR(gemm_time_model{}(later, product), seconds + 1e-6, 1e-12 * seconds + 1e-15);
    }
}

struct measured_products {
    std::vector<gemm> products;
    std::vector<double> times_s;
};

measured_products read(const std::filesystem::path& path, precision format) {
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto table = read_csv(text, path.filename().string());
    measured_products all;
    if (!table) return all;
    for (const auto& row : table->rows) {
        const auto number = [&](std::string_view column) {
            return parse_number<double>(row[*table->find(column)].text).value_or(0);
        };
        all.products.push_back({.m = static_cast<std::int64_t>(number("m")),
                                .n = static_cast<std::int64_t>(number("n")),
                                .k = static_cast<std::int64_t>(number("k")),
                                .operands = format,
                                .result = format});
        all.times_s.push_back(number("time_ms") * 1e-3);
    }
    return all;
}

double mean_error_percent(const hardware::system& machine, const measured_products& measured) {
    std::vector<double> predicted;
    for (const gemm& product : measured.products) predicted.push_back(gemm_time_model{}(machine, product));
    return accuracy_of(predicted, measured.times_s).mean_abs_percent;
}

double roofline_error_percent(const hardware::system& machine, const measured_products& measured) {
    std::vector<double> predicted;
    for (const gemm& product : measured.products) predicted.push_back(roofline_s(machine.chip, product));
    return accuracy_of(predicted, measured.times_s).mean_abs_percent;
}

// Reached: 1.50 % and 9.08 %. The roofline's 30.3 % is the figure that others measured, and pins the reading.
TEST(gemm_time, agrees_with_the_products_of_an_a100) {
    DOVETAIL_SHARED_OR_SKIP(path, "reference/measured/matmul_a100_fp16.csv");
    const hardware::system machine = hardware::find_system("a100-sxm-80").value();
    const measured_products measured = read(path, precision::fp16);
    ASSERT_EQ(measured.products.size(), 20u);
    EXPECT_NEAR(roofline_error_percent(machine, measured), 30.3, 0.05);
    EXPECT_LE(mean_error_percent(machine, measured), 1.7);
    EXPECT_LE(mean_error_percent(hardware::datasheet(machine), measured), 9.5);
}

// Reached: 5.65 % and 4.09 %. The constants of the model were found on another chip.
TEST(gemm_time, agrees_with_the_products_of_other_chips) {
    for (const auto& [name, file, bound] : {std::tuple{"h100-sxm", "h100_products.csv", 6.0},
                                            std::tuple{"h200-sxm", "h200_products.csv", 4.5}}) {
        const measured_products measured =
            read(test::source_file(std::string("tests/instances/measured/") + file), precision::bf16);
        ASSERT_EQ(measured.products.size(), 180u);
        const hardware::system machine = hardware::find_system(name).value();
        EXPECT_LE(mean_error_percent(machine, measured), bound) << name;
        EXPECT_GE(roofline_error_percent(machine, measured), 40) << name;
    }
}

} // namespace
