#pragma once
/// \file
/// Element types and small constants of ONNX files.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/tensor.hpp>

#include <onnx/onnx_pb.h>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace dovetail::ext::onnx {

/// The largest constant whose value is kept: axes, reshape targets and scalars are far below, weights above.
inline constexpr std::int64_t largest_known_value = 64;

/// The element type behind the number `type` of an ONNX file (TensorProto.DataType).
/// \returns errc::unsupported for strings, complex numbers and whatever is newer.
[[nodiscard]] inline result<workload::element_type> to_element_type(std::int64_t type) {
    using workload::element_type;
    using file = ::onnx::TensorProto;
    switch (type) {
    case file::FLOAT:
        return element_type::float32;
    case file::DOUBLE:
        return element_type::float64;
    case file::FLOAT16:
        return element_type::float16;
    case file::BFLOAT16:
        return element_type::bfloat16;
    case file::INT8:
        return element_type::int8;
    case file::UINT8:
        return element_type::uint8;
    case file::INT16:
        return element_type::int16;
    case file::UINT16:
        return element_type::uint16;
    case file::INT32:
        return element_type::int32;
    case file::UINT32:
        return element_type::uint32;
    case file::INT64:
        return element_type::int64;
    case file::UINT64:
        return element_type::uint64;
    case file::BOOL:
        return element_type::boolean;
    default:
        return error{errc::unsupported,
                     {},
                     "element type " + to_text(type) + " is not supported",
                     "use floating, integer or boolean tensors"};
    }
}

namespace detail {

/// The little-endian words of `bytes`; a last incomplete word is left out.
template <std::unsigned_integral Word>
[[nodiscard]] std::vector<Word> words(const std::string& bytes) {
    std::vector<Word> all;
    for (std::size_t begin = 0; begin + sizeof(Word) <= bytes.size(); begin += sizeof(Word)) {
        std::uint64_t word = 0;
        for (std::size_t i = sizeof(Word); i-- > 0;)
            word = word << 8U | static_cast<unsigned char>(bytes[begin + i]);
        all.push_back(static_cast<Word>(word));
    }
    return all;
}

/// A number of `exponent_bits` and `fraction_bits` (IEEE 754 binary16, bfloat16).
[[nodiscard]] inline double short_float(std::uint16_t bits, int exponent_bits, int fraction_bits) {
    const int largest = (1 << exponent_bits) - 1;
    const int exponent = (bits >> fraction_bits) & largest;
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const int bias = largest / 2;
    double magnitude = 0;
    if (exponent == largest)
        magnitude = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
        magnitude = std::ldexp(fraction, 1 - bias - fraction_bits);
    else
        magnitude = std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// The values of `proto`, whose words are `Word`s: raw, or else one by one in the field `listed`.
template <class Value, std::unsigned_integral Word, class List, class Convert>
[[nodiscard]] std::vector<Value> values(const ::onnx::TensorProto& proto, const List& listed,
                                        Convert convert) {
    std::vector<Value> all;
    if (proto.has_raw_data())
        for (const Word word : words<Word>(proto.raw_data())) all.push_back(convert(word));
    else
        for (const auto& entry : listed) {
            if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(entry)>>)
                all.push_back(static_cast<Value>(entry));
            else
                all.push_back(convert(static_cast<Word>(entry)));
        }
    return all;
}

/// Integers stored as two's complement words of the width of `Stored`.
template <std::integral Stored, class List>
[[nodiscard]] std::vector<std::int64_t> integers(const ::onnx::TensorProto& proto, const List& listed) {
    using word = std::make_unsigned_t<Stored>;
    return values<std::int64_t, word>(
        proto, listed, [](word bits) { return static_cast<std::int64_t>(static_cast<Stored>(bits)); });
}

inline void read_values(const ::onnx::TensorProto& proto, workload::tensor& t) {
    using workload::element_type;
    switch (t.type) {
    case element_type::float32:
        t.reals = values<double, std::uint32_t>(proto, proto.float_data(), [](std::uint32_t bits) {
            return static_cast<double>(std::bit_cast<float>(bits));
        });
        return;
    case element_type::float64:
        t.reals = values<double, std::uint64_t>(
            proto, proto.double_data(), [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
        return;
    case element_type::float16:
        t.reals = values<double, std::uint16_t>(proto, proto.int32_data(),
                                                [](std::uint16_t bits) { return short_float(bits, 5, 10); });
        return;
    case element_type::bfloat16:
        t.reals = values<double, std::uint16_t>(proto, proto.int32_data(),
                                                [](std::uint16_t bits) { return short_float(bits, 8, 7); });
        return;
    case element_type::int8:
        t.integers = integers<std::int8_t>(proto, proto.int32_data());
        return;
    case element_type::uint8:
    case element_type::boolean:
        t.integers = integers<std::uint8_t>(proto, proto.int32_data());
        return;
    case element_type::int16:
        t.integers = integers<std::int16_t>(proto, proto.int32_data());
        return;
    case element_type::uint16:
        t.integers = integers<std::uint16_t>(proto, proto.int32_data());
        return;
    case element_type::int32:
        t.integers = integers<std::int32_t>(proto, proto.int32_data());
        return;
    case element_type::uint32:
        t.integers = integers<std::uint32_t>(proto, proto.uint64_data());
        return;
    case element_type::int64:
        t.integers = integers<std::int64_t>(proto, proto.int64_data());
        return;
    case element_type::uint64:
        t.integers = integers<std::uint64_t>(proto, proto.uint64_data());
        return;
    }
}

} // namespace detail

/// The shape and type of a stored tensor, and its value where it is small and inside the file. What is
/// outside (external data) or stripped is not looked for: shapes are enough to price a weight.
/// \returns errc::out_of_range or errc::overflow for extents that no tensor has, errc::unsupported for other
/// element types, errc::parse where a small value has not the announced number of elements.
[[nodiscard]] inline result<workload::tensor> read_tensor(const ::onnx::TensorProto& proto) {
    workload::tensor t{.name = proto.name(), .role = workload::tensor_role::constant};
    for (const std::int64_t extent : proto.dims()) {
        if (extent < 0)
            return error{
                errc::out_of_range, {}, "an extent is " + to_text(extent), "extents are not negative"};
        t.dims.push_back(extent);
    }
    const auto type = to_element_type(proto.data_type());
    if (!type) return type.problem();
    t.type = *type;
    const auto elements = checked_product(t.dims);
    if (!elements) return error{errc::overflow, {}, "it has 2^63 elements or more", "a tensor has fewer"};
    if (*elements > largest_known_value || proto.data_location() == ::onnx::TensorProto::EXTERNAL) return t;
    detail::read_values(proto, t);
    const std::size_t stored = t.integers.size() + t.reals.size();
    if (stored != 0 && stored != static_cast<std::size_t>(*elements))
        return error{errc::parse,
                     {},
                     "it stores " + to_text(stored) + " elements where its shape announces " +
                         to_text(*elements),
                     "the file may be damaged: export it again"};
    return t;
}

} // namespace dovetail::ext::onnx
