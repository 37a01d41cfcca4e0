// What an answer depends on stands in it, and gives it once more.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

namespace fs = std::filesystem;

class Rerun : public Cli {
protected:
    /// The text of an answer without its fields of elapsed time.
    static std::string timeless(const std::string& text) {
        std::string kept;
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = text.find('\n', begin) + 1;
            const std::string line = text.substr(begin, end - begin);
            if (line.find("\"seconds\":") == std::string::npos &&
                line.find("\"solve_seconds\":") == std::string::npos)
                kept += line;
            begin = end;
        }
        return kept;
    }
};

TEST_F(Rerun, EveryCommandGivesTheSameBytesOnceMore) {
    const std::string chain = quoted(source_file("tests/instances/placement/even_chain.json"));
    const std::vector<std::pair<std::string, int>> commands{
        {"inspect bert-large", 0},
        {"space --family n7", 0},
        {"search --model bert-large --strategy random --samples 6 --seed 5 --micro-batches 1,2"
         " --tensor-widths 1 --threads 1 --html page.html",
         0},
        {"search --model bert-large --micro-batches 1 --tensor-widths 1 --max-area 1", 3},
        {"place " + chain, 0},
        {"place " + chain + " --schedule zb-h1 --choose-recomputation", 0},
        {"schedule bert-large --layer 1 --pass backward --point num_tc=2,num_vc=2,width=64,depth=64,"
         "width_vc=64,glb_mib=16",
         0},
        {"price --model bert-large --layer 1 --family n7", 0},
        {"price systolic --rows 8 --cols 8 --m 80 --n 8 --k 8 --dataflow os", 0},
        {"price mapping --m 64 --n 64 --k 64"
         " --point num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128",
         0},
        {"predict --model bert-large --tp 2 --recompute full", 0}};
    for (const auto& [command, exit] : commands) {
        SCOPED_TRACE(command);
        const answer first = run(command + " --quiet --json first.json");
        ASSERT_EQ(first.exit, exit) << first.err;
        const answer second = run("rerun first.json --quiet --threads 2 --json second.json");
        ASSERT_EQ(second.exit, exit) << second.err;
        EXPECT_TRUE(timeless(read("first.json")) == timeless(read("second.json")))
            << timeless(read("first.json")) << timeless(read("second.json"));
    }
}

TEST_F(Rerun, ThreadsAndOutputPathsAreNoPartOfAnAnswer) {
    const std::string command = "search --model bert-large --strategy random --samples 3 --micro-batches 1"
                                " --tensor-widths 1 --seed 9 ";
    ASSERT_EQ(run(command + "--quiet --threads 1 --json one.json").exit, 0);
    ASSERT_EQ(run(command + "--threads 2 --json two.json --html page.html").exit, 0);
    EXPECT_EQ(timeless(read("one.json")), timeless(read("two.json")));
    const std::string asked = json::parse(read("one.json")).at("command");
    EXPECT_EQ(asked.find("one.json"), std::string::npos) << asked;
    EXPECT_EQ(asked.find("--threads"), std::string::npos) << asked;
    EXPECT_NE(asked.find("--seed 9"), std::string::npos) << asked;
}

TEST_F(Rerun, AnAnswerTellsEverySettingDefaultOrGiven) {
    const json found = answered("search --model bert-large --strategy random --samples 3 --micro-batches 1,2"
                                " --tensor-widths 1 --devices 64");
    EXPECT_TRUE(found.at("version").is_string());
    const json& settings = found.at("settings");
    const json expected{
        {"model", "bert-large"}, {"strategy", "random"}, {"samples", 3},        {"micro_batches", {1, 2}},
        {"devices", 64},         {"family", "phaze"},    {"optimizer", "adam"}, {"seed", 1},
        {"power", false}};
    for (const auto& [name, value] : expected.items()) {
        ASSERT_TRUE(settings.contains(name)) << name;
        EXPECT_EQ(settings.at(name), value) << name;
    }
    for (const char* name : {"global_batch", "hbm_gib", "link_gib", "objective", "cost_model"})
        EXPECT_TRUE(settings.contains(name)) << name;
    for (const char* name : {"json", "html", "threads", "quiet", "help"})
        EXPECT_FALSE(settings.contains(name)) << name;
}

TEST_F(Rerun, InputsAreKnownAgainByTheirBytes) {
    fs::copy_file(source_file("tests/instances/placement/even_chain.json"), path("chain.json"));
    ASSERT_EQ(run("place chain.json --quiet --json answer.json").exit, 0);
    const json input = json::parse(read("answer.json")).at("inputs").at(0);
    EXPECT_EQ(input.at("name"), "chain.json");
    EXPECT_EQ(input.at("bytes"), fs::file_size(path("chain.json")));
    ASSERT_EQ(std::system(("cd " + quoted(path("")) + " && sha256sum chain.json >sum.txt").c_str()), 0);
    EXPECT_EQ(read("sum.txt").substr(0, 64), input.at("sha256"));
    write("chain.json", read("chain.json") + "\n");
    refused("rerun answer.json", {"chain.json", "has changed", input.at("sha256").get<std::string>()});
    fs::remove(path("chain.json"));
    refused("rerun answer.json", {"chain.json", "not there any more"});
}

TEST_F(Rerun, PathsWithBlanksAndQuotesComeBack) {
    fs::copy_file(source_file("tests/instances/placement/even_chain.json"), path("it's a chain.json"));
    ASSERT_EQ(run("place \"it's a chain.json\" --quiet --json first.json").exit, 0);
    ASSERT_EQ(run("rerun first.json --quiet --json second.json").exit, 0);
    EXPECT_EQ(timeless(read("first.json")), timeless(read("second.json")));
    const std::string asked = json::parse(read("first.json")).at("command");
    EXPECT_EQ(asked, "dovetail place 'it'\\''s a chain.json'");
}

TEST_F(Rerun, WhatIsNoAnswerIsRefused) {
    refused("rerun missing.json", {"missing.json"});
    write("broken.json", "{\"command\": ");
    refused("rerun broken.json", {"broken.json"});
    write("other.json", "{}");
    refused("rerun other.json", {"it has no 'command'"});
    write("foreign.json", R"({"command": "rm -r x", "version": "0.1.0", "inputs": []})");
    refused("rerun foreign.json", {"'rm -r x'", "a command of dovetail"});
    write("circle.json", R"({"command": "dovetail rerun circle.json", "version": "0.1.0", "inputs": []})");
    refused("rerun circle.json", {"a command of dovetail"});
    ASSERT_EQ(run("space --quiet --json answer.json").exit, 0);
    refused("rerun answer.json --json answer.json", {"would overwrite the answer"});
}

} // namespace
} // namespace dovetail::test
