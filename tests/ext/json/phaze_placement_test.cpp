// doors: json
#include <dovetail/ext/json/phaze_placement.hpp>

#include "ext/json/position.hpp"
#include "placement/problems.hpp"
#include "support/shared.hpp"

#include <dovetail/placement/evaluate.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/verify.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ext::json;
using nlohmann::json;

// The cells of a comma-separated file without its header line.
std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& path) {
    std::vector<std::vector<std::string>> rows;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::vector<std::string>& row = rows.emplace_back(1);
        for (const char c : line)
            if (c == ',')
                row.emplace_back();
            else if (c != '\r')
                row.back() += c;
    }
    return rows;
}

void expect_time(const placement::layer_graph& problem, placement::objective charge,
                 const std::string& expected_s) {
    const placement::plan found = placement::exact_program{.charge = charge}(problem).value();
    const auto sound = placement::verify(problem, found, charge);
    EXPECT_TRUE(sound) << sound.problem().line();
    if (expected_s == "infeasible") {
        EXPECT_EQ(found.outcome, status::infeasible);
        return;
    }
    const double expected = parse_number<double>(expected_s).value();
    EXPECT_EQ(found.outcome, status::optimal);
    EXPECT_NEAR(found.time_per_batch_s, expected, 1e-9 * expected);
}

TEST(phaze_placement, equals_the_published_optimum_of_every_reference_instance) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/placement/phaze");
    int instances = 0;
    for (const auto& row : rows_of(folder / "expected.csv")) {
        SCOPED_TRACE(row[0]);
        const auto instance = load_phaze_placement(folder / row[0]);
        ASSERT_TRUE(instance) << instance.problem().line();
        expect_time(instance->problem, placement::objective::phaze, row[1]);
        ++instances;
    }
    EXPECT_GE(instances, 46);
}

TEST(phaze_placement, equals_the_best_of_all_plans_of_every_instance_of_its_own) {
    const std::filesystem::path folder = test::source_file("tests/instances/placement");
    int instances = 0;
    for (const auto& row : rows_of(folder / "expected.csv")) {
        SCOPED_TRACE(row[0]);
        const auto instance = load_phaze_placement(folder / row[0]);
        ASSERT_TRUE(instance) << instance.problem().line();
        expect_time(instance->problem, placement::objective::phaze, row[1]);
        expect_time(instance->problem, placement::objective::every_stage, row[2]);
        const double best =
            test::try_every_plan(instance->problem, placement::objective::phaze).time_per_batch_s;
        expect_time(instance->problem, placement::objective::phaze,
                    std::isinf(best) ? "infeasible" : to_text(best));
        ++instances;
    }
    EXPECT_EQ(instances, 6);
}

// Two layers, listed against the order of their edge, at two widths whose lists are in different order.
json two_layers() {
    const auto node = [](int id, double parameters, bool split) {
        return json{{"id", id},
                    {"parameterSize", parameters},
                    {"activationSize", 5},
                    {"optimalLatencyFw", 1},
                    {"optimalLatencyBw", 2.5},
                    {"isTensorParallelized", split}};
    };
    const json edge = {{"sourceId", 9}, {"destId", -1}, {"communicationCost", 7}};
    return {
        {"maxMemoryPerDevice", 1e9},
        {"maxDevices", 8},
        {"bandwidth", 1e6},
        {"mbsInBatch", 16},
        {"activationRecomputation", true},
        {"optimizerAlgorithm", "Adam"},
        {"nodes",
         {{"10", {node(9, 4, true), node(-1, 2, false)}}, {"2", {node(-1, 3, false), node(9, 6, false)}}}},
        {"edges", {{"2", {edge}}, {"10", {edge}}}}};
}

TEST(phaze_placement, reads_layers_in_topological_order_and_widths_in_ascending_order) {
    const phaze_placement instance = read_phaze_placement(two_layers().dump(), "two").value();
    const placement::layer_graph& problem = instance.problem;
    EXPECT_EQ(instance.layer_ids, (std::vector<std::int64_t>{9, -1}));
    EXPECT_EQ(problem.devices, 8);
    EXPECT_EQ(problem.micro_batches, 16);
    EXPECT_EQ(problem.hbm_bytes, 1e9);
    EXPECT_EQ(problem.link_bytes_per_s, 1e6);
    EXPECT_TRUE(problem.recompute);
    EXPECT_EQ(problem.edges, (std::vector<graph::arc>{{0, 1}}));
    ASSERT_EQ(problem.widths.size(), 2U);
    EXPECT_EQ(problem.widths[0].width, 2);
    EXPECT_EQ(problem.widths[1].width, 10);
    EXPECT_EQ(problem.widths[1].edge_bytes, std::vector<double>{7.0});
    const placement::layer split{.forward_s = 1,
                                 .backward_s = 2.5,
                                 .resident_bytes = 12,
                                 .reduce_bytes = 8,
                                 .activation_bytes = 5,
                                 .stash_bytes = 5,
                                 .tensor_parallel = true,
                                 .weight_gradient_s = 1.25,
                                 .optimizer_bytes = 4.0};
    EXPECT_EQ(problem.widths[1].layers[0], split);
    EXPECT_EQ(problem.widths[0].layers[1].resident_bytes, 9.0);
}

TEST(phaze_placement, answers_every_malformed_file_with_one_clear_line) {
    const std::pair<std::function<void(json&)>, std::string> breaks[] = {
        {[](json& j) { j.erase("bandwidth"); }, "f: the key 'bandwidth' is missing; the format needs it"},
        {[](json& j) { j["bandwidth"] = 0; }, "f: bandwidth: it is 0; it must be positive"},
        {[](json& j) { j["maxDevices"] = 0; },
         "f: maxDevices: it is 0; it must be a whole number from 1 to 1,000,000,000,000"},
        {[](json& j) { j["mbsInBatch"] = 2.5; },
         "f: mbsInBatch: it is 2.5; it must be a whole number from 1 to 1,000,000,000,000"},
        {[](json& j) { j["maxMemoryPerDevice"] = nullptr; },
         "f: maxMemoryPerDevice: it is of type null; it must be a number"},
        {[](json& j) { j["activationRecomputation"] = 1; },
         "f: activationRecomputation: it is of type number; it must be true or false"},
        {[](json& j) { j["optimizerAlgorithm"] = "Lion"; },
         "f: optimizerAlgorithm: it is 'Lion'; it must be 'SGD' or 'Adam'"},
        {[](json& j) { j["nodes"] = json::object(); },
         "f: nodes: it has no tensor width; it must have one at least"},
        {[](json& j) { j["nodes"]["2"] = json::array(); },
         "f: nodes.2: it lists no layer; it must list one at least"},
        {[](json& j) { j["nodes"]["x"] = j["nodes"]["2"]; },
         "f: nodes.x: the tensor width is 'x'; it must be a whole number from 1 to 1,000,000,000,000"},
        {[](json& j) { j["nodes"]["2"][1].erase("id"); },
         "f: nodes.2[1]: the key 'id' is missing; the format needs it"},
        {[](json& j) { j["nodes"]["10"][1]["optimalLatencyFw"] = -1; },
         "f: nodes.10[1].optimalLatencyFw: it is -1; it must be a finite number, 0 or more"},
        {[](json& j) { j["nodes"]["10"][0]["parameterSize"] = "big"; },
         "f: nodes.10[0].parameterSize: it is of type string; it must be a number"},
        {[](json& j) { j["nodes"]["2"].push_back(j["nodes"]["2"][1]); },
         "f: nodes.2: it lists layer 9 twice; every layer has an id of its own"},
        {[](json& j) { j["nodes"]["10"].push_back(j["nodes"]["10"][0]), j["nodes"]["10"][2]["id"] = 4; },
         "f: nodes.10: its layers differ from those of 'nodes.2'; every tensor width has the same layers "
         "and edges"},
        {[](json& j) { j["edges"].erase("10"); }, "f: edges: the key '10' is missing; the format needs it"},
        {[](json& j) { j["edges"]["10"] = json::array(); },
         "f: nodes.10: its edges differ from those of 'nodes.2'; every tensor width has the same layers "
         "and "
         "edges"},
        {[](json& j) { j["edges"]["2"][0]["destId"] = 5; },
         "f: edges.2[0]: it joins layer 5; edges join layers that 'nodes.2' lists"},
        {[](json& j) { j["edges"]["2"][0]["communicationCost"] = -2; },
         "f: edges.2[0].communicationCost: it is -2; it must be a finite number, 0 or more"},
        {[](json& j) {
             json back = j["edges"]["2"][0];
             std::swap(back["sourceId"], back["destId"]);
             j["edges"]["2"].push_back(back);
         },
         "f: nodes.2: its layers form a cycle: -1 -> 9 -> -1; no layer may need itself"},
        {[](json& j) { j["maxDevice"] = 8; },
         "f: the key 'maxDevice' is unknown; did you mean 'maxDevices'?"},
        {[](json& j) { j["colour"] = "red"; },
         "f: the key 'colour' is unknown; known are 'maxMemoryPerDevice', 'maxDevices', 'bandwidth', "
         "'mbsInBatch', 'activationRecomputation', 'optimizerAlgorithm', 'nodes', 'edges', 'fixedPP', "
         "'fixedTMPC', 'fixedDP', 'numTransformerLayers'"},
        {[](json& j) { j["nodes"]["2"][1]["optimalLatencyFW"] = 1; },
         "f: nodes.2[1]: the key 'optimalLatencyFW' is unknown; did you mean 'optimalLatencyFw'?"},
        {[](json& j) { j["edges"]["2"][0]["destID"] = 1; },
         "f: edges.2[0]: the key 'destID' is unknown; did you mean 'destId'?"},
        {[](json& j) { j["fixedPP"] = 2; }, "f: the key 'fixedTMPC' is missing; the format needs it"},
        {[](json& j) { j["fixedPP"] = 0, j["fixedTMPC"] = j["fixedDP"] = j["numTransformerLayers"] = 1; },
         "f: fixedPP: it is 0; it must be a whole number from 1 to 1,000,000,000,000"},
        {[](json& j) { j = json::array({1}); }, "f: it is of type array; it must be an object"},
    };
    for (const auto& [spoil, message] : breaks) {
        json document = two_layers();
        spoil(document);
        const auto read = read_phaze_placement(document.dump(), "f");
        ASSERT_FALSE(read) << message;
        EXPECT_EQ(dovetail::test::without_position(read.problem().line()), message);
    }
}

TEST(phaze_placement, ignores_the_energy_that_the_published_program_writes) {
    json document = two_layers();
    document["nodes"]["2"][0]["energy"] = {1, 2};
    const auto read = read_phaze_placement(document.dump(), "f");
    ASSERT_TRUE(read) << read.problem().line();
    EXPECT_EQ(read->problem.widths[0].layers,
              read_phaze_placement(two_layers().dump(), "f").value().problem.widths[0].layers);
}

TEST(phaze_placement, refuses_a_key_that_is_there_twice_at_any_depth) {
    std::string text = two_layers().dump(1);
    const std::size_t id = text.find("\"id\"");
    text.insert(id, "\"parameterSize\": 3,\n");
    const auto read = read_phaze_placement(text, "f");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.problem().line(), ::testing::EndsWith(": the key 'parameterSize' is there twice; a key "
                                                           "stands once in its object"));
}

// Three transformer layers 0 to 2 between an embedding -1 and a head 3, each of them its own time.
json five_layers() {
    json nodes = json::array();
    json edges = json::array();
    for (int id = -1; id <= 3; ++id) {
        nodes.push_back({{"id", id},
                         {"parameterSize", 0},
                         {"activationSize", 10},
                         {"optimalLatencyFw", id + 2},
                         {"optimalLatencyBw", 0},
                         {"isTensorParallelized", false}});
        if (id > -1) edges.push_back({{"sourceId", id - 1}, {"destId", id}, {"communicationCost", 0}});
    }
    return {{"maxMemoryPerDevice", 1000},
            {"maxDevices", 8},
            {"bandwidth", 1},
            {"mbsInBatch", 6},
            {"activationRecomputation", false},
            {"optimizerAlgorithm", "SGD"},
            {"nodes", {{"1", nodes}}},
            {"edges", {{"1", edges}}},
            {"fixedPP", 2},
            {"fixedTMPC", 1},
            {"fixedDP", 2},
            {"numTransformerLayers", 3}};
}

result<placement::plan> fixed_plan_of(const json& document) {
    const phaze_placement instance = read_phaze_placement(document.dump(), "f").value();
    auto cut = cut_of_fixed_plan(instance);
    if (!cut) return cut;
    return placement::evaluate(instance.problem, *std::move(cut), placement::objective::phaze);
}

TEST(phaze_placement, prices_the_plan_of_an_expert) {
    json document = five_layers();
    const auto plan = fixed_plan_of(document);
    ASSERT_TRUE(plan) << plan.problem().line();
    // Two layers a stage: -1, 0, 1 take 1 + 2 + 3, and 2, 3 take 4 + 5; 3 micro-batches, 2 stages.
    ASSERT_EQ(plan->stages.size(), 2U);
    EXPECT_EQ(plan->stages[0].load_s, 6.0);
    EXPECT_EQ(plan->stages[1].load_s, 9.0);
    EXPECT_EQ(plan->stages[0].memory_bytes, 60.0); // what it keeps of two micro-batches
    EXPECT_EQ(plan->time_per_batch_s, 9.0 * (3 + 2 - 1));
    EXPECT_EQ(plan->outcome, status::feasible);
    document["fixedPP"] = 4; // one layer a stage, and none in the last but the head
    EXPECT_EQ(fixed_plan_of(document)->time_per_batch_s, 5.0 * (3 + 4 - 1));
    document["fixedDP"] = 1, document["fixedPP"] = 6; // two stages do nothing, and are waited for
    EXPECT_EQ(fixed_plan_of(document)->time_per_batch_s, 5.0 * (6 + 6 - 1));
}

TEST(phaze_placement, says_why_the_plan_of_an_expert_does_not_fit) {
    const std::pair<std::function<void(json&)>, std::string> breaks[] = {
        {[](json& j) { j["maxMemoryPerDevice"] = 59; }, "plan: stage 0: it needs 60 bytes; a device has 59"},
        {[](json& j) { j["maxDevices"] = 3; }, "plan: devices: it takes 2 x 2; there are 3"},
        {[](json& j) { j["fixedDP"] = 7; },
         "plan: data_parallel: it is 7; it is from 1 to the 6 micro-batches"},
        {[](json& j) { j["fixedTMPC"] = 2; },
         "plan: tensor_parallel: it is 2; it is one of the problem's widths"},
        {[](json& j) { j["fixedPP"] = 1'000'000'000; },
         "plan: stages: there are 1000000000; there are 8 devices, and at most 65536 stages"}};
    for (const auto& [spoil, message] : breaks) {
        json document = five_layers();
        spoil(document);
        const auto plan = fixed_plan_of(document);
        ASSERT_FALSE(plan) << message;
        EXPECT_EQ(plan.problem().line(), message);
    }
}

// What the program of PHAZE's release makes of the plans in its instances, its layers told apart by the ids
// of the file; infinite where it runs out of memory.
TEST(phaze_placement, prices_the_plans_of_the_reference_instances_as_published) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/placement/phaze");
    constexpr double out_of_memory = std::numeric_limits<double>::infinity();
    const std::pair<const char*, double> published[] = {{"bertlarge_mb1_rc0.json", 0.20236526432684723},
                                                        {"gpt2xl_mb1_rc0.json", 1.0024908234318446},
                                                        {"gpt2xl_mb1_rc1.json", 1.0491549351500606},
                                                        {"gpt2xl_mb4_rc1.json", 1.5130981931750491},
                                                        {"gpt3-175b_mb1_rc0.json", out_of_memory},
                                                        {"gpt3-175b_mb4_rc1.json", 121.44238008172975},
                                                        {"llama2-7b_mb1_rc1.json", 10.906909900079128},
                                                        {"llama2-7b_mb4_rc1.json", out_of_memory},
                                                        {"rand003.json", 59.039438747556744},
                                                        {"rand009.json", 152.30456231772621},
                                                        {"rand025.json", out_of_memory},
                                                        {"rand028.json", 3.6436827682793282}};
    for (const auto& [file, seconds] : published) {
        const auto instance = load_phaze_placement(folder / file);
        ASSERT_TRUE(instance) << instance.problem().line();
        const auto plan = placement::evaluate(instance->problem, cut_of_fixed_plan(*instance).value(),
                                              placement::objective::phaze);
        EXPECT_EQ(plan.has_value(), seconds != out_of_memory) << file;
        if (plan) {
            EXPECT_NEAR(plan->time_per_batch_s, seconds, 1e-9 * seconds) << file;
        }
    }
}

TEST(phaze_placement, says_where_a_text_stops_being_json) {
    const std::string whole = two_layers().dump();
    EXPECT_EQ(read_phaze_placement(whole.substr(0, 100), "f").problem().line(),
              "f:1:101: the text ends too early; it must be one complete JSON value");
    EXPECT_EQ(read_phaze_placement("", "f").problem().line(),
              "f:1:1: it is empty; it must be one complete JSON value");
    EXPECT_EQ(read_phaze_placement("{\"maxDevices\": NaN}", "f").problem().line(),
              "f:1:16: the text is not JSON from here on; it must be one complete JSON value");
    EXPECT_EQ(read_phaze_placement(whole + "}", "f").problem().code, errc::parse);
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
        EXPECT_EQ(read_phaze_placement(whole.substr(0, cut), "f").problem().code, errc::parse);
}

TEST(phaze_placement, names_a_file_that_cannot_be_read) {
    const auto absent = load_phaze_placement("no/such/file.json");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.problem().code, errc::io);
    EXPECT_EQ(load_phaze_placement(std::filesystem::temp_directory_path()).problem().code, errc::io);
}

} // namespace
