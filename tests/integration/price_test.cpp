// `dovetail price`: its answers, and what it refuses.
#include <support/command_line.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
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
    EXPECT_NE(text.out.find("30,899 cycles: 60 folds of 515"), std::string::npos) << text.out;
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
    refused(priced("8", "8", "rs"), {"'rs'", "ws, os, is"});
    refused("price systolic --rows 8 --cols 8 --m 8 --n 8 --dataflow ws", {"--k", "price systolic --help"});
    refused("price", {"--model", "price --help"});
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

// What every answer must satisfy by itself: the total is the sum, the busiest part sets the pace.
void expect_priced(const json& answer, bool with_links = false) {
    json sum = {{"latency_s", 0.0}, {"energy_j", 0.0}};
    for (const char* level : {"registers", "local", "global", "hbm"}) sum["bytes"][level] = 0.0;
    const auto add = [](json& to, const json& what) { to = to.get<double>() + what.get<double>(); };
    ASSERT_FALSE(answer.at("operators").empty());
    for (const json& row : answer.at("operators")) {
        const std::string bound = row.at("bound_by").get<std::string>();
        const double latency_s = row.at("latency_s").get<double>();
        add(sum["latency_s"], row.at("latency_s"));
        for (auto& [level, bytes] : sum["bytes"].items()) add(bytes, row.at("bytes").at(level));
        if (bound == "link") {
            EXPECT_TRUE(with_links && row.at("energy_j").is_null());
            continue;
        }
        add(sum["energy_j"], row.at("energy_j"));
        double busiest_s = 0;
        for (const char* part : {"tensor_cores", "vector_cores", "local", "global", "hbm"})
            busiest_s = std::max(busiest_s, row.at("busy_s").at(part).get<double>());
        EXPECT_EQ(busiest_s + row.at("busy_s").at("fill").get<double>(), latency_s);
        const std::map<std::string, std::string> parts{{"tensor core", "tensor_cores"},
                                                       {"vector core", "vector_cores"},
                                                       {"local buffer", "local"},
                                                       {"global buffer", "global"},
                                                       {"HBM", "hbm"}};
        ASSERT_TRUE(parts.count(bound)) << bound;
        EXPECT_EQ(row.at("busy_s").at(parts.at(bound)), busiest_s);
        EXPECT_GT(row.at("energy_j"), 0);
        EXPECT_GT(row.at("utilization"), 0);
        EXPECT_LE(row.at("utilization"), 1 + 1e-12);
        EXPECT_GE(row.at("bytes").at("registers"), 2 * row.at("macs").get<double>());
    }
    for (const char* key : {"latency_s", "energy_j", "bytes"})
        EXPECT_EQ(answer.at("total").at(key), sum[key]);
}

TEST_F(Cli, PriceTellsWhatEveryOperatorOfALayerCosts) {
    const std::string chip = " --point num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128";
    const std::string layer = "price --model bert-large --layer 1";
    const json one = answered(layer + chip);
    const json alone = answered(layer + chip + " --cores one");
    const json backward = answered(layer + chip + " --pass backward");
    const json phaze = answered(layer + " --cost-model phaze"); // on the family's reference
    for (const json* answer : {&one, &alone, &backward, &phaze}) expect_priced(*answer);
    const json four = answered(layer + chip + " --micro-batch 4");
    for (const char* key : {"macs", "lane_cycles"})
        EXPECT_EQ(four.at("total").at(key), 4 * one.at("total").at(key).get<double>()) << key;
    // Each product has two gradients with as many multiply-accumulates.
    EXPECT_EQ(backward.at("total").at("macs"), 2 * one.at("total").at("macs").get<double>());
    EXPECT_GE(alone.at("total").at("latency_s"), one.at("total").at("latency_s"));
    EXPECT_EQ(phaze.at("total").at("macs"), one.at("total").at("macs"));
    EXPECT_NE(phaze.at("total").at("latency_s"), one.at("total").at("latency_s"));
    // Another technology takes as long, and other energy.
    const json dense = answered(layer + " --family n7");
    expect_priced(dense);
    EXPECT_EQ(dense.at("total").at("latency_s"), one.at("total").at("latency_s"));
    EXPECT_LT(dense.at("total").at("energy_j"), one.at("total").at("energy_j"));
    const answer text = run(layer + chip);
    EXPECT_EQ(text.exit, 0) << text.err;
    for (const char* part : {"layer 1, forward pass", "bound by", "MatMul 512 x 1,024 x 4,096", "HBM KiB",
                             "all, one after another"})
        EXPECT_NE(text.out.find(part), std::string::npos) << text.out;
}

TEST_F(Cli, PriceChargesCollectivesToTheLink) {
    const json split = answered("price --model bert-large --layer 1 --tensor-width 2 --link-gib 8");
    expect_priced(split, true);
    int links = 0;
    for (const json& row : split.at("operators"))
        if (row.at("bound_by") == "link") {
            ++links;
            // A ring of two sends every byte once: 512 tokens of 1,024 elements in 16 bit.
            EXPECT_DOUBLE_EQ(row.at("latency_s").get<double>(),
                             512 * 1024 * 2.0 / (8.0 * 1024 * 1024 * 1024));
        }
    EXPECT_EQ(links, 2);
}

TEST_F(Cli, PriceHasNoEnergyWhereTheTechnologyHasNone) {
    const std::string odd = " --point num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=100";
    const json answer = answered("price --model bert-large --layer 1" + odd);
    EXPECT_TRUE(answer.at("total").at("energy_j").is_null());
    EXPECT_TRUE(answer.at("operators").at(0).at("energy_j").is_null());
    EXPECT_NE(run("price --model bert-large --layer 1" + odd).out.find("unknown"), std::string::npos);
}

TEST_F(Cli, PriceVectorLaysRowsOnLanes) {
    const std::string chip = " --point num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128";
    // A row on the lanes of both cores: four elements each, 28 cycles an element, and eight levels of 2.
    const json row = answered("price vector --operator softmax --rows 1 --length 1024" + chip);
    EXPECT_EQ(row.at("layout").at("lanes_a_row"), 256);
    EXPECT_EQ(row.at("layout").at("rows_at_once"), 1);
    EXPECT_NEAR(row.at("latency_s").get<double>() * 1.05e9, 4 * 28 + 8 * 2, 1e-6);
    EXPECT_EQ(row.at("bound_by"), "vector core");
    EXPECT_EQ(row.at("bytes").at("hbm"), 2 * 2 * 1024);
    const json many = answered("price vector --operator softmax --rows 98304 --length 1024" + chip);
    EXPECT_GT(many.at("latency_s"), many.at("even_rows_latency_s"));
    EXPECT_LE(many.at("utilization"), 1);
    const json table = answered("price vector --operator embedding --rows 512 --length 768 --entries 100");
    EXPECT_EQ(table.at("bytes").at("hbm"), 512 * 8 + 2 * (100 * 768 + 512 * 768));
    EXPECT_EQ(answered("price vector --operator adam --rows 1000 --length 1000").at("bytes").at("hbm"), 30e6);
    EXPECT_NE(run("price vector --operator softmax --rows 1 --length 1024").out.find("rows on 256 lanes"),
              std::string::npos);
    refused("price vector --operator softmax --rows 8", {"--length"});
    refused("price vector --operator softmax --rows 0 --length 8", {"--rows", "at least 1"});
    refused("price vector --operator attention --rows 8 --length 8", {"--operator", "attention", "softmax"});
    refused("price vector --operator embedding --rows 8 --length 8", {"--entries"});
    refused("price vector --operator sgd --rows 8 --length 8 --point "
            "num_tc=1,num_vc=1000000,width=1,depth=1,width_vc=9223372036854775807,glb_mib=1",
            {"--point", "64 bits", "smaller cores"});
}

TEST_F(Cli, PriceRefusesBadInput) {
    refused("price --layer 1", {"--model", "price --help"});
    refused("price --model bert-large",
            {"option --layer", "not given", "a layer of bert-large, at least 0 and at most 26: 0 ("});
    refused("price --model bert-large --layer 27",
            {"option --layer: its value is '27'", "at most 26", "1 to 23"});
    refused("price --model bert-large --layer -1", {"option --layer: its value is '-1'"});
    refused("price --model bert-lage --layer 1", {"bert-lage", "bert-large"});
    refused("price --model bert-large --layer 1 --point num_tc=8", {"--point", "missing"});
    refused("price --model bert-large --layer 1 --pass sideways", {"--pass", "sideways"});
    refused("price --model bert-large --layer 1 --family n7 --cost-model phaze", {"--cost-model", "sound"});
    refused("price --model bert-large --layer 1 --cores some", {"--cores", "some"});
    refused("price --model bert-large --layer 1 --micro-batch 0", {"--micro-batch", "at least 1"});
    refused("price --model bert-large --layer 1 systolic --rows 8 --cols 8 --m 8 --n 8 --k 8 --dataflow ws",
            {"systolic", "--"});
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
