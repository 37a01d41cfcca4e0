// doors: json
#include <dovetail/ext/json/phaze_placement.hpp>

#include "placement/problems.hpp"
#include "support/shared.hpp"

#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/verify.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
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
         "f: nodes.10: its layers differ from those of 'f: nodes.2'; every tensor width has the same layers "
         "and edges"},
        {[](json& j) { j["edges"].erase("10"); }, "f: edges: the key '10' is missing; the format needs it"},
        {[](json& j) { j["edges"]["10"] = json::array(); },
         "f: nodes.10: its edges differ from those of 'f: nodes.2'; every tensor width has the same layers "
         "and "
         "edges"},
        {[](json& j) { j["edges"]["2"][0]["destId"] = 5; },
         "f: edges.2[0]: it joins layer 5; edges join layers that 'f: nodes.2' lists"},
        {[](json& j) { j["edges"]["2"][0]["communicationCost"] = -2; },
         "f: edges.2[0].communicationCost: it is -2; it must be a finite number, 0 or more"},
        {[](json& j) {
             json back = j["edges"]["2"][0];
             std::swap(back["sourceId"], back["destId"]);
             j["edges"]["2"].push_back(back);
         },
         "f: nodes.2: its layers form a cycle: -1 -> 9 -> -1; no layer may need itself"},
        {[](json& j) { j = json::array({1}); }, "f: it is of type array; it must be an object"},
    };
    for (const auto& [spoil, message] : breaks) {
        json document = two_layers();
        spoil(document);
        const auto read = read_phaze_placement(document.dump(), "f");
        ASSERT_FALSE(read) << message;
        EXPECT_EQ(read.problem().line(), message);
    }
}

TEST(phaze_placement, says_at_which_byte_a_text_stops_being_json) {
    const std::string whole = two_layers().dump();
    EXPECT_EQ(read_phaze_placement(whole.substr(0, 100), "f").problem().line(),
              "f: byte 101: the text ends too early; it must be one complete JSON value");
    EXPECT_EQ(read_phaze_placement("", "f").problem().line(),
              "f: byte 1: the text ends too early; it must be one complete JSON value");
    EXPECT_EQ(read_phaze_placement("{\"maxDevices\": NaN}", "f").problem().line(),
              "f: byte 16: the text is not JSON from here on; it must be one complete JSON value");
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
