#pragma once
/// \file
/// The part of a model that one device of a tensor-parallel group computes, with its collectives.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/sharding.hpp>
#include <dovetail/workload/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// What one of the devices that share a model computes.
struct tensor_slice {
    operator_graph graph;
    std::vector<bool>
        sharded; ///< for every operation of `graph`: whether it works on shares, collectives included
    std::vector<index>
        origin; ///< for every operation of `graph`: the operation of the whole model it belongs to
};

namespace detail {

/// Writes the slice of one of `width` devices.
class slicing {
public:
    slicing(const operator_graph& whole, const sharding& shares, std::int64_t width)
        : whole_(whole), shares_(shares), width_(width), column_source_(whole.operations.size(), none),
          sums_rows_(whole.operations.size(), false), entered_(whole.tensors.size(), none) {
        for (const sharding::column_group& group : shares.columns)
            for (const index v : group.products) column_source_[v] = group.source;
        for (const index v : shares.rows) sums_rows_[v] = true;
        for (const sharding::constant_share& c : shares.constants)
            constant_axis_[{c.operation, c.operand}] = c.axis;
    }

    result<tensor_slice> run() && {
        operator_graph& g = slice_.graph;
        g.name = whole_.name;
        g.tensors = whole_.tensors;
        g.outputs = whole_.outputs;
        g.batch = whole_.batch;
        g.attention_heads = whole_.attention_heads / width_;
        for (index t = 0; t < whole_.tensors.size(); ++t)
            if (shares_.axis[t] != sharding::whole) divide(g.tensors[t], shares_.axis[t]);
        for (index v = 0; v < whole_.operations.size(); ++v) copy(v);
        if (problem_) return *std::move(problem_);
        return std::move(slice_);
    }

private:
    void divide(tensor& t, std::size_t axis) {
        if (t.dims[axis] % width_ != 0 && !problem_)
            problem_ = error{errc::out_of_range, whole_.name + ": tensor '" + t.name + "'",
                             "its axis " + to_text(axis) + " of " + to_text(t.dims[axis]) +
                                 " elements cannot be shared by " + to_text(width_) + " devices",
                             "the tensor width must divide it"};
        t.dims[axis] /= width_;
    }

    /// Adds an operation whose result is a new tensor like `like`. \returns that tensor.
    index append(index origin, operator_type type, std::string name, std::vector<index> inputs, index like) {
        tensor result = slice_.graph.tensors[like];
        result.name = name;
        result.role = tensor_role::activation;
        const index t = slice_.graph.add(std::move(result));
        append(origin,
               operation{.type = type, .name = std::move(name), .inputs = std::move(inputs), .outputs = {t}},
               true);
        return t;
    }
    void append(index origin, operation op, bool sharded) {
        slice_.graph.add(std::move(op));
        slice_.sharded.push_back(sharded);
        slice_.origin.push_back(origin);
    }

    void copy(index v) {
        operation op = whole_.operations[v];
        const bool sharded = shares_.operations[v];
        if (sharded) {
            for (std::size_t i = 0; i < op.inputs.size(); ++i) cut_constant(v, i, op);
            resize(op);
            if (column_source_[v] != none) op.inputs[0] = enter(v, column_source_[v]);
            if (sums_rows_[v]) return reduce(v, std::move(op));
        }
        append(v, std::move(op), sharded);
    }

    void cut_constant(index v, std::size_t i, operation& op) {
        const auto found = constant_axis_.find({v, i});
        if (found == constant_axis_.end()) return;
        tensor part = whole_.tensors[op.inputs[i]];
        part.name += ".share";
        part.role = part.role == tensor_role::activation ? tensor_role::buffer : part.role;
        divide(part, found->second);
        op.inputs[i] = slice_.graph.add(std::move(part));
    }

    /// Megatron's f: the identity whose gradient is summed over the devices; one for all products that read
    /// `source`.
    index enter(index v, index source) {
        if (entered_[source] == none)
            entered_[source] = append(v, type_of<op::all_reduce_backward>,
                                      whole_.tensors[source].name + ".copied", {source}, source);
        return entered_[source];
    }

    /// Megatron's g: partial results are summed over the devices, and a bias comes after that, once.
    void reduce(index v, operation op) {
        const index result = op.outputs[0];
        const index bias = op.inputs.size() > 2 ? op.inputs[2] : none;
        op.inputs.resize(2);
        tensor partial = whole_.tensors[result];
        partial.name += ".partial";
        op.outputs[0] = slice_.graph.add(std::move(partial));
        const std::string name = op.name;
        const index part = op.outputs[0];
        append(v, std::move(op), true);
        index sum = result;
        if (bias != none) {
            tensor reduced = whole_.tensors[result];
            reduced.name += ".reduced";
            sum = slice_.graph.add(std::move(reduced));
        }
        append(v,
               operation{.type = type_of<op::all_reduce_forward>,
                         .name = name + ".reduced",
                         .inputs = {part},
                         .outputs = {sum}},
               true);
        if (bias != none)
            append(v,
                   operation{.type = type_of<op::add>,
                             .name = name + ".bias",
                             .inputs = {sum, bias},
                             .outputs = {result}},
                   false);
    }

    /// Writes the sizes that an operation names itself to fit its shares.
    void resize(operation& op) {
        const index result = op.outputs[0];
        const std::size_t axis = shares_.axis[result];
        if (axis == sharding::whole) return;
        const bool lists = op.type == type_of<op::reshape> || op.type == type_of<op::expand>;
        if (lists && op.inputs.size() > 1) {
            std::vector<std::int64_t> target = whole_.tensors[op.inputs[1]].integers;
            // An Expand may name fewer axes than the result has; 0 and -1 follow from the operand.
            const std::size_t behind = whole_.tensors[result].dims.size() - target.size();
            if (axis >= behind && target[axis - behind] > 1) target[axis - behind] /= width_;
            op.inputs[1] = add_list(op.name + ".share", std::move(target));
        }
        if (op.type == type_of<op::split>) {
            const std::int64_t along = op.attributes.integer("axis", 0);
            const auto rank = static_cast<std::int64_t>(whole_.tensors[result].dims.size());
            if (static_cast<std::size_t>(along < 0 ? along + rank : along) != axis) return;
            if (op.inputs.size() < 2 && op.attributes.integers("split").empty()) return;
            std::vector<std::int64_t> sizes;
            for (const index t : op.outputs) sizes.push_back(slice_.graph.tensors[t].dims[axis]);
            if (op.inputs.size() > 1)
                op.inputs[1] = add_list(op.name + ".share", std::move(sizes));
            else
                op.attributes.set("split", std::move(sizes));
        }
    }

    index add_list(std::string name, std::vector<std::int64_t> values) {
        const auto size = static_cast<std::int64_t>(values.size());
        return slice_.graph.add(tensor{.name = std::move(name),
                                       .role = tensor_role::constant,
                                       .type = element_type::int64,
                                       .dims = {size},
                                       .integers = std::move(values)});
    }

    const operator_graph& whole_;
    const sharding& shares_;
    std::int64_t width_;
    std::vector<index> column_source_; ///< what the group of a column product reads; `none` for the rest
    std::vector<bool> sums_rows_;      ///< whether the operation is a row product
    std::vector<index> entered_;       ///< the copy of a tensor that column products read, once it is there
    std::map<std::pair<index, std::size_t>, std::size_t> constant_axis_;
    tensor_slice slice_;
    std::optional<error> problem_;
};

} // namespace detail

/// The slice of one of `width` devices that share a model with attention (after Megatron-LM, Shoeybi et al.,
/// 2019; see `find_sharding`). Shared tensors have their shared axis divided; an AllReduceBackward stands
/// before the products that share out a whole tensor, an AllReduceForward behind those that contract over
/// shares. Embeddings and the head stay whole on every device. A width of 1 gives the model itself. \returns
/// errc::out_of_range where the width is below 1 or does not divide the heads or another shared axis, and
/// errc::unsupported where the model has no attention or none of its products can be shared out.
[[nodiscard]] inline result<tensor_slice> tensor_parallel(const operator_graph& g, std::int64_t width) {
    if (width < 1)
        return error{errc::out_of_range, g.name, "a tensor width of " + to_text(width), "it is at least 1"};
    if (width == 1) {
        tensor_slice slice{.graph = g,
                           .sharded = std::vector<bool>(g.operations.size()),
                           .origin = std::vector<index>(g.operations.size())};
        std::iota(slice.origin.begin(), slice.origin.end(), index{0});
        return slice;
    }
    if (g.attention_heads == 0)
        return error{errc::unsupported, g.name,
                     "a tensor width of " + to_text(width) + " for a model without attention heads",
                     "use a width of 1"};
    if (g.attention_heads % width != 0)
        return error{errc::out_of_range, g.name,
                     to_text(g.attention_heads) + " attention heads cannot be shared by " + to_text(width) +
                         " devices",
                     "the tensor width must divide the number of heads"};
    const sharding shares = find_sharding(g);
    if (shares.columns.empty())
        return error{errc::unsupported, g.name, "none of its products can be shared out",
                     "use a tensor width of 1"};
    return detail::slicing(g, shares, width).run();
}

} // namespace dovetail::workload
