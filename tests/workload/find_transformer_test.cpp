// The sizes of a transformer, found in its graph.
#include <dovetail/workload/find_transformer.hpp>
#include <dovetail/workload/recognise.hpp>
#include <dovetail/workload/zoo.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace dovetail::workload {
namespace {

TEST(find_transformer, agrees_with_the_zoo_at_any_batch) {
    for (const zoo::model_entry& entry : zoo::models) {
        const zoo::transformer& d = entry.dimensions;
        SCOPED_TRACE(d.name);
        for (const std::int64_t batch : {1, 4}) {
            const auto found = find_transformer(recognise(*make_model(d.name, batch)));
            if (d.word_embedding != 0) {
                ASSERT_FALSE(found);
                EXPECT_EQ(found.problem().code, errc::unsupported);
                EXPECT_NE(found.problem().line().find("its token table is 512 wide"), std::string::npos);
                continue;
            }
            ASSERT_TRUE(found) << found.problem().line();
            EXPECT_EQ(found->hidden, d.hidden);
            EXPECT_EQ(found->layers, d.layers);
            EXPECT_EQ(found->heads, d.heads);
            EXPECT_EQ(found->key_value_heads, d.heads);
            EXPECT_EQ(found->sequence, d.sequence);
            EXPECT_EQ(found->feed_forward, d.feed_forward);
            EXPECT_EQ(found->vocabulary, d.vocabulary);
            EXPECT_EQ(found->gated, d.name == "llama2-7b");
            EXPECT_EQ(found->dropout, d.dropout);
        }
    }
}

TEST(find_transformer, refuses_what_has_no_attention) {
    graph_builder b("perceptron", 4);
    const index x = b.input("x", {4, 8});
    b.output(b.apply<op::mat_mul>("product", {x, b.parameter("weight", {8, 2})}));
    const auto found = find_transformer(*std::move(b).finish());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.problem().code, errc::unsupported);
    EXPECT_EQ(found.problem().place, "model 'perceptron'");
}

} // namespace
} // namespace dovetail::workload
