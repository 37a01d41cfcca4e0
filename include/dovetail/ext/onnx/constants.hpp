#pragma once
/// \file
/// Tensors and attributes of an ONNX file as the library's own.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/tensor.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {

namespace pb = ::onnx;

/// The element type of a file's type number, or nothing where the library has none.
[[nodiscard]] inline std::optional<workload::element_type> element_type_of(std::int64_t type) {
    using workload::element_type;
    switch (type) {
    case pb::TensorProto::FLOAT:
        return element_type::float32;
    case pb::TensorProto::DOUBLE:
        return element_type::float64;
    case pb::TensorProto::FLOAT16:
        return element_type::float16;
    case pb::TensorProto::BFLOAT16:
        return element_type::bfloat16;
    case pb::TensorProto::INT8:
        return element_type::int8;
    case pb::TensorProto::UINT8:
        return element_type::uint8;
    case pb::TensorProto::INT16:
        return element_type::int16;
    case pb::TensorProto::UINT16:
        return element_type::uint16;
    case pb::TensorProto::INT32:
        return element_type::int32;
    case pb::TensorProto::UINT32:
        return element_type::uint32;
    case pb::TensorProto::INT64:
        return element_type::int64;
    case pb::TensorProto::UINT64:
        return element_type::uint64;
    case pb::TensorProto::BOOL:
        return element_type::boolean;
    default:
        return std::nullopt;
    }
}

namespace detail {

/// The elements of a small tensor: from its typed list where it has one, else from its raw little-endian
/// bytes.
template <class Stored, class Value, class List>
[[nodiscard]] std::vector<Value> elements_of(const pb::TensorProto& tensor, const List& list) {
    std::vector<Value> values(list.begin(), list.end());
    const std::string& raw = tensor.raw_data();
    if (!values.empty() || raw.size() % sizeof(Stored) != 0) return values;
    for (std::size_t at = 0; at < raw.size(); at += sizeof(Stored)) {
        Stored value;
        std::memcpy(&value, raw.data() + at, sizeof value);
        values.push_back(static_cast<Value>(value));
    }
    return values;
}

} // namespace detail

/// A tensor with its shape and, where it is small, its values. Payloads of weights are not looked at, be they
/// in the file or beside it.
[[nodiscard]] inline result<workload::tensor> read_tensor(const pb::TensorProto& stored) {
    constexpr std::int64_t small = 4096;
    const std::string place = "tensor '" + stored.name() + "'";
    const auto type = element_type_of(stored.data_type());
    if (!type)
        return error{errc::unsupported, place, "its elements have type number " + to_text(stored.data_type()),
                     "elements are real numbers, integers or booleans"};
    workload::tensor read{.name = stored.name(), .role = workload::tensor_role::constant, .type = *type};
    std::int64_t elements = 1;
    for (const std::int64_t extent : stored.dims()) {
        if (extent < 0)
            return error{errc::shape, place, "one of its extents is " + to_text(extent),
                         "extents are not negative"};
        read.dims.push_back(extent);
        elements = std::min(elements * std::min(extent, small + 1), small + 1);
    }
    if (elements > small || stored.data_location() == pb::TensorProto::EXTERNAL) return read;
    switch (stored.data_type()) {
    case pb::TensorProto::INT64:
        read.integers = detail::elements_of<std::int64_t, std::int64_t>(stored, stored.int64_data());
        break;
    case pb::TensorProto::INT32:
        read.integers = detail::elements_of<std::int32_t, std::int64_t>(stored, stored.int32_data());
        break;
    case pb::TensorProto::BOOL:
        read.integers = detail::elements_of<std::uint8_t, std::int64_t>(stored, stored.int32_data());
        break;
    case pb::TensorProto::FLOAT:
        read.reals = detail::elements_of<float, double>(stored, stored.float_data());
        break;
    case pb::TensorProto::DOUBLE:
        read.reals = detail::elements_of<double, double>(stored, stored.double_data());
        break;
    default:
        break;
    }
    const std::size_t values = read.integers.size() + read.reals.size();
    if (values != 0 && values != static_cast<std::size_t>(elements))
        return error{errc::parse, place,
                     "it has " + to_text(values) + " values where its shape has " + to_text(elements),
                     "the file may be damaged: export it again"};
    return read;
}

/// The attributes of a node. Lists of reals, strings or tensors shape nothing and are left out; the value of
/// a ConstantOfShape is kept as `to` and `integer_value`. \returns errc::unsupported for an operator that
/// carries a graph of its own.
[[nodiscard]] inline result<workload::attribute_set> read_attributes(const pb::NodeProto& node) {
    workload::attribute_set attributes;
    for (const pb::AttributeProto& a : node.attribute()) {
        switch (a.type()) {
        case pb::AttributeProto::INT:
            attributes.set(a.name(), a.i());
            break;
        case pb::AttributeProto::FLOAT:
            attributes.set(a.name(), static_cast<double>(a.f()));
            break;
        case pb::AttributeProto::INTS:
            attributes.set(a.name(), std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
            break;
        case pb::AttributeProto::STRING:
            attributes.set(a.name(), a.s());
            break;
        case pb::AttributeProto::TENSOR: {
            auto value = read_tensor(a.t());
            if (!value) return std::move(value).problem();
            attributes.set("to", static_cast<std::int64_t>(value->type));
            if (!value->integers.empty()) attributes.set("integer_value", value->integers.front());
            break;
        }
        case pb::AttributeProto::GRAPH:
        case pb::AttributeProto::GRAPHS:
            return error{errc::unsupported,
                         {},
                         "it carries a graph of its own in '" + a.name() + "'",
                         "export without control flow: If, Loop and Scan are not modelled"};
        default:
            break;
        }
    }
    if (node.op_type() == "Cast") {
        const auto type = element_type_of(attributes.integer("to", 0));
        if (!type)
            return error{errc::unsupported,
                         {},
                         "it casts to type number " + to_text(attributes.integer("to", 0)),
                         "elements are real numbers, integers or booleans"};
        attributes.set("to", static_cast<std::int64_t>(*type));
    }
    return attributes;
}

} // namespace dovetail::ext::onnx
