#include <dovetail/core/readable.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace {

using dovetail::readable;

TEST(ReadableWhole, IsExactWithThousands) {
    EXPECT_EQ(readable(0), "0");
    EXPECT_EQ(readable(999), "999");
    EXPECT_EQ(readable(1000), "1,000");
    EXPECT_EQ(readable(-999), "-999");
    EXPECT_EQ(readable(-1000), "-1,000");
    EXPECT_EQ(readable(124439808), "124,439,808");
    EXPECT_EQ(readable(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
    EXPECT_EQ(readable(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(ReadableExact, HasEveryDigitAndNoExponent) {
    EXPECT_EQ(readable(0.0), "0");
    EXPECT_EQ(readable(1048576.0), "1,048,576");
    EXPECT_EQ(readable(1e12), "1,000,000,000,000");
    EXPECT_EQ(readable(1e-6), "0.000001");
    EXPECT_EQ(readable(0.001), "0.001");
    EXPECT_EQ(readable(-1234.5), "-1,234.5");
    EXPECT_EQ(readable(std::numeric_limits<double>::infinity()), "inf");
}

TEST(ReadableExact, ReadsBackToTheSame) {
    for (double value = 1.37e-6; value < 1e15; value *= 3.1) {
        std::string text = readable(value);
        std::erase(text, ',');
        EXPECT_EQ(std::stod(text), value) << text;
    }
}

} // namespace
