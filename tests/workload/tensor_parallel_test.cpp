#include <dovetail/workload/tensor_parallel.hpp>

#include <dovetail/core/error.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/sharding.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/validate.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

double macs(const operator_graph& g, const std::vector<bool>& sharded, bool which) {
    double sum = 0;
    for (std::size_t v = 0; v < g.operations.size(); ++v)
        if (sharded[v] == which) sum += product_of(g, g.operations[v]).macs();
    return sum;
}

/// Elements reduced over the tensor group in a training step, forward and backward.
std::pair<double, double> reduced(const operator_graph& forward) {
    const operator_graph g = training_graph(forward);
    const demand of(g);
    std::pair<double, double> sum;
    for (index v = 0; v < g.operations.size(); ++v)
        (g.operations[v].phase == phase::forward ? sum.first : sum.second) += of(v).reduced_elements;
    return sum;
}

void expect_shapes_agree(const operator_graph& g) {
    ASSERT_TRUE(validate(g).has_value());
    operator_graph again = g;
    const auto inferred = infer_shapes(again);
    ASSERT_TRUE(inferred.has_value()) << inferred.problem().line();
    for (std::size_t t = 0; t < g.tensors.size(); ++t)
        EXPECT_EQ(again.tensors[t].dims, g.tensors[t].dims) << g.tensors[t].name;
}

/// The linear indices of share `part` of `parts` along one axis of a tensor.
std::set<std::int64_t> share_of(const dimensions& dims, std::size_t axis, std::int64_t parts,
                                std::int64_t part) {
    std::int64_t elements = 1, behind = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        elements *= dims[i];
        if (i > axis) behind *= dims[i];
    }
    const std::int64_t size = dims[axis] / parts;
    std::set<std::int64_t> chosen;
    for (std::int64_t e = 0; e < elements; ++e)
        if (e / behind % dims[axis] / size == part) chosen.insert(e);
    return chosen;
}

TEST(reshaped_axis, keeps_the_shares_elements) {
    random_source random(3);
    int kept = 0;
    for (int round = 0; round < 2000; ++round) {
        // Two random ways to write the same 24 or 36 elements.
        const auto factors = [&](std::int64_t elements) {
            dimensions dims;
            while (elements > 1 && dims.size() < 4) {
                const std::int64_t f = random.integer(1, 6);
                if (elements % f != 0) continue;
                dims.push_back(f);
                elements /= f;
            }
            dims.push_back(elements);
            return dims;
        };
        const std::int64_t elements = random.integer(0, 1) == 0 ? 24 : 36;
        const dimensions from = factors(elements);
        const dimensions to = factors(elements);
        const auto axis =
            static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(from.size()) - 1));
        const std::int64_t parts = 2;
        if (from[axis] % parts != 0) continue;
        const auto place = reshaped_axis(from, to, axis);
        if (!place || to[*place] % parts != 0) continue;
        ++kept;
        for (std::int64_t part = 0; part < parts; ++part)
            EXPECT_EQ(share_of(from, axis, parts, part), share_of(to, *place, parts, part));
    }
    EXPECT_GT(kept, 200);
}

TEST(reshaped_axis, splits_and_joins_heads) {
    const dimensions features{2, 5, 12};
    const dimensions heads{2, 5, 3, 4};
    EXPECT_EQ(reshaped_axis(features, heads, 2), 2u);
    EXPECT_EQ(reshaped_axis(heads, features, 2), 2u);
    EXPECT_EQ(reshaped_axis(heads, features, 3),
              std::nullopt); // a part of every head is no block of features
    EXPECT_EQ(reshaped_axis(features, dimensions{10, 12}, 2), 1u);
    EXPECT_EQ(reshaped_axis(features, dimensions{10, 12}, 1), std::nullopt);
    EXPECT_EQ(reshaped_axis(features, dimensions{2, 5, 1, 12, 1}, 2), 3u);
    EXPECT_EQ(reshaped_axis(features, dimensions{2, 5, 13}, 2), std::nullopt);
}

struct split_model {
    std::string_view name;
    std::int64_t width;
    std::int64_t layers;
    std::int64_t sequence;
    std::int64_t hidden;
    std::int64_t
        shared_parameters; ///< by hand: weights of the blocks, and biases in front of their activations
};

class slice_of : public testing::TestWithParam<split_model> {};

TEST_P(slice_of, adds_up_to_the_model) {
    const split_model& m = GetParam();
    const operator_graph whole = make_model(m.name, 2).value();
    const auto slice = tensor_parallel(whole, m.width);
    ASSERT_TRUE(slice.has_value()) << slice.problem().line();
    const operator_graph& g = slice->graph;
    expect_shapes_agree(g);
    ASSERT_EQ(slice->sharded.size(), g.operations.size());
    ASSERT_EQ(slice->origin.size(), g.operations.size());

    EXPECT_EQ(static_cast<double>(m.width) * macs(g, slice->sharded, true) + macs(g, slice->sharded, false),
              count_macs(whole));
    EXPECT_EQ(count_parameters(g),
              count_parameters(whole) - m.shared_parameters + m.shared_parameters / m.width);
    EXPECT_EQ(g.attention_heads * m.width, whole.attention_heads);

    const auto counts = count_operators(g);
    EXPECT_EQ(counts.at("AllReduceForward"), static_cast<std::size_t>(2 * m.layers));
    EXPECT_EQ(counts.at("AllReduceBackward"), static_cast<std::size_t>(2 * m.layers));
    const auto layer = static_cast<double>(2 * 2 * m.sequence * m.hidden); // twice b s h
    const auto [forward, backward] = reduced(g);
    EXPECT_EQ(forward, layer * static_cast<double>(m.layers));
    EXPECT_EQ(backward, layer * static_cast<double>(m.layers));
    for (const operation& op : g.operations)
        if (reduces(op)) {
            EXPECT_EQ(g.tensors[op.outputs[0]].dims, (dimensions{2, m.sequence, m.hidden}));
        }
}

TEST_P(slice_of, leaves_embeddings_norms_and_head_whole) {
    const operator_graph whole = make_model(GetParam().name, 1).value();
    const tensor_slice slice = tensor_parallel(whole, GetParam().width).value();
    for (std::size_t v = 0; v < slice.graph.operations.size(); ++v) {
        const operation& op = slice.graph.operations[v];
        const operation& source = whole.operations[slice.origin[v]];
        if (op.type == source.type) {
            EXPECT_EQ(op.name, source.name);
        }
        const bool norm =
            op.type == type_of<op::layer_normalization> || op.type == type_of<op::rms_normalization>;
        if (norm || op.type == type_of<op::gather> || op.name.starts_with("head")) {
            EXPECT_FALSE(slice.sharded[v]) << op.name;
        }
        if (op.name.ends_with(".scores") || op.name.ends_with(".weights")) {
            EXPECT_TRUE(slice.sharded[v]) << op.name;
        }
    }
}

constexpr std::int64_t block(std::int64_t h) {
    return 12 * h * h + 3 * h + 4 * h;
} // 4 h^2 + 8 h^2, two biases

INSTANTIATE_TEST_SUITE_P(
    zoo, slice_of,
    testing::Values(split_model{"bert-large", 4, 24, 512, 1024, 24 * block(1024)},
                    split_model{"gpt2-xl", 5, 48, 1024, 1600, 48 * block(1600)},
                    split_model{"opt-350m", 2, 24, 2048, 1024, 24 * block(1024)},
                    split_model{"llama2-7b", 8, 32, 4096, 4096, 32 * (4 * 4096L * 4096 + 3 * 4096L * 11008)},
                    split_model{"megatron-bert", 8, 24, 512, 1024, 24 * block(1024)},
                    split_model{"megatron-gpt2-2.5b", 4, 54, 1024, 1920, 54 * block(1920)},
                    split_model{"megatron-gpt2-8.3b", 8, 72, 1024, 3072, 72 * block(3072)},
                    split_model{"gpt3-175b", 8, 96, 2048, 12288, 96 * block(12288)}),
    [](const auto& instance) {
        std::string name(instance.param.name);
        for (char& c : name)
            if (c == '-' || c == '.') c = '_';
        return name;
    });

TEST(tensor_parallel, of_width_one_is_the_model) {
    const operator_graph whole = make_model("opt-350m", 1).value();
    const tensor_slice slice = tensor_parallel(whole, 1).value();
    ASSERT_EQ(slice.graph.operations.size(), whole.operations.size());
    for (index v = 0; v < whole.operations.size(); ++v) {
        EXPECT_EQ(slice.graph.operations[v].inputs, whole.operations[v].inputs);
        EXPECT_EQ(slice.origin[v], v);
        EXPECT_FALSE(slice.sharded[v]);
    }
    EXPECT_EQ(count_parameters(slice.graph), count_parameters(whole));
}

TEST(tensor_parallel, refuses_widths_that_do_not_fit) {
    const operator_graph gpt = make_model("gpt2-xl", 1).value();
    const auto line = [](const result<tensor_slice>& slice) {
        return slice.has_value() ? std::string("no error") : slice.problem().line();
    };
    EXPECT_EQ(line(tensor_parallel(gpt, 0)), "gpt2-xl: a tensor width of 0; it is at least 1");
    EXPECT_EQ(line(tensor_parallel(gpt, 2)),
              "gpt2-xl: 25 attention heads cannot be shared by 2 devices; the tensor "
              "width must divide the number of heads");
    EXPECT_EQ(tensor_parallel(gpt, 2).problem().code, errc::out_of_range);

    zoo::transformer odd = zoo::find("bert-large")->dimensions;
    odd.layers = 1;
    odd.feed_forward = 4097;
    EXPECT_EQ(line(tensor_parallel(zoo::bert(odd, 1).value(), 2)),
              "bert-large: tensor 'layer.0.mlp.up.weight': its axis 1 of 4097 elements cannot be shared by 2 "
              "devices; the tensor width must divide it");

    graph_builder b("cnn", 1);
    b.output(b.apply<op::conv>("conv", {b.input("x", {1, 3, 8, 8}), b.parameter("w", {4, 3, 3, 3})}));
    const operator_graph cnn = std::move(b).finish().value();
    EXPECT_EQ(line(tensor_parallel(cnn, 2)),
              "cnn: a tensor width of 2 for a model without attention heads; use a width of 1");
    EXPECT_EQ(tensor_parallel(cnn, 2).problem().code, errc::unsupported);
}

/// A feed-forward block of Gemms with transposed weights and biases.
operator_graph gemm_block(bool with_residual_inside) {
    graph_builder b("mlp", 4);
    b.attention_heads(2);
    attribute_set turned;
    turned.set("transB", std::int64_t{1});
    const index x = b.apply<op::gemm>("in", {b.input("data", {4, 6}), b.parameter("w0", {6, 6})});
    const index norm = zoo::layer_norm(b, "norm", x, 6);
    index y = b.apply<op::gemm>("up", {norm, b.parameter("w1", {8, 6}), b.parameter("b1", {8})}, turned);
    y = b.apply<op::relu>("act", {y});
    if (with_residual_inside)
        y = b.apply<op::add>("inner", {y, b.apply<op::gemm>("side", {x, b.parameter("w3", {6, 8})})});
    y = b.apply<op::gemm>("down", {y, b.parameter("w2", {6, 8}), b.parameter("b2", {6})}, turned);
    b.output(b.apply<op::add>("sum", {x, y}));
    return std::move(b).finish().value();
}

TEST(tensor_parallel, adds_the_bias_of_a_gemm_after_the_reduction) {
    const tensor_slice slice = tensor_parallel(gemm_block(false), 2).value();
    expect_shapes_agree(slice.graph);
    const auto find = [&](std::string_view name) {
        return *std::find_if(slice.graph.operations.begin(), slice.graph.operations.end(),
                             [&](const operation& op) { return op.name == name; });
    };
    const auto dims = [&](index t) { return slice.graph.tensors[t].dims; };
    EXPECT_EQ(dims(find("up").inputs[1]), (dimensions{4, 6}));
    EXPECT_EQ(dims(find("up").inputs[2]), (dimensions{4}));
    EXPECT_EQ(dims(find("down").inputs[1]), (dimensions{6, 4}));
    EXPECT_EQ(find("down").inputs.size(), 2u);
    EXPECT_EQ(find("down.reduced").inputs, find("down").outputs);
    EXPECT_EQ(find("down.bias").inputs[0], find("down.reduced").outputs[0]);
    EXPECT_EQ(dims(find("down.bias").inputs[1]), (dimensions{6}));
    EXPECT_EQ(find("sum").inputs[1], find("down.bias").outputs[0]);
    EXPECT_EQ(count_parameters(slice.graph), 36 + 12 + (48 + 8 + 48) / 2 + 6);
}

TEST(tensor_parallel, leaves_products_whole_that_meet_a_whole_activation) {
    // "side" comes from another tensor, so that the sum inside the block joins shares with a whole.
    const auto slice = tensor_parallel(gemm_block(true), 2);
    ASSERT_FALSE(slice.has_value());
    EXPECT_EQ(slice.problem().line(), "mlp: none of its products can be shared out; use a tensor width of 1");
}

TEST(find_sharding, leaves_a_weight_whole_that_has_other_uses) {
    graph_builder b("net", 2);
    const index w = b.parameter("w", {8, 8});
    const index x = b.apply<op::mat_mul>("in", {b.input("data", {2, 8}), b.parameter("w0", {8, 8})});
    const index norm = zoo::layer_norm(b, "norm", x, 8);
    const index y = b.apply<op::mat_mul>("up", {norm, w});
    b.output(b.apply<op::add>("sum",
                              {x, b.apply<op::mat_mul>("down", {y, b.apply<op::transpose>("turned", {w})})}));
    const operator_graph g = std::move(b).finish().value();
    EXPECT_TRUE(find_sharding(g).columns.empty());
}

TEST(find_sharding, cuts_a_mask_that_differs_by_head) {
    // As GPT, but with scores biased by head: the bias is a buffer over heads.
    graph_builder b("net", 2);
    b.attention_heads(4);
    const zoo::transformer m{.name = "net",
                             .layers = 1,
                             .hidden = 8,
                             .heads = 4,
                             .sequence = 3,
                             .feed_forward = 8,
                             .vocabulary = 5,
                             .positions = 3};
    const index x = zoo::layer_norm(
        b, "norm", b.apply<op::mat_mul>("in", {b.input("data", {2, 3, 8}), b.parameter("w", {8, 8})}), 8);
    const index y = zoo::attention(b, m, "attention", x, {.mask = b.buffer("alibi", {4, 1, 3})});
    b.output(zoo::layer_norm(b, "out", b.apply<op::add>("sum", {x, y}), 8));
    const operator_graph whole = std::move(b).finish().value();
    const tensor_slice slice = tensor_parallel(whole, 4).value();
    expect_shapes_agree(slice.graph);
    const auto masked = std::find_if(slice.graph.operations.begin(), slice.graph.operations.end(),
                                     [](const operation& op) { return op.name == "attention.masked"; });
    EXPECT_EQ(slice.graph.tensors[masked->inputs[1]].dims, (dimensions{1, 1, 3}));
}

} // namespace
} // namespace dovetail::workload
