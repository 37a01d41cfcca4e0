// `dovetail place --format piper`: its answers, and what it refuses.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace dovetail::test {
namespace {

TEST_F(Cli, PiperFindsThePublishedOptimum) {
    DOVETAIL_SHARED_OR_SKIP(file, "reference/placement/piper/bert32a100.json");
    const json found = answered("place --format piper " + quoted(file));
    EXPECT_EQ(found.at("status"), "optimal");
    // What the published program prints for its own instance.
    EXPECT_NEAR(found.at("objective").get<double>(), 0.097727361119999981, 1e-12);
    EXPECT_EQ(found.at("lower_bound"), found.at("objective"));
    EXPECT_EQ(found.at("proved_optimal"), true);
    const json& stages = found.at("plan").at("stages");
    ASSERT_EQ(stages.size(), 1u);
    EXPECT_EQ(stages[0].at("layers").size(), 37u);
    EXPECT_EQ(stages[0].at("variants").size(), 37u);
    EXPECT_EQ(stages[0].at("tensor_parallel"), 1);
    EXPECT_EQ(stages[0].at("data_parallel"), 10);
    EXPECT_GT(found.at("solve_seconds").get<double>(), 0.0);
    EXPECT_LT(found.at("solve_seconds").get<double>(), 1.0);
    EXPECT_GT(found.at("peak_bytes").get<std::size_t>(), 0u);
}

/// Three layers in a chain, each with a fast and a lean variant.
json small_variants() {
    json instance{{"maxMemoryPerDevice", 1000}, {"maxDevices", 4},       {"bandwidth", 10}, {"mbsInBatch", 8},
                  {"nodes", json::array()},     {"edges", json::array()}};
    for (int id = 0; id < 3; ++id) {
        json fw = json::object();
        json bw = json::object();
        if (id > 0) fw[std::to_string(id - 1)] = 0;
        if (id < 2) bw[std::to_string(id + 1)] = 0;
        json list = json::array();
        for (const bool lean : {false, true})
            list.push_back({{"id", lean ? "lean" : "fast"},
                            {"timePerSample", lean ? 3 : 2},
                            {"parameterSize", 10},
                            {"memoryUsageA", lean ? 10 : 30},
                            {"memoryUsageB", 20},
                            {"syncTimeFw", fw},
                            {"syncTimeBw", bw}});
        instance["nodes"].push_back({{"id", id}, {"TMPCs", {{"1", list}}}});
        if (id < 2)
            instance["edges"].push_back({{"sourceId", id}, {"destId", id + 1}, {"communicationCost", 1}});
    }
    return instance;
}

TEST_F(Cli, PiperChoosesVariantsByMemory) {
    json instance = small_variants();
    instance["maxDevices"] = 1;
    write("roomy.json", instance.dump());
    const json roomy = answered("place --format piper roomy.json");
    EXPECT_EQ(roomy.at("status"), "optimal");
    EXPECT_NEAR(roomy.at("objective").get<double>(), 6.0, 1e-12);
    EXPECT_EQ(roomy.at("plan").at("stages")[0].at("variants"), json::parse(R"(["fast", "fast", "fast"])"));
    instance["maxMemoryPerDevice"] = 112; // a fast layer takes 50, a lean one 30
    write("tight.json", instance.dump());
    const json tight = answered("place --format piper tight.json");
    EXPECT_NEAR(tight.at("objective").get<double>(), 8.0, 1e-12);
    EXPECT_NEAR(tight.at("plan").at("stages")[0].at("memory_bytes").get<double>(), 110.0, 1e-12);
    EXPECT_EQ(tight.at("binding"), "time of stage 1 of 1 of this plan");
}

TEST_F(Cli, PiperSpreadsEveryStageByADegreeOfItsOwn) {
    write("four.json", small_variants().dump());
    const json found = answered("place --format piper four.json");
    // The first layer alone, 2 + 2 * 1 / 10; the others have three devices.
    EXPECT_NEAR(found.at("objective").get<double>(), 2.2, 1e-12);
    EXPECT_EQ(found.at("plan").at("devices"), 4);
}

TEST_F(Cli, PiperNamesTheMemoryThatWouldFit) {
    json instance = small_variants();
    instance["maxMemoryPerDevice"] = 29;
    write("memory.json", instance.dump());
    const json none = answered("place --format piper memory.json", 3);
    EXPECT_EQ(none.at("status"), "infeasible");
    EXPECT_TRUE(none.at("plan").is_null());
    EXPECT_TRUE(none.at("objective").is_null());
    // Three stages on four devices: the first has three micro-batches in flight, unless it is doubled.
    EXPECT_EQ(none.at("binding"),
              "memory: stage 1 of 3 of the leanest plan needs 40 bytes of a device, which has 29");
    instance["maxMemoryPerDevice"] = 40;
    write("enough.json", instance.dump());
    EXPECT_EQ(answered("place --format piper enough.json").at("status"), "optimal");
    instance["maxMemoryPerDevice"] = 39;
    write("short.json", instance.dump());
    EXPECT_EQ(answered("place --format piper short.json", 3).at("status"), "infeasible");
}

TEST_F(Cli, PiperNamesTheDevicesThatAreMissing) {
    json instance = small_variants();
    json& lists = instance["nodes"][1]["TMPCs"];
    lists["8"] = lists["1"];
    lists.erase("1");
    write("wide.json", instance.dump());
    const json none = answered("place --format piper wide.json", 3);
    EXPECT_EQ(none.at("binding"), "devices: a pipeline takes at least 10");
}

TEST_F(Cli, PiperRefusesBadInstances) {
    const auto broken = [&](const std::string& name, const auto& change,
                            const std::vector<std::string>& parts) {
        json instance = small_variants();
        change(instance);
        write(name, instance.dump());
        std::vector<std::string> all{name};
        all.insert(all.end(), parts.begin(), parts.end());
        refused("place --format piper " + name, all);
    };
    broken("negative.json", [](json& j) { j["nodes"][1]["TMPCs"]["1"][0]["timePerSample"] = -1; },
           {"nodes[1].TMPCs.1[0].timePerSample", "it is -1", "0 or more"});
    broken("devices.json", [](json& j) { j["maxDevices"] = 0; }, {"maxDevices", "it is 0"});
    broken("missing.json", [](json& j) { j.erase("mbsInBatch"); }, {"mbsInBatch", "missing"});
    broken("variants.json", [](json& j) { j["nodes"][2]["TMPCs"] = json::object(); },
           {"nodes[2].TMPCs", "no variant"});
    broken("edge.json", [](json& j) { j["edges"][0]["destId"] = 9; }, {"edges[0]", "9"});
    broken("sync.json", [](json& j) { j["nodes"][0]["TMPCs"]["1"][0]["syncTimeBw"].erase("1"); },
           {"nodes[0].TMPCs.1[0].syncTimeBw", "'1'", "missing"});
    refused("place --format piper absent.json", {"absent.json", "there is no such file"});
}

} // namespace
} // namespace dovetail::test
