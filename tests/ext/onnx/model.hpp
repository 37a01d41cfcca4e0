#pragma once
/// \file
/// ONNX models written node by node, for the tests of this folder.

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dovetail::test {

/// A dimension: its value, or its name.
using extent = std::variant<std::int64_t, std::string>;

/// A model under construction; `proto` is open for what no function writes.
class onnx_model {
public:
    explicit onnx_model(std::int64_t opset = 17) {
        proto.set_ir_version(8);
        proto.add_opset_import()->set_version(opset);
        proto.mutable_graph()->set_name("model");
    }

    onnx_model& input(const std::string& name, const std::vector<extent>& dims,
                      int type = ::onnx::TensorProto::FLOAT) {
        declare(*proto.mutable_graph()->add_input(), name, dims, type);
        return *this;
    }
    onnx_model& output(const std::string& name, const std::vector<extent>& dims) {
        declare(*proto.mutable_graph()->add_output(), name, dims, ::onnx::TensorProto::FLOAT);
        return *this;
    }
    onnx_model& shape(const std::string& name, const std::vector<extent>& dims) {
        declare(*proto.mutable_graph()->add_value_info(), name, dims, ::onnx::TensorProto::FLOAT);
        return *this;
    }
    /// A stored floating tensor without its payload.
    onnx_model& weight(const std::string& name, std::initializer_list<std::int64_t> dims) {
        store(name, dims).set_data_type(::onnx::TensorProto::FLOAT);
        return *this;
    }
    onnx_model& integers(const std::string& name, std::initializer_list<std::int64_t> values) {
        ::onnx::TensorProto& t = store(name, {static_cast<std::int64_t>(values.size())});
        t.set_data_type(::onnx::TensorProto::INT64);
        for (const std::int64_t value : values) t.add_int64_data(value);
        return *this;
    }
    onnx_model& scalar(const std::string& name, float value) {
        ::onnx::TensorProto& t = store(name, {});
        t.set_data_type(::onnx::TensorProto::FLOAT);
        t.add_float_data(value);
        return *this;
    }
    ::onnx::NodeProto& node(const std::string& type, std::initializer_list<std::string_view> inputs,
                            std::initializer_list<std::string_view> outputs) {
        ::onnx::NodeProto& n = *proto.mutable_graph()->add_node();
        n.set_op_type(type);
        n.set_name('n' + std::to_string(proto.graph().node_size()));
        for (const std::string_view input : inputs) n.add_input(std::string(input));
        for (const std::string_view output : outputs) n.add_output(std::string(output));
        return n;
    }
    void metadata(const std::string& key, const std::string& value) {
        auto& entry = *proto.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }

    [[nodiscard]] std::string bytes() const { return proto.SerializeAsString(); }

    ::onnx::ModelProto proto;

private:
    static void declare(::onnx::ValueInfoProto& info, const std::string& name,
                        const std::vector<extent>& dims, int type) {
        info.set_name(name);
        auto& declared = *info.mutable_type()->mutable_tensor_type();
        declared.set_elem_type(type);
        declared.mutable_shape();
        for (const extent& dim : dims) {
            auto& entry = *declared.mutable_shape()->add_dim();
            if (const auto* value = std::get_if<std::int64_t>(&dim))
                entry.set_dim_value(*value);
            else if (const auto& text = std::get<std::string>(dim); !text.empty())
                entry.set_dim_param(text);
        }
    }
    ::onnx::TensorProto& store(const std::string& name, std::initializer_list<std::int64_t> dims) {
        ::onnx::TensorProto& t = *proto.mutable_graph()->add_initializer();
        t.set_name(name);
        for (const std::int64_t size : dims) t.add_dims(size);
        return t;
    }
};

/// Adds an integer attribute.
inline ::onnx::NodeProto& set(::onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto& a = *node.add_attribute();
    a.set_name(name);
    a.set_type(::onnx::AttributeProto::INT);
    a.set_i(value);
    return node;
}
/// Adds a list of integers as an attribute.
inline ::onnx::NodeProto& set(::onnx::NodeProto& node, const std::string& name,
                              std::initializer_list<std::int64_t> values) {
    auto& a = *node.add_attribute();
    a.set_name(name);
    a.set_type(::onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) a.add_ints(value);
    return node;
}

} // namespace dovetail::test
