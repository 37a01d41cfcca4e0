#include <dovetail/workload/layer_pass.hpp>

#include "workload/small_transformer.hpp"

#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/workload/layers.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::small_transformer;

struct trained {
    operator_graph graph;
    layer_structure layers;
    std::vector<index> labels;
    fusion fused;
};

trained train(const operator_graph& forward) {
    trained t{.graph = training_graph(forward),
              .layers = detect_layers(forward, fuse(forward)),
              .labels = {},
              .fused = {}};
    t.labels = training_labels(t.graph, t.layers.layer_of);
    t.fused = fuse(t.graph, t.labels);
    return t;
}

TEST(LayerPass, HoldsEveryGroupThatCostsAnythingOnce) {
    const trained t = train(zoo::gpt(small_transformer, 2).value());
    const demand price(t.graph);
    std::multiset<index> found;
    for (const auto& [first, last] :
         {std::pair{phase::forward, phase::forward}, std::pair{phase::input_gradient, phase::weight_gradient},
          std::pair{phase::update, phase::update}}) {
        const auto layers = passes(t.graph, t.fused, t.labels, first, last);
        EXPECT_EQ(layers.size(), t.layers.layers.size());
        for (index l = 0; l < layers.size(); ++l)
            for (const index k : layers[l].groups) {
                found.insert(k);
                for (const index v : t.fused.groups[k].operations) {
                    EXPECT_EQ(t.labels[v], l);
                    EXPECT_TRUE(first <= t.graph.operations[v].phase && t.graph.operations[v].phase <= last);
                }
            }
    }
    std::multiset<index> costly;
    for (index k = 0; k < t.fused.groups.size(); ++k)
        if (!price(t.fused.groups[k].operations).empty()) costly.insert(k);
    EXPECT_EQ(found, costly);
}

TEST(LayerPass, WaitsForWhatLiesBehindViews) {
    const trained t = train(zoo::bert(small_transformer, 2).value());
    const graph::digraph quotient = precedence(t.graph, t.fused);
    const auto layers = passes(t.graph, t.fused, t.labels, phase::input_gradient, phase::weight_gradient);
    const auto reaches = [&](index from, index to, index layer) {
        std::vector<index> walk{from};
        std::set<index> seen;
        while (!walk.empty()) {
            const index k = walk.back();
            walk.pop_back();
            for (const index w : quotient.successors(k)) {
                if (w == to) return true;
                if (t.labels[t.fused.groups[w].head] == layer && seen.insert(w).second) walk.push_back(w);
            }
        }
        return false;
    };
    for (index l = 0; l < layers.size(); ++l) {
        const layer_pass& pass = layers[l];
        const auto order = graph::topological_order(pass.precedence).value();
        const graph::reachability waits(pass.precedence, order);
        for (index i = 0; i < pass.groups.size(); ++i)
            for (index j = 0; j < pass.groups.size(); ++j)
                EXPECT_EQ(waits.reaches(i, j), reaches(pass.groups[i], pass.groups[j], l));
    }
}

TEST(LayerPass, EqualLayersAskForTheSameInTheSameOrder) {
    for (const operator_graph& forward :
         {zoo::gpt(small_transformer, 2).value(), zoo::llama(small_transformer, 2).value()}) {
        const trained t = train(forward);
        const demand price(t.graph);
        for (const auto& [first, last] : {std::pair{phase::forward, phase::forward},
                                          std::pair{phase::input_gradient, phase::weight_gradient}}) {
            const auto layers = passes(t.graph, t.fused, t.labels, first, last);
            for (std::size_t l = 1; l < layers.size(); ++l) {
                if (t.layers.layers[l].id != t.layers.layers[l - 1].id) continue;
                // The result of the last layer has one user, so no gradients are added up there.
                const bool last_of_run =
                    l + 1 == layers.size() || t.layers.layers[l + 1].id != t.layers.layers[l].id;
                if (first != phase::forward && last_of_run) continue;
                ASSERT_EQ(layers[l].groups.size(), layers[l - 1].groups.size());
                for (std::size_t k = 0; k < layers[l].groups.size(); ++k)
                    EXPECT_EQ(price(t.fused.groups[layers[l].groups[k]].operations),
                              price(t.fused.groups[layers[l - 1].groups[k]].operations));
                EXPECT_TRUE(std::ranges::equal(layers[l].precedence.arcs(), layers[l - 1].precedence.arcs()));
            }
        }
    }
}

} // namespace
} // namespace dovetail::workload
