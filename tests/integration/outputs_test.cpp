// Files that commands write: opened before the work, whole or not there, and never something else's.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace dovetail::test {
namespace {

namespace fs = std::filesystem;

/// One command of each kind that writes, without its outputs; each is done in a moment.
struct writing_command {
    std::string line;
    std::vector<std::string> outputs;
};

const std::vector<writing_command>& writing_commands() {
    static const std::vector<writing_command> commands{
        {"space", {"--json", "--csv"}},
        {"inspect bert-large", {"--json"}},
        {"schedule bert-large --layer 1", {"--json", "--html", "--trace", "--write-lp", "--write-mps"}},
        {"price --model bert-large --layer 1", {"--json"}},
        {"price systolic --rows 8 --cols 8 --m 8 --n 8 --k 8 --dataflow ws", {"--json"}},
        {"search --model bert-large --strategy random --samples 2 --micro-batches 1 --tensor-widths 1",
         {"--json", "--html"}},
        {"place " + quoted(source_file("tests/instances/placement/even_chain.json")), {"--json"}},
        {"predict --model bert-large --tp 8", {"--json"}},
    };
    return commands;
}

class Outputs : public Cli {
protected:
    /// The files of the folder, but those in which `run` keeps what was printed.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path("")))
            if (entry.path().extension() != ".txt") names.push_back(entry.path().filename().string());
        return names;
    }
};

TEST_F(Outputs, AFolderThatIsNotThereIsToldBeforeTheWork) {
    for (const writing_command& command : writing_commands())
        for (const std::string& flag : command.outputs)
            refused(command.line + ' ' + flag + " missing/answer",
                    {"missing/answer", "there is no such folder", "a folder that exists"});
    // The search below takes minutes.
    const auto start = std::chrono::steady_clock::now();
    refused("search --model gpt3-175b --json missing/answer", {"there is no such folder"});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(Outputs, AFolderAFullDiskAndAFileOfNoRightAreToldInTheirOwnWords) {
    fs::create_directory(path("folder"));
    refused("space --json folder", {"folder: it is a folder", "name a file in it"});
    refused("space --json /dev/full", {"/dev/full: the disk is full"});
    write("file", "text");
    refused("space --json file/answer", {"there is no such folder"});
    if (std::system("test \"$(id -u)\" = 0") != 0) {
        fs::permissions(path("file"), fs::perms::owner_read);
        refused("space --json file", {"there is no right to write it"});
    }
    EXPECT_EQ(read("file"), "text");
}

TEST_F(Outputs, StandardOutputThatIsFullIsAnErrorOfEveryCommand) {
    for (const writing_command& command : writing_commands()) {
        const answer table = run(command.line + " 2>told.txt >/dev/full; (exit $?)");
        EXPECT_EQ(table.exit, 2) << command.line;
        EXPECT_EQ(read("told.txt"),
                  "dovetail: standard output: the disk is full; make room, or send it elsewhere\n")
            << command.line;
    }
}

TEST_F(Outputs, WhatFailsLeavesTheFileOfBeforeAndNothingBesideIt) {
    write("answer", "before");
    EXPECT_EQ(run("place missing.json --json answer").exit, 2);
    EXPECT_EQ(read("answer"), "before");
    EXPECT_EQ(files(), std::vector<std::string>{"answer"});
    EXPECT_EQ(run("space --json answer --quiet").exit, 0);
    EXPECT_EQ(json::parse(read("answer")).at("kept"), 29360);
    EXPECT_EQ(files(), std::vector<std::string>{"answer"});
}

TEST_F(Outputs, ALinkStaysALinkAndRightsStayAsTheyWere) {
    write("target", "before");
    fs::permissions(path("target"), fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
    fs::create_symlink("target", path("link"));
    EXPECT_EQ(run("space --quiet --json link").exit, 0);
    EXPECT_TRUE(fs::is_symlink(path("link")));
    fs::create_symlink("later", path("early"));
    EXPECT_EQ(run("space --quiet --json early").exit, 0);
    EXPECT_TRUE(fs::is_symlink(path("early")));
    EXPECT_EQ(json::parse(read("later")).at("kept"), 29360);
    EXPECT_EQ(json::parse(read("target")).at("kept"), 29360);
    EXPECT_EQ(fs::status(path("target")).permissions(),
              fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST_F(Outputs, APipeTakesTheAnswerAsItComes) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    std::string taken;
    std::thread reader([&] { taken = read("pipe"); });
    EXPECT_EQ(run("space --quiet --json pipe").exit, 0);
    reader.join();
    EXPECT_EQ(json::parse(taken).at("kept"), 29360);
    EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(Outputs, NoOutputOverwritesAnInputOrAnotherOutput) {
    fs::copy_file(source_file("tests/instances/placement/even_chain.json"), path("chain.json"));
    const std::string before = read("chain.json");
    fs::create_symlink("chain.json", path("link.json"));
    fs::create_hard_link(path("chain.json"), path("twin.json"));
    for (const char* same : {"chain.json", "./chain.json", "link.json", "twin.json"})
        refused(std::string("place chain.json --json ") + same,
                {"option --json", "would overwrite the input chain.json"});
    EXPECT_EQ(read("chain.json"), before);
    refused("space --json both --csv ./both", {"option --", "is the file of --", "a file of its own"});
    refused("space --json - --csv -", {"standard output carries", "a file of its own"});
    EXPECT_FALSE(fs::exists(path("both")));
    // What the shell has opened is an input or an output as well.
    EXPECT_EQ(run("place - --json chain.json <chain.json 2>told.txt; (exit $?)").exit, 2);
    EXPECT_NE(read("told.txt").find("would overwrite the input standard input"), std::string::npos);
    EXPECT_EQ(read("chain.json"), before);
    EXPECT_EQ(run("space --json table.txt 2>told.txt >table.txt; (exit $?)").exit, 2);
    EXPECT_NE(read("told.txt").find("standard output goes to table.txt already"), std::string::npos);
    EXPECT_EQ(run("space --quiet --json /dev/null --csv /dev/null").exit, 0);
}

TEST_F(Outputs, NoOutputOverwritesAFileOfAFolderThatIsRead) {
    DOVETAIL_SHARED_OR_SKIP(measured, "reference/measured");
    fs::create_directory(path("measured"));
    fs::copy_file(measured / "matmul_a100_fp16.csv", path("measured/products.csv"));
    const std::string before = read("measured/products.csv");
    refused("validate measured --json measured/products.csv", {"would overwrite the input"});
    EXPECT_EQ(read("measured/products.csv"), before);
    EXPECT_EQ(run("validate measured --quiet --json measured/answer.json").exit, 0);
}

} // namespace
} // namespace dovetail::test
