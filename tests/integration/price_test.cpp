// `dovetail price`: its answers, and what it refuses.
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

TEST_F(Cli, PriceMappingShowsTheMappingAndItsBound) {
    const std::string chip = " --point num_tc=1,num_vc=1,width=128,depth=128,glb_mib=128";
    const json cube = answered("price mapping --m 4096 --n 4096 --k 4096" + chip);
    EXPECT_EQ(cube.at("status"), "optimal");
    EXPECT_EQ(cube.at("cycles"), 6029312); // the published mapper's
    EXPECT_NEAR(cube.at("lower_bound").at("cycles").get<double>(), 6029312, 1);
    EXPECT_EQ(cube.at("mapping").at("tile").at("rows"), 512);
    EXPECT_EQ(cube.at("local").at("read_words"), 23.0 * 4096 * 4096);
    // 24,657,920 cycles by the published mapper; the tile shows how fewer do.
    const json wide = answered("price mapping --m 4096 --n 11008 --k 4096" + chip);
    EXPECT_EQ(wide.at("cycles"), 16334848);
    EXPECT_LE(wide.at("lower_bound").at("cycles"), wide.at("cycles"));
    EXPECT_LE(answered("price mapping --m 4096 --n 11008 --k 4096 --objective energy" + chip).at("energy_pj"),
              wide.at("energy_pj"));
    const answer text = run("price mapping --m 4096 --n 11008 --k 4096" + chip);
    EXPECT_NE(text.out.find("tile: 512 rows"), std::string::npos) << text.out;
}

TEST_F(Cli, PriceMappingProvesThatNothingFits) {
    // A fold of 16 Mi weights, and a global buffer of 1 Mi words.
    const json none = answered("price mapping --m 8192 --n 8192 --k 8192 "
                               "--point num_tc=1,num_vc=1,width=4096,depth=4096,glb_mib=1",
                               3);
    EXPECT_EQ(none.at("status"), "infeasible");
    EXPECT_FALSE(none.contains("cycles"));
}

TEST_F(Cli, PriceMappingRefusesBadInput) {
    const std::string chip = " --point num_tc=1,num_vc=1,width=128,depth=128,glb_mib=128";
    refused("price mapping --m 0 --n 8 --k 8" + chip, {"--m", "at least 1"});
    refused("price mapping --m 8 --n 8 --k 8 --objective speed" + chip, {"'speed'", "edp"});
    refused("price mapping --m 8 --n 8 --k 8 --point num_tc=1", {"missing"});
    refused("price mapping --m 1073741824 --n 1073741824 --k 1073741824" + chip, {"62 bits"});
    refused("price mapping --m 8 --n 8" + chip, {"--k"});
}

TEST_F(Cli, SearchPricesByThePublishedModel) {
    const std::string search = "search --model bert-large --strategy random --samples 3 --micro-batches 1 "
                               "--hbm-gib 80 --cost-model ";
    const json sound = answered(search + "sound");
    const json phaze = answered(search + "phaze");
    EXPECT_EQ(phaze.at("status"), sound.at("status"));
    EXPECT_NE(phaze.at("best").at("throughput_samples_per_s"),
              sound.at("best").at("throughput_samples_per_s"));
    EXPECT_EQ(answered(search + "phaze --threads 1").at("best"), phaze.at("best"));
    refused(search + "guess", {"--cost-model", "sound", "phaze"});
}

} // namespace
} // namespace dovetail::test
