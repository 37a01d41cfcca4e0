#include <dovetail/workload/dependence.hpp>

#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

TEST(Dependence, TellsTheTrunkFromSidePathsAndWeights) {
    graph_builder b("model", 2);
    const index ids = b.input("ids", {2, 4}, element_type::int64);
    const index mask = b.input("mask", {2, 4, 4});
    const index table = b.parameter("table", {8, 4});
    const index rows = b.apply<op::gather>("rows", {table, ids});
    const index inverted = b.apply<op::sub>("inverted", {b.scalar("one", 1), mask});
    const index turned = b.apply<op::transpose>("turned", {table}, zoo::permutation({1, 0}));
    const index scores = b.apply<op::mat_mul>("scores", {rows, turned});
    const index size = b.apply<op::shape>("size", {rows});
    const index constant = b.apply<op::add>("constant", {b.scalar("a", 1), b.scalar("b", 2)});
    b.output(scores);
    operator_graph g = std::move(b).finish().value();
    g.tensors[size].integers = {2, 4, 4};

    const dependence of = dependences(g);
    EXPECT_TRUE(of.on_trunk(rows));
    EXPECT_TRUE(of.on_trunk(scores));
    EXPECT_TRUE(of.on_data[inverted] && !of.on_parameter[inverted]);
    EXPECT_TRUE(!of.on_data[turned] && of.on_parameter[turned]);
    EXPECT_FALSE(of.on_data[size] || of.on_parameter[size]);
    EXPECT_FALSE(of.on_data[constant] || of.on_parameter[constant]);

    const std::vector<bool> only = weight_only(g);
    const std::vector<index> producer = producers(g);
    for (const index t : {turned, size, constant}) EXPECT_TRUE(only[producer[t]]) << g.tensors[t].name;
    for (const index t : {rows, inverted, scores}) EXPECT_FALSE(only[producer[t]]) << g.tensors[t].name;
}

TEST(Dependence, EveryGradientDependsOnData) {
    graph_builder b("model", 1);
    const index weight = b.parameter("weight", {3, 4});
    const index turned = b.apply<op::transpose>("turned", {weight}, zoo::permutation({1, 0}));
    b.output(b.apply<op::mat_mul>("product", {b.input("x", {1, 4}), turned}));
    const operator_graph training = training_graph(std::move(b).finish().value());
    const std::vector<bool> only = weight_only(training);
    for (index v = 0; v < training.operations.size(); ++v)
        EXPECT_EQ(only[v], training.operations[v].name == "turned") << training.operations[v].name;
}

} // namespace
} // namespace dovetail::workload
