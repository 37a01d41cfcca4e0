#include <dovetail/workload/counts.hpp>

#include <dovetail/workload/builder.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace dovetail::workload {
namespace {

// x W + x W^T b: W and x are used twice.
operator_graph tied() {
    graph_builder b("tied", 2);
    const index x = b.input("x", {2, 8});
    const index w = b.parameter("w", {8, 8});
    const index y = b.apply<op::mat_mul>("y", {x, w});
    const index turned = b.apply<op::transpose>("turned", {w});
    const index z = b.apply<op::mat_mul>("z", {y, turned});
    b.output(b.apply<op::add>("sum", {b.apply<op::add>("biased", {z, b.parameter("b", {8})}), y}));
    b.buffer("mask", {100});
    return *std::move(b).finish();
}

TEST(counts, take_a_tied_tensor_once_and_buffers_not_at_all) { EXPECT_EQ(count_parameters(tied()), 72); }

TEST(counts, take_every_product) { EXPECT_EQ(count_macs(tied()), 2 * (2 * 8 * 8)); }

TEST(counts, take_every_use_of_a_result_as_an_edge) {
    // y -> z, turned -> z, z -> biased, biased -> sum, y -> sum
    EXPECT_EQ(count_edges(tied()), 5u);
}

TEST(counts, list_operators_by_name) {
    const auto operators = count_operators(tied());
    EXPECT_EQ(operators.size(), 3u);
    EXPECT_EQ(operators.at("MatMul"), 2u);
    EXPECT_EQ(operators.at("Add"), 2u);
    EXPECT_EQ(operators.at("Transpose"), 1u);
}

TEST(counts, saturate) {
    operator_graph g;
    for (int i = 0; i < 4; ++i)
        g.add(tensor{.name = "w", .role = tensor_role::parameter, .dims = {std::int64_t{1} << 62}});
    EXPECT_EQ(count_parameters(g), std::numeric_limits<std::int64_t>::max());
}

} // namespace
} // namespace dovetail::workload
