#pragma once
/// \file
/// Operators that files spell out in smaller ones, each as its formula. To have another one recognised, add
/// its formula to the list.

#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/pattern.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace dovetail::workload {

/// The axes that the reductions of a formula may run along.
enum class reduced_axes : std::uint8_t {
    nothing,
    one,  ///< any single axis
    last, ///< the last axis, or the last few
};

/// An operator and a formula that means it. The operator takes the tensors of the formula's slots, in order;
/// weights have the shape of the reduced axes.
struct composite {
    operator_type type{};
    const pattern* meaning = nullptr;
    reduced_axes axes = reduced_axes::nothing; ///< given to the operator as its `axis`
    std::string_view setting{};                ///< the attribute that takes the open number
    std::string_view approximate{};            ///< the attribute of this name, where not empty
};

namespace formula {

inline constexpr operand<0> x;
inline constexpr weight<1> scale;
inline constexpr weight<2> shift;
inline constexpr setting open;

inline constexpr number<bits(1.0)> one;
inline constexpr number<bits(2.0)> two;
inline constexpr number<bits(3.0)> three;
inline constexpr number<bits(0.5)> half;
inline constexpr number<bits(-0.5)> minus_half;
inline constexpr number<bits(1.4142135623730951)> root_of_two;
inline constexpr number<bits(0.7071067811865476)> root_of_half;
inline constexpr number<bits(0.7978845608028654)> root_of_two_over_pi;
inline constexpr number<bits(0.044715)> cubic; // Hendrycks and Gimpel, Gaussian error linear units, 2016

/// The square, by any of the operators that exporters write for it.
[[nodiscard]] constexpr auto square(expression auto e) { return either(apply<op::pow>(e, two), e * e); }
/// The square root, likewise.
[[nodiscard]] constexpr auto root(expression auto e) {
    return either(apply<op::sqrt>(e), apply<op::pow>(e, half));
}
/// The reciprocal, likewise.
[[nodiscard]] constexpr auto inverse(expression auto e) { return either(one / e, apply<op::reciprocal>(e)); }
/// The reciprocal of the square root, likewise.
[[nodiscard]] constexpr auto inverse_root(expression auto e) {
    return either(inverse(root(e)), root(inverse(e)), apply<op::pow>(e, minus_half));
}
/// e over the root of `power`.
[[nodiscard]] constexpr auto normalized(expression auto e, expression auto power) {
    return either(e / root(power), e * inverse_root(power));
}
/// The same times `scale`.
[[nodiscard]] constexpr auto rescaled(expression auto e, expression auto power) {
    return either(e / root(power) * scale, e * inverse_root(power) * scale, e * scale / root(power));
}

inline constexpr auto deviation = x - mean(x);
inline constexpr auto variance = either(mean(square(deviation)), mean(square(x)) - square(mean(x))) + open;
inline constexpr auto layer_norm = rescaled(deviation, variance) + shift;
inline constexpr auto layer_norm_without_shift = rescaled(deviation, variance);
inline constexpr auto layer_norm_without_scale = normalized(deviation, variance) + shift;
inline constexpr auto plain_layer_norm = normalized(deviation, variance);

inline constexpr auto power = mean(square(x)) + open;
inline constexpr auto rms_norm = rescaled(x, power);
inline constexpr auto plain_rms_norm = normalized(x, power);

inline constexpr auto cube = either(apply<op::pow>(x, three), x* x* x);
inline constexpr auto tanh_argument =
    either((x + cubic * cube) * root_of_two_over_pi, x* root_of_two_over_pi*(one + cubic * x * x));
inline constexpr auto gelu_by_tanh = x * half * (one + apply<op::tanh>(tanh_argument));
inline constexpr auto gelu = x * half * (one + apply<op::erf>(either(x / root_of_two, x* root_of_half)));

inline constexpr auto silu = x * apply<op::sigmoid>(x);
inline constexpr auto swish = x * apply<op::sigmoid>(x * open);

inline constexpr auto exponential = either(apply<op::exp>(x - apply<op::reduce_max>(x)), apply<op::exp>(x));
inline constexpr auto total = apply<op::reduce_sum>(exponential);
inline constexpr auto softmax = either(exponential / total, exponential* inverse(total));

} // namespace formula

/// What `recognise` looks for. Of two that match the same operation the first one is taken, so a formula
/// stands before those that it contains.
inline constexpr std::array<composite, 11> composites{{
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm_without_shift)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::layer_norm_without_scale)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::layer_normalization>,
     .meaning = &decltype(formula::plain_layer_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::rms_normalization>,
     .meaning = &decltype(formula::rms_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::rms_normalization>,
     .meaning = &decltype(formula::plain_rms_norm)::node,
     .axes = reduced_axes::last,
     .setting = "epsilon"},
    {.type = type_of<op::gelu>, .meaning = &decltype(formula::gelu)::node},
    {.type = type_of<op::gelu>, .meaning = &decltype(formula::gelu_by_tanh)::node, .approximate = "tanh"},
    {.type = type_of<op::swish>, .meaning = &decltype(formula::silu)::node},
    {.type = type_of<op::swish>, .meaning = &decltype(formula::swish)::node, .setting = "alpha"},
    {.type = type_of<op::softmax>, .meaning = &decltype(formula::softmax)::node, .axes = reduced_axes::one},
}};

} // namespace dovetail::workload
