// Comma-separated text: what is read, and where it is refused.
#include <dovetail/core/csv.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail {
namespace {

std::vector<std::vector<std::string>> texts_of(const std::string& text) {
    const auto table = read_csv(text, "t.csv");
    if (!table) return {{table.problem().line()}};
    std::vector<std::vector<std::string>> texts;
    for (const auto& row : table->rows) {
        texts.emplace_back();
        for (const csv_field& field : row) texts.back().push_back(field.text);
    }
    return texts;
}

std::string problem_of(const std::string& text) {
    const auto table = read_csv(text, "t.csv");
    return table ? "none" : table.problem().line();
}

using rows = std::vector<std::vector<std::string>>;

TEST(Csv, LinesEndWithOrWithoutCarriageReturn) {
    const rows expected{{"1", "2"}, {"", "x y"}};
    EXPECT_EQ(texts_of("a,b\n1,2\n,x y\n"), expected);
    EXPECT_EQ(texts_of("a,b\r\n1,2\r\n,x y\r\n"), expected);
    EXPECT_EQ(texts_of("a,b\n1,2\n,x y"), expected) << "no line end after the last row";
    EXPECT_EQ(texts_of("\xEF\xBB\xBF\n\na,b\n\n1,2\n\r\n,x y\n\n"), expected) << "empty lines and a mark";
    EXPECT_EQ(texts_of("a,b\n1,\n"), (rows{{"1", ""}}));
    EXPECT_EQ(texts_of("a,b"), rows{});
}

TEST(Csv, QuotesHoldCommasLineEndsAndQuotes) {
    EXPECT_EQ(texts_of("a,\"b,c\"\n\"1,\n2\",\"say \"\"so\"\"\"\n\"\",\"\r\n\"\n"),
              (rows{{"1,\n2", "say \"so\""}, {"", "\r\n"}}));
    const auto table = read_csv("a,\"b,c\"\n\"1\n2\",3\n4,5\n", "t.csv");
    ASSERT_TRUE(table);
    EXPECT_EQ(table->find("b,c"), std::size_t{1});
    EXPECT_EQ(table->find("b"), std::nullopt);
    EXPECT_EQ(table->place(table->rows[0][1]), "t.csv:3:4") << "after a quoted line end";
    EXPECT_EQ(table->place(table->rows[1][1]), "t.csv:4:3");
}

TEST(Csv, MistakesAreRefusedWhereTheyAre) {
    EXPECT_EQ(problem_of(""), "t.csv: it is empty; begin with the names of the columns");
    EXPECT_EQ(problem_of("\n\n"), "t.csv: it is empty; begin with the names of the columns");
    EXPECT_EQ(problem_of("a,b\n1,2\n1\n"), "t.csv:3:1: the row has 1 fields; the header has 2");
    EXPECT_EQ(problem_of("a,b\n1,2,3\n"), "t.csv:2:1: the row has 3 fields; the header has 2");
    EXPECT_EQ(problem_of("a,a\n"),
              "t.csv:1:3: the header names column 'a' again; every column has a name of its own");
    EXPECT_EQ(problem_of("a,\n"),
              "t.csv:1:3: the header names column ''; every column has a name of its own");
    EXPECT_EQ(problem_of("a,b\n1,\"2\n3\n"),
              "t.csv:2:3: a quote is never closed; close it with another quote");
    EXPECT_EQ(problem_of("a,b\n1,\"2\"3\n"),
              "t.csv:2:6: text follows a closing quote; a field ends with a comma or a line end");
    EXPECT_EQ(problem_of("a,b\n1,2\"\n"), "t.csv:2:4: a quote stands inside a field; quote the whole field, "
                                          "and double the quotes in it");
    EXPECT_EQ(problem_of("a,b\n1\r,2\n"),
              "t.csv:2:2: a carriage return stands alone; a field ends with a comma or a line end");
}

TEST(Csv, NumbersAreTheWholeFieldAndInRange) {
    const auto table = read_csv("a\n12\n-1\n1e3\n12 \nnan\ninf\n0\n99999999999999999999\n", "t.csv");
    ASSERT_TRUE(table);
    const auto whole = [&](std::size_t row) {
        return table->number<std::int64_t>(table->rows[row][0], "a", 1);
    };
    const auto positive = [&](std::size_t row) { return table->positive(table->rows[row][0], "a"); };
    EXPECT_EQ(*whole(0), 12);
    EXPECT_EQ(whole(1).problem().line(), "t.csv:3:1: a is '-1'; it must be a whole number of at least 1");
    EXPECT_EQ(whole(1).problem().code, errc::out_of_range);
    EXPECT_EQ(whole(2).problem().code, errc::parse);
    EXPECT_EQ(whole(7).problem().code, errc::parse);
    EXPECT_EQ(*positive(2), 1000);
    EXPECT_EQ(positive(3).problem().line(), "t.csv:5:1: a is '12 '; it must be a number above 0");
    for (const std::size_t row : {1u, 4u, 5u, 6u}) EXPECT_FALSE(positive(row)) << row;
    EXPECT_EQ(*table->number<double>(table->rows[6][0], "a", 0.0), 0.0);
}

TEST(Csv, TellsWhichColumnALayoutLacks) {
    const auto header = read_csv_header("m,n,k,time_s\n", "t.csv").value();
    constexpr std::array<std::string_view, 4> wanted{"m", "n", "k", "time_ms"};
    EXPECT_EQ(missing_column(header, wanted), "time_ms");
    EXPECT_EQ(column_is_missing("t.csv", header, "time_ms", wanted).line(),
              "t.csv:1:1: the column 'time_ms' is missing; the header is 'm,n,k,time_s': is 'time_s' meant "
              "to be it?");
    // A column that the layout has itself is not meant to be another one.
    constexpr std::array<std::string_view, 3> twins{"mm", "n", "mn"};
    const auto other = read_csv_header("mm,n\n", "t.csv").value();
    EXPECT_EQ(column_is_missing("t.csv", other, "mn", twins).line(),
              "t.csv:1:1: the column 'mn' is missing; the header is 'mm,n'");
    EXPECT_EQ(missing_column(header, std::array<std::string_view, 2>{"k", "m"}), std::nullopt);
    const auto wide = read_csv_header(std::string(100'000, 'x') + ",y\n", "t.csv").value();
    EXPECT_LT(column_is_missing("t.csv", wide, "z", twins).line().size(), 300U);
}

} // namespace
} // namespace dovetail
