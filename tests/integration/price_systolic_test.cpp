// `dovetail price systolic`: its answers, and what it refuses.
#include <support/command_line.hpp>

#include <gtest/gtest.h>

#include <string>

namespace dovetail::test {
namespace {

TEST_F(Cli, PriceSystolicCountsCycles) {
    const std::string sizes = " --rows 128 --cols 64 --m 197 --n 768 --k 576";
    // Folds times the cycles of one, less one: 2R + C + M - 2, R + C + K - 2 and 2R + C + N - 2.
    const json ws = answered("price systolic --dataflow ws" + sizes);
    EXPECT_EQ(ws.at("cycles"), 5 * 12 * (256 + 64 + 197 - 2) - 1);
    EXPECT_EQ(ws.at("folds"), 5 * 12);
    EXPECT_EQ(ws.at("cycles_per_fold"), 256 + 64 + 197 - 2);
    EXPECT_EQ(answered("price systolic --dataflow os" + sizes).at("cycles"),
              2 * 12 * (128 + 64 + 576 - 2) - 1);
    EXPECT_EQ(answered("price systolic --dataflow is" + sizes).at("cycles"),
              5 * 4 * (256 + 64 + 768 - 2) - 1);
    const answer text = run("price systolic --dataflow ws" + sizes);
    EXPECT_EQ(text.exit, 0);
    EXPECT_NE(text.out.find("30899 cycles: 60 folds of 515"), std::string::npos) << text.out;
}

TEST_F(Cli, PriceSystolicRefusesBadSizes) {
    const auto priced = [](const std::string& rows, const std::string& k, const std::string& flow) {
        return "price systolic --rows " + rows + " --cols 8 --m 8 --n 8 --k " + k + " --dataflow " + flow;
    };
    refused(priced("0", "8", "ws"), {"--rows", "0", "at least 1"});
    refused(priced("8", "-3", "ws"), {"--k", "-3", "at least 1"});
    refused(priced("8", "9223372036854775808", "ws"), {"--k", "whole number"});
    refused(priced("8", "1.5", "os"), {"--k", "whole number"});
    refused(priced("1", "9223372036854775807", "ws"), {"64 bits"});
    refused(priced("8", "8", "rs"), {"'rs'", "ws, os or is"});
    refused("price systolic --rows 8 --cols 8 --m 8 --n 8 --dataflow ws", {"--k", "price systolic --help"});
    refused("price", {"price --help"});
}

} // namespace
} // namespace dovetail::test
