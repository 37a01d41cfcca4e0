// `dovetail validate`: its answers, and what it refuses.
#include <support/command_line.hpp>
#include <support/markup.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

const json& set_named(const json& found, const std::string& name) {
    for (const json& set : found.at("sets"))
        if (set.at("name") == name) return set;
    ADD_FAILURE() << "no set is named " << name;
    static const json none;
    return none;
}

TEST_F(Cli, ValidateMeetsItsAimsOnPublishedCollectives) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/measured");
    const json found = answered("validate " + quoted(folder));
    const json& node = set_named(found, "collectives_a100.csv");
    EXPECT_EQ(node.at("rows"), 20);
    EXPECT_LT(node.at("mean_abs_percent").get<double>(), 5.5);
    EXPECT_LT(std::abs(node.at("bias_percent").get<double>()), 3.0);
    EXPECT_GT(node.at("spearman").get<double>(), 0.99);
    // The best two-parameter fit and the datasheet are known to be this far off.
    EXPECT_NEAR(node.at("baselines").at("two-parameter network").get<double>(), 14.8, 0.2);
    EXPECT_GT(node.at("baselines").at("datasheet roofline").get<double>(), 30.0);
    const json& part = set_named(found, "allreduce_a100_2to8gpus.csv");
    EXPECT_EQ(part.at("rows"), 518);
    EXPECT_LT(part.at("mean_abs_percent").get<double>(), 1.8);
    EXPECT_NEAR(part.at("baselines").at("two-parameter network").get<double>(), 4.6, 0.1);
    for (const json* set : {&node, &part}) {
        EXPECT_TRUE(set->at("unpredicted").empty());
        EXPECT_GE(set->at("worst_percent").get<double>(), set->at("mean_abs_percent").get<double>());
    }
}

constexpr const char* sweep = "time_us,note,collective,ranks,bytes,nodes,system\r\n"
                              "60,,all_reduce,8,262144,1,\"A100, a node\"\r\n"
                              "\r\n"
                              "8200,,all_reduce,8,1073741824,1,\"A100, a node\"\r\n"
                              "4300,,AllGather,8,1073741824,1,\"A100, a node\"\r\n"
                              "100,,broadcast,8,1048576,1,\"A100, a node\"\r\n"
                              "100,,all_reduce,1,1048576,1,\"A100, a node\"\r\n"
                              "100,,all_reduce,16,1048576,1,\"A100, a node\"\r\n"
                              "100,,all_reduce,16,1048576,2,\"A100, a node\"\r\n"
                              "100,,all_reduce,16,1048576,2,\"A100, a node\"\r\n"
                              "100,,all_reduce,8,1048576,1,B9000\r\n";

TEST_F(Cli, ValidateKnowsAFileByItsColumns) {
    write("notes.txt", "columns,of,nobody\n");
    write("empty.csv", "hw,ranks,bytes,time_ns_out_of_place\n");
    write("sweep.data", sweep); // any name, any order, a further column, quotes, both line ends
    const json found = answered("validate .");
    ASSERT_EQ(found.at("sets").size(), 2u);
    const json& node = set_named(found, "sweep.data: A100, a node");
    EXPECT_EQ(node.at("file"), "sweep.data");
    EXPECT_EQ(node.at("rows"), 3);
    EXPECT_LT(node.at("mean_abs_percent").get<double>(), 15.0);
    EXPECT_EQ(node.at("spearman"), 1.0);
    ASSERT_EQ(node.at("unpredicted").size(), 5u);
    const std::vector<std::string> reasons{"'broadcast'", "single rank", "16 ranks", "between nodes",
                                           "between nodes"};
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        EXPECT_EQ(node.at("unpredicted")[i].at("line"), 6 + i);
        EXPECT_NE(node.at("unpredicted")[i].at("why").get<std::string>().find(reasons[i]), std::string::npos);
    }
    const json& unknown = set_named(found, "sweep.data: B9000");
    EXPECT_EQ(unknown.at("rows"), 0);
    EXPECT_TRUE(unknown.at("mean_abs_percent").is_null());
    EXPECT_EQ(unknown.at("unpredicted").size(), 1u);
    // What the command itself writes is a file of the folder as well.
    std::set<std::string> skipped;
    for (const json& file : found.at("skipped")) skipped.insert(file.at("file").get<std::string>());
    EXPECT_TRUE(skipped.contains("notes.txt") && skipped.contains("empty.csv"));
}

TEST_F(Cli, ValidateTellsPeopleAll) {
    write("sweep.csv", sweep);
    write("notes.txt", "\"open\n");
    const answer told = run("validate . --html page.html --json answer.json");
    EXPECT_EQ(told.exit, 0) << told.err;
    for (const char* part : {"Spearman", "two-parameter", "roofline", "  sweep.csv: A100, a node\n",
                             "sweep.csv: A100, a node: without a prediction: 5",
                             "sweep.csv:9 to 10 (2 rows): the network", "sweep.csv:6: collective 'broadcast'",
                             "notes.txt is skipped: notes.txt:1:1: a quote is never closed"})
        EXPECT_NE(told.out.find(part), std::string::npos) << told.out << "lacks " << part;
    EXPECT_EQ(json::parse(read("answer.json")).at("sets").size(), 2u);
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    EXPECT_EQ(occurrences(page, "<svg"), 2u) << "two pictures of the set with rows";
    EXPECT_EQ(occurrences(page, "class=\"predicted\""), 6u) << "three rows in each";
    EXPECT_EQ(run("validate . --quiet").out, "");
}

TEST_F(Cli, ValidateStopsAtABrokenValue) {
    const std::string head = "hw,ranks,bytes,time_ns_out_of_place\n";
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {"a100,2,1024,fast\n", "all.csv:2:13: time_ns_out_of_place is 'fast'; it must be a number above 0"},
        {"a100,2,1024,0\n", "all.csv:2:13: time_ns_out_of_place is '0'"},
        {"a100,2,-1,5\n", "all.csv:2:8: bytes is '-1'"},
        {"a100,2.5,1024,5\n", "all.csv:2:6: ranks is '2.5'; it must be a whole number of at least 1"},
        {"a100,0,1024,5\n", "all.csv:2:6: ranks is '0'"},
        {"a100,2,1024\n", "all.csv:2:1: the row has 3 fields; the header has 4"},
        {"a100,2,1024,\"5\n", "all.csv:2:13: a quote is never closed"}};
    for (const auto& [row, line] : mistakes) {
        write("all.csv", head + row);
        refused("validate .", {line});
    }
    refused("validate nowhere", {"nowhere: it cannot be read as a folder"});
    write("all.csv", "a,b\n1,2\n");
    refused("validate .", {"is of a known layout"});
    refused("validate", {"folder"});
}

} // namespace
} // namespace dovetail::test
