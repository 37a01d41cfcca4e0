#pragma once
/// \file
/// Building an operator graph by hand: shapes are inferred as operations are added, the first mistake is
/// kept.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// Builds an operator graph tensor by tensor. Shapes that do not fit together are reported once, by `finish`,
/// so that a model reads as a list of its operations.
class graph_builder {
public:
    /// A builder of the model `name` whose passes take `batch` samples.
    graph_builder(std::string name, std::int64_t batch) {
        graph_.name = std::move(name);
        graph_.batch = batch;
        if (batch < 1)
            problem_ = error{errc::out_of_range, graph_.name, "a batch of " + to_text(batch) + " samples",
                             "a batch holds at least one sample"};
    }

    /// Adds a data input; its first dimension is the batch. \returns the tensor.
    index input(std::string name, dimensions dims, element_type type = element_type::float32) {
        return add(std::move(name), tensor_role::input, type, std::move(dims));
    }
    /// Adds a trained tensor.
    index parameter(std::string name, dimensions dims) {
        return add(std::move(name), tensor_role::parameter, element_type::float32, std::move(dims));
    }
    /// Adds a tensor that is neither data nor trained: a mask, a table.
    index buffer(std::string name, dimensions dims, element_type type = element_type::float32) {
        return add(std::move(name), tensor_role::buffer, type, std::move(dims));
    }
    /// Adds a small constant list: the axes, sizes or shape that an operation takes as an input.
    index integers(std::string name, std::vector<std::int64_t> values) {
        const auto size = static_cast<std::int64_t>(values.size());
        const index t = add(std::move(name), tensor_role::constant, element_type::int64, {size});
        graph_.tensors[t].integers = std::move(values);
        return t;
    }
    /// Adds a constant scalar.
    index scalar(std::string name, double value) {
        const index t = add(std::move(name), tensor_role::constant, element_type::float32, {});
        graph_.tensors[t].reals = {value};
        return t;
    }

    /// Adds an operation of type `Op`. \returns all of its results, none after a mistake.
    template <operator_descriptor Op>
    std::vector<index> apply_all(std::string name, std::vector<index> inputs, attribute_set attributes = {}) {
        if (problem_) return {};
        std::vector<const tensor*> views;
        views.reserve(inputs.size());
        for (const index t : inputs) views.push_back(t == none ? nullptr : &graph_.tensors[t]);
        auto inferred = Op::infer(operands{.inputs = views, .outputs = {}, .attributes = attributes});
        if (!inferred) {
            problem_ = std::move(inferred).problem().within(graph_.name + ": " +
                                                            std::string(Op::name.view()) + " '" + name + "'");
            return {};
        }
        operation op{.type = type_of<Op>,
                     .name = name,
                     .inputs = std::move(inputs),
                     .attributes = std::move(attributes)};
        for (std::size_t r = 0; r < inferred->size(); ++r) {
            signature& s = (*inferred)[r];
            op.outputs.push_back(add(r == 0 ? name : name + "." + to_text(r), tensor_role::activation, s.type,
                                     std::move(s.dims)));
        }
        std::vector<index> results = op.outputs;
        graph_.add(std::move(op));
        return results;
    }

    /// Adds an operation of type `Op`. \returns its first result, `none` after a mistake.
    template <operator_descriptor Op>
    index apply(std::string name, std::vector<index> inputs, attribute_set attributes = {}) {
        const std::vector<index> results =
            apply_all<Op>(std::move(name), std::move(inputs), std::move(attributes));
        return results.empty() ? none : results.front();
    }

    /// Declares a result of the model.
    void output(index t) { graph_.outputs.push_back(t); }

    /// Declares the number of attention heads, which bounds the tensor-parallel widths.
    void attention_heads(std::int64_t heads) { graph_.attention_heads = heads; }

    [[nodiscard]] const tensor& operator[](index t) const { return graph_.tensors[t]; }

    /// The graph. \returns the first mistake: the error of a descriptor's `infer` with the operation's place,
    /// or errc::out_of_range for an empty batch.
    [[nodiscard]] result<operator_graph> finish() && {
        if (problem_) return *std::move(problem_);
        return std::move(graph_);
    }

private:
    index add(std::string name, tensor_role role, element_type type, dimensions dims) {
        return graph_.add(
            tensor{.name = std::move(name), .role = role, .type = type, .dims = std::move(dims)});
    }

    operator_graph graph_;
    std::optional<error> problem_;
};

} // namespace dovetail::workload
