// doors: json
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace {

using namespace dovetail::test;
using ::testing::HasSubstr;
using Calibrate = Cli;

// What a machine with a launch of 30 us, 0.8 of the peak and 0.75 of the bandwidth of an A100 would measure.
constexpr std::string_view products = "m,n,k,time_ms\n"
                                      "64,64,64,0.0310\n"
                                      "16,8192,8192,0.1182\n"
                                      "32,16384,16384,0.3817\n"
                                      "8192,8192,8192,4.4600\n"
                                      "16384,8192,8192,8.8600\n"
                                      "4096,12288,12288,5.0300\n";

TEST_F(Calibrate, prints_and_writes_the_numbers_and_the_errors) {
    write("products.csv", products);
    write("notes.csv", "who,when\nme,today\n");
    const answer a = run("calibrate . --system a100-sxm-80 --json fitted.json");
    ASSERT_EQ(a.exit, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("6 products: mean error "));
    EXPECT_THAT(a.out, HasSubstr("launch_s 0.0000"));
    EXPECT_THAT(a.out, HasSubstr("skipped: notes.csv: its columns are of no known layout"));
    const json fitted = json::parse(read("fitted.json"));
    EXPECT_EQ(fitted["system"], "a100-sxm-80");
    EXPECT_EQ(fitted["chip"]["measurements"], 6);
    const json& numbers = fitted["chip"]["numbers"];
    EXPECT_NEAR(numbers["launch_s"]["value"].get<double>(), 30e-6, 3e-6);
    EXPECT_NEAR(numbers["sustained_fraction"]["value"].get<double>(), 0.8, 0.02);
    EXPECT_NEAR(numbers["memory_fraction"]["value"].get<double>(), 0.75, 0.03);
    EXPECT_TRUE(numbers["memory_fraction"]["identified"].get<bool>());
    const json& errors = fitted["chip"]["mean_abs_percent"];
    EXPECT_LT(errors["after"], 2);
    EXPECT_GT(errors["before"], 8);
    EXPECT_GE(errors["left_out"], errors["after"]);
    EXPECT_FALSE(fitted.contains("links"));
}

TEST_F(Calibrate, says_which_numbers_the_measurements_do_not_tell) {
    write("large.csv", "m,n,k,time_ms\n8192,8192,8192,4.46\n8192,8192,16384,8.86\n16384,8192,8192,8.86\n"
                       "16384,16384,8192,17.6\n12288,12288,12288,14.9\n");
    const answer a = run("calibrate . --system a100-sxm-80");
    ASSERT_EQ(a.exit, 0) << a.err;
    EXPECT_THAT(a.out, HasSubstr("launch_s 0.0000279, kept: these measurements do not tell"));
    EXPECT_THAT(a.out, HasSubstr("memory_fraction 0.901, kept: these measurements do not tell"));
    EXPECT_THAT(a.out, HasSubstr("sustained_fraction 0.8"));
}

TEST_F(Calibrate, bad_input_is_one_line) {
    refused("calibrate . --system a100-sxm-80", {"it has no measured products or collectives"});
    refused("calibrate elsewhere --system a100-sxm-80", {"elsewhere: it cannot be read as a folder"});
    refused("calibrate . --system a100", {"option --system", "'a100'", "one of v100, "});
    refused("calibrate .", {"--system"});
    write("products.csv", "m,n,k,time_ms\n64,64,64,0.031\n");
    refused("calibrate . --system a100-sxm-80", {"there are 1 measurements; give at least 5"});
    write("products.csv", "m,n,k,time_ms\n64,64,64,-1\n");
    refused("calibrate . --system a100-sxm-80", {"products.csv:2:10: time_ms"});
    write("products.csv", "m,n,k,time_ms\n64,9223372036854775807,64,1\n");
    refused("calibrate . --system a100-sxm-80", {"products.csv:2:1: an extent of the product is too large"});
    write("products.csv", "system,op,peak_tflops,shape_key,measured_eff\nx,matmul,312,\"m=1, n=2\",0.5\n");
    refused("calibrate . --system a100-sxm-80", {"products.csv:2:14: shape_key has no extent 'k'"});
}

// Reached: 1.50 % and 2.83 %; grouped products 5.8 %.
TEST_F(Calibrate, the_catalogue_agrees_with_the_products_of_the_reference) {
    DOVETAIL_SHARED_OR_SKIP(measured, "reference/measured");
    const json all = answered("validate " + quoted(measured));
    const auto set = [&](const std::string& name) {
        for (const json& one : all["sets"])
            if (one["name"] == name) return one;
        return json();
    };
    const json products_of_sxm = set("matmul_a100_fp16.csv");
    EXPECT_EQ(products_of_sxm["rows"], 20);
    EXPECT_LE(products_of_sxm["mean_abs_percent"], 1.7);
    EXPECT_LE(products_of_sxm["baselines"]["uncalibrated"], 9.5);
    EXPECT_NEAR(products_of_sxm["baselines"]["datasheet roofline"].get<double>(), 30.3, 0.05);
    const json products_of_pcie = set("gemm_efficiency_a100.csv: a100_pcie");
    EXPECT_EQ(products_of_pcie["rows"], 113);
    EXPECT_LE(products_of_pcie["mean_abs_percent"], 3.0);
    EXPECT_GT(products_of_pcie["baselines"]["one constant fraction"], 5.0);
    const json grouped = set("gemm_efficiency_a100.csv: a100_pcie grouped");
    EXPECT_EQ(grouped["rows"], 4);
    EXPECT_LE(grouped["mean_abs_percent"], 6.5);
}

} // namespace
