// doors: json
#include <dovetail/ext/json/reading.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using namespace dovetail;
using namespace dovetail::ext::json;

TEST(place, keeps_the_way_to_every_value) {
    const nlohmann::json document = parse(R"({"a": [{"b": 3}, true], "c": "x"})", "f").value();
    const place root(document, "f");
    EXPECT_EQ(root.path(), "f");
    const place list = root.member("a").value();
    EXPECT_EQ(list.path(), "f: a");
    const auto elements = list.elements().value();
    ASSERT_EQ(elements.size(), 2U);
    EXPECT_EQ(elements[0].member("b").value().path(), "f: a[0].b");
    EXPECT_EQ(elements[0].member("b").value().number().value(), 3.0);
    EXPECT_TRUE(elements[1].boolean().value());
    EXPECT_EQ(root.member("c").value().text().value(), "x");
    const auto members = root.members().value();
    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members[1].first, "c");
    EXPECT_EQ(members[1].second.path(), "f: c");
    const nlohmann::json numbers = parse("[7]", "g").value();
    EXPECT_EQ(place(numbers, "g").elements().value()[0].path(), "g: [0]");
}

TEST(place, takes_whole_numbers_for_integers_however_written) {
    const nlohmann::json document = parse("[7, 7.0, 7e0, 7.5, -1, 1e300, \"7\"]", "f").value();
    const auto values = place(document, "f").elements().value();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(values[i].integer(0, 10).value(), 7);
    for (std::size_t i = 3; i < 6; ++i)
        EXPECT_EQ(values[i].integer(0, 10).problem().code, errc::out_of_range);
    EXPECT_EQ(values[6].integer(0, 10).problem().code, errc::parse);
}

TEST(place, refuses_numbers_below_the_least) {
    const nlohmann::json document = parse("{\"x\": -0.5}", "f").value();
    const place x = place(document, "f").member("x").value();
    EXPECT_EQ(x.number().value(), -0.5);
    EXPECT_EQ(x.number(0.0).problem().line(), "f: x: it is -0.5; it must be a finite number, 0 or more");
}

TEST(parse, survives_deep_nesting_and_refuses_numbers_beyond_doubles) {
    EXPECT_TRUE(parse(std::string(100'000, '[') + std::string(100'000, ']'), "f"));
    EXPECT_FALSE(parse("[1e999]", "f"));
}

} // namespace
