#include <dovetail/workload/zoo.hpp>

#include <dovetail/core/error.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/validate.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::workload {
namespace {

/// Parameters and multiply-accumulates a sequence, written out by hand from each architecture: h hidden, f
/// feed-forward, v vocabulary, s sequence, l layers.
struct expectation {
    std::string_view name;
    std::int64_t parameters;
    std::int64_t macs;
};

constexpr std::int64_t block_parameters(std::int64_t h) {
    return 12 * h * h + 13 * h;
} // f = 4 h, with biases
constexpr std::int64_t attention_macs(std::int64_t s, std::int64_t h) { return 2 * s * s * h; }

constexpr expectation gpt(std::string_view name, std::int64_t l, std::int64_t h, std::int64_t s,
                          std::int64_t v) {
    return {name, v * h + s * h + l * block_parameters(h) + 2 * h,
            l * (s * 12 * h * h + attention_macs(s, h)) + s * h * v};
}
constexpr expectation bert(std::string_view name, std::int64_t v) {
    constexpr std::int64_t l = 24, h = 1024, s = 512;
    const std::int64_t embeddings = (v + s + 2) * h;
    const std::int64_t head = h * h + h + 2 * h + v;
    return {name, embeddings + 2 * h + l * block_parameters(h) + head,
            l * (s * 12 * h * h + attention_macs(s, h)) + s * h * h + s * h * v};
}
constexpr expectation opt() {
    constexpr std::int64_t l = 24, h = 1024, s = 2048, v = 50272, w = 512;
    return {"opt-350m", v * w + 2050 * h + 2 * w * h + l * block_parameters(h),
            l * (s * 12 * h * h + attention_macs(s, h)) + 2 * s * w * h + s * w * v};
}
constexpr expectation llama() {
    constexpr std::int64_t l = 32, h = 4096, s = 4096, v = 32000, f = 11008;
    return {"llama2-7b", 2 * v * h + l * (4 * h * h + 3 * h * f + 2 * h) + h,
            l * (s * (4 * h * h + 3 * h * f) + attention_macs(s, h)) + s * h * v};
}

constexpr expectation expectations[] = {
    bert("bert-large", 30522),
    gpt("gpt2-xl", 48, 1600, 1024, 50257),
    opt(),
    llama(),
    bert("megatron-bert", 29056),
    gpt("megatron-gpt2-2.5b", 54, 1920, 1024, 51200),
    gpt("megatron-gpt2-8.3b", 72, 3072, 1024, 51200),
    gpt("gpt3-175b", 96, 12288, 2048, 51200),
};
// Published counts.
static_assert(expectations[0].parameters == 335'174'458);
static_assert(expectations[1].parameters == 1'557'611'200);
static_assert(expectations[2].parameters == 331'196'416);
static_assert(expectations[3].parameters == 6'738'415'616 && expectations[3].macs == 31'460'635'443'200);

class zoo_model : public testing::TestWithParam<expectation> {};

TEST_P(zoo_model, has_the_parameters_and_products_of_its_architecture) {
    for (const std::int64_t batch : {1, 3}) {
        const auto graph = make_model(GetParam().name, batch);
        ASSERT_TRUE(graph.has_value());
        EXPECT_EQ(count_parameters(*graph), GetParam().parameters);
        EXPECT_EQ(count_macs(*graph), static_cast<double>(batch * GetParam().macs));
        EXPECT_EQ(graph->batch, batch);
        EXPECT_EQ(graph->name, GetParam().name);
    }
}

TEST_P(zoo_model, is_valid_and_infers_to_itself) {
    const auto graph = make_model(GetParam().name, 2);
    ASSERT_TRUE(graph.has_value());
    EXPECT_TRUE(validate(*graph).has_value());
    operator_graph again = *graph;
    ASSERT_TRUE(infer_shapes(again).has_value());
    for (std::size_t t = 0; t < again.tensors.size(); ++t)
        EXPECT_EQ(again.tensors[t].dims, graph->tensors[t].dims) << again.tensors[t].name;
}

TEST_P(zoo_model, has_heads_that_its_widths_divide) {
    const auto graph = make_model(GetParam().name, 1);
    ASSERT_TRUE(graph.has_value());
    const auto widths = default_tensor_widths(GetParam().name);
    ASSERT_FALSE(widths.empty());
    for (const std::int64_t width : widths) EXPECT_EQ(graph->attention_heads % width, 0);
}

INSTANTIATE_TEST_SUITE_P(all, zoo_model, testing::ValuesIn(expectations), [](const auto& instance) {
    std::string name(instance.param.name);
    for (char& c : name)
        if (c == '-' || c == '.') c = '_';
    return name;
});

TEST(zoo, lists_every_model_once) {
    std::vector<std::string_view> expected;
    for (const expectation& e : expectations) expected.push_back(e.name);
    EXPECT_EQ(zoo_names(), expected);
}

TEST(zoo, knows_the_published_widths) {
    const auto widths = [](std::string_view name) {
        const auto span = default_tensor_widths(name);
        return std::vector<std::int64_t>(span.begin(), span.end());
    };
    EXPECT_EQ(widths("gpt2-xl"), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(widths("megatron-gpt2-2.5b"), (std::vector<std::int64_t>{1, 2, 4}));
    EXPECT_EQ(widths("gpt3-175b"), (std::vector<std::int64_t>{4, 8}));
    EXPECT_EQ(widths("somebody else's"), (std::vector<std::int64_t>{1}));
}

TEST(zoo, names_the_known_models_where_one_is_unknown) {
    const auto graph = make_model("gpt5", 1);
    ASSERT_FALSE(graph.has_value());
    EXPECT_EQ(graph.problem().code, errc::unknown_name);
    EXPECT_EQ(graph.problem().line(), "model 'gpt5': no model of the zoo has this name; known are "
                                      "bert-large, gpt2-xl, opt-350m, llama2-7b, "
                                      "megatron-bert, megatron-gpt2-2.5b, megatron-gpt2-8.3b, gpt3-175b");
    const auto empty = make_model("gpt2-xl", 0);
    ASSERT_FALSE(empty.has_value());
    EXPECT_EQ(empty.problem().code, errc::out_of_range);
}

} // namespace
} // namespace dovetail::workload
