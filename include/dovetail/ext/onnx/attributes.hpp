#pragma once
/// \file
/// Attributes of ONNX nodes, with the numbers of element types made ours.

#include <dovetail/core/result.hpp>
#include <dovetail/ext/onnx/values.hpp>
#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/operators.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {

/// The attributes of `node`, which is of type `type`: integers, numbers, texts and lists of integers under
/// their own names. The element type that a `Cast` or a `ConstantOfShape` gives becomes `to`, a
/// workload::element_type; the integer that fills a `ConstantOfShape` becomes `integer_value`. No descriptor
/// asks for lists of numbers or texts, which are left out.
/// \returns errc::unsupported for a graph as an attribute and for element types without an equal, errc::parse
/// for a `Cast` that does not say to what.
[[nodiscard]] inline result<workload::attribute_set> read_attributes(const ::onnx::NodeProto& node,
                                                                     workload::operator_type type) {
    namespace op = workload::op;
    using file = ::onnx::AttributeProto;
    workload::attribute_set attributes;
    for (const ::onnx::AttributeProto& a : node.attribute()) {
        switch (a.type()) {
        case file::INT:
            attributes.set(a.name(), a.i());
            break;
        case file::FLOAT:
            attributes.set(a.name(), static_cast<double>(a.f()));
            break;
        case file::STRING:
            attributes.set(a.name(), a.s());
            break;
        case file::INTS:
            attributes.set(a.name(), std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
            break;
        case file::TENSOR:
            if (type == workload::type_of<op::constant_of_shape> && a.name() == "value") {
                const auto fill = read_tensor(a.t());
                if (!fill) return fill.problem();
                attributes.set("to", static_cast<std::int64_t>(fill->type));
                if (!fill->integers.empty()) attributes.set("integer_value", fill->integers.front());
            }
            break;
        case file::GRAPH:
        case file::GRAPHS:
            return error{errc::unsupported,
                         {},
                         "its attribute '" + a.name() + "' is a graph",
                         "export the model without control flow"};
        default:
            break;
        }
    }
    if (type == workload::type_of<op::cast>) {
        if (!attributes.contains("to"))
            return error{errc::parse,
                         {},
                         "its attribute 'to' is missing",
                         "a Cast names the element type that it gives"};
        const auto target = to_element_type(attributes.integer("to", 0));
        if (!target) return target.problem();
        attributes.set("to", static_cast<std::int64_t>(*target));
    }
    return attributes;
}

/// The tensor that a `Constant` node gives. \returns errc::unsupported for sparse and text constants, and
/// what read_tensor returns.
[[nodiscard]] inline result<workload::tensor> read_constant(const ::onnx::NodeProto& node) {
    using workload::element_type;
    for (const ::onnx::AttributeProto& a : node.attribute()) {
        if (a.name() == "value") return read_tensor(a.t());
        workload::tensor t{.name = {}, .role = workload::tensor_role::constant, .type = element_type::int64};
        if (a.name() == "value_int") {
            t.integers = {a.i()};
            return t;
        }
        if (a.name() == "value_ints") {
            t.dims = {a.ints_size()};
            if (a.ints_size() <= largest_known_value) t.integers.assign(a.ints().begin(), a.ints().end());
            return t;
        }
        t.type = element_type::float32;
        if (a.name() == "value_float") {
            t.reals = {static_cast<double>(a.f())};
            return t;
        }
        if (a.name() == "value_floats") {
            t.dims = {a.floats_size()};
            if (a.floats_size() <= largest_known_value) t.reals.assign(a.floats().begin(), a.floats().end());
            return t;
        }
    }
    return error{errc::unsupported,
                 {},
                 "it has no value, or one of another kind",
                 "a constant is a dense tensor of numbers"};
}

} // namespace dovetail::ext::onnx
