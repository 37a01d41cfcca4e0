#include <dovetail/core/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace {

using dovetail::errc;
using dovetail::error;
using dovetail::result;

result<int> half(int n) {
    if (n % 2 != 0)
        return error{errc::out_of_range, "half", std::to_string(n) + " is odd", "give an even number"};
    return n / 2;
}

TEST(Result, HoldsTheValue) {
    const auto r = half(8);
    ASSERT_TRUE(r);
    EXPECT_EQ(*r, 4);
}

TEST(Result, HoldsTheError) {
    const auto r = half(7);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.problem().code, errc::out_of_range);
    EXPECT_EQ(r.problem().line(), "half: 7 is odd; give an even number");
}

TEST(Result, MovesWhatCannotBeCopied) {
    result<std::unique_ptr<int>> r = std::make_unique<int>(3);
    const std::unique_ptr<int> owned = std::move(r).value();
    EXPECT_EQ(*owned, 3);
}

TEST(Result, VoidIsSuccessUnlessToldOtherwise) {
    const result<void> fine;
    EXPECT_TRUE(fine);
    const result<void> bad = error{errc::io, "a.onnx", "no such file", ""};
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.problem().line(), "a.onnx: no such file");
}

TEST(Error, GainsThePlaceFromFurtherOut) {
    EXPECT_EQ((error{errc::shape, "node 3", "bad", "good"}.within("m.onnx").line()),
              "m.onnx: node 3: bad; good");
    EXPECT_EQ((error{errc::shape, "", "bad", ""}.within("m.onnx").line()), "m.onnx: bad");
}

TEST(Error, EveryCodeHasAName) {
    for (int code = 0; code <= static_cast<int>(errc::unsupported); ++code)
        EXPECT_NE(to_string(static_cast<errc>(code)), "unknown");
}

#ifndef NDEBUG
TEST(ResultDeathTest, ReadingTheWrongSideIsACallersBug) {
    EXPECT_DEATH(static_cast<void>(*half(7)), "result holds an error");
    EXPECT_DEATH(static_cast<void>(half(8).problem()), "result holds a value");
}
#endif

} // namespace
