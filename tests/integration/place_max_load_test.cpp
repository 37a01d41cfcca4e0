// `dovetail place --format max-load`: its answers, and what it refuses.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace dovetail::test {
namespace {

/// Half a unit of the last digit of a number as a table prints it.
double half_a_digit(const std::string& number) {
    const std::size_t point = number.find('.');
    const std::size_t digits = point == std::string::npos ? 0 : number.size() - point - 1;
    return 0.5 * std::pow(10.0, -static_cast<double>(digits));
}

/// What a device pays, from the file as it is.
double load_of(const json& instance, const json& device) {
    std::set<std::int64_t> held;
    for (const json& id : device.at("layers")) held.insert(id.get<std::int64_t>());
    const bool cpu = device.at("kind") == "cpu";
    double load = 0.0;
    for (const json& node : instance.at("nodes"))
        if (held.contains(node.at("id").get<std::int64_t>()))
            load += node.at(cpu ? "cpuLatency" : "fpgaLatency").get<double>();
    std::set<std::int64_t> charged;
    for (const json& edge : instance.at("edges")) {
        const auto source = edge.at("sourceId").get<std::int64_t>();
        const auto target = edge.at("destId").get<std::int64_t>();
        if (!cpu && held.contains(source) != held.contains(target) && charged.insert(source).second)
            load += edge.at("cost").get<double>();
    }
    return load;
}

TEST_F(Cli, MaxLoadFindsThePublishedOptima) {
    DOVETAIL_SHARED_OR_SKIP(instances, "reference/placement/dnn-partitioning");
    std::ifstream table(instances / "expected_throughput.csv");
    const auto rows = rows_of(table);
    ASSERT_GT(rows.size(), 5u);
    for (auto row : rows) {
        SCOPED_TRACE(row["file"]);
        const auto file = instances / "throughput" / row["file"];
        const json found = answered("place --format max-load " + quoted(file));
        EXPECT_EQ(found.at("status"), "optimal");
        EXPECT_EQ(found.at("proved_optimal"), true);
        EXPECT_EQ(found.at("objective"), found.at("lower_bound"));
        const double objective = found.at("objective").get<double>();
        // The last digit of the table is rounded.
        EXPECT_NEAR(objective, std::stod(row["max_load"]), 1.0001 * half_a_digit(row["max_load"]));

        const json instance = json::parse(content(file));
        double largest = 0.0;
        std::size_t nodes = 0;
        for (const json& device : found.at("plan").at("stages")) {
            const double load = load_of(instance, device);
            EXPECT_NEAR(device.at("load").get<double>(), load, 1e-9 * load);
            largest = std::max(largest, load);
            nodes += device.at("layers").size();
        }
        EXPECT_NEAR(objective, largest, 1e-9 * largest);
        EXPECT_EQ(nodes, instance.at("nodes").size());
        EXPECT_LE(found.at("peak_bytes").get<std::size_t>(), std::size_t{512} << 20);
        const double published_mib = std::stod(row["published_solver_mib"]);
        if (published_mib >= 50.0) {
            EXPECT_LE(found.at("peak_bytes").get<double>(), published_mib * 0x1p20 / 20.0);
        }
    }
}

/// A chain of three nodes.
json small_instance() {
    json instance{{"maxSizePerFPGA", 10}, {"maxFPGAs", 2}, {"maxCPUs", 0}};
    for (int id = 0; id < 3; ++id)
        instance["nodes"].push_back({{"id", 10 * id},
                                     {"supportedOnFpga", true},
                                     {"cpuLatency", 8},
                                     {"fpgaLatency", 2},
                                     {"size", 4},
                                     {"isBackwardNode", false}});
    for (int id = 0; id < 2; ++id)
        instance["edges"].push_back({{"sourceId", 10 * id}, {"destId", 10 * (id + 1)}, {"cost", 1}});
    return instance;
}

TEST_F(Cli, MaxLoadNamesWhatBinds) {
    json instance = small_instance();
    write("sound.json", instance.dump());
    const json sound = answered("place --format max-load sound.json");
    EXPECT_EQ(sound.at("objective"), 5.0);
    EXPECT_EQ(sound.at("plan").at("stages").size(), 2u);
    EXPECT_NE(sound.at("binding").get<std::string>().find("load of device"), std::string::npos);

    instance["maxSizePerFPGA"] = 7;
    write("memory.json", instance.dump());
    const json memory = answered("place --format max-load memory.json", 3);
    EXPECT_EQ(memory.at("status"), "infeasible");
    EXPECT_TRUE(memory.at("objective").is_null());
    EXPECT_TRUE(memory.at("lower_bound").is_null());
    EXPECT_TRUE(memory.at("plan").is_null());
    EXPECT_EQ(memory.at("binding"), "memory: an accelerator needs at least 8 bytes in any plan");

    instance["nodes"][1]["supportedOnFpga"] = false;
    write("support.json", instance.dump());
    EXPECT_EQ(answered("place --format max-load support.json", 3).at("binding"),
              "support: without a CPU nothing runs node 10");

    instance["maxFPGAs"] = 0;
    write("devices.json", instance.dump());
    EXPECT_EQ(answered("place --format max-load devices.json", 3).at("binding"),
              "devices: there is neither an accelerator nor a CPU");
}

TEST_F(Cli, MaxLoadEndsWithItsBudget) {
    // Wide enough for more downsets than a millisecond enumerates.
    json instance{{"maxSizePerFPGA", 1000}, {"maxFPGAs", 5}, {"maxCPUs", 1}};
    for (int id = 0; id < 60; ++id)
        instance["nodes"].push_back({{"id", id},
                                     {"supportedOnFpga", true},
                                     {"cpuLatency", 100 + id * id % 17},
                                     {"fpgaLatency", 10 + id * id % 13},
                                     {"isBackwardNode", false}});
    for (int id = 3; id < 60; ++id)
        for (const int back : {3, 5})
            if (id >= back)
                instance["edges"].push_back(
                    {{"sourceId", id - back}, {"destId", id}, {"cost", 1 + (id - back) % 4}});
    write("wide.json", instance.dump());
    const json ended = answered("place --format max-load wide.json --time-limit 0.000001", 4);
    EXPECT_EQ(ended.at("status"), "budget");
    EXPECT_EQ(ended.at("proved_optimal"), false);
    EXPECT_GT(ended.at("lower_bound").get<double>(), 0.0);
    if (!ended.at("objective").is_null()) {
        EXPECT_GE(ended.at("objective").get<double>(), ended.at("lower_bound").get<double>());
    }
    refused("place --format max-load wide.json --time-limit -1",
            {"--time-limit", "its value is '-1'", "at least 0"});
}

TEST_F(Cli, MaxLoadRefusesBrokenInstances) {
    const auto broken = [&](const std::string& name, const auto& change,
                            const std::vector<std::string>& parts) {
        json instance = small_instance();
        change(instance);
        write(name, instance.dump());
        std::vector<std::string> all{name};
        all.insert(all.end(), parts.begin(), parts.end());
        refused("place --format max-load " + name, all);
    };
    broken("negative.json", [](json& j) { j["nodes"][1]["fpgaLatency"] = -1; },
           {"nodes[1].fpgaLatency", "it is -1", "0 or more"});
    broken("missing.json", [](json& j) { j.erase("maxCPUs"); }, {"maxCPUs", "missing"});
    broken("edge.json", [](json& j) { j["edges"][0]["destId"] = 9; }, {"edges[0]", "node 9"});
    broken("cycle.json",
           [](json& j) {
               j["edges"].push_back({{"sourceId", 20}, {"destId", 0}, {"cost", 1}});
           },
           {"cycle", "0 -> "});
    refused("place --format max-load absent.json", {"absent.json", "there is no such file"});
}

} // namespace
} // namespace dovetail::test
