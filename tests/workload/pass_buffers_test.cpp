#include <dovetail/workload/pass_buffers.hpp>

#include "workload/small_transformer.hpp"

#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/layers.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::small_transformer;

struct fused_training {
    operator_graph graph;
    std::vector<index> labels;
    fusion fused;

    explicit fused_training(const operator_graph& forward) : graph(training_graph(forward)) {
        labels = training_labels(graph, detect_layers(forward, fuse(forward)).layer_of);
        fused = fuse(graph, labels);
    }
};

constexpr std::pair<phase, phase> passes_of_training[]{{phase::forward, phase::forward},
                                                       {phase::input_gradient, phase::weight_gradient}};

// Both derive who waits for whom, one from the groups and one from the tensors. They differ where a group
// begins with a view: others wait for the group, and read what the view shows.
TEST(PassBuffers, LeadFromProducersToConsumersAsThePrecedenceDoes) {
    for (const operator_graph& forward :
         {zoo::gpt(small_transformer, 2).value(), zoo::bert(small_transformer, 1).value()}) {
        const fused_training t(forward);
        std::size_t same = 0;
        for (const auto& [first, last] : passes_of_training) {
            const std::vector<layer_pass> layers = passes(t.graph, t.fused, t.labels, first, last);
            const auto buffers = pass_buffers(t.graph, t.fused, t.labels, layers);
            ASSERT_EQ(buffers.size(), layers.size());
            for (index l = 0; l < layers.size(); ++l) {
                const graph::digraph& waits = layers[l].precedence;
                const graph::reachability reaches(waits, graph::topological_order(waits).value());
                std::set<std::pair<index, index>> read;
                for (const pass_buffer& b : buffers[l])
                    for (const index v : b.consumers)
                        if (b.producer != none && b.producer != v) read.insert({b.producer, v});
                for (const auto& [u, v] : read) EXPECT_TRUE(reaches.reaches(u, v)) << l;
                for (const graph::arc& a : waits.arcs()) {
                    const index head = t.fused.groups[layers[l].groups[a.source]].operations.front();
                    const operation& op = t.graph.operations[head];
                    if (is_view(op) || op.phase == phase::weight_gradient) continue;
                    EXPECT_EQ(read.count({a.source, a.target}), 1) << forward.name << ", layer " << l;
                    ++same;
                }
            }
        }
        EXPECT_GT(same, 50);
    }
}

// By hand: 2 samples of 4 tokens, 8 features, 16 inner ones, 2 heads.
TEST(PassBuffers, OfATransformerLayerAreThoseOfAPaper) {
    const fused_training t(zoo::gpt(small_transformer, 2).value());
    const auto layers = passes(t.graph, t.fused, t.labels, phase::forward, phase::forward);
    const auto buffers = pass_buffers(t.graph, t.fused, t.labels, layers);
    constexpr double tokens = 2 * 4;
    // Of a middle layer: its input enters, is read by the norm and by the residual sum, and is kept for the
    // gradient of the norm.
    const auto enters = [](const pass_buffer& b) { return b.producer == none; };
    const std::vector<pass_buffer>& middle = buffers[buffers.size() / 2];
    ASSERT_EQ(std::count_if(middle.begin(), middle.end(), enters), 1);
    const pass_buffer& input = *std::find_if(middle.begin(), middle.end(), enters);
    EXPECT_EQ(input.volume, data_volume{.elements = tokens * 8});
    EXPECT_EQ(input.consumers.size(), 2);
    EXPECT_TRUE(input.kept);
    // The scores of 2 heads over 4 x 4 positions, and the inner features, are among what is kept.
    std::multiset<double> kept;
    std::multiset<double> masks;
    for (const pass_buffer& b : middle)
        if (b.kept) (b.volume.elements > 0 ? kept : masks).insert(b.volume.size_bytes());
    EXPECT_GE(kept.count(2 * 2 * 2 * 4 * 4), 1U);
    EXPECT_GE(kept.count(2 * tokens * 16), 1U);
    // The masks of three dropouts, a byte an element: after the scores and before both residual sums.
    EXPECT_EQ(masks, (std::multiset<double>{2 * 2 * 4 * 4, tokens * 8, tokens * 8}));
}

// Korthikanti et al. 2022, section 4.1: s b h (34 + 5 a s / h) bytes are kept of a layer, masks included; the
// result of the layer, which the next one keeps, is made here.
TEST(PassBuffers, KeepForTheBackwardPassWhatALayerStashes) {
    zoo::transformer m = small_transformer;
    m.feed_forward = 4 * m.hidden;
    const fused_training t(zoo::gpt(m, 2).value());
    const auto layers = passes(t.graph, t.fused, t.labels, phase::forward, phase::forward);
    const auto buffers = pass_buffers(t.graph, t.fused, t.labels, layers);
    constexpr double sbh = 4 * 2 * 8;
    constexpr double as2b = 2 * 4 * 4 * 2;
    double kept_bytes = 0;
    for (const pass_buffer& b : buffers[buffers.size() / 2])
        if (b.kept) kept_bytes += b.volume.size_bytes();
    EXPECT_EQ(kept_bytes, 34 * sbh + 5 * as2b + 2 * sbh);
}

TEST(PassBuffers, OfABackwardPassAreFreedWhenTheirLastReaderIsDone) {
    const fused_training t(zoo::gpt(small_transformer, 2).value());
    const auto layers = passes(t.graph, t.fused, t.labels, phase::input_gradient, phase::weight_gradient);
    const auto buffers = pass_buffers(t.graph, t.fused, t.labels, layers);
    const std::vector<pass_buffer>& middle = buffers[buffers.size() / 2];
    std::size_t freed = 0;
    std::size_t passed_on = 0;
    for (const pass_buffer& b : middle) (b.kept ? passed_on : freed) += 1;
    // What leaves the layer is the gradient of its input: by the residual path, and by the norm.
    EXPECT_EQ(passed_on, 2);
    EXPECT_GT(freed, 5);
}

} // namespace
} // namespace dovetail::workload
