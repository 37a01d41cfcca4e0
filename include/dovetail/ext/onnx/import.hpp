#pragma once
/// \file
/// Model files in the ONNX format, read through its official protobuf.

#include <dovetail/core/result.hpp>
#include <dovetail/ext/onnx/constants.hpp>
#include <dovetail/workload/attention_heads.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/trainable.hpp>
#include <dovetail/workload/validate.hpp>

#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {

/// What an import may be told about a file.
struct import_options {
    std::int64_t batch = 1;                              ///< of inputs whose first dimension is open
    std::map<std::string, std::int64_t> dimensions = {}; ///< values of open dimensions, by their names
};

namespace detail {

using workload::index;
using workload::none;
using workload::tensor_role;

[[nodiscard]] inline std::set<std::string, std::less<>> split_names(std::string_view list) {
    std::set<std::string, std::less<>> names;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        if (comma != 0) names.emplace(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return names;
}

/// Carries one file into an operator graph.
class importer {
public:
    importer(const pb::ModelProto& model, const import_options& options) : model_(model), options_(options) {}

    [[nodiscard]] result<workload::operator_graph> run() {
        graph_.name = model_.graph().name();
        for (const auto& step : {&importer::read_initializers, &importer::read_inputs, &importer::read_nodes,
                                 &importer::read_outputs})
            if (auto done = (this->*step)(); !done) return std::move(done).problem();
        if (auto sound = workload::validate(graph_); !sound) return std::move(sound).problem();
        if (!stripped_) workload::mark_trainable(graph_);
        if (auto inferred = workload::infer_shapes(graph_); !inferred) return std::move(inferred).problem();
        if (auto agreed = compare_shapes(); !agreed) return std::move(agreed).problem();
        graph_.attention_heads = workload::find_attention_heads(graph_);
        return std::move(graph_);
    }

private:
    result<void> read_initializers() {
        for (const pb::TensorProto& stored : model_.graph().initializer()) {
            auto read = read_tensor(stored);
            if (!read) return std::move(read).problem();
            if (auto fresh = declare(*std::move(read)); !fresh) return fresh;
        }
        return {};
    }

    // In a stripped file the metadata says which inputs are data; the rest are parameters and buffers. In an
    // ordinary one every input that has no initializer is data.
    result<void> read_inputs() {
        std::set<std::string, std::less<>> data;
        std::set<std::string, std::less<>> others;
        for (const auto& entry : model_.metadata_props()) {
            if (entry.key() == "data_inputs") {
                data = split_names(entry.value());
                stripped_ = true;
            }
            if (entry.key() == "non_parameter_inputs") others = split_names(entry.value());
        }
        bool first = true;
        for (const pb::ValueInfoProto& input : model_.graph().input()) {
            if (names_.contains(input.name())) continue;
            const auto type = element_type_of(input.type().tensor_type().elem_type());
            if (!type)
                return error{errc::unsupported, "input '" + input.name() + "'",
                             "it is not a tensor of numbers",
                             "inputs are tensors of real numbers, integers or booleans"};
            workload::tensor t{.name = input.name(), .role = tensor_role::input, .type = *type};
            if (stripped_ && !data.contains(input.name()))
                t.role = others.contains(input.name()) ? tensor_role::buffer : tensor_role::parameter;
            auto dims = read_dimensions(input);
            if (!dims) return std::move(dims).problem();
            t.dims = *std::move(dims);
            if (t.role == tensor_role::input && first) {
                graph_.batch = t.dims.empty() ? 1 : std::max<std::int64_t>(1, t.dims[0]);
                first = false;
            }
            if (auto fresh = declare(std::move(t)); !fresh) return fresh;
        }
        return {};
    }

    result<workload::dimensions> read_dimensions(const pb::ValueInfoProto& input) const {
        workload::dimensions dims;
        const auto& shape = input.type().tensor_type().shape();
        for (int axis = 0; axis < shape.dim_size(); ++axis) {
            const auto& dim = shape.dim(axis);
            if (dim.has_dim_value()) {
                dims.push_back(dim.dim_value());
                continue;
            }
            const auto given = options_.dimensions.find(dim.dim_param());
            if (!dim.dim_param().empty() && given != options_.dimensions.end()) {
                dims.push_back(given->second);
            } else if (axis == 0 && !dim.dim_param().empty()) {
                dims.push_back(options_.batch);
            } else {
                const bool named = !dim.dim_param().empty();
                return error{
                    errc::dynamic_shape, "input '" + input.name() + "': dimension " + to_text(axis),
                    named ? "'" + dim.dim_param() + "' has no value" : "it has neither a value nor a name",
                    named ? "give it with --dimension " + dim.dim_param() + "=VALUE"
                          : "export the model with a static shape, or with named dynamic dimensions"};
            }
        }
        return dims;
    }

    result<void> read_nodes() {
        for (const pb::NodeProto& node : model_.graph().node()) {
            const std::string place =
                "node '" + (node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name()) +
                "'";
            if (node.op_type() == "Constant") {
                if (auto done = read_constant(node); !done) return std::move(done).problem().within(place);
                continue;
            }
            auto type = workload::find_operator(node.op_type());
            if (!type) return std::move(type).problem().within(place);
            auto attributes = read_attributes(node);
            if (!attributes) return std::move(attributes).problem().within(place);
            workload::operation op{.type = *type, .name = node.name(), .attributes = *std::move(attributes)};
            for (const std::string& name : node.input())
                op.inputs.push_back(name.empty() ? none : tensor_of(name));
            for (const std::string& name : node.output())
                if (!name.empty()) op.outputs.push_back(tensor_of(name));
            if (op.outputs.empty())
                return error{errc::parse, place, "it has no result", "every node gives at least one tensor"};
            graph_.add(std::move(op));
        }
        return {};
    }

    result<void> read_constant(const pb::NodeProto& node) {
        if (node.output_size() != 1)
            return error{
                errc::parse, {}, "a constant with " + to_text(node.output_size()) + " results", "it has one"};
        workload::tensor constant{.name = node.output(0), .role = tensor_role::constant};
        for (const pb::AttributeProto& a : node.attribute()) {
            if (a.name() == "value" && a.has_t()) {
                auto read = read_tensor(a.t());
                if (!read) return std::move(read).problem();
                constant = *std::move(read);
                constant.name = node.output(0);
            } else if (a.name() == "value_int" || a.name() == "value_ints") {
                constant.type = workload::element_type::int64;
                constant.integers = {a.ints().begin(), a.ints().end()};
                if (a.name() == "value_ints")
                    constant.dims = {a.ints_size()};
                else
                    constant.integers = {a.i()};
            } else if (a.name() == "value_float") {
                constant.reals = {static_cast<double>(a.f())};
            } else {
                return error{errc::unsupported,
                             {},
                             "a constant given by '" + a.name() + "'",
                             "constants are given by value, value_int, value_ints or value_float"};
            }
        }
        return declare(std::move(constant));
    }

    result<void> read_outputs() {
        for (const pb::ValueInfoProto& output : model_.graph().output()) {
            const auto found = names_.find(output.name());
            if (found == names_.end())
                return error{errc::parse, "output '" + output.name() + "'", "nothing gives it",
                             "every output is the result of a node"};
            graph_.outputs.push_back(found->second);
        }
        return {};
    }

    // Shapes that the file states must be those that its operators give.
    result<void> compare_shapes() const {
        const auto& g = model_.graph();
        for (const auto* list : {&g.value_info(), &g.output()})
            for (const pb::ValueInfoProto& info : *list) {
                const auto found = names_.find(info.name());
                if (found == names_.end() || !info.type().tensor_type().has_shape()) continue;
                const workload::tensor& t = graph_.tensors[found->second];
                const auto& shape = info.type().tensor_type().shape();
                bool equal = static_cast<std::size_t>(shape.dim_size()) == t.dims.size();
                for (int axis = 0; equal && axis < shape.dim_size(); ++axis)
                    equal = !shape.dim(axis).has_dim_value() ||
                            shape.dim(axis).dim_value() == t.dims[static_cast<std::size_t>(axis)];
                if (!equal)
                    return error{errc::shape, "tensor '" + info.name() + "'",
                                 "the file states another shape than its operators give, " +
                                     workload::op::to_text(t.dims),
                                 "export the model again with shape inference"};
            }
        return {};
    }

    index tensor_of(const std::string& name) {
        const auto [entry, fresh] = names_.try_emplace(name, static_cast<index>(graph_.tensors.size()));
        if (fresh) graph_.add(workload::tensor{.name = name});
        return entry->second;
    }

    result<void> declare(workload::tensor t) {
        const auto [entry, fresh] = names_.try_emplace(t.name, static_cast<index>(graph_.tensors.size()));
        if (!fresh && graph_.tensors[entry->second].role != tensor_role::activation)
            return error{errc::parse, "tensor '" + t.name + "'", "it is declared twice",
                         "every tensor has one name"};
        if (fresh)
            graph_.add(std::move(t));
        else
            graph_.tensors[entry->second] = std::move(t);
        return {};
    }

    const pb::ModelProto& model_;
    const import_options& options_;
    workload::operator_graph graph_;
    std::map<std::string, index, std::less<>> names_;
    bool stripped_ = false;
};

} // namespace detail

/// Reads a model from the bytes of a file.
/// \returns errc::parse for bytes that are no ONNX model, errc::unknown_operator, errc::dynamic_shape,
/// errc::shape, errc::cycle, errc::overflow or errc::unsupported, each with the node or tensor as its place.
/// \complexity O(file + operands log operands).
[[nodiscard]] inline result<workload::operator_graph> import_onnx(std::string_view bytes,
                                                                  const import_options& options = {}) {
    const google::protobuf::LogSilencer quiet;
    pb::ModelProto model;
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return error{errc::unsupported,
                     {},
                     "it has " + to_text(bytes.size()) + " bytes",
                     "a protobuf has less than 2 GiB: store the weights as external data, or strip them"};
    if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph() ||
        model.graph().node_size() == 0)
        return error{errc::parse,
                     {},
                     "its " + to_text(bytes.size()) + " bytes are not an ONNX model",
                     "the file may be truncated or of another format: export it again"};
    return detail::importer(model, options).run();
}

/// Reads the model file at `path`. \returns as `import_onnx`, the file in front of the place, or errc::io.
[[nodiscard]] inline result<workload::operator_graph> import_onnx_file(const std::string& path,
                                                                       const import_options& options = {}) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return error{errc::io, path, "it cannot be opened", "name a file that exists and can be read"};
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    auto imported = import_onnx(bytes, options);
    if (!imported) return std::move(imported).problem().within(path);
    if (imported->name.empty()) imported->name = path;
    return imported;
}

} // namespace dovetail::ext::onnx
