#pragma once
/// \file
/// What an operator type is: one descriptor a type, known at compile time.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/work.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail::workload {

/// Where an operator runs.
enum class core_type : std::uint8_t {
    free,   ///< costs nothing: views, shape arithmetic
    tensor, ///< matrix products
    vector, ///< everything element by element
    link,   ///< collectives
};

/// How an operator fuses with its neighbours.
enum class fusion_class : std::uint8_t {
    opaque,        ///< stands alone
    contraction,   ///< a product: absorbs the elementwise operators that follow it
    elementwise,   ///< each result element from the operand elements at its place
    normalization, ///< a reduction and a rescaling over an axis: at most one in a chain
    reduction,     ///< fewer elements come out: ends a chain
    view,          ///< moves no data
};

/// What the backward pass of an operator is made of.
enum class gradient_rule : std::uint8_t {
    stops,       ///< nothing flows back: comparisons, integer arithmetic
    product,     ///< one product for each operand that needs a gradient
    elementwise, ///< one vector operator for all operands
    view,        ///< the gradient is a view as well
    collective,  ///< the conjugate collective
};

/// What the forward pass must keep for the backward pass.
enum class saved : std::uint8_t {
    nothing,
    inputs,
    discrete_inputs, ///< the operands that are no floating-point numbers: what went where
    output,
    mask, ///< a truth value an element: the second result, which models may leave out
};

/// The operands of one operation, seen by its descriptor. A missing optional input is a null pointer.
struct operands {
    array_view<const tensor* const> inputs;
    array_view<const tensor* const> outputs; ///< empty while shapes are being inferred
    const attribute_set& attributes;
    std::size_t result_count = 1; ///< results that the operation names: further ones may be optional
};

/// Shape and element type of one result.
struct signature {
    dimensions dims;
    element_type type = element_type::float32;
    std::vector<std::int64_t> integers = {}; ///< the value, where shape arithmetic knows it
};

/// A descriptor: everything that the library knows about an operator type. To add an operator, write one and
/// put it in the list of operators.hpp.
template <class D>
concept operator_descriptor = requires(const operands& o) {
    { D::name.view() } -> std::convertible_to<std::string_view>; // as in model files
    { D::core } -> std::convertible_to<core_type>;
    { D::fusion } -> std::convertible_to<fusion_class>;
    { D::gradient } -> std::convertible_to<gradient_rule>;
    { D::saves } -> std::convertible_to<saved>;
    { D::infer(o) } -> std::same_as<result<std::vector<signature>>>; // shapes of the results
    { D::product(o) } -> std::same_as<contraction>;                  // empty unless core is tensor
    { D::forward_cycles(o) } -> std::convertible_to<double>;         // lane cycles of the whole operator
    { D::backward_cycles(o) } -> std::convertible_to<double>;        // lane cycles of its input gradient
};

/// A descriptor as data, for graphs whose types are known at run time only.
struct descriptor_record {
    std::string_view name;
    core_type core;
    fusion_class fusion;
    gradient_rule gradient;
    saved saves;
    result<std::vector<signature>> (*infer)(const operands&);
    contraction (*product)(const operands&);
    double (*forward_cycles)(const operands&);
    double (*backward_cycles)(const operands&);
};

/// The record of descriptor `D`.
template <operator_descriptor D>
inline constexpr descriptor_record record_of{D::name.view(),     D::core,   D::fusion,   D::gradient,
                                             D::saves,           &D::infer, &D::product, &D::forward_cycles,
                                             &D::backward_cycles};

} // namespace dovetail::workload
