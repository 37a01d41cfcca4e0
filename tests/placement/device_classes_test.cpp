#include <dovetail/placement/device_classes.hpp>

#include "max_load_oracle.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

TEST(device_classes, are_those_of_the_definition) {
    random_source random(1);
    int contracted = 0;
    for (int round = 0; round < 4000; ++round) {
        SCOPED_TRACE(round);
        const device_graph problem = test::random_device_graph(random, 12);
        ASSERT_TRUE(validate(problem));
        const test::oracle_classes expected = test::contract_by_definition(problem);
        const device_classes found = contract(problem);
        std::vector<std::size_t> label_of;
        std::vector<std::size_t> class_of(problem.nodes.size(), problem.nodes.size());
        for (std::size_t c = 0; c < found.classes.size(); ++c) {
            const device_class& k = found.classes[c];
            ASSERT_FALSE(k.nodes.empty());
            label_of.push_back(expected.label[k.nodes[0]]);
            double accelerator_s = 0.0;
            double bytes = 0.0;
            bool supported = true;
            for (const graph::index v : k.nodes) {
                ASSERT_EQ(class_of[v], problem.nodes.size()) << "node " << v << " is in two classes";
                class_of[v] = c;
                EXPECT_EQ(expected.label[v], label_of[c]);
                accelerator_s += problem.nodes[v].accelerator_s;
                bytes += problem.nodes[v].size_bytes;
                supported = supported && problem.nodes[v].supported;
            }
            EXPECT_EQ(k.accelerator_s, accelerator_s);
            EXPECT_EQ(k.size_bytes, bytes);
            EXPECT_EQ(k.supported, supported);
        }
        EXPECT_EQ(std::set<std::size_t>(label_of.begin(), label_of.end()).size(), found.classes.size());
        for (const std::size_t c : class_of) EXPECT_NE(c, problem.nodes.size()) << "a node without a class";
        std::set<std::pair<std::size_t, std::size_t>> arcs;
        for (const auto [u, v] : found.order.arcs()) {
            EXPECT_LT(u, v);
            EXPECT_TRUE(arcs.emplace(label_of[u], label_of[v]).second);
        }
        EXPECT_EQ(arcs, expected.arcs);
        if (found.classes.size() < problem.nodes.size()) ++contracted;
    }
    EXPECT_GT(contracted, 1000);
}

TEST(device_classes, transfers_cost_what_the_nodes_cost) {
    random_source random(2);
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE(round);
        device_graph problem = test::random_device_graph(random, 10);
        for (device_node& node : problem.nodes) node.supported = true;
        problem.memory_bytes = 1e9;
        const device_classes found = contract(problem);
        std::vector<bool> chosen;
        std::vector<bool> held(problem.nodes.size());
        double expected_s = 0.0;
        for (const device_class& k : found.classes) {
            chosen.push_back(random.integer(0, 1) == 1);
            for (const graph::index v : k.nodes) held[v] = chosen.back();
            if (chosen.back()) expected_s += k.accelerator_s;
        }
        std::set<std::vector<graph::index>> different;
        for (const transfer& t : found.transfers) {
            EXPECT_TRUE(different.insert(t.classes).second);
            EXPECT_GT(t.cost_s, 0.0);
            std::size_t inside = 0;
            for (const graph::index c : t.classes) inside += chosen[c] ? 1U : 0U;
            if (inside > 0 && inside < t.classes.size()) expected_s += t.cost_s;
        }
        EXPECT_EQ(test::load_by_definition(problem, held, true), expected_s);
    }
}

} // namespace
