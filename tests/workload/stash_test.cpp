#include <dovetail/workload/stash.hpp>

#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/tensor_parallel.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

constexpr zoo::transformer decoder{.name = "decoder",
                                   .layers = 3,
                                   .hidden = 24,
                                   .heads = 4,
                                   .sequence = 7,
                                   .feed_forward = 96,
                                   .vocabulary = 29,
                                   .positions = 7};
constexpr std::int64_t samples = 3;

/// Layer i + 1 for the operations of "layer.i", 0 before and layers + 1 behind them.
std::vector<index> labels_of(const operator_graph& g) {
    std::vector<index> labels;
    index here = 0;
    bool inside = false;
    for (const operation& op : g.operations) {
        const bool layer = op.name.starts_with("layer.");
        if (layer) here = static_cast<index>(std::stoul(op.name.substr(6))) + 1;
        if (!layer && inside) ++here;
        inside = layer;
        labels.push_back(here);
    }
    return labels;
}

constexpr double sbh(const zoo::transformer& m) {
    return static_cast<double>(m.sequence * samples * m.hidden);
}
constexpr double as2b(const zoo::transformer& m) {
    return static_cast<double>(m.heads * m.sequence * m.sequence * samples);
}

TEST(stash, of_a_gpt_layer_is_that_of_korthikanti) {
    // Korthikanti et al. 2022, section 4.1: s b h (34 + 5 a s / h) bytes, of which 2 s b h + a s^2 b are
    // masks.
    const operator_graph g = zoo::gpt(decoder, samples).value();
    const auto kept = stash(g, labels_of(g));
    ASSERT_EQ(kept.size(), 5u);
    for (std::size_t layer = 1; layer <= 3; ++layer) {
        EXPECT_EQ(kept[layer].size_bytes(), 34 * sbh(decoder) + 5 * as2b(decoder));
        EXPECT_EQ(kept[layer].discrete_bytes, 2 * sbh(decoder) + as2b(decoder));
    }
}

TEST(stash, without_dropout_is_what_the_products_and_norms_read) {
    zoo::transformer m = decoder;
    m.dropout = false;
    const double attention = 2 + 2   // operand of the first norm, and of queries, keys and values
                             + 3 * 2 // queries, keys and values
                             + 2;    // operand of the output projection
    const double mlp = 2 + 2         // operand of the second norm, and of the first linear layer
                       + 8           // operand of GELU
                       + 8;          // operand of the second linear layer
    const double weights = 2;        // result of the softmax, which is the operand of the context as well
    const operator_graph g = zoo::gpt(m, samples).value();
    const auto kept = stash(g, labels_of(g));
    for (std::size_t layer = 1; layer <= 3; ++layer) {
        EXPECT_EQ(kept[layer].size_bytes(), (attention + mlp) * sbh(m) + weights * as2b(m));
        EXPECT_EQ(kept[layer].discrete_bytes, 0);
    }
    EXPECT_EQ(attention + mlp, 32);
}

TEST(stash, of_a_relu_keeps_its_result_only) {
    zoo::transformer m = decoder;
    m.pre_norm = false;
    m.word_embedding = 8;
    const operator_graph g = zoo::opt(m, samples).value();
    const auto kept = stash(g, labels_of(g));
    EXPECT_EQ(kept[2].size_bytes(), (34 - 8) * sbh(m) + 5 * as2b(m));
}

TEST(stash, of_a_slice_divides_what_is_shared) {
    // Korthikanti et al. 2022, section 4.2.1: s b h (10 + 24 / t + 5 a s / (h t)).
    const operator_graph g = zoo::gpt(decoder, samples).value();
    for (const std::int64_t t : {2, 4}) {
        const auto slice = tensor_parallel(g, t);
        ASSERT_TRUE(slice.has_value());
        const std::vector<index> whole = labels_of(g);
        std::vector<index> labels;
        for (const index v : slice->origin) labels.push_back(whole[v]);
        const auto kept = stash(slice->graph, labels);
        const auto width = static_cast<double>(t);
        for (std::size_t layer = 1; layer <= 3; ++layer)
            EXPECT_EQ(kept[layer].size_bytes(), (10 + 24 / width) * sbh(decoder) + 5 * as2b(decoder) / width);
    }
}

TEST(stash, of_a_training_graph_is_that_of_its_forward_part) {
    const operator_graph g = zoo::gpt(decoder, samples).value();
    const std::vector<index> labels = labels_of(g);
    const operator_graph training = training_graph(g, {.loss = false});
    const auto kept = stash(training, training_labels(training, labels));
    const auto expected = stash(g, labels);
    ASSERT_EQ(kept.size(), expected.size());
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i].size_bytes(), expected[i].size_bytes());
}

TEST(stash, counts_a_tensor_once_and_parameters_never) {
    graph_builder b("net", 2);
    const index x = b.input("x", {2, 6});
    const index y = b.apply<op::mat_mul>("y", {x, b.parameter("w", {6, 6})});
    const index left = b.apply<op::mat_mul>("left", {y, b.parameter("w1", {6, 3})});
    const index right =
        b.apply<op::mat_mul>("right", {b.apply<op::identity>("view", {y}), b.parameter("w2", {6, 3})});
    b.output(b.apply<op::add>("sum", {left, right}));
    const operator_graph g = std::move(b).finish().value();
    const auto kept = stash(g, std::vector<index>{0, 1, 1, 2, 2});
    ASSERT_EQ(kept.size(), 3u);
    EXPECT_EQ(kept[0].elements, 2 * 6); // the data, for the weight's gradient
    EXPECT_EQ(kept[1].elements, 2 * 6); // y, for both
    EXPECT_EQ(kept[2].elements, 0);
    EXPECT_EQ(kept[0].size_bytes(4), 2 * 6 * 4);
}

TEST(stash, of_numbers_and_truth_values_is_in_their_own_size) {
    // The tokens that say where the gradient of a table goes, and the condition of a choice.
    graph_builder b("net", 2);
    const index tokens = b.input("tokens", {2, 3}, element_type::int64);
    const index words = b.apply<op::gather>("words", {b.parameter("table", {50, 4}), tokens});
    const index kinds = b.apply<op::gather>("kinds", {b.parameter("kind", {2, 4}), tokens});
    const index condition = b.input("condition", {2, 3, 4}, element_type::boolean);
    b.output(b.apply<op::where>("chosen", {condition, words, kinds}));
    const operator_graph g = std::move(b).finish().value();
    const auto kept = stash(g, std::vector<index>{0, 0, 1});
    EXPECT_EQ(kept[0], (data_volume{.elements = 0, .discrete_bytes = 2 * 3 * 8}));
    EXPECT_EQ(kept[1], (data_volume{.elements = 0, .discrete_bytes = 2 * 3 * 4}));
}

TEST(working_elements, are_the_gradients_alive_at_once) {
    // y = exp(x w) twice over 4 x 8: going backwards, the gradient of a result and of an operand are alive
    // together.
    graph_builder b("chain", 4);
    index x = b.input("x", {4, 8});
    for (const char* name : {"0", "1"}) {
        x = b.apply<op::mat_mul>(std::string("p") + name, {x, b.parameter(std::string("w") + name, {8, 8})});
        x = b.apply<op::exp>(std::string("e") + name, {x});
    }
    b.output(x);
    const operator_graph training = training_graph(std::move(b).finish().value(), {.loss = false});
    const auto labels = training_labels(training, std::vector<index>{0, 0, 1, 1});
    // Forward, a product's result lives until its exponential, which is stashed; backward, one gradient is
    // read and one written at a time. The gradient that enters the last layer is data of the graph.
    EXPECT_EQ(working_elements(training, labels), (std::vector<double>{2 * 32, 2 * 32}));
}

TEST(working_elements, of_a_layer_do_not_grow_with_the_number_of_layers) {
    const operator_graph g = training_graph(zoo::gpt(decoder, samples).value());
    zoo::transformer deeper = decoder;
    deeper.layers = 6;
    const operator_graph h = training_graph(zoo::gpt(deeper, samples).value());
    const operator_graph g0 = zoo::gpt(decoder, samples).value();
    const operator_graph h0 = zoo::gpt(deeper, samples).value();
    const auto few = working_elements(g, training_labels(g, labels_of(g0)));
    const auto many = working_elements(h, training_labels(h, labels_of(h0)));
    EXPECT_EQ(few[2], many[2]);
    EXPECT_EQ(few[1], many[1]);
    EXPECT_GE(few[2], 2 * as2b(decoder)); // the scores' gradient and that of the weights
    EXPECT_LT(few[2], 34 * sbh(decoder) + 5 * as2b(decoder));
}

} // namespace
} // namespace dovetail::workload
