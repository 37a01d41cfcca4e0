#pragma once
/// \file
/// Small graphs, and inference of single operations, for the tests of this folder.

#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/shapes.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::test {

/// An attribute set from name and value.
inline workload::attribute_set
attributes(std::initializer_list<std::pair<std::string, workload::attribute_value>> entries) {
    workload::attribute_set set;
    for (const auto& [name, value] : entries) set.set(name, value);
    return set;
}

/// A list of integers as an attribute value.
inline std::vector<std::int64_t> ints(std::vector<std::int64_t> values) { return values; }

/// The graph of a builder that nothing has gone wrong with.
inline workload::operator_graph finished(workload::graph_builder&& b) {
    return std::move(b).finish().value();
}

/// An activation.
inline workload::tensor shaped(workload::dimensions dims,
                               workload::element_type type = workload::element_type::float32) {
    return {.name = "x", .type = type, .dims = std::move(dims)};
}

/// A constant list.
inline workload::tensor list(std::vector<std::int64_t> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    return {.name = "list",
            .role = workload::tensor_role::constant,
            .type = workload::element_type::int64,
            .dims = {size},
            .integers = std::move(values)};
}

/// One operation by itself, with operands of the caller's making.
class lone_operation {
public:
    lone_operation(std::string_view type, std::vector<workload::tensor> inputs,
                   workload::attribute_set attributes = {}, std::size_t result_count = 1)
        : record_(workload::descriptor(*workload::find_operator(type))), inputs_(std::move(inputs)),
          attributes_(std::move(attributes)), result_count_(result_count) {
        for (const workload::tensor& x : inputs_) input_views_.push_back(&x);
    }

    [[nodiscard]] result<std::vector<workload::signature>> infer() const {
        return record_.infer({input_views_, {}, attributes_, result_count_});
    }
    /// The shape of the first result; {-1} where there is none.
    [[nodiscard]] workload::dimensions dims() const {
        const auto results = infer();
        return results ? results->front().dims : workload::dimensions{-1};
    }
    [[nodiscard]] std::vector<std::int64_t> value() const {
        const auto results = infer();
        return results ? results->front().integers : std::vector<std::int64_t>{};
    }
    [[nodiscard]] std::string problem() const {
        const auto results = infer();
        return results ? "" : results.problem().line();
    }
    [[nodiscard]] workload::contraction product() const { return with_results(record_.product); }
    [[nodiscard]] double forward_cycles() const { return with_results(record_.forward_cycles); }
    [[nodiscard]] double backward_cycles() const { return with_results(record_.backward_cycles); }

private:
    template <class Result>
    Result with_results(Result (*ask)(const workload::operands&)) const {
        const auto results = infer();
        if (!results) return {};
        std::vector<workload::tensor> outputs;
        for (const workload::signature& s : *results) outputs.push_back(shaped(s.dims, s.type));
        std::vector<const workload::tensor*> views;
        for (const workload::tensor& y : outputs) views.push_back(&y);
        return ask({input_views_, views, attributes_, result_count_});
    }

    const workload::descriptor_record& record_;
    std::vector<workload::tensor> inputs_;
    std::vector<const workload::tensor*> input_views_;
    workload::attribute_set attributes_;
    std::size_t result_count_;
};

} // namespace dovetail::test
