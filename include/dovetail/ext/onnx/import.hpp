#pragma once
/// \file
/// ONNX files as operator graphs, through the official protobuf messages.

#include <dovetail/core/read_file.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/onnx/attributes.hpp>
#include <dovetail/ext/onnx/declared.hpp>
#include <dovetail/ext/onnx/roles.hpp>
#include <dovetail/ext/onnx/values.hpp>
#include <dovetail/workload/attention_heads.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/rescale.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/validate.hpp>

#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::ext::onnx {

namespace detail {

/// The oldest operator set whose operators broadcast as all later ones do.
inline constexpr std::int64_t oldest_opset = 7;

/// One file on its way to an operator graph.
class importer {
public:
    importer(const ::onnx::ModelProto& model, const import_options& options)
        : model_(model), file_(model.graph()), layout_(model), options_(options) {}

    [[nodiscard]] result<workload::operator_graph> run() && {
        using step = result<void> (importer::*)();
        for (const step next : {&importer::check_header, &importer::add_stored, &importer::check_given,
                                &importer::add_inputs, &importer::add_operations, &importer::add_outputs})
            if (auto done = (this->*next)(); !done) return std::move(done).problem();
        if (auto sound = workload::validate(graph_); !sound) return std::move(sound).problem();
        if (auto inferred = workload::infer_shapes(graph_); !inferred) return std::move(inferred).problem();
        if (auto agrees = check_declared(file_, tensors_, graph_); !agrees)
            return std::move(agrees).problem();
        if (!layout_.names_data()) assign_roles(graph_);
        graph_.attention_heads = workload::find_attention_heads(graph_);
        if (options_.batch > 0 && options_.batch != graph_.batch)
            return workload::with_batch(graph_, options_.batch);
        return std::move(graph_);
    }

private:
    result<void> check_header() {
        if (options_.batch < 0)
            return error{errc::out_of_range,
                         {},
                         "a batch of " + to_text(options_.batch) + " samples",
                         "a batch holds at least one sample"};
        if (!model_.has_graph() || file_.node().empty())
            return error{errc::parse, {}, "it holds no ONNX graph", "give a model in the ONNX format"};
        for (const auto& set : model_.opset_import())
            if ((set.domain().empty() || set.domain() == "ai.onnx") && set.version() < oldest_opset)
                return error{errc::unsupported,
                             {},
                             "it uses operator set " + to_text(std::int64_t{set.version()}),
                             "export it with operator set " + to_text(oldest_opset) + " or newer"};
        if (!file_.sparse_initializer().empty())
            return error{errc::unsupported, {}, "it stores sparse tensors", "store them as dense ones"};
        return {};
    }

    result<void> add_stored() {
        for (const ::onnx::TensorProto& proto : file_.initializer()) {
            auto t = read_tensor(proto);
            const std::string place = "tensor '" + proto.name() + "'";
            if (!t) return std::move(t).problem().within(place);
            if (auto added = add(*std::move(t)); !added) return std::move(added).problem().within(place);
        }
        return {};
    }

    result<void> check_given() {
        return check_dimensions(file_, options_, [&](const std::string& name) { return stored(name); });
    }

    result<void> add_inputs() {
        bool batch_known = false;
        if (layout_.batch() > 0) graph_.batch = layout_.batch();
        for (const ::onnx::ValueInfoProto& info : file_.input()) {
            if (stored(info.name())) continue; // its value may be overridden, which nobody does here
            const std::string place = "input '" + info.name() + "'";
            const workload::tensor_role role = layout_.role(info.name());
            auto t = read_input(info, role, layout_, options_);
            if (!t) return std::move(t).problem().within(place);
            if (auto sound = workload::check_shape(*t); !sound) return std::move(sound).problem();
            if (role == workload::tensor_role::input && !t->dims.empty() && !batch_known) {
                graph_.batch = t->dims.front();
                batch_known = true;
            }
            if (auto added = add(*std::move(t)); !added) return std::move(added).problem().within(place);
        }
        return {};
    }

    result<void> add_operations() {
        graph_.name = file_.name();
        // Constants first: nodes may stand in any order, and what a constant is its users need not ask.
        for (const bool constants : {true, false})
            for (const ::onnx::NodeProto& node : file_.node()) {
                if ((node.op_type() == "Constant") != constants) continue;
                const std::string& name =
                    node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
                auto added = constants ? add_constant(node) : add_operation(node, name);
                if (!added)
                    return std::move(added).problem().within("node '" + name + "' (" + node.op_type() + ")");
            }
        return {};
    }

    result<void> add_constant(const ::onnx::NodeProto& node) {
        auto t = read_constant(node);
        if (!t) return std::move(t).problem();
        if (node.output_size() != 1)
            return error{errc::parse,
                         {},
                         "it has " + to_text(node.output_size()) + " results",
                         "a constant is one tensor"};
        t->name = node.output(0);
        return add(*std::move(t));
    }

    result<void> add_operation(const ::onnx::NodeProto& node, const std::string& name) {
        const auto type = find_type(node);
        if (!type) return type.problem();
        auto attributes = read_attributes(node, *type);
        if (!attributes) return std::move(attributes).problem();
        workload::operation op{.type = *type, .name = name, .attributes = *std::move(attributes)};
        for (const std::string& input : node.input())
            op.inputs.push_back(input.empty() ? workload::none : tensor_named(input));
        for (const std::string& output : node.output())
            op.outputs.push_back(output.empty() ? graph_.add(workload::tensor{}) : tensor_named(output));
        while (!op.outputs.empty() && node.output(static_cast<int>(op.outputs.size()) - 1).empty())
            op.outputs.pop_back();
        while (!op.inputs.empty() && op.inputs.back() == workload::none) op.inputs.pop_back();
        if (op.outputs.empty())
            return error{errc::parse, {}, "it has no result", "every operation gives a tensor"};
        graph_.add(std::move(op));
        return {};
    }

    [[nodiscard]] result<workload::operator_type> find_type(const ::onnx::NodeProto& node) const {
        const std::string& name = node.op_type();
        for (const std::string_view control : {"If", "Loop", "Scan", "SequenceMap"})
            if (name == control)
                return error{errc::unsupported,
                             {},
                             "control flow is not supported",
                             "export the model by tracing it with example data"};
        for (const auto& function : model_.functions())
            if (function.name() == name && function.domain() == node.domain())
                return error{errc::unsupported,
                             {},
                             "functions of the model are not supported",
                             "inline them (onnx.inliner) before the import"};
        const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
        return workload::find_operator(standard ? name : node.domain() + "::" + name);
    }

    result<void> add_outputs() {
        for (const ::onnx::ValueInfoProto& info : file_.output()) {
            const auto found = tensors_.find(info.name());
            if (found == tensors_.end())
                return error{errc::parse, "output '" + info.name() + "'", "nothing gives it",
                             "every output is the result of a node"};
            graph_.outputs.push_back(found->second);
        }
        return {};
    }

    result<void> add(workload::tensor t) {
        if (tensors_.contains(t.name))
            return error{errc::parse, {}, "its name is given twice", "names of tensors are unique"};
        const std::string name = t.name;
        tensors_.emplace(name, graph_.add(std::move(t)));
        return {};
    }

    [[nodiscard]] bool stored(const std::string& name) const {
        const auto found = tensors_.find(name);
        return found != tensors_.end() &&
               graph_.tensors[found->second].role == workload::tensor_role::constant;
    }

    workload::index tensor_named(const std::string& name) {
        const auto [place, added] = tensors_.emplace(name, workload::none);
        if (added) place->second = graph_.add(workload::tensor{.name = name});
        return place->second;
    }

    const ::onnx::ModelProto& model_;
    const ::onnx::GraphProto& file_;
    const layout layout_;
    const import_options& options_;
    workload::operator_graph graph_;
    tensor_names tensors_;
};

} // namespace detail

/// The operator graph of the ONNX model in `bytes`.
///
/// Stored tensors keep shape and type, small ones their value. Files whose metadata name their
/// `data_inputs` and `non_parameter_inputs` are taken at their word; elsewhere `assign_roles` finds what is
/// trained. `Constant` nodes become tensors. All shapes are inferred, and compared with those in the file.
/// \returns the graph with its structure validated, or the first mistake: errc::parse,
/// errc::unknown_operator, errc::dynamic_shape, errc::cycle, errc::shape, errc::overflow, errc::out_of_range
/// or errc::unsupported, with the node, input or tensor as its place.
/// \complexity linear in the file but for a logarithm.
[[nodiscard]] inline result<workload::operator_graph> import_onnx(std::string_view bytes,
                                                                  const import_options& options = {}) {
    if (bytes.empty()) return error{errc::parse, {}, "it is empty", "give a model in the ONNX format"};
    ::onnx::ModelProto model;
    const google::protobuf::LogSilencer silence; // the message travels as an error
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return error{errc::unsupported,
                     {},
                     "it has " + to_text(bytes.size()) + " bytes",
                     "a protobuf has less than 2 GiB: store the weights as external data, or strip them"};
    if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return error{errc::parse,
                     {},
                     "its " + to_text(bytes.size()) + " bytes are not a complete ONNX model",
                     "the file may be truncated or of another format: export it again"};
    return detail::importer(model, options).run();
}

/// The operator graph of the ONNX model in the file `path`. \returns as `import_onnx`, with the file in front
/// of the place, or as `read_file`.
[[nodiscard]] inline result<workload::operator_graph> import_onnx_file(const std::filesystem::path& path,
                                                                       const import_options& options = {}) {
    const auto bytes = read_file(path, std::numeric_limits<int>::max());
    if (!bytes) return bytes.problem();
    auto graph = import_onnx(*bytes, options);
    if (!graph) return std::move(graph).problem().within(path.string());
    if (graph->name.empty()) graph->name = path.stem().string();
    return graph;
}

} // namespace dovetail::ext::onnx
