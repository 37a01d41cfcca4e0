#include <dovetail/report/number.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace dovetail::report {
namespace {

TEST(Readable, IsPlainWithThousandsAndWithoutNeedlessZeros) {
    EXPECT_EQ(readable(0, 4), "0");
    EXPECT_EQ(readable(33427.3, 4), "33,427");
    EXPECT_EQ(readable(33427.3, 6), "33,427.3");
    EXPECT_EQ(readable(1e6, 3), "1,000,000");
    EXPECT_EQ(readable(999.96, 4), "1,000");
    EXPECT_EQ(readable(100, 4), "100");
    EXPECT_EQ(readable(2.5, 4), "2.5");
    EXPECT_EQ(readable(-1234567.0, 2), "-1,234,567");
    EXPECT_EQ(readable(0.000123456, 4), "0.0001235");
    EXPECT_EQ(readable(123456789012345.0, 15), "123,456,789,012,345");
}

TEST(Readable, FarFromOneItIsScientific) {
    EXPECT_EQ(readable(1.5e-9, 4), "1.5e-09");
    EXPECT_EQ(readable(1e15, 4), "1e+15");
    EXPECT_EQ(readable(std::numeric_limits<double>::infinity(), 4), "inf");
    EXPECT_EQ(readable(std::numeric_limits<double>::quiet_NaN(), 4), "nan");
}

TEST(Readable, ReadsBackWithinItsDigits) {
    for (double value = 1.2345e-5; value < 1e14; value *= 7.7) {
        std::string text = readable(value, 6);
        std::erase(text, ',');
        EXPECT_NEAR(std::stod(text), value, 5e-6 * value) << text;
    }
}

} // namespace
} // namespace dovetail::report
