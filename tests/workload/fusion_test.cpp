#include <dovetail/workload/fusion.hpp>

#include "graphs.hpp"
#include "small_transformer.hpp"

#include <dovetail/core/random.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <support/shuffled_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::finished;
using names = std::set<std::string>;

/// The groups by the names of their operations.
std::set<names> groups_of(const operator_graph& g, std::span<const index> labels = {}) {
    std::set<names> groups;
    for (const fused_group& group : fuse(g, labels).groups) {
        names members;
        for (const index v : group.operations) members.insert(g.operations[v].name);
        groups.insert(members);
    }
    return groups;
}

/// Checks what every fusion must satisfy, by brute force.
void expect_sound(const operator_graph& g, std::span<const index> labels, const fusion& fused) {
    const std::vector<bool> given = weight_only(g);
    std::vector<int> times(g.operations.size(), 0);
    for (index k = 0; k < fused.groups.size(); ++k) {
        int products = 0;
        int normalizations = 0;
        const fused_group& group = fused.groups[k];
        EXPECT_NE(std::find(group.operations.begin(), group.operations.end(), group.head),
                  group.operations.end());
        for (const index v : group.operations) {
            ++times[v];
            EXPECT_EQ(fused.group_of[v], k);
            EXPECT_EQ(g.operations[v].phase, g.operations[group.head].phase);
            if (!labels.empty()) {
                EXPECT_EQ(labels[v], labels[group.head]);
            }
            const fusion_class type = descriptor(g.operations[v].type).fusion;
            if (type == fusion_class::contraction) ++products;
            if (type == fusion_class::normalization) ++normalizations;
            if (type == fusion_class::contraction) {
                EXPECT_EQ(v, group.head);
            }
        }
        EXPECT_LE(products, 1);
        EXPECT_LE(normalizations, 1);
    }
    for (index v = 0; v < times.size(); ++v) {
        EXPECT_EQ(times[v], given[v] ? 0 : 1);
        if (given[v]) {
            EXPECT_EQ(fused.group_of[v], none);
        }
    }

    // Nothing leaves a group and comes back: walk from every group through the outside.
    const std::vector<index> producer = producers(g);
    std::vector<std::vector<index>> next(g.operations.size());
    for (index v = 0; v < g.operations.size(); ++v)
        for (const index t : g.operations[v].inputs)
            if (t != none && producer[t] != none && !given[producer[t]]) {
                next[producer[t]].push_back(v);
                EXPECT_LE(fused.group_of[producer[t]], fused.group_of[v]) << "groups stand in order";
            }
    for (index k = 0; k < fused.groups.size(); ++k) {
        std::vector<bool> seen(g.operations.size(), false);
        std::vector<index> walk;
        for (const index v : fused.groups[k].operations)
            for (const index w : next[v])
                if (fused.group_of[w] != k) walk.push_back(w);
        while (!walk.empty()) {
            const index v = walk.back();
            walk.pop_back();
            if (seen[v]) continue;
            seen[v] = true;
            EXPECT_NE(fused.group_of[v], k) << "group " << k << " is left and entered again";
            walk.insert(walk.end(), next[v].begin(), next[v].end());
        }
    }
}

TEST(Fusion, AProductTakesUpWhatFollows) {
    graph_builder b("block", 1);
    const index x = b.input("x", {1, 4, 8});
    const index product = b.apply<op::mat_mul>("product", {x, b.parameter("w", {8, 8})});
    const index sum = b.apply<op::add>("bias", {b.parameter("b", {8}), product});
    const index dropped = b.apply<op::dropout>("dropout", {sum});
    const index residual = b.apply<op::add>("residual", {x, dropped});
    const index norm = b.apply<op::layer_normalization>(
        "norm", {residual, b.parameter("scale", {8}), b.parameter("shift", {8})});
    b.output(b.apply<op::relu>("activation", {norm}));
    const operator_graph g = finished(std::move(b));
    EXPECT_EQ(groups_of(g),
              (std::set<names>{{"product", "bias", "dropout", "residual", "norm", "activation"}}));
    EXPECT_EQ(g.operations[fuse(g).groups[0].head].name, "product");
}

TEST(Fusion, AResultThatOthersNeedIsNotTakenUp) {
    for (const bool output : {false, true}) {
        graph_builder b("block", 1);
        const index x = b.input("x", {4, 4});
        const index product = b.apply<op::mat_mul>("product", {x, b.parameter("w", {4, 4})});
        const index active = b.apply<op::relu>("active", {product});
        b.output(output ? product : b.apply<op::erf>("other", {product}));
        b.output(active);
        const auto groups = groups_of(finished(std::move(b)));
        EXPECT_TRUE(groups.contains({"product"}));
        EXPECT_TRUE(groups.contains({"active"}));
    }
}

TEST(Fusion, OfTwoProductsTheLastOneTakesUpTheSum) {
    graph_builder b("shortcut", 1);
    const index x = b.input("x", {4, 4});
    const index first = b.apply<op::mat_mul>("first", {x, b.parameter("w1", {4, 4})});
    const index second =
        b.apply<op::mat_mul>("second", {b.apply<op::relu>("active", {first}), b.parameter("w2", {4, 4})});
    const index shortcut = b.apply<op::mat_mul>("shortcut", {x, b.parameter("w3", {4, 4})});
    b.output(b.apply<op::add>("sum", {shortcut, second}));
    EXPECT_EQ(groups_of(finished(std::move(b))),
              (std::set<names>{{"first", "active"}, {"second", "sum"}, {"shortcut"}}));
}

TEST(Fusion, AGateIsOneMoreTensorToRead) {
    graph_builder b("gated", 1);
    const index x = b.input("x", {4, 4});
    const index gate =
        b.apply<op::swish>("swish", {b.apply<op::mat_mul>("gate", {x, b.parameter("w1", {4, 4})})});
    const index up = b.apply<op::mat_mul>("up", {x, b.parameter("w2", {4, 4})});
    b.output(b.apply<op::mul>("product", {gate, up}));
    EXPECT_EQ(groups_of(finished(std::move(b))), (std::set<names>{{"gate", "swish", "product"}, {"up"}}));
}

TEST(Fusion, ElementwiseOperatorsFuseAmongThemselves) {
    graph_builder b("rotary", 1);
    const index x = b.input("x", {4, 4});
    const index y = b.input("y", {4, 4});
    const index a = b.apply<op::mul>("a", {x, b.buffer("cos", {4, 4})});
    const index c = b.apply<op::mul>("c", {y, b.buffer("sin", {4, 4})});
    const index turned = b.apply<op::sub>("turned", {a, c});
    attribute_set axes;
    axes.set("axes", std::vector<std::int64_t>{1});
    const index mean = b.apply<op::reduce_mean>("mean", {turned}, axes);
    b.output(b.apply<op::erf>("after", {mean}));
    EXPECT_EQ(groups_of(finished(std::move(b))), (std::set<names>{{"a", "c", "turned", "mean"}, {"after"}}));
}

TEST(Fusion, ASecondReductionOverAnAxisStartsAnew) {
    graph_builder b("norms", 1);
    const index x = b.input("x", {4, 4});
    const index product = b.apply<op::mat_mul>("product", {x, b.parameter("w", {4, 4})});
    const index soft = b.apply<op::softmax>("soft", {product});
    const index scaled = b.apply<op::relu>("scaled", {soft});
    const index again = b.apply<op::softmax>("again", {scaled});
    attribute_set axes;
    axes.set("axes", std::vector<std::int64_t>{1});
    const index other = b.apply<op::mat_mul>("other", {again, b.parameter("v", {4, 4})});
    b.output(b.apply<op::reduce_sum>("total", {other}, axes));
    EXPECT_EQ(groups_of(finished(std::move(b))),
              (std::set<names>{{"product", "soft", "scaled"}, {"again"}, {"other"}, {"total"}}));
}

TEST(Fusion, ViewsDissolve) {
    graph_builder b("attention", 1);
    const index x = b.input("x", {1, 4, 8});
    const index raw = b.apply<op::reshape>("flat", {x, b.integers("shape", {4, 8})});
    const index joint = b.apply<op::mat_mul>("joint", {raw, b.parameter("w", {8, 16})});
    attribute_set axis;
    axis.set("axis", std::int64_t{1});
    const auto parts = b.apply_all<op::split>("parts", {joint, b.integers("sizes", {8, 8})}, axis);
    const index turned = b.apply<op::transpose>("turned", {parts[1]}, zoo::permutation({1, 0}));
    const index scores = b.apply<op::mat_mul>("scores", {parts[0], turned});
    const index shaped = b.apply<op::reshape>("shaped", {scores, b.integers("four", {1, 4, 4})});
    b.output(b.apply<op::softmax>("soft", {b.apply<op::mul>("scaled", {shaped, b.scalar("half", 0.5)})}));
    EXPECT_EQ(groups_of(finished(std::move(b))), (std::set<names>{{"flat", "joint", "parts", "turned"},
                                                                  {"scores", "shaped", "scaled", "soft"}}));
}

TEST(Fusion, AViewThatWaitsForMoreStandsAlone) {
    // The shape of the view is computed from the very result that it views.
    graph_builder b("dynamic", 1);
    const index product = b.apply<op::mat_mul>("product", {b.input("x", {4, 4}), b.parameter("w", {4, 4})});
    const index shape = b.apply<op::gather>("shape", {product, b.integers("rows", {0})});
    const index view = b.apply<op::reshape>("view", {product, b.integers("known", {16})});
    b.output(b.apply<op::relu>("active", {view}));
    operator_graph g = finished(std::move(b));
    g.operations[2].inputs[1] = shape;
    expect_sound(g, {}, fuse(g));
    EXPECT_EQ(groups_of(g), (std::set<names>{{"product"}, {"shape"}, {"view", "active"}}));
}

TEST(Fusion, WeightExpressionsAreInNoGroup) {
    graph_builder b("tied", 1);
    const index table = b.parameter("table", {8, 4});
    const index turned = b.apply<op::transpose>("turned", {table}, zoo::permutation({1, 0}));
    b.output(b.apply<op::mat_mul>("logits", {b.input("x", {2, 4}), turned}));
    const operator_graph g = finished(std::move(b));
    const fusion fused = fuse(g);
    ASSERT_EQ(fused.groups.size(), 1U);
    EXPECT_EQ(fused.group_of, (std::vector<index>{none, 0}));
}

TEST(Fusion, LabelsKeepApart) {
    graph_builder b("chain", 1);
    const index product = b.apply<op::mat_mul>("product", {b.input("x", {4, 4}), b.parameter("w", {4, 4})});
    const index turned = b.apply<op::transpose>("turned", {product}, zoo::permutation({1, 0}));
    b.output(b.apply<op::erf>("last", {b.apply<op::relu>("next", {turned})}));
    const operator_graph g = finished(std::move(b));
    EXPECT_EQ(groups_of(g), (std::set<names>{{"product", "turned", "next", "last"}}));
    EXPECT_EQ(groups_of(g, std::array<index, 4>{0, 0, 1, 1}),
              (std::set<names>{{"product", "turned"}, {"next", "last"}}));
    EXPECT_EQ(groups_of(g, std::array<index, 4>{0, 1, 1, 1}),
              (std::set<names>{{"product"}, {"turned", "next", "last"}}));
}

TEST(Fusion, ThePhasesOfTrainingFuseWithinThemselves) {
    graph_builder b("mlp", 4);
    index x = b.input("x", {4, 8});
    for (const std::string layer : {"1", "2"}) {
        const index product = b.apply<op::mat_mul>("product" + layer, {x, b.parameter("w" + layer, {8, 8})});
        x = b.apply<op::gelu>("gelu" + layer, {product});
    }
    b.output(x);
    const operator_graph training = training_graph(finished(std::move(b)), {.loss = false});
    const auto groups = groups_of(training);
    // The forward pass fuses although the backward pass reads the products' results again.
    EXPECT_TRUE(groups.contains({"product1", "gelu1"}));
    // The input gradient of the second product takes up the gradient of the activation before it.
    EXPECT_TRUE(groups.contains({"product2.gradient.0", "gelu1.gradient"}));
    EXPECT_TRUE(groups.contains({"gelu2.gradient"}));
    EXPECT_TRUE(groups.contains({"product1.gradient.1"}));
    EXPECT_TRUE(groups.contains({"w1.update"}));
}

/// A graph of operators of every class, with results used more than once, views of many kinds, weight
/// expressions and side paths. Shapes agree: all tensors are 4 x 4.
operator_graph random_graph(random_source& random, int operations) {
    graph_builder b("random", 4);
    std::vector<index> tensors{b.input("x", {4, 4}), b.input("y", {4, 4}), b.parameter("w", {4, 4}),
                               b.buffer("m", {4, 4})};
    const auto any = [&] {
        // The last few more often, so that chains arise.
        const auto size = static_cast<std::int64_t>(tensors.size());
        const std::int64_t from = random.integer(0, 2) == 0 ? 0 : std::max<std::int64_t>(0, size - 3);
        return tensors[static_cast<std::size_t>(random.integer(from, size - 1))];
    };
    attribute_set halves;
    halves.set("axis", std::int64_t{0});
    for (int v = 0; v < operations; ++v) {
        const std::string name = 'v' + to_text(v);
        switch (random.integer(0, 9)) {
        case 0:
        case 1:
            tensors.push_back(b.apply<op::mat_mul>(name, {any(), any()}));
            break;
        case 2:
            tensors.push_back(b.apply<op::softmax>(name, {any()}));
            break;
        case 3:
            tensors.push_back(b.apply<op::transpose>(name, {any()}, zoo::permutation({1, 0})));
            break;
        case 4: {
            const auto parts = b.apply_all<op::split>(name, {any(), b.integers("sizes", {2, 2})}, halves);
            tensors.push_back(b.apply<op::concat>(name + ".joined", {parts[1], parts[0]}, halves));
            break;
        }
        case 5: {
            attribute_set axes;
            axes.set("axes", std::vector<std::int64_t>{1});
            tensors.push_back(
                b.apply<op::add>(name + ".spread", {any(), b.apply<op::reduce_mean>(name, {any()}, axes)}));
            break;
        }
        case 6:
            tensors.push_back(b.apply<op::relu>(name, {any()}));
            break;
        default:
            tensors.push_back(b.apply<op::add>(name, {any(), any()}));
        }
    }
    b.output(tensors.back());
    if (random.integer(0, 3) == 0) b.output(any());
    return finished(std::move(b));
}

TEST(Fusion, NoGroupIsLeftAndEnteredAgain) {
    random_source random(21);
    for (int round = 0; round < 150; ++round) {
        const operator_graph forward = random_graph(random, static_cast<int>(random.integer(1, 25)));
        expect_sound(forward, {}, fuse(forward));
        std::vector<index> labels(forward.operations.size());
        for (index& label : labels) label = static_cast<index>(random.integer(0, 1));
        expect_sound(forward, labels, fuse(forward, labels));
        const operator_graph training = training_graph(forward, {.loss = false});
        expect_sound(training, {}, fuse(training));
        if (HasFailure()) FAIL() << "round " << round;
    }
}

TEST(Fusion, SurvivesDisguise) {
    random_source random(22);
    std::vector<operator_graph> graphs{training_graph(zoo::gpt(test::small_transformer, 2).value())};
    for (int round = 0; round < 40; ++round) graphs.push_back(random_graph(random, 20));
    for (const operator_graph& g : graphs) {
        // Operations that nothing tells apart may change places, so groups are compared by hashes.
        const auto hashes = structural_hashes(g);
        const auto described = [](const fusion& fused, const auto& hash_of) {
            std::multiset<std::pair<std::uint64_t, std::multiset<std::uint64_t>>> groups;
            for (const fused_group& group : fused.groups) {
                std::multiset<std::uint64_t> members;
                for (const index v : group.operations) members.insert(hash_of(v));
                groups.emplace(hash_of(group.head), members);
            }
            return groups;
        };
        const auto plain = described(fuse(g), [&](index v) { return hashes[v]; });
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const auto disguised = test::shuffled(g, seed);
            EXPECT_EQ(
                described(fuse(disguised.graph), [&](index v) { return hashes[disguised.operation[v]]; }),
                plain);
        }
    }
}

} // namespace
} // namespace dovetail::workload
