#include <dovetail/workload/shapes.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace dovetail::workload {
namespace {

using test::attributes;
using testing::HasSubstr;

// What an exporter writes for x.reshape(batch, sequence, 4, -1) with sizes read from x.
operator_graph with_shape_arithmetic() {
    operator_graph g;
    g.batch = 2;
    const index x = g.add(tensor{.name = "x", .role = tensor_role::input, .dims = {2, 6, 32}});
    const auto list = [&](std::vector<std::int64_t> values) { return g.add(test::list(std::move(values))); };
    const auto apply = [&](operator_type type, std::vector<index> inputs, attribute_set settings = {}) {
        const index result = g.add(tensor{.name = "t"});
        g.add(operation{.type = type,
                        .name = "op",
                        .inputs = std::move(inputs),
                        .outputs = {result},
                        .attributes = std::move(settings)});
        return result;
    };
    const index shape = apply(type_of<op::shape>, {x});
    const index batch = apply(type_of<op::gather>, {shape, list({0})});
    const index width = apply(type_of<op::gather>, {shape, list({2})});
    const index heads = list({4});
    const index head_width = apply(type_of<op::div>, {width, heads});
    const index target = apply(type_of<op::concat>, {batch, list({-1}), heads, head_width},
                               attributes({{"axis", std::int64_t{0}}}));
    g.outputs = {apply(type_of<op::reshape>, {x, target})};
    return g;
}

TEST(infer_shapes, folds_shape_arithmetic) {
    operator_graph g = with_shape_arithmetic();
    ASSERT_TRUE(infer_shapes(g).has_value());
    EXPECT_EQ(g.tensors[g.outputs[0]].dims, (dimensions{2, 6, 4, 8}));
}

TEST(infer_shapes, takes_operations_in_any_order) {
    operator_graph g = with_shape_arithmetic();
    std::reverse(g.operations.begin(), g.operations.end());
    ASSERT_TRUE(infer_shapes(g).has_value());
    EXPECT_EQ(g.tensors[g.outputs[0]].dims, (dimensions{2, 6, 4, 8}));
}

TEST(infer_shapes, replaces_what_was_there) {
    operator_graph g = with_shape_arithmetic();
    ASSERT_TRUE(infer_shapes(g).has_value());
    g.tensors[0].dims = {5, 3, 16};
    ASSERT_TRUE(infer_shapes(g).has_value());
    EXPECT_EQ(g.tensors[g.outputs[0]].dims, (dimensions{5, 3, 4, 4}));
}

operator_graph single(operator_type type, std::vector<tensor> inputs, std::size_t results = 1,
                      attribute_set settings = {}) {
    operator_graph g;
    operation op{.type = type, .name = "it", .attributes = std::move(settings)};
    for (tensor& x : inputs) {
        x.role = x.role == tensor_role::activation ? tensor_role::input : x.role;
        op.inputs.push_back(g.add(std::move(x)));
    }
    for (std::size_t r = 0; r < results; ++r) op.outputs.push_back(g.add(tensor{.name = "y"}));
    g.add(std::move(op));
    return g;
}

TEST(infer_shapes, names_the_operation_of_a_mistake) {
    operator_graph g = single(type_of<op::add>, {test::shaped({2, 3}), test::shaped({4})});
    const auto done = infer_shapes(g);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.problem().code, errc::shape);
    EXPECT_EQ(done.problem().line(),
              "Add 'it': shapes [2,3] and [4] do not broadcast; each pair of dimensions "
              "must be equal, or one of them 1");
}

TEST(infer_shapes, refuses_results_that_the_operator_has_not) {
    operator_graph g = single(type_of<op::relu>, {test::shaped({2, 3})}, 2);
    EXPECT_THAT(infer_shapes(g).problem().line(), HasSubstr("Relu 'it': it has 2 results where there are 1"));
}

TEST(infer_shapes, notices_sizes_beyond_64_bits) {
    const std::int64_t large = std::int64_t{1} << 40;
    operator_graph g = single(type_of<op::add>, {test::shaped({large, 1}), test::shaped({large})});
    const auto done = infer_shapes(g);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.problem().code, errc::overflow);
    operator_graph given = single(type_of<op::relu>, {test::shaped({large, large})});
    EXPECT_EQ(infer_shapes(given).problem().code, errc::overflow);
    operator_graph hidden = single(type_of<op::relu>, {test::shaped({large, 0, large})});
    EXPECT_EQ(infer_shapes(hidden).problem().code, errc::overflow);
}

TEST(infer_shapes, notices_negative_extents) {
    operator_graph given = single(type_of<op::relu>, {test::shaped({2, -3})});
    EXPECT_THAT(infer_shapes(given).problem().line(), HasSubstr("tensor 'x': its shape is [2,-3]"));
    operator_graph computed = single(type_of<op::expand>, {test::shaped({1}), test::list({-4})});
    EXPECT_THAT(infer_shapes(computed).problem().line(), HasSubstr("[-4]; extents are not negative"));
}

TEST(infer_shapes, bounds_rank_and_known_lists) {
    const std::vector<std::int64_t> many(40, 1);
    operator_graph g = single(type_of<op::reshape>, {test::shaped({1}), test::list(many)});
    EXPECT_THAT(infer_shapes(g).problem().line(), HasSubstr("40 dimensions"));
    const std::vector<std::int64_t> data(200, 7);
    operator_graph joined = single(type_of<op::concat>, {test::list(data), test::list(data)}, 1,
                                   attributes({{"axis", std::int64_t{0}}}));
    ASSERT_TRUE(infer_shapes(joined).has_value());
    EXPECT_EQ(joined.tensors.back().dims, dimensions{400});
    EXPECT_TRUE(joined.tensors.back().integers.empty()) << "a list of that length is data";
}

} // namespace
} // namespace dovetail::workload
