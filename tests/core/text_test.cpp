#include <dovetail/core/text.hpp>

#include <dovetail/core/budget.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/core/status.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace {

TEST(Text, ShortestFormReadsBackEqual) {
    for (const double x : {0.1, 1.0 / 3, 6.02214076e23, 5e-324, -0.0, std::numeric_limits<double>::max()})
        EXPECT_EQ(dovetail::parse_number<double>(dovetail::to_text(x)), x);
    EXPECT_EQ(dovetail::to_text(0.1), "0.1");
    EXPECT_EQ(dovetail::to_text(-7), "-7");
    EXPECT_EQ(dovetail::to_text(278826676.31216, 6), "2.78827e+08");
}

TEST(Text, OnlyAWholeNumberParses) {
    EXPECT_EQ(dovetail::parse_number<int>("42"), 42);
    EXPECT_EQ(dovetail::parse_number<int>("42x"), std::nullopt);
    EXPECT_EQ(dovetail::parse_number<int>(""), std::nullopt);
    EXPECT_EQ(dovetail::parse_number<int>(" 42"), std::nullopt);
    EXPECT_EQ(dovetail::parse_number<std::uint8_t>("256"), std::nullopt);
    EXPECT_TRUE(std::isnan(dovetail::parse_number<double>("nan").value()));
}

TEST(Spending, EndsAtTheNodeLimitAndStaysEnded) {
    dovetail::spending spent(dovetail::budget{.nodes = 3});
    EXPECT_TRUE(spent.spend_node() && spent.spend_node() && spent.spend_node());
    EXPECT_FALSE(spent.spend_node());
    EXPECT_FALSE(spent.spend_node());
    EXPECT_TRUE(spent.exhausted());
    EXPECT_EQ(spent.nodes(), 4);
}

TEST(Spending, AnEndedClockEndsTheSearchWithin256Nodes) {
    dovetail::spending spent(dovetail::budget{.seconds = -1});
    int nodes = 0;
    while (nodes < 1000 && spent.spend_node()) ++nodes;
    EXPECT_LT(nodes, 256);
}

constexpr dovetail::fixed_string width{"width"};
static_assert(width.view() == "width" && width == dovetail::fixed_string("width"));
static_assert(!(width == dovetail::fixed_string("depth")));
static_assert(dovetail::hash_append(1, "ab") != dovetail::hash_append(1, "ba"));
static_assert(dovetail::hash_append(dovetail::hash_append(1, "a"), "b") != dovetail::hash_append(1, "ab"));
static_assert(to_string(dovetail::status::budget) == "budget");

TEST(Joined, HoldsEveryPartInOrder) {
    using dovetail::joined;
    const std::string name = "held";
    EXPECT_EQ(joined(), "");
    EXPECT_EQ(joined(name, '_', 3, '_', std::uint64_t{18'446'744'073'709'551'615u}, "<=", -0.1),
              "held_3_18446744073709551615<=-0.1");
    // A literal ends at its first zero, any other text does not.
    EXPECT_EQ(joined("a\0b", std::string_view("c\0d", 3)), std::string("ac\0d", 4));
}

} // namespace
