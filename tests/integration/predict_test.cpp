// `dovetail predict`, and how well `dovetail validate` finds it to predict published memory and iterations.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

constexpr const char* gpt_22b = "predict --hidden 6144 --layers 48 --heads 64 --seq 2048 --vocab 51200";

TEST_F(Cli, PredictAnswersWithEveryPart) {
    const json answer =
        answered(std::string(gpt_22b) + " --tp 8 --micro-batch 4 --global-batch 4 --recompute selective "
                                        "--sequence-parallel --system a100-sxm-80");
    EXPECT_EQ(answer.at("plan").at("devices"), 8);
    EXPECT_EQ(answer.at("precision"), "fp16");
    double sum = 0;
    for (const char* key :
         {"compute", "tensor_comm", "pipeline_bubble", "pipeline_comm", "data_comm", "optimizer"})
        sum += answer.at("breakdown_s").at(key).get<double>();
    EXPECT_DOUBLE_EQ(answer.at("iteration_s"), sum);
    const json& memory = answer.at("memory_bytes");
    const double gib = 1024.0 * 1024 * 1024;
    EXPECT_EQ(memory.at("parameters").get<double>() + memory.at("gradients").get<double>() +
                  memory.at("optimizer").get<double>(),
              45.5625 * gib);
    EXPECT_EQ(memory.at("activations"), 9.5625 * gib);
    EXPECT_EQ(memory.at("total"), (45.5625 + 9.5625) * gib);
    EXPECT_GT(answer.at("fullest_device_bytes"), memory.at("total"));
    EXPECT_TRUE(answer.at("fits"));
    const double mfu = answer.at("mfu");
    EXPECT_GT(mfu, 0);
    EXPECT_LT(mfu, answer.at("hfu"));
    EXPECT_LT(answer.at("hfu"), 1);
}

TEST_F(Cli, PredictTakesModelsByNameAndFile) {
    const json named = answered("predict --model gpt3-175b --tp 8 --pp 16 --dp 2 --global-batch 64");
    EXPECT_EQ(named.at("model").at("hidden"), 12288);
    EXPECT_EQ(named.at("plan").at("micro_batches"), 32);
    const json sized = answered("predict --hidden 12288 --layers 96 --heads 96 --seq 2048 --vocab 51200 "
                                "--tp 8 --pp 16 --dp 2 --global-batch 64");
    EXPECT_EQ(named.at("iteration_s"), sized.at("iteration_s"));
    const json file =
        answered("predict --model " + quoted(source_file("examples/models/gpt2_124m.onnx")) + " --dp 4");
    EXPECT_EQ(file.at("model").at("layers"), 12);
    EXPECT_EQ(file.at("plan").at("global_batch"), 4);
    // Llama has a gate, and no dropout.
    const json llama = answered("predict --model llama2-7b --tp 8");
    EXPECT_EQ(llama.at("model").at("feed_forward"), 11008);
    EXPECT_TRUE(llama.at("model").at("gated"));

    // What is not a transformer trains on replicas alone.
    const json other = answered("predict --model opt-350m --dp 8 --micro-batch 4 --global-batch 64");
    EXPECT_EQ(other.at("model").at("parameters"), 331196416);
    EXPECT_EQ(other.at("plan").at("micro_batches"), 2);
    EXPECT_EQ(other.at("memory_bytes").at("parameters"), 2.0 * 331196416);
    EXPECT_FALSE(other.at("model").contains("layers"));
    refused("predict --model opt-350m --tp 2", {"option --tp", "not a transformer", "--dp"});
    refused("predict --model opt-350m --recompute full", {"option --recompute", "not a transformer"});

    const answer people = run("predict --model gpt3-175b --tp 8 --pp 8 --recompute full");
    EXPECT_EQ(people.exit, 0);
    for (const char* part : {" s an iteration on 64 x a100-sxm-80", "MFU", "HFU", "compute:", "GiB"})
        EXPECT_NE(people.out.find(part), std::string::npos) << people.out;
}

TEST_F(Cli, PredictRefusesPlansThatDoNotDivide) {
    const std::string bert = "predict --model bert-large ";
    refused(bert + "--tp 3", {"option --tp", "16 attention heads"});
    refused(bert + "--dp 3 --global-batch 4", {"option --global-batch", "3 replicas"});
    refused(bert + "--pp 4 --interleave 4", {"option --pp", "24 layers"});
    refused(bert + "--dp 0", {"option --dp: its value is '0'", "at least 1 and at most 1,048,576"});
    refused(bert + "--micro-batch 8192", {"option --micro-batch", "too many"});
    refused("predict --model opt-350m --micro-batch 1000000", {"rows", "smaller micro-batch"});
    refused(bert + "--tp 9000000000000000000 --pp 9", {"--tp", "at most"});
    refused(bert + "--tp 16 --dp 100000", {"1,600,000 devices", "at most 32,768"});
    refused(bert + "--system abacus", {"option --system", "'abacus'", "a100-sxm-80", "h100-sxm"});
    refused(bert + "--recompute half", {"option --recompute", "'half'", "selective"});
    refused(bert + "--zero 3", {"--zero", "at most 1"});
    refused(bert + "--hidden 1024", {"option --hidden", "--model"});
    refused("predict --hidden 1024 --layers 4 --heads 16 --seq 512", {"option --vocab", "not given"});
    refused("predict --model nowhere.onnx", {"nowhere.onnx", "no such file"});
}

// One status for one piece of news: what does not fit is infeasible here as it is for a search, and its
// figures are there all the same. 18 bytes a parameter of 175 billion on 8 devices alone are 367 GiB.
TEST_F(Cli, APlanThatDoesNotFitIsInfeasible) {
    const json large = answered("predict --model gpt3-175b --tp 8 --global-batch 1", 3);
    EXPECT_EQ(large.at("status"), "infeasible");
    EXPECT_EQ(large.at("fits"), false);
    EXPECT_GT(large.at("fullest_device_bytes").get<double>(), 367.0 * 1024 * 1024 * 1024);
    EXPECT_GT(large.at("iteration_s").get<double>(), 0);
    const std::string binding = large.at("binding");
    EXPECT_TRUE(binding.starts_with("memory: this plan needs ")) << binding;
    EXPECT_NE(binding.find("which has 80 GiB"), std::string::npos) << binding;
    const answer people = run("predict --model gpt3-175b --tp 8 --global-batch 1");
    EXPECT_EQ(people.exit, 3);
    EXPECT_NE(people.out.find("infeasible: " + binding), std::string::npos) << people.out;

    const json small = answered("predict --model bert-large");
    EXPECT_EQ(small.at("status"), "feasible");
    EXPECT_EQ(small.at("fits"), true);
    EXPECT_FALSE(small.contains("binding"));
}

// The sets of `validate` over `folder`, by name.
std::map<std::string, json> sets_of(const json& validated) {
    std::map<std::string, json> sets;
    for (const json& set : validated.at("sets")) sets[set.at("name")] = set;
    return sets;
}

const json& set_named(const std::map<std::string, json>& sets, std::string_view part) {
    for (const auto& [name, set] : sets)
        if (name.find(part) != std::string::npos) return set;
    static const json none;
    ADD_FAILURE() << "no set is named " << part;
    return none;
}

TEST_F(Cli, ValidateFindsMemoryExactAndIterationsClose) {
    DOVETAIL_SHARED_OR_SKIP(measured, "reference/measured");
    for (const char* file : {"memory_korthikanti.csv", "training_iterations.csv"}) {
        ASSERT_TRUE(std::filesystem::exists(measured / file)) << file;
        write(file, content(measured / file));
    }
    const auto sets = sets_of(answered("validate ."));
    const json& memory = set_named(sets, "memory_korthikanti");
    EXPECT_EQ(memory.at("rows"), 12);
    EXPECT_EQ(memory.at("worst_percent"), 0);

    const json& korthikanti = set_named(sets, "Korthikanti");
    EXPECT_EQ(korthikanti.at("rows"), 8);
    EXPECT_LE(korthikanti.at("mean_abs_percent"), 3);
    EXPECT_LE(korthikanti.at("worst_percent"), 7);
    const json& nodes = set_named(sets, "ground_truth_multi");
    EXPECT_LE(nodes.at("mean_abs_percent"), 12);
    const json& node = set_named(sets, "ground_truth_single");
    EXPECT_LE(node.at("mean_abs_percent"), 15);
    EXPECT_GE(node.at("spearman"), 0.95);
    for (const json* set : {&korthikanti, &nodes, &node})
        for (const auto& [name, error] : set->at("baselines").items())
            EXPECT_LT(set->at("mean_abs_percent"), error) << name;

    // Every row of the file is predicted, or listed.
    std::ifstream table(measured / "training_iterations.csv");
    std::size_t rows = 0;
    for (const auto& [name, set] : sets)
        if (name.find("training_iterations") != std::string::npos)
            rows += set.at("rows").get<std::size_t>() + set.at("unpredicted").size();
    EXPECT_EQ(rows, rows_of(table).size());
}

// Plans of one model are ranked as they were measured.
TEST_F(Cli, ValidateRanksThePlansOfEveryModel) {
    DOVETAIL_SHARED_OR_SKIP(measured, "reference/measured/training_iterations.csv");
    std::ifstream table(measured);
    std::ifstream text(measured);
    std::string line;
    std::getline(text, line);
    std::map<std::string, std::string> files;
    for (auto& row : rows_of(table)) {
        std::string& file = files["h" + row["hidden"] + "_l" + row["layers"] + ".csv"];
        if (file.empty()) file = line + '\n';
        std::string next;
        std::getline(text, next);
        if (row["id"].starts_with("vtrain-")) file += next + '\n';
    }
    std::size_t models = 0;
    for (const auto& [name, rows] : files)
        if (std::count(rows.begin(), rows.end(), '\n') > 10) {
            write(name, rows);
            ++models;
        }
    const json found = answered("validate .");
    ASSERT_EQ(found.at("sets").size(), models);
    for (const json& set : found.at("sets"))
        // Of 39.1B on 512 devices, 14 of 47 rows are far slower than their neighbours:
        // docs/models/iteration.md.
        EXPECT_GT(set.at("spearman"), set.at("name") == "h8192_l48.csv" ? 0.5 : 0.95) << set.at("name");
}

TEST_F(Cli, ValidateListsIterationsThatItCannotPredict) {
    const std::string header =
        "id,source,kind,model,hidden,layers,heads,kv_heads,seq,vocab,gpu,n_gpus,TP,PP,DP,CP,EP,VPP,GBS,MBS,"
        "precision,recompute,zero,iter_s,tflops_per_gpu,note\n";
    const std::string good = "a,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,0.5,,\n";
    write("rows.csv", header + good +
                          "b,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,3,0.5,,\n"
                          "c,s,measured,GPT,,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,0.5,,\n"
                          "d,s,measured,GPT,1024,24,16,,1024,,Abacus,8,2,2,2,,,,16,2,,full,,0.5,,\n"
                          "e,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,15,2,,full,,0.5,,\n"
                          "f,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,,,\n"
                          "g,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,4,,,,16,2,,full,,0.5,,\n"
                          "h,s,simulated,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,0.5,,\n"
                          "i,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,2,,,16,2,,full,,0.5,,\n");
    const json found = answered("validate .");
    ASSERT_EQ(found.at("sets").size(), 1u);
    const json& set = found.at("sets").at(0);
    EXPECT_EQ(set.at("rows"), 1);
    const std::vector<std::pair<int, const char*>> reasons{
        {3, "ZeRO-3"},  {4, "hidden is not stated"}, {5, "Abacus"},    {6, "--global-batch"},
        {7, "neither"}, {8, "TP x PP x DP is 16"},   {9, "simulated"}, {10, "CP parallelism"}};
    ASSERT_EQ(set.at("unpredicted").size(), reasons.size());
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        EXPECT_EQ(set.at("unpredicted").at(i).at("line"), reasons[i].first);
        const std::string why = set.at("unpredicted").at(i).at("why");
        EXPECT_NE(why.find(reasons[i].second), std::string::npos) << why;
    }

    // A rate is as good as seconds: those in which the FLOPs that HFU counts take it.
    const json plan =
        answered("predict --hidden 1024 --layers 24 --heads 16 --seq 1024 --vocab 51200 --tp 2 --pp 2 --dp 2 "
                 "--global-batch 16 --micro-batch 2 --recompute full");
    const double rate = plan.at("hfu").get<double>() * 312;
    write("rows.csv", header + "a,s,measured,GPT,1024,24,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,," +
                          std::to_string(rate) + ",\n");
    EXPECT_NEAR(answered("validate .").at("sets").at(0).at("worst_percent"), 0, 1e-3);

    write("rows.csv", header + "a,s,measured,GPT,1024,x,16,,1024,,A100,8,2,2,2,,,,16,2,,full,,0.5,,\n");
    refused("validate .", {"rows.csv:2:", "layers is 'x'"});
}

} // namespace
} // namespace dovetail::test
