#include <dovetail/workload/canonical.hpp>

#include "workload/small_transformer.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <support/shuffled_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::small_transformer;

operator_graph small_decoder() { return zoo::gpt(small_transformer, 2).value(); }

TEST(Canonical, HashesDoNotSeeNamesNumbersOrTheOrderOfSums) {
    const operator_graph g = training_graph(small_decoder());
    const auto hashes = structural_hashes(g);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto disguised = test::shuffled(g, seed);
        const auto same = structural_hashes(disguised.graph);
        for (index v = 0; v < same.size(); ++v) EXPECT_EQ(same[v], hashes[disguised.operation[v]]);
    }
}

TEST(Canonical, HashesTellOperationsApartByWhatSurroundsThem) {
    const operator_graph g = small_decoder();
    const auto hashes = structural_hashes(g);
    const std::set<std::uint64_t> different(hashes.begin(), hashes.end());
    EXPECT_EQ(different.size(), g.operations.size());
}

TEST(Canonical, HashesTellOperationsApartByWhatUsesThem) {
    graph_builder b("model", 1);
    const index x = b.input("x", {1, 4});
    const index left = b.apply<op::relu>("left", {x});
    const index right = b.apply<op::relu>("right", {x});
    b.output(b.apply<op::sub>("difference", {left, right}));
    const auto hashes = structural_hashes(std::move(b).finish().value());
    EXPECT_NE(hashes[0], hashes[1]);
}

TEST(Canonical, TheOrderIsTopologicalAndSurvivesDisguise) {
    const operator_graph g = training_graph(small_decoder());
    const std::vector<index> order = canonical_order(g);
    std::vector<index> place(order.size());
    for (index k = 0; k < order.size(); ++k) place[order[k]] = k;
    const graph::digraph flow = dataflow(g);
    for (const graph::arc& a : flow.arcs()) EXPECT_LT(place[a.source], place[a.target]);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto disguised = test::shuffled(g, seed);
        std::vector<index> same = canonical_order(disguised.graph);
        for (index& v : same) v = disguised.operation[v];
        EXPECT_EQ(same, order);
    }
}

/// Two chains that only their last operation joins, and that no structure tells apart before it.
TEST(Canonical, TwinsKeepTogether) {
    graph_builder b("twins", 1);
    const index x = b.input("x", {1, 4});
    std::vector<index> ends;
    for (const std::string side : {"left", "right"}) {
        const index start = b.apply<op::relu>(side + ".start", {x});
        ends.push_back(b.apply<op::erf>(side + ".end", {start}));
    }
    b.output(b.apply<op::add>("sum", ends));
    const operator_graph g = std::move(b).finish().value();
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto disguised = test::shuffled(g, seed);
        const auto order = canonical_order(disguised.graph);
        std::vector<std::string> names;
        for (const index v : order) names.push_back(g.operations[disguised.operation[v]].name);
        EXPECT_EQ(names[0].substr(0, names[0].find('.')), names[2].substr(0, names[2].find('.')));
        EXPECT_EQ(names[4], "sum");
    }
}

struct variant {
    std::string name;
    std::int64_t width = 8;
    bool swapped = false;
    bool buffer = false;
    std::int64_t axis = -1;
    bool crossed = false;
};

/// Twice the same block, the second one changed by `how`.
operator_graph blocks(const variant& how, std::vector<index>& labels) {
    graph_builder b("blocks", 1);
    index x = b.input("x", {1, 8});
    for (index k = 0; k < 2; ++k) {
        const variant now = k == 0 ? variant{} : how;
        const std::string name = to_text(k);
        const index up = b.apply<op::mat_mul>(name + ".up", {x, b.parameter("u" + name, {8, now.width})});
        const index down =
            b.apply<op::mat_mul>(name + ".down", {up, b.parameter("d" + name, {now.width, 8})});
        const index gate = now.buffer ? b.buffer("g" + name, {8}) : b.parameter("g" + name, {8});
        const index gated = b.apply<op::sub>(name + ".gated",
                                             now.swapped ? std::vector{gate, down} : std::vector{down, gate});
        attribute_set axis;
        axis.set("axis", now.axis);
        const index soft = b.apply<op::softmax>(name + ".soft", {gated}, axis);
        x = b.apply<op::mul>(name + ".out", {soft, now.crossed ? down : x});
        labels.insert(labels.end(), 5, k);
    }
    b.output(x);
    return std::move(b).finish().value();
}

TEST(Canonical, EqualPartsHaveEqualHashes) {
    std::vector<index> labels;
    operator_graph g = blocks({}, labels);
    // The first block reads data, the second an activation that depends on a parameter.
    const auto apart = part_hashes(g, labels, 2);
    EXPECT_NE(apart[0], apart[1]);

    labels.clear();
    g = blocks({}, labels);
    g.tensors[g.operations[0].inputs[0]].role = tensor_role::parameter;
    const index x = g.add(tensor{.name = "ids", .role = tensor_role::input, .dims = {1, 8}});
    const index start = g.add(tensor{.name = "start", .dims = {1, 8}});
    const index old = g.operations[0].inputs[0];
    for (operation& op : g.operations)
        for (index& t : op.inputs)
            if (t == old) t = start;
    g.add(operation{.type = type_of<op::add>, .name = "embed", .inputs = {x, old}, .outputs = {start}});
    labels.push_back(none);
    // The result of the second block is given to the outside, as that of the first one is.
    const auto equal = part_hashes(g, labels, 2);
    EXPECT_EQ(equal[0], equal[1]);
}

TEST(Canonical, PartsThatDifferHaveOtherHashes) {
    std::vector<index> labels;
    const operator_graph plain = blocks({}, labels);
    const auto reference = part_hashes(plain, labels, 2);
    for (const variant& how :
         {variant{.name = "shape", .width = 16}, variant{.name = "order", .swapped = true},
          variant{.name = "role", .buffer = true}, variant{.name = "attribute", .axis = 0},
          variant{.name = "wiring", .crossed = true}}) {
        labels.clear();
        const operator_graph g = blocks(how, labels);
        const auto hashes = part_hashes(g, labels, 2);
        EXPECT_EQ(hashes[0], reference[0]) << how.name;
        EXPECT_NE(hashes[1], reference[1]) << how.name;
    }
}

TEST(Canonical, EqualPartsAreOrderedAlike) {
    const operator_graph g = small_decoder();
    // Operations of a layer are named "layer.<number>. …".
    std::vector<index> labels(g.operations.size(), none);
    for (index v = 0; v < labels.size(); ++v)
        if (g.operations[v].name.starts_with("layer."))
            labels[v] = static_cast<index>(g.operations[v].name[6] - '0');
    std::vector<std::vector<std::string>> names(3);
    for (const index v : canonical_order(g, labels))
        if (labels[v] != none) names[labels[v]].push_back(g.operations[v].name.substr(8));
    EXPECT_FALSE(names[0].empty());
    EXPECT_EQ(names[0], names[1]);
    EXPECT_EQ(names[0], names[2]);
}

} // namespace
} // namespace dovetail::workload
