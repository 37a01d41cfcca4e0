#include <dovetail/workload/layers.hpp>

#include "graphs.hpp"
#include "workload/small_transformer.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/zoo.hpp>

#include <support/shuffled_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::finished;

layer_structure layers_of(const operator_graph& g) { return detect_layers(g, fuse(g)); }

index most_repeats(const layer_structure& structure) {
    index most = 0;
    for (const layer_run& run : layer_summary(structure)) most = std::max(most, run.repeats);
    return most;
}

/// Checks what every layer structure must satisfy.
void expect_sound(const operator_graph& g, const layer_structure& s) {
    std::vector<int> times(g.operations.size(), 0);
    index next_id = 0;
    for (index k = 0; k < s.layers.size(); ++k) {
        EXPECT_LE(s.layers[k].id, next_id);
        next_id = std::max(next_id, s.layers[k].id + 1);
        EXPECT_FALSE(s.layers[k].operations.empty());
        for (const index v : s.layers[k].operations) {
            ++times[v];
            EXPECT_EQ(s.layer_of[v], k);
        }
    }
    EXPECT_EQ(std::count(times.begin(), times.end(), 1), static_cast<std::ptrdiff_t>(times.size()));
    const graph::digraph flow = dataflow(g);
    for (const graph::arc& a : flow.arcs()) EXPECT_LE(s.layer_of[a.source], s.layer_of[a.target]);

    // Equal ids have equal operators.
    std::map<index, std::multiset<std::string>> operators;
    for (const layer& l : s.layers) {
        std::multiset<std::string> mine;
        for (const index v : l.operations) mine.insert(std::string(descriptor(g.operations[v].type).name));
        const auto [place, added] = operators.emplace(l.id, mine);
        EXPECT_EQ(place->second, mine);
    }
    std::size_t operations = 0;
    for (const layer_run& run : layer_summary(s)) operations += std::size_t{run.repeats} * run.operators;
    EXPECT_EQ(operations, g.operations.size());
}

/// For every operation of the original the layer that it has in disguise.
void expect_survives_disguise(const operator_graph& g, std::uint64_t seeds) {
    const layer_structure plain = layers_of(g);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto disguised = test::shuffled(g, seed);
        const layer_structure same = layers_of(disguised.graph);
        std::vector<index> layer_of(g.operations.size());
        for (index v = 0; v < layer_of.size(); ++v) layer_of[disguised.operation[v]] = same.layer_of[v];
        EXPECT_EQ(layer_of, plain.layer_of);
        ASSERT_EQ(same.layers.size(), plain.layers.size());
        for (std::size_t k = 0; k < plain.layers.size(); ++k)
            EXPECT_EQ(same.layers[k].id, plain.layers[k].id);
        for (std::size_t k = 0; k < plain.boundaries.size(); ++k) {
            std::vector<index> crossing;
            for (const index t : same.boundaries[k]) crossing.push_back(disguised.tensor[t]);
            std::sort(crossing.begin(), crossing.end());
            EXPECT_EQ(crossing, plain.boundaries[k]);
        }
    }
}

TEST(Layers, EveryModelOfTheZooHasItsPublishedNumber) {
    for (const zoo::model_entry& entry : zoo::models) {
        SCOPED_TRACE(entry.dimensions.name);
        const operator_graph g = entry.build(entry.dimensions, 1).value();
        const layer_structure s = layers_of(g);
        EXPECT_EQ(most_repeats(s), entry.dimensions.layers);
        // Only the hidden state passes from one transformer layer to the next.
        for (std::size_t k = 0; k + 1 < s.layers.size(); ++k) {
            if (s.layers[k].id != s.layers[k + 1].id) continue;
            ASSERT_EQ(s.boundaries[k].size(), 1U);
            EXPECT_EQ(g.tensors[s.boundaries[k][0]].elements(),
                      entry.dimensions.sequence * entry.dimensions.hidden);
        }
        expect_sound(g, s);
    }
}

using test::small_transformer;

TEST(Layers, SurviveDisguise) {
    auto post_norm = small_transformer;
    post_norm.pre_norm = false;
    expect_survives_disguise(zoo::gpt(small_transformer, 1).value(), 10);
    expect_survives_disguise(zoo::bert(post_norm, 1).value(), 10);
    expect_survives_disguise(zoo::llama(small_transformer, 1).value(), 10);
}

TEST(Layers, AreTheSameAtEveryBatch) {
    const layer_structure one = layers_of(zoo::gpt(small_transformer, 1).value());
    const layer_structure many = layers_of(zoo::gpt(small_transformer, 8).value());
    EXPECT_EQ(one.layer_of, many.layer_of);
}

TEST(Layers, TheLastOneIsFreeOfTheFinalNormalization) {
    // The residual sum of the last layer has one user, the final normalization, and fuses with it; the layer
    // must equal the others nevertheless.
    const operator_graph g = zoo::gpt(small_transformer, 1).value();
    const layer_structure s = layers_of(g);
    const auto runs = layer_summary(s);
    ASSERT_EQ(runs.size(), 3U);
    EXPECT_EQ(runs[1].repeats, 3U);
    const layer& head = s.layers.back();
    EXPECT_TRUE(std::any_of(head.operations.begin(), head.operations.end(), [&](index v) {
        return g.operations[v].type == type_of<op::layer_normalization>;
    }));
}

TEST(Layers, AreNotCutThroughFusedGroupsWhereNothingIsGained) {
    // Normalization after the residual sum: "sum | norm" repeats as often as "norm | sum".
    auto post_norm = small_transformer;
    post_norm.pre_norm = false;
    const operator_graph g = zoo::bert(post_norm, 1).value();
    const fusion fused = fuse(g);
    const layer_structure s = detect_layers(g, fused);
    EXPECT_EQ(most_repeats(s), 3U);
    for (const fused_group& group : fused.groups)
        for (const index v : group.operations) EXPECT_EQ(s.layer_of[v], s.layer_of[group.head]);
}

/// A convolution, its normalization and its activation.
index convolution(graph_builder& b, const std::string& name, index x, std::int64_t in, std::int64_t out) {
    const index y = b.apply<op::conv>(name, {x, b.parameter(name + ".w", {out, in, 1, 1})});
    const index normal = b.apply<op::batch_normalization>(
        name + ".norm", {y, b.parameter(name + ".scale", {out}), b.parameter(name + ".shift", {out}),
                         b.buffer(name + ".mean", {out}), b.buffer(name + ".variance", {out})});
    return b.apply<op::relu>(name + ".relu", {normal});
}

TEST(Layers, SegmentsOfAConvolutionalNet) {
    graph_builder b("net", 1);
    index x = convolution(b, "stem", b.input("image", {1, 3, 8, 8}), 3, 8);
    attribute_set window;
    window.set("kernel_shape", std::vector<std::int64_t>{2, 2});
    window.set("strides", std::vector<std::int64_t>{2, 2});
    x = b.apply<op::max_pool>("pool", {x}, window);
    x = b.apply<op::add>("shortcut.sum",
                         {convolution(b, "left", x, 8, 16), convolution(b, "right", x, 8, 16)});
    for (const std::string block : {"one", "two", "three"})
        x = b.apply<op::add>(
            block + ".sum",
            {x, convolution(b, block + ".b", convolution(b, block + ".a", x, 16, 16), 16, 16)});
    x = b.apply<op::flatten>("flat", {b.apply<op::global_average_pool>("mean", {x})});
    b.output(b.apply<op::mat_mul>("classes", {x, b.parameter("w", {16, 10})}));
    const operator_graph g = finished(std::move(b));
    const layer_structure s = layers_of(g);
    std::vector<std::array<index, 2>> found;
    for (const layer_run& run : layer_summary(s)) found.push_back({run.repeats, run.operators});
    // The pool goes with what follows, as the mean and the flattening do.
    EXPECT_EQ(found, (std::vector<std::array<index, 2>>{{1, 3}, {1, 8}, {3, 7}, {1, 3}}));
    expect_sound(g, s);
    expect_survives_disguise(g, 5);
}

TEST(Layers, SidePathsBelongToTheirUserOrToTheFirstLayer) {
    graph_builder b("masked", 1);
    const index mask = b.input("mask", {1, 4});
    const index shared = b.apply<op::neg>("shared", {mask});
    index x = b.apply<op::gather>("embed",
                                  {b.parameter("table", {9, 4}), b.input("ids", {1}, element_type::int64)});
    for (const std::string block : {"one", "two"}) {
        const index own = b.apply<op::exp>(block + ".own", {mask});
        const index weight = b.apply<op::transpose>(block + ".turned", {b.parameter(block + ".w", {4, 4})},
                                                    zoo::permutation({1, 0}));
        const index masked =
            b.apply<op::add>(block + ".masked", {b.apply<op::mul>(block + ".mul", {x, own}), shared});
        x = b.apply<op::mat_mul>(block + ".product", {masked, weight});
    }
    b.output(x);
    const operator_graph g = finished(std::move(b));
    const layer_structure s = layers_of(g);
    ASSERT_EQ(s.layers.size(), 3U);
    for (index v = 0; v < g.operations.size(); ++v) {
        const std::string& name = g.operations[v].name;
        EXPECT_EQ(s.layer_of[v], name.starts_with("one") ? 1U : name.starts_with("two") ? 2U : 0U) << name;
    }
    EXPECT_EQ(s.layers[1].id, s.layers[2].id);
    // The shared mask crosses both boundaries, the weights none.
    const std::vector<index> producer = producers(g);
    for (const auto& [boundary, expected] : {std::pair{0U, std::set<std::string>{"embed", "shared"}},
                                             std::pair{1U, std::set<std::string>{"one.product", "shared"}}}) {
        std::set<std::string> crossing;
        for (const index t : s.boundaries[boundary]) crossing.insert(g.operations[producer[t]].name);
        EXPECT_EQ(crossing, expected);
    }
}

TEST(Layers, AreNotCutBeforeTheLastSource) {
    for (const bool exchanged : {false, true}) {
        graph_builder b("embeddings", 1);
        const index ids = b.input("ids", {2}, element_type::int64);
        const index words = b.parameter("words", {exchanged ? 7 : 9, 4});
        const index kinds = b.parameter("kinds", {exchanged ? 9 : 7, 4});
        const index sum = b.apply<op::add>(
            "sum", {b.apply<op::gather>("word", {words, ids}), b.apply<op::gather>("kind", {kinds, ids})});
        b.output(b.apply<op::mat_mul>("product", {sum, b.parameter("w", {4, 4})}));
        EXPECT_EQ(layers_of(finished(std::move(b))).layer_of, (std::vector<index>{0, 0, 0, 1}));
    }
}

TEST(Layers, ResultsBesideTheMainOneStayWithTheirSource) {
    // Every block gives its keys to the outside, as a decoder does that fills a cache.
    graph_builder b("cache", 1);
    index x = b.apply<op::gather>("embed",
                                  {b.parameter("table", {9, 4}), b.input("ids", {1}, element_type::int64)});
    for (const std::string block : {"one", "two", "three"}) {
        const index key = b.apply<op::mat_mul>(block + ".key", {x, b.parameter(block + ".k", {4, 4})});
        b.output(b.apply<op::relu>(block + ".cached", {key}));
        const index value = b.apply<op::mat_mul>(block + ".value", {key, b.parameter(block + ".v", {4, 4})});
        x = b.apply<op::add>(block + ".sum", {x, b.apply<op::erf>(block + ".erf", {value})});
    }
    b.output(x);
    const operator_graph g = finished(std::move(b));
    const layer_structure s = layers_of(g);
    EXPECT_EQ(most_repeats(s), 3U);
    for (index v = 0; v < g.operations.size(); ++v)
        if (g.operations[v].name == "two.cached") {
            EXPECT_EQ(s.layer_of[v], 2U);
        }
    expect_sound(g, s);
}

TEST(Layers, AViewThatCrossesCountsOnceAsWhatItShows) {
    graph_builder b("views", 1);
    index x = b.input("x", {2, 4});
    for (const std::string block : {"one", "two"}) {
        x = b.apply<op::mat_mul>(block + ".product", {x, b.parameter(block + ".w", {4, 4})});
        x = b.apply<op::reshape>(block + ".view", {x, b.integers("shape", {1, 2, 4})});
    }
    b.output(x);
    const operator_graph g = finished(std::move(b));
    const layer_structure s = layers_of(g);
    ASSERT_EQ(s.boundaries.size(), 1U);
    EXPECT_EQ(s.boundaries[0], (std::vector<index>{g.operations[0].outputs[0]}));
}

TEST(Layers, AGraphWithoutATrunkIsOneLayer) {
    graph_builder b("plain", 1);
    b.output(b.apply<op::relu>("relu", {b.input("x", {4})}));
    const layer_structure s = layers_of(finished(std::move(b)));
    ASSERT_EQ(s.layers.size(), 1U);
    EXPECT_EQ(s.layers[0].operations, (std::vector<index>{0}));
    EXPECT_TRUE(layers_of(operator_graph{}).layers.empty());
}

} // namespace
} // namespace dovetail::workload
