// doors: json
#include <dovetail/ext/json/piper_placement.hpp>

#include "ext/json/position.hpp"
#include "support/shared.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ext::json;
using nlohmann::json;

json variant(const char* name, double seconds, const json& fw, const json& bw) {
    return {{"id", name},        {"timePerSample", seconds}, {"parameterSize", 4}, {"memoryUsageA", 10.5},
            {"memoryUsageB", 3}, {"syncTimeFw", fw},         {"syncTimeBw", bw}};
}

// 9 -> -1, 9 -> 4, 4 -> -1, listed against that order.
json three_layers() {
    const json last = {{"id", -1},
                       {"TMPCs",
                        {{"10", {variant("vanilla", 1, {{"9", 6}, {"4", 7}}, json::object())}},
                         {"2", {variant("vanilla", 2, {{"4", 2}, {"9", 1}}, json::object())}}}}};
    const json first = {{"id", 9},
                        {"name", "first"},
                        {"TMPCs",
                         {{"2",
                           {variant("vanilla", 3, json::object(), {{"4", 8}, {"-1", 9}}),
                            variant("activation recomp", 4, json::object(), {{"4", 0}, {"-1", 5}})}},
                          {"4", json::array()}}}};
    const json middle = {{"id", 4}, {"TMPCs", {{"2", {variant("vanilla", 5, {{"9", 0}}, {{"-1", 0}})}}}}};
    const auto edge = [](int u, int v, double bytes) {
        return json{{"sourceId", u}, {"destId", v}, {"communicationCost", bytes}};
    };
    return {{"maxMemoryPerDevice", 1e9},
            {"maxDevices", 8},
            {"bandwidth", 1e6},
            {"mbsInBatch", 16},
            {"nodes", {last, first, middle}},
            {"edges", {edge(4, -1, 3), edge(9, -1, 7), edge(9, 4, 2)}}};
}

TEST(piper_placement, reads_layers_in_topological_order_and_syncs_in_the_order_of_the_edges) {
    const piper_placement instance = read_piper_placement(three_layers().dump(), "three").value();
    const placement::variant_graph& problem = instance.problem;
    EXPECT_EQ(instance.layer_ids, (std::vector<std::int64_t>{9, 4, -1}));
    EXPECT_EQ(problem.devices, 8);
    EXPECT_EQ(problem.micro_batches, 16);
    EXPECT_EQ(problem.hbm_bytes, 1e9);
    EXPECT_EQ(problem.link_bytes_per_s, 1e6);
    EXPECT_EQ(problem.edges, (std::vector<placement::variant_edge>{{0, 1, 2.0}, {0, 2, 7.0}, {1, 2, 3.0}}));
    ASSERT_EQ(problem.layers.size(), 3U);
    ASSERT_EQ(problem.layers[0].widths.size(), 2U);
    EXPECT_EQ(problem.layers[0].at_width(4)->variants.size(), 0U);
    EXPECT_EQ(problem.layers[0].at_width(3), nullptr);
    const placement::layer_variant recompute{.name = "activation recomp",
                                             .seconds = 4,
                                             .parameter_bytes = 4,
                                             .bytes_per_turn = 10.5,
                                             .fixed_bytes = 3,
                                             .in_sync_bytes = {},
                                             .out_sync_bytes = {0, 5}};
    EXPECT_EQ(problem.layers[0].at_width(2)->variants[1], recompute);
    EXPECT_EQ(problem.layers[2].widths[0].width, 2);
    EXPECT_EQ(problem.layers[2].widths[1].width, 10);
    EXPECT_EQ(problem.layers[2].at_width(10)->variants[0].in_sync_bytes, (std::vector<double>{6, 7}));
}

TEST(piper_placement, reads_a_single_layer_without_edges) {
    json document = three_layers();
    document["edges"] = json::array();
    document["nodes"] = {
        {{"id", 1}, {"TMPCs", {{"1", {variant("vanilla", 1, json::object(), json::object())}}}}}};
    const auto read = read_piper_placement(document.dump(), "f");
    ASSERT_TRUE(read) << read.problem().line();
    EXPECT_TRUE(read->problem.edges.empty());
}

TEST(piper_placement, answers_every_malformed_file_with_one_clear_line) {
    const auto first_variant = [](json& j) -> json& { return j["nodes"][1]["TMPCs"]["2"][0]; };
    const std::pair<std::function<void(json&)>, std::string> breaks[] = {
        {[](json& j) { j.erase("bandwidth"); }, "f: the key 'bandwidth' is missing; the format needs it"},
        {[](json& j) { j["bandwidth"] = 0; }, "f: bandwidth: it is 0; it must be positive"},
        {[](json& j) { j["maxDevices"] = 0; },
         "f: maxDevices: it is 0; it must be a whole number from 1 to 1,000,000,000"},
        {[](json& j) { j["mbsInBatch"] = 2.5; },
         "f: mbsInBatch: it is 2.5; it must be a whole number from 1 to 1,000,000,000"},
        {[](json& j) { j["maxMemoryPerDevice"] = nullptr; },
         "f: maxMemoryPerDevice: it is of type null; it must be a number"},
        {[](json& j) { j["maxMemoryPerDevice"] = -1; },
         "f: maxMemoryPerDevice: it is -1; it must be a finite number, 0 or more"},
        {[](json& j) { j.erase("nodes"); }, "f: the key 'nodes' is missing; the format needs it"},
        {[](json& j) { j["nodes"] = json::array(); },
         "f: nodes: it lists no layer; it must list one at least"},
        {[](json& j) { j["nodes"][2].erase("id"); },
         "f: nodes[2]: the key 'id' is missing; the format needs it"},
        {[](json& j) { j["nodes"][2]["id"] = 9; },
         "f: nodes[2]: its id 9 is there twice; every layer has an id of its own"},
        {[](json& j) { j["nodes"][0].erase("TMPCs"); },
         "f: nodes[0]: the key 'TMPCs' is missing; the format needs it"},
        {[](json& j) { j["nodes"][0]["TMPCs"] = json::object(); },
         "f: nodes[0].TMPCs: it lists no variant; the layer must have one at some width"},
        {[](json& j) { j["nodes"][2]["TMPCs"]["2"] = json::array(); },
         "f: nodes[2].TMPCs: it lists no variant; the layer must have one at some width"},
        {[](json& j) { j["nodes"][0]["TMPCs"]["x"] = json::array(); },
         "f: nodes[0].TMPCs.x: the tensor width is 'x'; it must be a whole number from 1 to 1,000,000,000"},
        {[](json& j) { j["nodes"][0]["TMPCs"]["02"] = json::array(); },
         "f: nodes[0].TMPCs.2: the tensor width 2 is there twice; every width has one list"},
        {[](json& j) { j["nodes"][1]["TMPCs"]["2"][1]["id"] = "vanilla"; },
         "f: nodes[1].TMPCs.2[1]: its id 'vanilla' is there twice; every variant of a width has an id of its "
         "own"},
        {[&](json& j) { first_variant(j)["timePerSample"] = -1; },
         "f: nodes[1].TMPCs.2[0].timePerSample: it is -1; it must be a finite number, 0 or more"},
        {[&](json& j) { first_variant(j)["memoryUsageA"] = "big"; },
         "f: nodes[1].TMPCs.2[0].memoryUsageA: it is of type string; it must be a number"},
        {[&](json& j) { first_variant(j).erase("memoryUsageB"); },
         "f: nodes[1].TMPCs.2[0]: the key 'memoryUsageB' is missing; the format needs it"},
        {[&](json& j) { first_variant(j)["syncTimeBw"]["4"] = -3; },
         "f: nodes[1].TMPCs.2[0].syncTimeBw.4: it is -3; it must be a finite number, 0 or more"},
        {[&](json& j) { first_variant(j)["syncTimeBw"].erase("4"); },
         "f: nodes[1].TMPCs.2[0].syncTimeBw: the key '4' is missing; it has one for every edge out of the "
         "layer"},
        {[&](json& j) { first_variant(j)["syncTimeFw"]["4"] = 1; },
         "f: nodes[1].TMPCs.2[0].syncTimeFw: it has an entry for layer 4; it has one for every edge into the "
         "layer"},
        {[&](json& j) { first_variant(j)["syncTimeFw"]["?"] = 1; },
         "f: nodes[1].TMPCs.2[0].syncTimeFw.?: the layer is '?'; it must be the id of a layer"},
        {[](json& j) { j["edges"][0]["destId"] = 5; },
         "f: edges[0]: it joins layer 5; edges join layers that 'nodes' lists"},
        {[](json& j) { j["edges"][0]["communicationCost"] = -2; },
         "f: edges[0].communicationCost: it is -2; it must be a finite number, 0 or more"},
        {[](json& j) { j["edges"].push_back(j["edges"][1]); },
         "f: edges[3]: the edge from 9 to -1 is there twice; two layers have one edge at most"},
        {[](json& j) {
             j["edges"].push_back({{"sourceId", -1}, {"destId", 9}, {"communicationCost", 0}});
         },
         "f: nodes: its layers form a cycle: -1 -> 9 -> -1; no layer may need itself"},
        {[](json& j) { j["maxMemoryPerDevises"] = 2; },
         "f: the key 'maxMemoryPerDevises' is unknown; did you mean 'maxMemoryPerDevice'?"},
        {[](json& j) { j["nodes"][2]["TMPC"] = 2; },
         "f: nodes[2]: the key 'TMPC' is unknown; did you mean 'TMPCs'?"},
        {[&](json& j) { first_variant(j)["memoryUsage"] = 2; },
         "f: nodes[1].TMPCs.2[0]: the key 'memoryUsage' is unknown; did you mean 'memoryUsageA'?"},
        {[](json& j) { j["edges"][0]["size"] = 2; },
         "f: edges[0]: the key 'size' is unknown; known are 'sourceId', 'destId', 'communicationCost'"},
        {[](json& j) { j["maxBatchSize"] = 2; },
         "f: it has 'mbsInBatch' and 'maxBatchSize'; both are the micro-batches"},
        {[](json& j) { j = json::array({1}); }, "f: it is of type array; it must be an object"},
    };
    for (const auto& [spoil, message] : breaks) {
        json document = three_layers();
        spoil(document);
        const auto read = read_piper_placement(document.dump(), "f");
        ASSERT_FALSE(read) << message;
        EXPECT_EQ(dovetail::test::without_position(read.problem().line()), message);
    }
}

TEST(piper_placement, takes_the_documented_name_of_the_micro_batches_and_names_of_layers) {
    json document = three_layers();
    document["maxBatchSize"] = document["mbsInBatch"];
    document.erase("mbsInBatch");
    document["nodes"][0]["name"] = "embedding";
    const auto read = read_piper_placement(document.dump(), "f");
    ASSERT_TRUE(read) << read.problem().line();
    EXPECT_EQ(read->problem.micro_batches,
              read_piper_placement(three_layers().dump(), "f").value().problem.micro_batches);
    document.erase("maxBatchSize");
    EXPECT_EQ(dovetail::test::without_position(read_piper_placement(document.dump(), "f").problem().line()),
              "f: the key 'mbsInBatch' is missing; the format needs it");
}

TEST(piper_placement, says_where_a_text_stops_being_json) {
    const std::string whole = three_layers().dump();
    EXPECT_EQ(read_piper_placement("{\"maxDevices\": NaN}", "f").problem().line(),
              "f:1:16: the text is not JSON from here on; it must be one complete JSON value");
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
        EXPECT_EQ(read_piper_placement(whole.substr(0, cut), "f").problem().code, errc::parse);
}

TEST(piper_placement, names_a_file_that_cannot_be_read) {
    EXPECT_EQ(load_piper_placement("no/such/file.json").problem().code, errc::io);
}

TEST(piper_placement, reads_the_published_instance) {
    DOVETAIL_SHARED_OR_SKIP(file, "reference/placement/piper/bert32a100.json");
    const auto instance = load_piper_placement(file);
    ASSERT_TRUE(instance) << instance.problem().line();
    const placement::variant_graph& problem = instance->problem;
    EXPECT_EQ(problem.layers.size(), 37U);
    EXPECT_EQ(problem.edges.size(), 67U);
    EXPECT_EQ(problem.devices, 10);
    EXPECT_EQ(problem.micro_batches, 1920);
    for (const placement::variant_layer& layer : problem.layers) {
        ASSERT_EQ(layer.widths.size(), 4U);
        for (const placement::width_variants& w : layer.widths) EXPECT_EQ(w.variants.size(), 2U);
    }
}

} // namespace
