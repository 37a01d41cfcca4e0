#pragma once
/// \file
/// Operators that take each result element from the operand elements at its place.

#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/operators/shape_arithmetic.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

/// What elementwise operators share: `Forward` and `Backward` lane cycles a result element.
template <int Forward, int Backward, saved Saves>
struct elementwise_operator : no_product {
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::elementwise;
    static constexpr gradient_rule gradient =
        Backward > 0 ? gradient_rule::elementwise : gradient_rule::stops;
    static constexpr saved saves = Saves;
    static double forward_cycles(const operands& o) { return Forward * result_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * result_elements(o); }
};

/// An elementwise operator whose result has the shape of its first operand.
template <fixed_string Name, int Forward, int Backward, saved Saves = saved::inputs>
struct unary : elementwise_operator<Forward, Backward, Saves> {
    static constexpr fixed_string name = Name;
    static inferred infer(const operands& o) { return like_first(o); }
};

using neg = unary<"Neg", lane::step, lane::step, saved::nothing>;
using abs = unary<"Abs", lane::step, lane::step>;
using reciprocal = unary<"Reciprocal", lane::division, 3 * lane::step, saved::output>;
using sqrt = unary<"Sqrt", lane::root, lane::division + lane::step, saved::output>;
using exp = unary<"Exp", lane::exponential, lane::step, saved::output>;
using log = unary<"Log", lane::logarithm, lane::division>;
using sin = unary<"Sin", lane::sine, lane::sine + lane::step>;
using cos = unary<"Cos", lane::sine, lane::sine + 2 * lane::step>;
/// Its derivative is a scaled exp(-x^2).
using erf = unary<"Erf", lane::error_function, lane::exponential + 3 * lane::step>;
using tanh = unary<"Tanh", lane::hyperbolic_tangent, 3 * lane::step, saved::output>;
using sigmoid = unary<"Sigmoid", lane::sigmoid, 3 * lane::step, saved::output>;
using relu = unary<"Relu", lane::step, lane::step, saved::output>;
using leaky_relu = unary<"LeakyRelu", 2 * lane::step, 2 * lane::step>;
using elu = unary<"Elu", lane::exponential + 3 * lane::step, 3 * lane::step, saved::output>;
using hard_sigmoid = unary<"HardSigmoid", 4 * lane::step, 3 * lane::step>;
using hard_swish = unary<"HardSwish", 5 * lane::step, 6 * lane::step>;
using softplus =
    unary<"Softplus", lane::exponential + lane::step + lane::logarithm, lane::sigmoid + lane::step>;
/// x sigmoid(x); the gradient computes the sigmoid again.
using swish = unary<"Swish", lane::sigmoid + lane::step, lane::sigmoid + 5 * lane::step>;
/// x tanh(softplus(x)); the gradient computes both again, and the sigmoid.
using mish =
    unary<"Mish", lane::exponential + lane::logarithm + lane::hyperbolic_tangent + 2 * lane::step,
          lane::exponential + lane::logarithm + lane::hyperbolic_tangent + lane::sigmoid + 7 * lane::step>;
using clip = unary<"Clip", 2 * lane::step, 2 * lane::step>;
using floor = unary<"Floor", lane::step, 0, saved::nothing>;
using ceil = unary<"Ceil", lane::step, 0, saved::nothing>;
using round = unary<"Round", lane::step, 0, saved::nothing>;
using sign = unary<"Sign", lane::step, 0, saved::nothing>;
using logical_not = unary<"Not", lane::step, 0, saved::nothing>;

/// x Phi(x), by the error function or (`approximate` = "tanh") by Hendrycks and Gimpel's polynomial. The
/// gradient computes both factors again, and the density.
struct gelu : elementwise_operator<1, 1, saved::inputs> {
    static constexpr fixed_string name{"Gelu"};
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) {
        constexpr int exact = lane::error_function + 4 * lane::step;
        constexpr int approximate = lane::hyperbolic_tangent + 8 * lane::step;
        return (by_tanh(o) ? approximate : exact) * result_elements(o);
    }
    static double backward_cycles(const operands& o) {
        constexpr int exact = lane::error_function + lane::exponential + 9 * lane::step;
        constexpr int approximate = lane::hyperbolic_tangent + 15 * lane::step;
        return (by_tanh(o) ? approximate : exact) * result_elements(o);
    }

private:
    static bool by_tanh(const operands& o) { return o.attributes.text("approximate", "none") == "tanh"; }
};

/// A random mask and a scaling. What the backward pass needs is the mask, the second result.
struct dropout : elementwise_operator<2 * lane::step, lane::step, saved::mask> {
    static constexpr fixed_string name{"Dropout"};
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (results && o.result_count > 1)
            results->push_back({results->front().dims, element_type::boolean, {}});
        return results;
    }
};

/// Whether the gradient flows to the operand at `position`, as far as its role tells.
[[nodiscard]] inline bool differentiable(const operands& o, std::size_t position) {
    const tensor* x = optional_operand(o, position);
    return x != nullptr && is_floating(x->type) &&
           (x->role == tensor_role::activation || x->role == tensor_role::parameter);
}

/// The step that adds up the gradient of a stretched operand, a result element.
[[nodiscard]] inline int stretch_cycles(const operands& o, std::size_t position) {
    return static_cast<double>(o.inputs[position]->elements()) < result_elements(o) ? lane::step : 0;
}

/// An elementwise operator on two operands that broadcast; `Left` and `Right` are the lane cycles of the
/// gradient of each, besides the sum over stretched dimensions. `Fold` is what it does to integers.
template <fixed_string Name, int Forward, int Left, int Right, saved Saves, auto Fold>
struct binary : elementwise_operator<Forward, 1, Saves> {
    static constexpr fixed_string name = Name;

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), (*a)->type, arithmetic::folded(**a, **b, Fold));
    }

    static double backward_cycles(const operands& o) {
        int cycles = 0;
        if (differentiable(o, 0)) cycles += Left + stretch_cycles(o, 0);
        if (differentiable(o, 1)) cycles += Right + stretch_cycles(o, 1);
        return cycles * result_elements(o);
    }
};

using add = binary<"Add", lane::step, 0, 0, saved::nothing, arithmetic::plus>;
using sub = binary<"Sub", lane::step, 0, lane::step, saved::nothing, arithmetic::minus>;
using mul = binary<"Mul", lane::step, lane::step, lane::step, saved::inputs, arithmetic::times>;
using div = binary<"Div", lane::division, lane::division, lane::division + lane::step, saved::inputs,
                   arithmetic::over>;
using pow = binary<"Pow", lane::power, lane::power + lane::step, lane::logarithm + 2 * lane::step,
                   saved::inputs, arithmetic::power>;
/// A leaky rectifier whose slope is trained.
using parametric_relu =
    binary<"PRelu", 2 * lane::step, 2 * lane::step, 2 * lane::step, saved::inputs, arithmetic::times>;

/// Any number of operands that broadcast, combined one after the other.
template <fixed_string Name, int Backward, saved Saves, auto Fold>
struct variadic : elementwise_operator<lane::step, lane::step, Saves> {
    static constexpr fixed_string name = Name;

    static inferred infer(const operands& o) {
        const auto first = required(o, 0);
        if (!first) return first.problem();
        dimensions dims = (*first)->dims;
        for (std::size_t i = 1; i < o.inputs.size(); ++i) {
            const auto next = required(o, i);
            if (!next) return next.problem();
            auto wider = broadcast(dims, (*next)->dims);
            if (!wider) return std::move(wider).problem();
            dims = *std::move(wider);
        }
        std::vector<std::int64_t> values;
        if (o.inputs.size() == 2) values = arithmetic::folded(*o.inputs[0], *o.inputs[1], Fold);
        return one(std::move(dims), (*first)->type, std::move(values));
    }
    static double forward_cycles(const operands& o) {
        return o.inputs.size() < 2 ? 0.0 : static_cast<double>(o.inputs.size() - 1) * result_elements(o);
    }
    static double backward_cycles(const operands& o) {
        int cycles = 0;
        for (std::size_t i = 0; i < o.inputs.size(); ++i)
            if (differentiable(o, i)) cycles += Backward + stretch_cycles(o, i);
        return cycles * result_elements(o);
    }
};

using sum = variadic<"Sum", 0, saved::nothing, arithmetic::plus>;
using minimum = variadic<"Min", lane::step, saved::inputs, arithmetic::smaller>;
using maximum = variadic<"Max", lane::step, saved::inputs, arithmetic::larger>;

/// An operator on two operands without a gradient; `Truth` where the result is a truth value.
template <fixed_string Name, int Forward, bool Truth, auto Fold>
struct discrete : elementwise_operator<Forward, 0, saved::nothing> {
    static constexpr fixed_string name = Name;
    static inferred infer(const operands& o) {
        auto results = binary<Name, Forward, 0, 0, saved::nothing, Fold>::infer(o);
        if (results && Truth) results->front().type = element_type::boolean;
        return results;
    }
};

using mod = discrete<"Mod", lane::division, false, arithmetic::remainder>;
using equal = discrete<"Equal", lane::step, true, arithmetic::equal>;
using less = discrete<"Less", lane::step, true, arithmetic::less>;
using less_or_equal = discrete<"LessOrEqual", lane::step, true, arithmetic::less_or_equal>;
using greater = discrete<"Greater", lane::step, true, arithmetic::greater>;
using greater_or_equal = discrete<"GreaterOrEqual", lane::step, true, arithmetic::greater_or_equal>;
using logical_and = discrete<"And", lane::step, true, arithmetic::both>;
using logical_or = discrete<"Or", lane::step, true, arithmetic::either>;
using logical_xor = discrete<"Xor", lane::step, true, arithmetic::one_of>;

/// IsNaN: whether each element is not a number.
struct is_nan : elementwise_operator<lane::step, 0, saved::nothing> {
    static constexpr fixed_string name{"IsNaN"};
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (results) results->front().type = element_type::boolean;
        return results;
    }
};

/// Chooses between two operands by a condition.
struct where : elementwise_operator<lane::step, lane::step, saved::discrete_inputs> {
    static constexpr fixed_string name{"Where"};
    static inferred infer(const operands& o) {
        const auto condition = required(o, 0);
        const auto a = required(o, 1);
        const auto b = required(o, 2);
        if (!condition) return condition.problem();
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (dims) dims = broadcast(*dims, (*condition)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), (*a)->type, chosen(**condition, **a, **b));
    }
    static double backward_cycles(const operands& o) {
        int cycles = 0;
        for (const std::size_t i : {std::size_t{1}, std::size_t{2}})
            if (differentiable(o, i)) cycles += lane::step + stretch_cycles(o, i);
        return cycles * result_elements(o);
    }

private:
    static std::vector<std::int64_t> chosen(const tensor& condition, const tensor& a, const tensor& b) {
        const auto first = [](std::int64_t x, std::int64_t) { return x; };
        const auto second = [](std::int64_t, std::int64_t y) { return y; };
        const std::vector<std::int64_t> left = arithmetic::folded(a, b, first);
        const std::vector<std::int64_t> right = arithmetic::folded(a, b, second);
        const std::vector<std::int64_t>& picks = condition.integers;
        if (left.empty() || !arithmetic::known_list(condition)) return {};
        if (picks.size() == 1) return picks[0] != 0 ? left : right;
        if (picks.size() != left.size()) return {};
        std::vector<std::int64_t> values;
        for (std::size_t i = 0; i < picks.size(); ++i) values.push_back(picks[i] != 0 ? left[i] : right[i]);
        return values;
    }
};

/// A change of the element type `to`. It costs nothing: the chip computes in one type.
struct cast : free_of_charge {
    static constexpr fixed_string name{"Cast"};
    static constexpr fusion_class fusion = fusion_class::view;
    static constexpr gradient_rule gradient = gradient_rule::view;
    static constexpr saved saves = saved::nothing;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (!o.attributes.contains("to")) return missing_attribute("to");
        return one((*x)->dims, static_cast<element_type>(o.attributes.integer("to", 0)), (*x)->integers);
    }
};

} // namespace dovetail::workload::op
