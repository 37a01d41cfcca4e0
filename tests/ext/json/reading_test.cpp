// doors: json
#include <dovetail/ext/json/reading.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace dovetail;
using namespace dovetail::ext::json;

TEST(place, keeps_the_way_and_the_position_of_every_value) {
    const document whole = parse("{\"a\": [{\"b\": 3},\n  true], \"c\" :\t\"x\\\"]\"}", "f").value();
    const place root(whole);
    EXPECT_EQ(root.path(), "f:1:1");
    const place list = root.member("a").value();
    EXPECT_EQ(list.path(), "f:1:7: a");
    const auto elements = list.elements().value();
    ASSERT_EQ(elements.size(), 2U);
    EXPECT_EQ(elements[0].member("b").value().path(), "f:1:14: a[0].b");
    EXPECT_EQ(elements[0].member("b").value().number().value(), 3.0);
    EXPECT_TRUE(elements[1].boolean().value());
    EXPECT_EQ(elements[1].path(), "f:2:3: a[1]");
    EXPECT_EQ(root.member("c").value().text().value(), "x\"]");
    const auto members = root.members().value();
    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members[1].first, "c");
    EXPECT_EQ(members[1].second.path(), "f:2:16: c");
    const document numbers = parse("[-7.5e1 , 8]", "g").value();
    EXPECT_EQ(place(numbers).elements().value()[0].path(), "g:1:2: [0]");
    EXPECT_EQ(place(numbers).elements().value()[1].path(), "g:1:11: [1]");
}

TEST(place, counts_columns_behind_a_byte_order_mark) {
    const document whole = parse("\xEF\xBB\xBF{\"a\": null}", "f").value();
    EXPECT_EQ(place(whole).member("a").value().path(), "f:1:10: a");
}

TEST(place, takes_whole_numbers_for_integers_however_written) {
    const document whole = parse("[7, 7.0, 7e0, 7.5, -1, 1e300, \"7\"]", "f").value();
    const auto values = place(whole).elements().value();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(values[i].integer(0, 10).value(), 7);
    for (std::size_t i = 3; i < 6; ++i)
        EXPECT_EQ(values[i].integer(0, 10).problem().code, errc::out_of_range);
    EXPECT_EQ(values[6].integer(0, 10).problem().code, errc::parse);
}

TEST(place, refuses_numbers_below_the_least) {
    const document whole = parse("{\"x\": -0.5}", "f").value();
    const place x = place(whole).member("x").value();
    EXPECT_EQ(x.number().value(), -0.5);
    EXPECT_EQ(x.number(0.0).problem().line(), "f:1:7: x: it is -0.5; it must be a finite number, 0 or more");
}

TEST(place, knows_the_keys_of_its_format_alone) {
    constexpr std::array<std::string_view, 2> read{"width", "depth"};
    constexpr std::array<std::string_view, 1> unused{"name"};
    const auto only = [&](std::string_view text) {
        const document whole = parse(text, "f").value();
        const auto known = place(whole).only({read, unused});
        return known ? std::string() : known.problem().line();
    };
    EXPECT_EQ(only("{\"depth\": 1, \"name\": 2}"), "");
    EXPECT_EQ(only("{\"depth\": 1,\n \"widht\": 2}"),
              "f:2:2: the key 'widht' is unknown; did you mean 'width'?");
    EXPECT_EQ(only("{\"q\": 2}"), "f:1:2: the key 'q' is unknown; known are 'width', 'depth', 'name'");
    EXPECT_EQ(only("[]"), "f:1:1: it is of type array; it must be an object");
    EXPECT_LT(only("{\"" + std::string(100'000, 'q') + "\": 2}").size(), 200U);
}

TEST(parse, says_in_which_line_and_column_the_text_is_wrong) {
    const auto problem = [](std::string_view text) { return parse(text, "f").problem().line(); };
    EXPECT_EQ(problem("{\"a\": 1,\n\"b\": 1e999}"), "f:2:6: the number is too large; it must fit a double");
    EXPECT_EQ(problem("[1,\n 2"), "f:2:3: the text ends too early; it must be one complete JSON value");
    EXPECT_EQ(problem("[1,\n 2}"),
              "f:2:3: the text is not JSON from here on; it must be one complete JSON value");
    EXPECT_EQ(problem(" \n"), "f:2:1: it is empty; it must be one complete JSON value");
    EXPECT_EQ(problem(std::string_view("\0\1\2", 3)),
              "f:1:1: the text is not JSON from here on; it must be one complete JSON value");
    EXPECT_EQ(problem(std::string(100'000, '[')), "f:1:65: it nests deeper than 64 levels; no format does");
    EXPECT_TRUE(parse(std::string(64, '[') + std::string(64, ']'), "f"));
}

TEST(parse, finds_a_key_that_is_there_twice) {
    const auto problem = [](std::string_view text) { return parse(text, "f").problem().line(); };
    EXPECT_EQ(problem("{\"a\": 1, \"a\": 1}"),
              "f:1:10: the key 'a' is there twice; a key stands once in its object");
    EXPECT_EQ(problem("[{\"b\": {\"a\": 1, \"c\": 2,\n \"\\u0061\": 3}}]"),
              "f:2:2: the key 'a' is there twice; a key stands once in its object");
    EXPECT_TRUE(parse("[{\"a\": {\"a\": 1}}, {\"a\": 2}]", "f"));
}

} // namespace
