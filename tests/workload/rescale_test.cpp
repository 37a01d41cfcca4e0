#include <dovetail/workload/rescale.hpp>

#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/counts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::workload {
namespace {

using test::attributes;
using test::ints;
using testing::HasSubstr;

// Attention with constant targets, as exporters write them: `merged` folds heads into the batch dimension,
// and `sequence_first` has the batch as the second dimension, as Megatron does.
operator_graph attention(std::int64_t batch, bool merged, bool sequence_first = false) {
    constexpr std::int64_t length = 6, heads = 4, width = 32;
    const auto leading = [&](std::int64_t b, std::int64_t s) {
        return sequence_first ? std::vector{s, b} : std::vector{b, s};
    };
    graph_builder g("attention", batch);
    index x = g.input("x", {batch, length, width});
    if (sequence_first) x = g.apply<op::transpose>("turned", {x}, attributes({{"perm", ints({1, 0, 2})}}));
    std::vector<std::int64_t> target = leading(batch, length);
    target.insert(target.end(), {heads, width / heads});
    const index split = g.integers("split", target); // one constant, three uses
    const auto project = [&](const char* name) {
        const index y = g.apply<op::mat_mul>(name, {x, g.parameter("w", {width, width})});
        const index z = g.apply<op::reshape>(name, {y, split});
        const auto perm = sequence_first ? ints({1, 2, 0, 3}) : ints({0, 2, 1, 3});
        const index turned = g.apply<op::transpose>(name, {z}, attributes({{"perm", perm}}));
        if (!merged) return turned;
        return g.apply<op::reshape>(name,
                                    {turned, g.integers("merge", {batch * heads, length, width / heads})});
    };
    const index q = project("q"), k = project("k"), v = project("v");
    const auto last_two = merged ? ints({0, 2, 1}) : ints({0, 1, 3, 2});
    const index scores = g.apply<op::mat_mul>(
        "scores", {q, g.apply<op::transpose>("kt", {k}, attributes({{"perm", last_two}}))});
    index context = g.apply<op::mat_mul>("context", {g.apply<op::softmax>("softmax", {scores}), v});
    if (merged)
        context = g.apply<op::reshape>("parted",
                                       {context, g.integers("part", {batch, heads, length, width / heads})});
    const auto back = sequence_first ? ints({2, 0, 1, 3}) : ints({0, 2, 1, 3});
    context = g.apply<op::transpose>("back", {context}, attributes({{"perm", back}}));
    std::vector<std::int64_t> joined = leading(batch, length);
    joined.push_back(width);
    const index y = g.apply<op::reshape>("joined", {context, g.integers("join", joined)});
    const index rows = g.apply<op::reshape>("rows", {y, g.integers("flat", {batch * length, width})});
    const index z = g.apply<op::gemm>("projected", {rows, g.parameter("w", {width, width})});
    g.output(g.apply<op::reshape>("result", {z, g.integers("unflat", joined)}));
    return *std::move(g).finish();
}

void expect_same(const operator_graph& a, const operator_graph& b) {
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (index t = 0; t < a.tensors.size(); ++t) {
        EXPECT_EQ(a.tensors[t].dims, b.tensors[t].dims) << a.tensors[t].name;
        if (a.tensors[t].role == tensor_role::constant) {
            EXPECT_EQ(a.tensors[t].integers, b.tensors[t].integers) << a.tensors[t].name;
        }
    }
    EXPECT_EQ(a.batch, b.batch);
    EXPECT_EQ(count_macs(a), count_macs(b));
}

TEST(with_batch, equals_the_model_written_at_that_batch) {
    for (const bool merged : {false, true})
        for (const bool sequence_first : {false, true})
            for (const std::int64_t from : {1, 2, 3, 6, 8})
                for (const std::int64_t to : {1, 2, 3, 6, 12}) {
                    SCOPED_TRACE(testing::Message()
                                 << merged << sequence_first << ' ' << from << " -> " << to);
                    const auto rescaled = with_batch(attention(from, merged, sequence_first), to);
                    ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
                    expect_same(*rescaled, attention(to, merged, sequence_first));
                }
}

TEST(with_batch, copies_a_constant_whose_uses_disagree) {
    graph_builder b("shared", 1);
    const index x = b.input("x", {1, 12});
    const index table = b.parameter("table", {12});
    const index target = b.integers("target", {1, 3, 4});
    const index y = b.apply<op::reshape>("y", {x, target});
    const index z = b.apply<op::reshape>("z", {table, target});
    b.output(b.apply<op::add>("sum", {y, z}));
    const auto rescaled = with_batch(*std::move(b).finish(), 5);
    ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
    EXPECT_EQ(rescaled->tensors[y].dims, (dimensions{5, 3, 4}));
    EXPECT_EQ(rescaled->tensors[z].dims, (dimensions{1, 3, 4}));
    EXPECT_EQ(rescaled->tensors[target].integers, ints({1, 3, 4}));
    EXPECT_EQ(rescaled->tensors[rescaled->outputs[0]].dims, (dimensions{5, 3, 4}));
}

TEST(with_batch, follows_expanded_masks_and_computed_shapes) {
    graph_builder b("mask", 2);
    const index x = b.input("x", {2, 4, 8});
    const index zeros = b.apply<op::constant_of_shape>("zeros", {b.integers("shape", {2, 1, 8})});
    const index mask =
        b.apply<op::expand>("mask", {b.input("m", {2, 1, 1}), b.integers("target", {2, 4, 1})});
    b.output(b.apply<op::add>("sum", {b.apply<op::add>("masked", {x, mask}), zeros}));
    const auto rescaled = with_batch(*std::move(b).finish(), 7);
    ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
    EXPECT_EQ(rescaled->tensors[mask].dims, (dimensions{7, 4, 1}));
    EXPECT_EQ(rescaled->tensors[zeros].dims, (dimensions{7, 1, 8}));
}

TEST(with_batch, leaves_extents_alone_that_happen_to_equal_the_batch) {
    graph_builder b("coincidence", 8);
    const index x = b.input("x", {8, 8, 8});
    const index w = b.parameter("w", {8, 8});
    const index y = b.apply<op::mat_mul>("y", {x, w});
    const index z = b.apply<op::reshape>("z", {y, b.integers("target", {8, 64})});
    b.output(z);
    const auto rescaled = with_batch(*std::move(b).finish(), 1);
    ASSERT_TRUE(rescaled.has_value()) << rescaled.problem().line();
    EXPECT_EQ(rescaled->tensors[w].dims, (dimensions{8, 8}));
    EXPECT_EQ(rescaled->tensors[y].dims, (dimensions{1, 8, 8}));
    EXPECT_EQ(rescaled->tensors[z].dims, (dimensions{1, 64}));
}

TEST(with_batch, refuses_what_it_cannot_follow) {
    EXPECT_EQ(with_batch(attention(2, false), 0).problem().code, errc::out_of_range);

    graph_builder none_batched("fixed", 4);
    none_batched.output(none_batched.apply<op::relu>("y", {none_batched.input("x", {3, 8})}));
    EXPECT_EQ(with_batch(*std::move(none_batched).finish(), 2).problem().line(),
              "fixed: no input has the batch of 4 as its first dimension; data inputs start with the batch");

    // The scores of all pairs of samples: quadratic in the batch.
    graph_builder pairs("pairs", 2);
    const index x = pairs.input("x", {2, 8});
    pairs.output(pairs.apply<op::mat_mul>("pairs", {x, pairs.apply<op::transpose>("xt", {x})}));
    const auto quadratic = with_batch(*std::move(pairs).finish(), 4);
    ASSERT_FALSE(quadratic.has_value());
    EXPECT_EQ(quadratic.problem().code, errc::unsupported);
    EXPECT_THAT(quadratic.problem().line(),
                HasSubstr("MatMul 'pairs': its result of shape [2,2] at batch 2"));

    const auto huge = with_batch(attention(1, false), std::int64_t{1} << 62);
    ASSERT_FALSE(huge.has_value());
    EXPECT_EQ(huge.problem().code, errc::overflow);
}

} // namespace
} // namespace dovetail::workload
