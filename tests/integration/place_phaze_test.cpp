// `dovetail place --format phaze`: its answers, and what it refuses.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <string>

namespace dovetail::test {
namespace {

TEST_F(Cli, PlaceFindsThePublishedOptima) {
    DOVETAIL_SHARED_OR_SKIP(instances, "reference/placement/phaze");
    std::ifstream table(instances / "expected.csv");
    const auto rows = rows_of(table);
    ASSERT_GT(rows.size(), 10u);
    int infeasible = 0;
    std::map<std::string, std::size_t> peak_bytes;
    for (auto row : rows) {
        SCOPED_TRACE(row["file"]);
        const std::string command = "place --format phaze " + quoted(instances / row["file"]);
        if (row["time_per_batch_s"].find("infeasible") != std::string::npos) {
            const json none = answered(command, 3);
            EXPECT_EQ(none.at("status"), "infeasible");
            EXPECT_TRUE(none.at("objective").is_null());
            EXPECT_NE(none.at("binding"), "");
            ++infeasible;
            continue;
        }
        const json found = answered(command);
        const double expected_s = std::stod(row["time_per_batch_s"]);
        EXPECT_EQ(found.at("status"), "optimal");
        EXPECT_NEAR(found.at("objective").get<double>(), expected_s, 1e-9 * expected_s);
        EXPECT_EQ(found.at("plan").at("stages").size(), std::stoul(row["stages"]));
        EXPECT_EQ(found.at("plan").at("tensor_parallel"), std::stoll(row["tensor_parallel"]));
        EXPECT_EQ(found.at("plan").at("data_parallel"), std::stoll(row["data_parallel"]));
        EXPECT_GT(found.at("solve_seconds").get<double>(), 0.0);
        peak_bytes[row["file"]] = found.at("peak_bytes").get<std::size_t>();
    }
    EXPECT_GT(infeasible, 0);
    EXPECT_GT(peak_bytes["bertlarge_mb1_rc0.json"], 26 * sizeof(double))
        << "a number for every layer at least";
    EXPECT_GT(peak_bytes["gpt3-175b_mb1_rc0.json"], 3 * peak_bytes["bertlarge_mb1_rc0.json"]);
}

/// A placement of three layers in a chain.
json small_placement() {
    json instance{{"maxMemoryPerDevice", 1000},
                  {"maxDevices", 4},
                  {"bandwidth", 10},
                  {"mbsInBatch", 8},
                  {"activationRecomputation", false},
                  {"optimizerAlgorithm", "SGD"}};
    for (int id = 0; id < 3; ++id)
        instance["nodes"]["1"].push_back({{"id", id},
                                          {"parameterSize", 10},
                                          {"activationSize", 5},
                                          {"optimalLatencyFw", 1},
                                          {"optimalLatencyBw", 2},
                                          {"isTensorParallelized", false}});
    for (int id = 0; id < 2; ++id)
        instance["edges"]["1"].push_back({{"sourceId", id}, {"destId", id + 1}, {"communicationCost", 1}});
    return instance;
}

TEST_F(Cli, BadPlacementsAreRefused) {
    const json sound = small_placement();
    write("sound.json", sound.dump());
    EXPECT_EQ(answered("place sound.json").at("status"), "optimal");

    const auto broken = [&](const std::string& name, const auto& change,
                            const std::vector<std::string>& parts) {
        json instance = sound;
        change(instance);
        write(name, instance.dump());
        std::vector<std::string> all{name};
        all.insert(all.end(), parts.begin(), parts.end());
        refused("place " + name, all);
    };
    broken("negative.json", [](json& j) { j["nodes"]["1"][1]["optimalLatencyFw"] = -1; },
           {"nodes.1[1].optimalLatencyFw", "it is -1", "0 or more"});
    broken("devices.json", [](json& j) { j["maxDevices"] = 0; }, {"maxDevices", "it is 0"});
    broken("fraction.json", [](json& j) { j["maxDevices"] = 2.5; },
           {"maxDevices", "it is 2.5", "whole number"});
    broken("type.json", [](json& j) { j["bandwidth"] = "fast"; }, {"bandwidth", "string", "number"});
    broken("missing.json", [](json& j) { j.erase("mbsInBatch"); }, {"mbsInBatch", "missing"});
    broken("edge.json", [](json& j) { j["edges"]["1"][0]["destId"] = 9; }, {"edges.1[0]", "9"});
    broken("none.json", [](json& j) { j["nodes"]["1"] = json::array(); }, {"nodes.1", "no layer"});
    broken("optimizer.json", [](json& j) { j["optimizerAlgorithm"] = "Lion"; },
           {"optimizerAlgorithm", "Lion"});
    broken("cycle.json",
           [](json& j) {
               j["edges"]["1"].push_back({{"sourceId", 2}, {"destId", 0}, {"communicationCost", 1}});
           },
           {"cycle"});

    const std::string text = sound.dump();
    write("truncated.json", text.substr(0, text.size() / 2));
    refused("place truncated.json", {"truncated.json:1:", "ends too early"});
    std::string not_a_number = text;
    const std::string bandwidth = "\"bandwidth\":10";
    not_a_number.replace(not_a_number.find(bandwidth), bandwidth.size(), "\"bandwidth\":NaN");
    write("nan.json", not_a_number);
    refused("place nan.json", {"nan.json:1:", "not JSON"});
    refused("place absent.json", {"absent.json", "there is no such file"});
    refused("place sound.json --time-limit -0.5", {"--time-limit", "its value is '-0.5'", "at least 0"});
    refused("place sound.json --format chess", {"--format", "chess", "phaze"});
}

TEST_F(Cli, PlaceExplainsWhatBindsAPlan) {
    write("sound.json", small_placement().dump());
    const json found = answered("place sound.json");
    const json& why = found.at("explain");
    EXPECT_EQ(why.at("binding"), "network") << "the reduction is all that links cost";
    EXPECT_TRUE(found.at("binding").get<std::string>().starts_with("network: stage ")) << found.at("binding");
    for (const char* change : {"unlimited_memory_s", "unlimited_links_s", "one_more_gib_s",
                               "one_more_gb_per_s_s", "one_more_device_s"})
        EXPECT_LE(why.at(change).get<double>(), found.at("objective").get<double>()) << change;
    EXPECT_LT(why.at("one_more_gb_per_s_s"), found.at("objective"));
}

// Memory binds a plan that another would beat: the text says which plan, which stage, and what the other
// takes.
TEST_F(Cli, PlaceSaysOfWhichPlanMemoryBinds) {
    json instance = small_placement();
    instance["maxMemoryPerDevice"] = 36;
    instance["bandwidth"] = 1e12;
    instance["maxDevices"] = 3;
    write("tight.json", instance.dump());
    const json found = answered("place tight.json");
    const std::string binding = found.at("binding");
    EXPECT_TRUE(binding.starts_with("memory: stage ")) << binding;
    EXPECT_NE(binding.find(" of 3 of this plan fills "), std::string::npos) << binding;
    // Without a limit three replicas of one stage share eight micro-batches: three rounds of 9 s.
    EXPECT_NEAR(found.at("explain").at("unlimited_memory_s").get<double>(), 27, 1e-6);
    EXPECT_NE(binding.find("another plan takes 27 s per batch"), std::string::npos) << binding;
}

// A tiny problem is solved in microseconds: again and again only where somebody asks for its exact seconds.
TEST_F(Cli, PlaceSolvesOnceUnlessAskedToRepeat) {
    write("sound.json", small_placement().dump());
    const json once = answered("place sound.json");
    EXPECT_EQ(once.at("solves"), 1);
    EXPECT_GT(once.at("solve_seconds").get<double>(), 0);
    const json repeated = answered("place sound.json --repeat");
    EXPECT_GT(repeated.at("solves").get<int>(), 10);
    EXPECT_GE(repeated.at("solves").get<double>() * repeated.at("solve_seconds").get<double>(), 0.05);
    EXPECT_EQ(repeated.at("objective"), once.at("objective"));
    EXPECT_EQ(repeated.at("plan"), once.at("plan"));
}

TEST_F(Cli, PlaceGoesBeyondPhazesProblem) {
    json instance = small_placement();
    instance["maxMemoryPerDevice"] = 36; // a layer, and two more of its activations
    instance["maxDevices"] = 3;
    instance["bandwidth"] = 1e12;
    write("tight.json", instance.dump());
    const auto objective = [&](const std::string& options) {
        return answered("place tight.json " + options).at("objective").get<double>();
    };
    const auto almost = [](double expected) { return ::testing::DoubleNear(expected, 1e-6); };
    // Three stages of 3 s: eight micro-batches, and two more that fill and drain.
    EXPECT_THAT(objective(""), almost(3.0 * (8 + 2)));
    EXPECT_THAT(objective("--schedule 1f1b --every-stage"), almost(3.0 * (8 + 2)));
    // Three passes of a second each leave a third of the bubble.
    EXPECT_THAT(objective("--schedule zb-h1"), almost(3.0 * 8 + 2 * 1.0));
    EXPECT_EQ(answered("place tight.json --schedule gpipe", 3).at("status"), "infeasible");
    const json chosen = answered("place tight.json --schedule gpipe --choose-recomputation");
    EXPECT_EQ(chosen.at("plan").at("schedule"), "gpipe");
    EXPECT_EQ(chosen.at("plan").at("stages").at(0).at("recompute"), "full");
    refused("place tight.json --node-devices 2", {"node.link_bytes_per_s", "it is 0", "positive"});
    refused("place tight.json --schedule chimera", {"--schedule", "chimera"});
}

TEST_F(Cli, APlacementThatFitsNowhereIsNamed) {
    json instance = small_placement();
    instance["maxMemoryPerDevice"] = 12;
    write("memory.json", instance.dump());
    const json none = answered("place memory.json", 3);
    EXPECT_EQ(none.at("status"), "infeasible");
    EXPECT_TRUE(none.at("plan").is_null());
    EXPECT_TRUE(none.at("binding").get<std::string>().starts_with("memory: ")) << none.at("binding");
}

} // namespace
} // namespace dovetail::test
