#pragma once
/// \file
/// What an ONNX file declares about its tensors: roles, shapes, and dimensions without a value.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/onnx/values.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::ext::onnx {

/// How to import.
struct import_options {
    /// Samples that one pass takes; 0 keeps the batch of the file, or 1 where the file leaves it open.
    std::int64_t batch = 0;
    /// Values of other open dimensions: by name, {"sequence", 128}, or by place, {"input_ids:1", 128}.
    std::map<std::string, std::int64_t> dimensions{};
};

namespace detail {

using tensor_names = std::unordered_map<std::string, workload::index>;

/// The roles of the graph's inputs, from the metadata of files without weights.
class layout {
public:
    explicit layout(const ::onnx::ModelProto& model) {
        for (const ::onnx::StringStringEntryProto& entry : model.metadata_props()) {
            if (entry.key() == "data_inputs") data_ = names(entry.value());
            if (entry.key() == "non_parameter_inputs") buffers_ = names(entry.value());
            if (entry.key() == "batch") batch_ = parse_number<std::int64_t>(entry.value()).value_or(0);
        }
    }

    /// Whether the file tells data from weights; where it does not, every input is data.
    [[nodiscard]] bool names_data() const { return !data_.empty(); }
    /// The batch that the metadata tell, or 0.
    [[nodiscard]] std::int64_t batch() const { return batch_; }

    [[nodiscard]] workload::tensor_role role(const std::string& input) const {
        using workload::tensor_role;
        if (!names_data() || data_.contains(input)) return tensor_role::input;
        return buffers_.contains(input) ? tensor_role::buffer : tensor_role::parameter;
    }

private:
    /// The names of a list that commas separate.
    static std::set<std::string> names(std::string_view list) {
        std::set<std::string> all;
        while (!list.empty()) {
            const std::size_t end = std::min(list.find(','), list.size());
            if (end > 0) all.emplace(list.substr(0, end));
            list.remove_prefix(std::min(end + 1, list.size()));
        }
        return all;
    }

    std::set<std::string> data_, buffers_;
    std::int64_t batch_ = 0;
};

/// Checks that every value given is that of an open dimension, and that no dimension has two.
/// \param stored whether the file holds the values of an input, whose shape nobody may change
template <class Stored>
[[nodiscard]] result<void> check_dimensions(const ::onnx::GraphProto& file, const import_options& options,
                                            const Stored& stored) {
    std::map<std::string, std::int64_t> fixed; // by place
    std::map<std::string, std::string> open;   // by place: their names, or nothing
    for (const ::onnx::ValueInfoProto& info : file.input()) {
        if (stored(info.name()) || !info.type().has_tensor_type()) continue;
        for (int axis = 0; axis < info.type().tensor_type().shape().dim_size(); ++axis) {
            const auto& dim = info.type().tensor_type().shape().dim(axis);
            const std::string place = info.name() + ":" + to_text(axis);
            if (dim.has_dim_value())
                fixed.emplace(place, dim.dim_value());
            else
                open.emplace(place, dim.dim_param());
        }
    }
    std::vector<std::string_view> names;
    std::string list = "open are";
    for (const auto& [place, name] : open)
        if (std::find(names.begin(), names.end(), name.empty() ? place : name) == names.end()) {
            names.push_back(name.empty() ? place : name);
            list.append(names.size() > 1 ? ", '" : " '").append(names.back()) += '\'';
        }
    if (names.empty()) list = "the file has no open dimension";
    for (const auto& [given, extent] : options.dimensions) {
        const std::string what = "dimension '" + given + "'";
        if (const auto at = fixed.find(given); at != fixed.end())
            return error{errc::out_of_range,
                         {},
                         what + " is fixed at " + to_text(at->second),
                         "only open dimensions take a value: " + list};
        const auto at = open.find(given);
        if (at == open.end() && std::find(names.begin(), names.end(), given) == names.end())
            return error{errc::unknown_name, {}, "it has no " + what, did_you_mean(given, names, list)};
        const auto by_name =
            at == open.end() ? options.dimensions.end() : options.dimensions.find(at->second);
        if (by_name != options.dimensions.end() && by_name->second != extent)
            return error{errc::out_of_range,
                         {},
                         what + " is set to " + to_text(extent) + ", and by its name '" + by_name->first +
                             "' to " + to_text(by_name->second),
                         "give it one value"};
    }
    return {};
}

/// The value of the open dimension `axis` of the input `name`.
[[nodiscard]] inline result<std::int64_t> open_extent(const ::onnx::TensorShapeProto::Dimension& dim,
                                                      std::size_t axis, const std::string& name,
                                                      workload::tensor_role role, const layout& file,
                                                      const import_options& options) {
    const std::string place = name + ":" + to_text(axis);
    const std::string& key = dim.dim_param().empty() ? place : dim.dim_param();
    auto given = options.dimensions.find(place);
    if (given == options.dimensions.end()) given = options.dimensions.find(key);
    if (given != options.dimensions.end()) {
        if (given->second >= 1) return given->second;
        return error{errc::out_of_range,
                     {},
                     "dimension '" + given->first + "' is set to " + to_text(given->second),
                     "a dimension has at least one element"};
    }
    if (axis == 0 && role == workload::tensor_role::input) {
        if (options.batch > 0) return options.batch;
        if (file.batch() > 0) return file.batch();
        if (!dim.dim_param().empty()) return std::int64_t{1};
    }
    return error{errc::dynamic_shape,
                 {},
                 "its dimension " + to_text(axis) +
                     (dim.dim_param().empty() ? "" : ", '" + dim.dim_param() + "',") + " has no value",
                 "give it one, as in --dimension " + key + "=128"};
}

/// An input of the graph as a tensor of role `role`; the first dimension of data is the batch.
[[nodiscard]] inline result<workload::tensor> read_input(const ::onnx::ValueInfoProto& info,
                                                         workload::tensor_role role, const layout& file,
                                                         const import_options& options) {
    if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape())
        return error{errc::unsupported,
                     {},
                     "it is not a tensor with a known number of dimensions",
                     "inputs are tensors with a shape"};
    const auto& declared = info.type().tensor_type();
    const auto type = to_element_type(declared.elem_type());
    if (!type) return type.problem();
    workload::tensor t{.name = info.name(), .role = role, .type = *type};
    for (const auto& dim : declared.shape().dim()) {
        if (dim.has_dim_value()) {
            if (dim.dim_value() < 1)
                return error{errc::out_of_range,
                             {},
                             "its dimension " + to_text(t.dims.size()) + " is " +
                                 to_text(std::int64_t{dim.dim_value()}),
                             "a dimension has at least one element"};
            t.dims.push_back(dim.dim_value());
            continue;
        }
        const auto extent = open_extent(dim, t.dims.size(), info.name(), role, file, options);
        if (!extent) return extent.problem();
        t.dims.push_back(*extent);
    }
    return t;
}

/// Compares the shapes that the file declares for results with those that were inferred. Dimensions that the
/// file leaves open agree with everything.
[[nodiscard]] inline result<void> check_declared(const ::onnx::GraphProto& file, const tensor_names& names,
                                                 const workload::operator_graph& g) {
    for (const auto* list : {&file.value_info(), &file.output()})
        for (const ::onnx::ValueInfoProto& info : *list) {
            const auto found = names.find(info.name());
            if (found == names.end() || !info.type().has_tensor_type() ||
                !info.type().tensor_type().has_shape())
                continue;
            const workload::dimensions& dims = g.tensors[found->second].dims;
            const auto& declared = info.type().tensor_type().shape();
            bool agrees = static_cast<std::size_t>(declared.dim_size()) == dims.size();
            std::string text;
            for (int i = 0; i < declared.dim_size(); ++i) {
                const auto& dim = declared.dim(i);
                agrees =
                    agrees && (!dim.has_dim_value() || dim.dim_value() == dims[static_cast<std::size_t>(i)]);
                if (i > 0) text += ',';
                text += dim.has_dim_value() ? to_text(std::int64_t{dim.dim_value()}) : "?";
            }
            if (!agrees)
                return error{errc::shape, "tensor '" + info.name() + "'",
                             "the file declares the shape [" + text + "], but the operators give " +
                                 workload::op::to_text(dims),
                             "both agree"};
        }
    return {};
}

} // namespace detail

} // namespace dovetail::ext::onnx
