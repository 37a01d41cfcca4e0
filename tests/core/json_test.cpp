#include <dovetail/core/json.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace {

using dovetail::json_quoted;
using dovetail::json_writer;

TEST(JsonWriter, WritesNestedDocuments) {
    json_writer w;
    w.begin_object().member("name", "x").key("list").begin_array().value(1).value(2.5).value(true).null();
    w.end_array().key("empty").begin_object().end_object().end_object();
    EXPECT_EQ(std::move(w).take(),
              "{\n  \"name\": \"x\",\n  \"list\": [\n    1,\n    2.5,\n    true,\n    null\n  ],\n"
              "  \"empty\": {}\n}\n");
}

TEST(JsonWriter, QuotesWhatJsonForbids) {
    EXPECT_EQ(json_quoted("a\"b\\c\n\t\r"), R"("a\"b\\c\n\t\r")");
    EXPECT_EQ(json_quoted(std::string_view("\x01\x1f", 2)), R"("\u0001\u001f")");
    EXPECT_EQ(json_quoted("µ"), "\"µ\"");
}

TEST(JsonWriter, NumbersReadBackEqual) {
    json_writer w;
    w.begin_array().value(0.1).value(1e300).value(-0.0).value(std::numeric_limits<std::int64_t>::min());
    w.end_array();
    EXPECT_EQ(std::move(w).take(), "[\n  0.1,\n  1e+300,\n  -0,\n  -9223372036854775808\n]\n");
}

TEST(JsonWriter, WhatJsonLacksIsNull) {
    json_writer w;
    w.begin_array()
        .value(std::numeric_limits<double>::infinity())
        .value(std::numeric_limits<double>::quiet_NaN());
    w.end_array();
    EXPECT_EQ(std::move(w).take(), "[\n  null,\n  null\n]\n");
}

} // namespace
