#include <dovetail/workload/builder.hpp>

#include <dovetail/core/error.hpp>
#include <dovetail/workload/operators.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace dovetail::workload {
namespace {

TEST(graph_builder, infers_the_shape_of_every_result) {
    graph_builder b("net", 3);
    const auto x = b.input("x", {3, 8});
    const auto y = b.apply<op::mat_mul>("y", {x, b.parameter("w", {8, 6})});
    attribute_set axis;
    axis.set("axis", std::int64_t{1});
    const auto parts = b.apply_all<op::split>("parts", {y, b.integers("sizes", {2, 4})}, axis);
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(b[y].dims, (dimensions{3, 6}));
    EXPECT_EQ(b[parts[0]].dims, (dimensions{3, 2}));
    EXPECT_EQ(b[parts[1]].dims, (dimensions{3, 4}));
    b.output(parts[1]);
    b.attention_heads(2);
    const auto graph = std::move(b).finish();
    ASSERT_TRUE(graph.has_value());
    EXPECT_EQ(graph->name, "net");
    EXPECT_EQ(graph->batch, 3);
    EXPECT_EQ(graph->attention_heads, 2);
    EXPECT_EQ(graph->operations.size(), 2u);
    EXPECT_EQ(graph->outputs, std::vector{parts[1]});
    EXPECT_EQ(graph->tensors[x].role, tensor_role::input);
    EXPECT_EQ(graph->tensors[parts[1]].role, tensor_role::activation);
}

TEST(graph_builder, reports_the_first_mistake_and_skips_the_rest) {
    graph_builder b("net", 1);
    const auto x = b.input("x", {1, 8});
    const auto wrong = b.apply<op::mat_mul>("first", {x, b.parameter("w", {7, 6})});
    EXPECT_EQ(wrong, none);
    EXPECT_EQ(b.apply<op::relu>("second", {wrong}), none);
    EXPECT_TRUE(b.apply_all<op::relu>("third", {x}).empty());
    const auto graph = std::move(b).finish();
    ASSERT_FALSE(graph.has_value());
    EXPECT_EQ(graph.problem().code, errc::shape);
    EXPECT_EQ(graph.problem().line(),
              "net: MatMul 'first': the operands [1,8] and [7,6] disagree in the inner dimension; the last "
              "dimension of the first equals the last but one of the second");
}

TEST(graph_builder, refuses_an_empty_batch) {
    const auto graph = graph_builder("net", 0).finish();
    ASSERT_FALSE(graph.has_value());
    EXPECT_EQ(graph.problem().code, errc::out_of_range);
    EXPECT_EQ(graph.problem().line(), "net: a batch of 0 samples; a batch holds at least one sample");
}

} // namespace
} // namespace dovetail::workload
