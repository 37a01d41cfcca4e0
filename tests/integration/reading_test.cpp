// What every command makes of things that are no sound file: one line, and exit status 2.
#include "support/command_line.hpp"
#include "support/shared.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace dovetail::test;

class Reading : public Cli {
protected:
    // With a file of the folder as standard input.
    [[nodiscard]] answer run_on(const std::string& file, const std::string& arguments) const {
        const std::string line = "cd " + quoted(path("")) + " && cat " + file + " | '" DOVETAIL_CLI "' " +
                                 arguments + " >stdout.txt 2>stderr.txt";
        const int status = std::system(line.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("stdout.txt"), read("stderr.txt")};
    }
    static std::string chain() { return content(source_file("tests/instances/placement/even_chain.json")); }
};

const std::vector<std::string> reading_commands{"place --format phaze ",     "place --format max-load ",
                                                "place --format latency ",   "place --format piper ",
                                                "schedule --format psplib ", "inspect "};

TEST_F(Reading, OfWhatIsNoFileIsOneLine) {
    std::filesystem::create_directory(path("folder.json"));
    write("empty.json", "");
    write("binary.json", std::string("\x7F"
                                     "ELF\0\1\2\xFE\xFF",
                                     9));
    for (const std::string& reader : reading_commands) {
        refused(reader + "folder.json", {"folder.json", "it is a folder"});
        refused(reader + "absent.json", {"absent.json", "there is no such file"});
        refused(reader + "empty.json", {"empty.json"});
        refused(reader + "binary.json", {"binary.json"});
        refused(reader + "/dev/null", {"/dev/null"});
    }
    refused("place /dev/zero", {"/dev/zero: it has more than 16777216 bytes"});
}

TEST_F(Reading, OfAPipeAndOfStandardInputIsThatOfAFile) {
    write("chain.json", chain());
    const double expected = answered("place chain.json").at("objective");
    for (const char* input : {"-", "/dev/stdin"}) {
        const answer a = run_on("chain.json", std::string("place --quiet --json - ") + input);
        ASSERT_EQ(a.exit, 0) << input << ": " << a.err;
        EXPECT_EQ(json::parse(a.out).at("objective"), expected) << input;
    }
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    std::thread writer([&] { write("pipe", chain()); });
    EXPECT_EQ(answered("place pipe").at("objective"), expected);
    writer.join();
    write("wrong.json", "{\"maxDevice\": 1}");
    const answer wrong = run_on("wrong.json", "place -");
    EXPECT_EQ(wrong.exit, 2);
    EXPECT_TRUE(wrong.err.starts_with("dovetail: standard input:1:2: the key 'maxDevice' is unknown"))
        << wrong.err;
}

TEST_F(Reading, OfAJsonFileNamesLineColumnAndWay) {
    write("syntax.json", "{\n \"maxDevices\": oops}");
    refused("place syntax.json", {"syntax.json:2:16: the text is not JSON from here on"});
    write("twice.json", "{\n \"maxDevices\": 1,\n \"maxDevices\": 2}");
    for (const char* format : {"phaze", "max-load", "latency", "piper"})
        refused(std::string("place twice.json --format ") + format,
                {"twice.json:3:2: the key 'maxDevices' is there twice"});
    std::string text = chain();
    text.replace(text.find("\"activationSize\": 5"), 19, "\"activationSize\": -5");
    write("value.json", text);
    refused("place value.json", {"value.json:13:23: nodes.1[0].activationSize: it is -5; it must be"});
    text = chain();
    text.replace(text.find("activationSize"), 14, "activationsize");
    write("key.json", text);
    refused("place key.json", {"key.json:13:5: nodes.1[0]: the key 'activationsize' is unknown",
                               "did you mean 'activationSize'?"});
}

TEST_F(Reading, OfAFixedPlanComparesItWithTheBest) {
    json document = json::parse(chain());
    write("chain.json", chain());
    EXPECT_FALSE(answered("place chain.json").contains("fixed_plan"));
    document["fixedPP"] = 2, document["fixedTMPC"] = 1, document["fixedDP"] = 1;
    document["numTransformerLayers"] = document["nodes"]["1"].size();
    document["maxMemoryPerDevice"] = 1e6;
    write("fixed.json", document.dump());
    const json answer = answered("place fixed.json");
    const json& fixed = answer.at("fixed_plan");
    EXPECT_EQ(fixed.at("pipeline_parallel"), 2);
    EXPECT_EQ(fixed.at("tensor_parallel"), 1);
    EXPECT_EQ(fixed.at("data_parallel"), 1);
    EXPECT_TRUE(fixed.at("feasible").get<bool>());
    const double ratio = fixed.at("time_per_batch_s").get<double>() / answer.at("objective").get<double>();
    EXPECT_GE(ratio, 1.0);
    EXPECT_EQ(fixed.at("times_best"), ratio);
    EXPECT_TRUE(fixed.at("why_not").is_null());
    EXPECT_NE(run("place fixed.json").out.find("the file's own plan, 1 x 2 x 1 (data x pipeline x tensor): "),
              std::string::npos);
    // One that does not fit never hides the best.
    document["fixedDP"] = 1000;
    write("large.json", document.dump());
    for (const char* wider : {"", " --schedule gpipe", " --schedule interleaved"}) {
        const json other = answered(std::string("place large.json") + wider);
        EXPECT_EQ(other.at("status"), "optimal");
        EXPECT_FALSE(other.at("fixed_plan").at("feasible").get<bool>());
        EXPECT_TRUE(other.at("fixed_plan").at("time_per_batch_s").is_null());
        EXPECT_NE(other.at("fixed_plan").at("why_not"), "");
    }
    EXPECT_NE(run("place large.json").out.find("does not fit"), std::string::npos);
}

TEST_F(Reading, OfAListRefusesEmptyItems) {
    for (const char* list : {"32,,80", "32,", ",32", ",", "''"})
        refused(std::string("search --model bert-large --hbm-gib ") + list, {"--hbm-gib", "empty"});
    for (const char* point : {"num_tc=8,,num_vc=2,width=128,depth=128,glb_mib=128",
                              "num_tc=8,num_vc=2,width=128,depth=128,glb_mib=128,"})
        refused(std::string("price --model bert-large --layer 1 --point ") + point, {"--point", "is empty"});
    refused("price --model bert-large --layer 1 --point num_ct=8", {"did you mean 'num_tc'?"});
    refused("price --model bert-large --layer 1 --point num_tc=8,num_tc=8", {"num_tc is given twice"});
}

TEST_F(Reading, OfATableNamesTheColumnThatIsMissing) {
    write("sweep.csv", "m,n,k,time_us\n64,64,64,1\n");
    for (const char* command : {"validate .", "calibrate . --system a100-sxm-80"})
        refused(command, {"sweep.csv:1:1: the column 'time_ms' is missing", "the header is 'm,n,k,time_us'",
                          "'time_us'"});
}

TEST_F(Reading, OfEveryPublishedInstanceSucceeds) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/placement");
    // Without time for a plan all of the work is the reading.
    const std::vector<std::pair<std::string, std::string>> sets{{"dnn-partitioning/throughput", "max-load"},
                                                                {"dnn-partitioning/latency", "latency"},
                                                                {"piper", "piper"}};
    int files = 0;
    for (const auto& [set, format] : sets)
        for (const auto& entry : std::filesystem::directory_iterator(folder / set)) {
            if (entry.path().extension() != ".json") continue;
            const answer a =
                run("place --quiet --time-limit 0.01 --format " + format + " " + quoted(entry.path()));
            EXPECT_TRUE(a.exit == 0 || a.exit == 4) << entry.path() << ": " << a.err;
            EXPECT_EQ(a.err, "");
            ++files;
        }
    EXPECT_GE(files, 14);
}

} // namespace
