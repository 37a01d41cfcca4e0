#include <dovetail/workload/attention_heads.hpp>

#include <dovetail/workload/builder.hpp>

#include <gtest/gtest.h>

#include "graphs.hpp"

#include <cstdint>
#include <utility>

namespace dovetail::workload {
namespace {

// softmax(q k) v of activations with the given leading dimensions, masked and dropped out on the way.
void add_attention(graph_builder& b, index x, const dimensions& leading) {
    const auto shape = [&](std::int64_t rows, std::int64_t columns) {
        dimensions dims = leading;
        dims.insert(dims.end(), {rows, columns});
        return b.integers("shape", dims);
    };
    const index q = b.apply<op::reshape>("q", {x, shape(4, 16)});
    const index k = b.apply<op::reshape>("k", {x, shape(16, 4)});
    const index weights = b.apply<op::softmax>("softmax", {b.apply<op::mat_mul>("scores", {q, k})});
    const index kept = b.apply<op::dropout>("kept", {weights});
    b.output(b.apply<op::mat_mul>("context", {kept, q}));
}

std::int64_t heads_of(std::int64_t batch, std::int64_t heads, const dimensions& leading) {
    graph_builder b("net", batch);
    add_attention(b, b.apply<op::relu>("x", {b.input("x", {batch, heads * 64})}), leading);
    return find_attention_heads(*std::move(b).finish());
}

TEST(find_attention_heads, reads_them_off_the_context) {
    EXPECT_EQ(heads_of(3, 12, {3, 12}), 12);
    EXPECT_EQ(heads_of(3, 12, {36}), 12) << "heads and batch in one dimension";
    EXPECT_EQ(heads_of(1, 5, {5}), 5);
    EXPECT_EQ(heads_of(2, 12, {2, 4, 3}), 3) << "windows stand before the heads";
}

TEST(find_attention_heads, takes_what_divides_all) {
    graph_builder b("net", 1);
    const index x = b.apply<op::relu>("x", {b.input("x", {1, 24 * 64})});
    add_attention(b, x, {1, 24});
    add_attention(b,
                  b.apply<op::slice>("part", {x, b.integers("from", {0}), b.integers("to", {16 * 64}),
                                              b.integers("axis", {1})}),
                  {1, 16});
    EXPECT_EQ(find_attention_heads(*std::move(b).finish()), 8);
}

TEST(find_attention_heads, finds_none_without_attention) {
    graph_builder b("net", 2);
    const index x = b.apply<op::relu>("x", {b.input("x", {2, 6, 8})});
    const index turned =
        b.apply<op::transpose>("xt", {x}, test::attributes({{"perm", test::ints({0, 2, 1})}}));
    const index gram = b.apply<op::mat_mul>("gram", {x, turned});
    b.output(b.apply<op::softmax>("classes", {gram}));
    EXPECT_EQ(find_attention_heads(*std::move(b).finish()), 0);
}

} // namespace
} // namespace dovetail::workload
