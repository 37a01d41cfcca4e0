// doors: onnx
#include <dovetail/ext/onnx/values.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace dovetail::ext::onnx {
namespace {

using file = ::onnx::TensorProto;
using workload::element_type;

file stored(int type, std::initializer_list<std::int64_t> dims) {
    file t;
    t.set_name("t");
    t.set_data_type(type);
    for (const std::int64_t extent : dims) t.add_dims(extent);
    return t;
}

template <class T>
std::string raw(const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

TEST(read_tensor, reads_raw_and_listed_values_alike) {
    const std::vector<std::int64_t> wide{-1, std::numeric_limits<std::int64_t>::min(), 7};
    file a = stored(file::INT64, {3});
    a.set_raw_data(raw(wide));
    EXPECT_EQ(read_tensor(a)->integers, wide);
    file b = stored(file::INT64, {3});
    for (const std::int64_t value : wide) b.add_int64_data(value);
    EXPECT_EQ(read_tensor(b)->integers, wide);

    file c = stored(file::FLOAT, {2});
    c.set_raw_data(raw(std::vector<float>{0.5F, -3.25F}));
    EXPECT_EQ(read_tensor(c)->reals, (std::vector<double>{0.5, -3.25}));
    file d = stored(file::FLOAT, {2});
    d.add_float_data(0.5F);
    d.add_float_data(-3.25F);
    EXPECT_EQ(read_tensor(d)->reals, (std::vector<double>{0.5, -3.25}));
    file e = stored(file::DOUBLE, {});
    e.set_raw_data(raw(std::vector<double>{1e-12}));
    EXPECT_EQ(read_tensor(e)->reals, std::vector<double>{1e-12});
    EXPECT_TRUE(read_tensor(e)->dims.empty());
}

TEST(read_tensor, keeps_the_sign_of_narrow_integers) {
    file a = stored(file::INT8, {2});
    a.set_raw_data(std::string("\xff\x7f", 2));
    EXPECT_EQ(read_tensor(a)->integers, (std::vector<std::int64_t>{-1, 127}));
    file b = stored(file::UINT8, {2});
    b.set_raw_data(std::string("\xff\x7f", 2));
    EXPECT_EQ(read_tensor(b)->integers, (std::vector<std::int64_t>{255, 127}));
    file c = stored(file::INT32, {1});
    c.add_int32_data(-5);
    EXPECT_EQ(read_tensor(c)->integers, std::vector<std::int64_t>{-5});
    file d = stored(file::BOOL, {2});
    d.set_raw_data(std::string("\x01\x00", 2));
    EXPECT_EQ(read_tensor(d)->integers, (std::vector<std::int64_t>{1, 0}));
    EXPECT_EQ(read_tensor(d)->type, element_type::boolean);
}

TEST(read_tensor, reads_half_precision) {
    // IEEE 754: 1, -2, the smallest subnormal, the largest number, infinity.
    file half = stored(file::FLOAT16, {5});
    half.set_raw_data(raw(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x0001, 0x7BFF, 0x7C00}));
    const auto values = read_tensor(half)->reals;
    ASSERT_EQ(values.size(), 5u);
    EXPECT_EQ(values[0], 1);
    EXPECT_EQ(values[1], -2);
    EXPECT_EQ(values[2], std::ldexp(1, -24));
    EXPECT_EQ(values[3], 65504);
    EXPECT_TRUE(std::isinf(values[4]));
    file brain = stored(file::BFLOAT16, {2});
    brain.add_int32_data(0x3F80);
    brain.add_int32_data(0xC2F7);
    EXPECT_EQ(read_tensor(brain)->reals, (std::vector<double>{1, -123.5}));
}

TEST(read_tensor, every_bfloat16_is_the_float_with_its_bits_in_front) {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const float expected = std::bit_cast<float>(bits << 16U);
        const double value = detail::short_float(static_cast<std::uint16_t>(bits), 8, 7);
        if (std::isnan(expected))
            EXPECT_TRUE(std::isnan(value));
        else
            EXPECT_EQ(value, static_cast<double>(expected)) << bits;
    }
}

TEST(read_tensor, keeps_only_the_shape_of_weights) {
    file large = stored(file::FLOAT, {768, 3072});
    EXPECT_EQ(read_tensor(large)->dims, (workload::dimensions{768, 3072}));
    EXPECT_TRUE(read_tensor(large)->reals.empty());
    file outside = stored(file::INT64, {4});
    outside.set_data_location(file::EXTERNAL);
    EXPECT_TRUE(read_tensor(outside)->integers.empty());
    EXPECT_TRUE(read_tensor(stored(file::INT64, {4})).has_value()) << "a payload that was stripped";
}

TEST(read_tensor, refuses_what_no_tensor_is) {
    EXPECT_EQ(read_tensor(stored(file::FLOAT, {3, -1})).problem().line(),
              "an extent is -1; extents are not negative");
    EXPECT_EQ(read_tensor(stored(file::STRING, {3})).problem().line(),
              "element type 8 is not supported; use floating, integer or boolean tensors");
    EXPECT_EQ(read_tensor(stored(file::FLOAT, {std::int64_t{1} << 40, std::int64_t{1} << 40})).problem().code,
              errc::overflow);
    file damaged = stored(file::INT64, {3});
    damaged.set_raw_data(std::string(20, 'x'));
    EXPECT_EQ(read_tensor(damaged).problem().line(),
              "it stores 2 elements where its shape announces 3; the file may be damaged: export it again");
}

} // namespace
} // namespace dovetail::ext::onnx
