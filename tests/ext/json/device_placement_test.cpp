// doors: json
#include <dovetail/ext/json/device_placement.hpp>

#include "ext/json/position.hpp"
#include "support/shared.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ext::json;
using nlohmann::json;

// A forward node 7 -> 3 and their backward nodes 5 -> -4, the middle listed last.
json four_nodes() {
    const auto node = [](int id, double cpu, double accelerator, json backward) {
        return json{{"id", id},
                    {"supportedOnFpga", 1},
                    {"cpuLatency", cpu},
                    {"fpgaLatency", accelerator},
                    {"isBackwardNode", std::move(backward)},
                    {"name", "ignored"}};
    };
    json nodes = {node(3, 20, 2, false), node(-4, 30, 3, true), node(5, 40, 4, 1), node(7, 10, 1, 0)};
    nodes[0]["size"] = 64;
    nodes[0]["colorClass"] = 12;
    nodes[1]["colorClass"] = -9;
    nodes[2]["colorClass"] = 12;
    nodes[3]["supportedOnFpga"] = false;
    const auto edge = [](int source, int target, double cost) {
        return json{{"sourceId", source}, {"destId", target}, {"cost", cost}, {"size", 1}};
    };
    return {
        {"maxSizePerFPGA", 1e9},
        {"maxFPGAs", 6},
        {"maxCPUs", 1},
        {"nodes", nodes},
        {"edges", {edge(7, 3, 0.5), edge(3, 5, 0.25), edge(5, -4, 2), edge(7, -4, 0.5), edge(7, 3, 0.5)}}};
}

TEST(device_placement, reads_nodes_in_topological_order_with_what_each_costs) {
    const device_placement instance = read_device_placement(four_nodes().dump(), "four").value();
    const placement::device_graph& problem = instance.problem;
    EXPECT_EQ(instance.node_ids, (std::vector<std::int64_t>{7, 3, 5, -4}));
    EXPECT_EQ(problem.accelerators, 6);
    EXPECT_EQ(problem.cpus, 1);
    EXPECT_EQ(problem.memory_bytes, 1e9);
    EXPECT_EQ(problem.edges, (std::vector<graph::arc>{{0, 1}, {0, 3}, {1, 2}, {2, 3}}));
    ASSERT_EQ(problem.nodes.size(), 4U);
    EXPECT_EQ(problem.nodes[0],
              (placement::device_node{.cpu_s = 10, .accelerator_s = 1, .output_s = 0.5, .supported = false}));
    EXPECT_EQ(problem.nodes[1],
              (placement::device_node{
                  .cpu_s = 20, .accelerator_s = 2, .size_bytes = 64, .output_s = 0.25, .colour = 0}));
    EXPECT_EQ(problem.nodes[2],
              (placement::device_node{
                  .cpu_s = 40, .accelerator_s = 4, .output_s = 2, .backward = true, .colour = 0}));
    EXPECT_EQ(problem.nodes[3],
              (placement::device_node{.cpu_s = 30, .accelerator_s = 3, .backward = true, .colour = 1}));
}

TEST(device_placement, takes_edges_that_differ_in_the_last_digits_for_one_tensor) {
    json document = four_nodes();
    document["edges"][3]["cost"] = 0.5 + 1e-12;
    EXPECT_EQ(read_device_placement(document.dump(), "f").value().problem.nodes[0].output_s, 0.5);
}

TEST(device_placement, answers_every_malformed_file_with_one_clear_line) {
    const std::pair<std::function<void(json&)>, std::string> breaks[] = {
        {[](json& j) { j.erase("maxFPGAs"); }, "f: the key 'maxFPGAs' is missing; the format needs it"},
        {[](json& j) { j["maxFPGAs"] = -1; },
         "f: maxFPGAs: it is -1; it must be a whole number from 0 to 1,000,000,000,000"},
        {[](json& j) { j["maxCPUs"] = 0.5; },
         "f: maxCPUs: it is 0.5; it must be a whole number from 0 to 1,000,000,000,000"},
        {[](json& j) { j["maxSizePerFPGA"] = "all"; },
         "f: maxSizePerFPGA: it is of type string; it must be a number"},
        {[](json& j) { j["maxSizePerFPGA"] = -2; },
         "f: maxSizePerFPGA: it is -2; it must be a finite number, 0 or more"},
        {[](json& j) { j.erase("nodes"); }, "f: the key 'nodes' is missing; the format needs it"},
        {[](json& j) { j["nodes"] = json::object(); }, "f: nodes: it is of type object; it must be an array"},
        {[](json& j) { j["nodes"] = json::array(); },
         "f: nodes: it lists no node; it must list one at least"},
        {[](json& j) { j["nodes"][1].erase("id"); },
         "f: nodes[1]: the key 'id' is missing; the format needs it"},
        {[](json& j) { j["nodes"][1].erase("isBackwardNode"); },
         "f: nodes[1]: the key 'isBackwardNode' is missing; the format needs it"},
        {[](json& j) { j["nodes"][1]["supportedOnFpga"] = 2; },
         "f: nodes[1].supportedOnFpga: it is 2; it must be true or false, or 1 or 0"},
        {[](json& j) { j["nodes"][1]["supportedOnFpga"] = "yes"; },
         "f: nodes[1].supportedOnFpga: it is of type string; it must be true or false, or 1 or 0"},
        {[](json& j) { j["nodes"][2]["cpuLatency"] = -1; },
         "f: nodes[2].cpuLatency: it is -1; it must be a finite number, 0 or more"},
        {[](json& j) { j["nodes"][2]["fpgaLatency"] = nullptr; },
         "f: nodes[2].fpgaLatency: it is of type null; it must be a number"},
        {[](json& j) { j["nodes"][2]["size"] = -8; },
         "f: nodes[2].size: it is -8; it must be a finite number, 0 or more"},
        {[](json& j) { j["nodes"][2]["colorClass"] = "red"; },
         "f: nodes[2].colorClass: it is of type string; it must be a number"},
        {[](json& j) { j["nodes"][2]["id"] = 3; },
         "f: nodes: it lists node 3 twice; every node has an id of its own"},
        {[](json& j) { j.erase("edges"); }, "f: the key 'edges' is missing; the format needs it"},
        {[](json& j) { j["edges"][0].erase("cost"); },
         "f: edges[0]: the key 'cost' is missing; the format needs it"},
        {[](json& j) { j["edges"][0]["cost"] = -0.5; },
         "f: edges[0].cost: it is -0.5; it must be a finite number, 0 or more"},
        {[](json& j) { j["edges"][1]["destId"] = 8; },
         "f: edges[1]: it joins node 8; edges join nodes that 'nodes' lists"},
        {[](json& j) { j["edges"][3]["cost"] = 0.75; },
         "f: edges[3]: its cost is 0.75, but 0.5 on another edge out of node 7; all edges out of one node "
         "carry the same cost"},
        {[](json& j) { j["edges"][2]["destId"] = 3; },
         "f: edges[2]: it leads from backward node 5 to forward node 3; no edge leads from a backward to a "
         "forward node"},
        {[](json& j) {
             j["edges"].push_back({{"sourceId", 3}, {"destId", 7}, {"cost", 0.25}});
         },
         "f: edges: they form a cycle: 3 -> 7 -> 3; no node may need itself"},
        {[](json& j) {
             j["edges"].push_back({{"sourceId", 7}, {"destId", 7}, {"cost", 0.5}});
         },
         "f: edges: they form a cycle: 7 -> 7; no node may need itself"},
        {[](json& j) { j["maxFPGA"] = 2; }, "f: the key 'maxFPGA' is unknown; did you mean 'maxFPGAs'?"},
        {[](json& j) { j["nodes"][1]["colourClass"] = 2; },
         "f: nodes[1]: the key 'colourClass' is unknown; did you mean 'colorClass'?"},
        {[](json& j) { j["edges"][0]["weight"] = 2; },
         "f: edges[0]: the key 'weight' is unknown; known are 'sourceId', 'destId', 'cost', 'size'"},
        {[](json& j) { j = 3; }, "f: it is of type number; it must be an object"},
    };
    for (const auto& [spoil, message] : breaks) {
        json document = four_nodes();
        spoil(document);
        const auto read = read_device_placement(document.dump(), "f");
        ASSERT_FALSE(read) << message;
        EXPECT_EQ(dovetail::test::without_position(read.problem().line()), message);
    }
}

TEST(device_placement, ignores_what_published_files_carry_for_people) {
    json document = four_nodes();
    document["nodes"][0]["name"] = "conv1", document["nodes"][0]["layerId"] = 4;
    document["edges"][0]["size"] = 802816;
    const auto read = read_device_placement(document.dump(), "f");
    ASSERT_TRUE(read) << read.problem().line();
    EXPECT_EQ(read->problem.nodes, read_device_placement(four_nodes().dump(), "f").value().problem.nodes);
}

TEST(device_placement, refuses_a_key_that_is_there_twice) {
    EXPECT_EQ(read_device_placement("{\"maxFPGAs\": 1,\n \"maxFPGAs\": 2}", "f").problem().line(),
              "f:2:2: the key 'maxFPGAs' is there twice; a key stands once in its object");
}

TEST(device_placement, refuses_every_truncated_text) {
    const std::string whole = four_nodes().dump();
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
        EXPECT_EQ(read_device_placement(whole.substr(0, cut), "f").problem().code, errc::parse);
    EXPECT_EQ(load_device_placement("no/such/file.json").problem().code, errc::io);
}

TEST(device_placement, reads_every_reference_instance) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/placement/dnn-partitioning");
    int instances = 0;
    for (const char* const kind : {"throughput", "latency"})
        for (const auto& file : std::filesystem::directory_iterator(folder / kind)) {
            const auto instance = load_device_placement(file.path());
            ASSERT_TRUE(instance) << instance.problem().line();
            const json document = json::parse(read_file(file.path()).value());
            EXPECT_EQ(instance->node_ids.size(), document["nodes"].size());
            EXPECT_EQ(instance->problem.edges.size(), document["edges"].size());
            const auto backward = [](const auto& node) { return node.backward; };
            const bool training = file.path().filename().string().find("training") != std::string::npos;
            EXPECT_EQ(std::any_of(instance->problem.nodes.begin(), instance->problem.nodes.end(), backward),
                      training);
            ++instances;
        }
    EXPECT_GE(instances, 13);
}

} // namespace
