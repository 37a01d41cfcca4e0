#include <dovetail/hardware/system.hpp>
#include <dovetail/hardware/system_catalogue.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

namespace {

using namespace dovetail;
using namespace dovetail::hardware;
using ::testing::HasSubstr;

TEST(system_catalogue, every_system_and_its_datasheet_are_complete_and_name_their_sources) {
    std::set<std::string_view> names;
    for (const hardware::system& known : known_systems) {
        EXPECT_TRUE(names.insert(known.name).second) << known.name;
        for (const hardware::system& machine : {known, datasheet(known)}) {
            const auto valid = validate(machine);
            EXPECT_TRUE(valid) << valid.problem().line();
        }
        EXPECT_FALSE(known.chip.name.empty());
        EXPECT_FALSE(known.chip.source.empty()) << known.name;
        EXPECT_FALSE(known.calibration.source.empty()) << known.name;
    }
    for (const std::string_view name : {"v100", "a100-sxm-40", "a100-sxm-80", "a100-pcie-80", "h100-sxm",
                                        "h200-sxm", "b200-sxm", "mi210", "tpu-v4"})
        EXPECT_TRUE(find_system(name)) << name;
}

// Halving the bytes of an operand doubles the rate of matrix units, in every datasheet.
TEST(system_catalogue, rates_keep_the_ratios_of_their_formats) {
    for (const hardware::system& known : known_systems) {
        const device& chip = known.chip;
        const double sixteen = std::max(chip.matrix_rate(precision::fp16), chip.matrix_rate(precision::bf16));
        const double tf32 = chip.matrix_rate(precision::tf32);
        const double fp8 = chip.matrix_rate(precision::fp8);
        EXPECT_TRUE(tf32 == 0 || std::abs(sixteen / tf32 - 2) < 0.05) << known.name;
        EXPECT_TRUE(fp8 == 0 || std::abs(fp8 / sixteen - 2) < 0.01) << known.name;
        // FLOPs a byte at which a stream keeps the matrix units busy: 100 to 300 in all of these machines.
        EXPECT_GT(sixteen / chip.memory_bytes_per_s, 100) << known.name;
        EXPECT_LT(sixteen / chip.memory_bytes_per_s, 320) << known.name;
        // To fill the memory takes 8 to 45 ms.
        EXPECT_GT(chip.memory_bytes / chip.memory_bytes_per_s, 8e-3) << known.name;
        EXPECT_LT(chip.memory_bytes / chip.memory_bytes_per_s, 45e-3) << known.name;
    }
}

TEST(system_catalogue, a_name_that_nobody_knows_is_an_error_with_those_that_are) {
    const auto found = find_system("a100");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.problem().code, errc::unknown_name);
    EXPECT_THAT(found.problem().line(), HasSubstr("a100-sxm-80"));
}

TEST(system, the_datasheet_keeps_what_is_described_and_nothing_that_was_measured) {
    const hardware::system measured = find_system("a100-sxm-80").value();
    const hardware::system plain = datasheet(measured);
    EXPECT_EQ(plain.chip.memory_bytes_per_s, measured.chip.memory_bytes_per_s);
    EXPECT_EQ(plain.calibration.launch_s, measured.chip.launch_s);
    EXPECT_EQ(plain.calibration.matrix_fraction, 1);
    EXPECT_EQ(plain.calibration.sustained_fraction, 1);
    EXPECT_EQ(plain.calibration.memory_fraction, 1);
    EXPECT_EQ(plain.links.levels[0].device_bytes_per_s, measured.links.levels[0].device_bytes_per_s);
    EXPECT_EQ(plain.links.levels[0].protocols.back().efficiency, 1);
    EXPECT_EQ(plain.links.levels[1].protocols.back().efficiency, 1);
    EXPECT_EQ(plain.links.exposed_chunks, 0);
}

TEST(system, a_number_that_is_missing_or_makes_no_sense_is_named) {
    const hardware::system good = find_system("h100-sxm").value();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto wrong = [&](auto change) {
        hardware::system machine = good;
        change(machine);
        const auto valid = validate(machine);
        return valid ? std::string() : valid.problem().line();
    };
    EXPECT_THAT(wrong([](hardware::system& s) { s.chip.matrix_flop_per_s = {}; }), HasSubstr("16 bits"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.chip.processors = 0; }), HasSubstr("processors is 0"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.chip.memory_bytes = 0; }), HasSubstr("memory_bytes is 0"));
    EXPECT_THAT(wrong([&](hardware::system& s) { s.chip.memory_bytes_per_s = nan; }),
                HasSubstr("memory_bytes_per_s is nan"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.chip.cache_bytes = -1; }), HasSubstr("cache_bytes is -1"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.calibration.launch_s = 0; }), HasSubstr("launch_s is 0"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.calibration.memory_fraction = 1.5; }),
                HasSubstr("memory_fraction is 1.5"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.calibration.sustained_fraction = 0; }),
                HasSubstr("sustained_fraction is 0"));
    EXPECT_THAT(wrong([](hardware::system& s) { s.links.levels[0].device_bytes_per_s = 0; }),
                HasSubstr("system 'h100-sxm': network level 1"));
}

} // namespace
