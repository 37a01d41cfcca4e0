// Training graphs and tensor-parallel slices of real models.
#include <dovetail/ext/onnx/import.hpp>

#include <dovetail/core/text.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/tensor_parallel.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/zoo.hpp>

#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::workload {
namespace {

/// The fields of a row of models.csv in front of the first quoted one.
std::vector<std::string> row_of(const std::filesystem::path& table, std::string_view file) {
    std::ifstream rows(table);
    for (std::string row; std::getline(rows, row);) {
        if (!row.starts_with(file)) continue;
        std::istringstream fields(row);
        std::vector<std::string> values;
        for (std::string value; std::getline(fields, value, ',');) values.push_back(value);
        return values;
    }
    return {};
}

/// Whether a parameter is among what `t` is made of: a search of its own, backwards from the tensor.
bool made_of_parameters(const operator_graph& g, const std::vector<index>& producer, std::vector<int>& memo,
                        index t) {
    if (t == none) return false;
    if (memo[t] >= 0) return memo[t] == 1;
    bool found = g.tensors[t].role == tensor_role::parameter;
    if (producer[t] != none)
        for (const index source : g.operations[producer[t]].inputs)
            found = made_of_parameters(g, producer, memo, source) || found;
    memo[t] = found ? 1 : 0;
    return found;
}

/// Multiply-accumulates of the operand gradients that nobody needs.
double unneeded(const operator_graph& g) {
    const std::vector<index> producer = producers(g);
    std::vector<int> memo(g.tensors.size(), -1);
    double macs = 0;
    for (const operation& op : g.operations) {
        const double product = descriptor(op.type).product(operand_view(g, op).get()).macs();
        for (std::size_t i = 0; product > 0 && i < 2; ++i)
            if (!made_of_parameters(g, producer, memo, op.inputs[i])) macs += product;
    }
    return macs;
}

class real_model : public testing::TestWithParam<const char*> {};

TEST_P(real_model, trains_for_three_forward_passes_less_what_nobody_needs) {
    DOVETAIL_SHARED_OR_SKIP(file, std::string("models/") + GetParam());
    DOVETAIL_SHARED_OR_SKIP(table, "models/models.csv");
    const auto row = row_of(table, GetParam());
    ASSERT_GT(row.size(), 12u);
    const auto forward = ext::onnx::import_onnx_file(file);
    ASSERT_TRUE(forward.has_value()) << forward.problem().line();
    const operator_graph training = training_graph(*forward);
    double macs = 0;
    std::size_t updates = 0;
    for (const operation& op : training.operations) {
        macs += product_of(training, op).macs();
        updates += op.phase == phase::update ? 1u : 0u;
    }
    const auto published = parse_number<double>(row[7]);
    ASSERT_TRUE(published.has_value());
    EXPECT_EQ(macs, 3 * *published - unneeded(*forward));
    EXPECT_EQ(to_text(updates), row[10]); // parameter tensors
}

INSTANTIATE_TEST_SUITE_P(files, real_model,
                         testing::Values("bert_base_b1_s512.onnx", "gpt2_124m_b1_s1024.onnx",
                                         "inception_v3_b1.onnx", "llama2_7b_b1_s4096.onnx",
                                         "mobilenet_v3_large_b1.onnx", "mobilenet_v3_large_b32.onnx",
                                         "resnet50_b32.onnx"),
                         [](const auto& instance) {
                             const std::string_view name(instance.param);
                             return std::string(name.substr(0, name.find('.')));
                         });

TEST(real_models, need_every_gradient_but_that_of_an_image) {
    DOVETAIL_SHARED_OR_SKIP(resnet, "models/resnet50_b32.onnx");
    const auto graph = ext::onnx::import_onnx_file(resnet);
    ASSERT_TRUE(graph.has_value());
    EXPECT_EQ(unneeded(*graph), 32.0 * 112 * 112 * 64 * 3 * 49); // the first convolution
    DOVETAIL_SHARED_OR_SKIP(bert, "models/bert_base_b1_s512.onnx");
    const auto encoder = ext::onnx::import_onnx_file(bert);
    ASSERT_TRUE(encoder.has_value());
    EXPECT_EQ(unneeded(*encoder), 0);
}

struct real_split {
    const char* file;
    std::int64_t width;
    std::int64_t layers;
    dimensions trunk;
    std::int64_t shared_parameters;
};

class real_slice : public testing::TestWithParam<real_split> {};

TEST_P(real_slice, adds_up_to_the_model) {
    const real_split& m = GetParam();
    DOVETAIL_SHARED_OR_SKIP(file, std::string("models/") + m.file);
    const auto whole = ext::onnx::import_onnx_file(file);
    ASSERT_TRUE(whole.has_value()) << whole.problem().line();
    const auto slice = tensor_parallel(*whole, m.width);
    ASSERT_TRUE(slice.has_value()) << slice.problem().line();

    operator_graph again = slice->graph;
    ASSERT_TRUE(infer_shapes(again).has_value());
    for (std::size_t t = 0; t < again.tensors.size(); ++t)
        EXPECT_EQ(again.tensors[t].dims, slice->graph.tensors[t].dims) << again.tensors[t].name;

    double macs = 0;
    for (std::size_t v = 0; v < slice->graph.operations.size(); ++v)
        macs += product_of(slice->graph, slice->graph.operations[v]).macs() *
                (slice->sharded[v] ? static_cast<double>(m.width) : 1.0);
    EXPECT_EQ(macs, count_macs(*whole));
    EXPECT_EQ(count_parameters(slice->graph),
              count_parameters(*whole) - m.shared_parameters + m.shared_parameters / m.width);

    const operator_graph training = training_graph(slice->graph);
    const demand of(training);
    std::int64_t forward = 0, backward = 0;
    for (index v = 0; v < training.operations.size(); ++v) {
        const operation& op = training.operations[v];
        if (of(v).reduced_elements == 0) continue;
        EXPECT_EQ(training.tensors[op.outputs[0]].dims, m.trunk) << op.name;
        (op.phase == phase::forward ? forward : backward) += 1;
    }
    EXPECT_EQ(forward, 2 * m.layers);
    EXPECT_EQ(backward, 2 * m.layers);
}

constexpr std::int64_t block(std::int64_t h) {
    return 12 * h * h + 7 * h;
} // weights, and biases in front of activations

INSTANTIATE_TEST_SUITE_P(
    files, real_slice,
    testing::Values(real_split{"gpt2_124m_b1_s1024.onnx", 4, 12, {1, 1024, 768}, 12 * block(768)},
                    real_split{"bert_base_b1_s512.onnx", 3, 12, {1, 512, 768}, 12 * block(768)},
                    real_split{"llama2_7b_b1_s4096.onnx",
                               8,
                               32,
                               {1, 4096, 4096},
                               32 * (4 * std::int64_t{4096} * 4096 + 3 * std::int64_t{4096} * 11008)}),
    [](const auto& instance) {
        const std::string_view name(instance.param.file);
        return std::string(name.substr(0, name.find('.')));
    });

TEST(real_models, of_convolutions_are_not_split) {
    DOVETAIL_SHARED_OR_SKIP(file, "models/resnet50_b32.onnx");
    const auto whole = ext::onnx::import_onnx_file(file);
    ASSERT_TRUE(whole.has_value());
    const auto slice = tensor_parallel(*whole, 2);
    ASSERT_FALSE(slice.has_value());
    EXPECT_EQ(slice.problem().code, errc::unsupported);
}

TEST(real_models, the_zoos_llama_equals_the_file) {
    DOVETAIL_SHARED_OR_SKIP(file, "models/llama2_7b_b1_s4096.onnx");
    const auto imported = ext::onnx::import_onnx_file(file);
    ASSERT_TRUE(imported.has_value());
    const operator_graph made = make_model("llama2-7b", 1).value();
    EXPECT_EQ(count_parameters(made), count_parameters(*imported));
    EXPECT_EQ(count_macs(made), count_macs(*imported));
    EXPECT_EQ(made.attention_heads, imported->attention_heads);
}

} // namespace
} // namespace dovetail::workload
