// `dovetail place --format latency`: its answers, and what it refuses.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace dovetail::test {
namespace {

TEST_F(Cli, LatencyPlansBeatThePublishedGreedyAndSequentialOnes) {
    DOVETAIL_SHARED_OR_SKIP(instances, "reference/placement/dnn-partitioning");
    // What a program finds that runs one device after another, where it is known.
    const std::map<std::string, double> sequential{{"layer_bert24_inference.json", 100.22},
                                                   {"operator_bert_l-3_inference.json", 414.5},
                                                   {"operator_resnet50_inference.json", 651.2}};
    std::ifstream table(instances / "expected_latency.csv");
    const auto rows = rows_of(table);
    ASSERT_EQ(rows.size(), 4u);
    for (auto row : rows) {
        SCOPED_TRACE(row["file"]);
        const json found = answered("place --format latency " + quoted(instances / "latency" / row["file"]));
        double known = std::stod(row["published_greedy_latency"]);
        if (const auto s = sequential.find(row["file"]); s != sequential.end())
            known = std::min(known, s->second);
        const double latency = found.at("objective");
        EXPECT_LE(latency, known);
        EXPECT_EQ(found.at("status"), "optimal");
        EXPECT_EQ(found.at("proved_optimal"), true);
        EXPECT_EQ(found.at("lower_bound"), latency);
        EXPECT_NE(found.at("binding"), "");
        EXPECT_GT(found.at("solve_seconds").get<double>(), 0.0);
        EXPECT_GT(found.at("peak_bytes").get<std::size_t>(), 0u);

        // Every node is in one place.
        std::ifstream file(instances / "latency" / row["file"]);
        std::vector<int> expected, placed;
        const json instance = json::parse(file);
        for (const json& node : instance.at("nodes")) expected.push_back(node.at("id"));
        for (const json& stage : found.at("plan").at("stages"))
            for (const json& id : stage.at("layers")) placed.push_back(id);
        std::sort(expected.begin(), expected.end());
        std::sort(placed.begin(), placed.end());
        EXPECT_EQ(placed, expected);
    }
}

/// A graph without structure, with few accelerators, that no short search closes.
json tangled_instance() {
    json instance{{"maxSizePerFPGA", 40},
                  {"maxFPGAs", 3},
                  {"maxCPUs", 1},
                  {"nodes", json::array()},
                  {"edges", json::array()}};
    constexpr int nodes = 60;
    for (int id = 0; id < nodes; ++id) {
        instance["nodes"].push_back({{"id", id},
                                     {"supportedOnFpga", 1},
                                     {"cpuLatency", 10 + id * 7 % 23},
                                     {"fpgaLatency", 1 + id * 5 % 3},
                                     {"size", 1 + id * 11 % 7},
                                     {"isBackwardNode", 0}});
        for (const int gap : {7, 9, 12})
            if (id + gap < nodes)
                instance["edges"].push_back({{"sourceId", id}, {"destId", id + gap}, {"cost", 1 + id % 4}});
    }
    return instance;
}

TEST_F(Cli, ALatencySearchThatRunsOutOfTimeSaysSo) {
    write("tangled.json", tangled_instance().dump());
    const json found = answered("place --format latency tangled.json --time-limit 0.2", 4);
    EXPECT_EQ(found.at("status"), "budget");
    EXPECT_EQ(found.at("proved_optimal"), false);
    EXPECT_EQ(found.at("binding"), "time limit");
    EXPECT_GT(found.at("lower_bound").get<double>(), 0.0);
    EXPECT_LT(found.at("lower_bound").get<double>(), found.at("objective").get<double>());
    EXPECT_LT(found.at("solve_seconds").get<double>(), 5.0);
}

TEST_F(Cli, ALatencyPlacementOfTrainingIsRefused) {
    json instance = tangled_instance();
    instance["nodes"][59]["isBackwardNode"] = 1;
    write("training.json", instance.dump());
    refused("place --format latency training.json", {"training.json", "backward pass", "inference"});
}

} // namespace
} // namespace dovetail::test
