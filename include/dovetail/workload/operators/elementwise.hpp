#pragma once
/// \file
/// Operators that take each result element from the operand elements at its place.
///
/// Lane cycles an element follow the vector core of PHAZE's estimator (Wang et al., ICML 2024) where it has
/// the operator: a transcendental function is a table look-up with refinement, a division ten steps.

#include <dovetail/core/fixed_string.hpp>
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
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, (*x)->type);
    }
};

using relu = unary<"Relu", 1, 1, saved::output>;
using leaky_relu = unary<"LeakyRelu", 2, 2>;
using sigmoid = unary<"Sigmoid", 12, 2, saved::output>;
using hard_sigmoid = unary<"HardSigmoid", 3, 2>;
using hard_swish = unary<"HardSwish", 4, 4>;
using tanh = unary<"Tanh", 27, 2, saved::output>;
using erf = unary<"Erf", 15, 15>;
using exp = unary<"Exp", 15, 1, saved::output>;
using log = unary<"Log", 15, 10>;
using sqrt = unary<"Sqrt", 15, 11, saved::output>;
using reciprocal = unary<"Reciprocal", 10, 2, saved::output>;
using neg = unary<"Neg", 1, 1, saved::nothing>;
using abs = unary<"Abs", 1, 1>;
using sin = unary<"Sin", 13, 14>;
using cos = unary<"Cos", 13, 14>;
using softplus = unary<"Softplus", 30, 12>;
using clip = unary<"Clip", 2, 1>;
using floor = unary<"Floor", 1, 0, saved::nothing>;
/// A random mask and a scaling; kept for the backward pass: the mask, priced as its result.
using dropout = unary<"Dropout", 2, 1, saved::output>;
/// x Phi(x): an error function, two products and a sum.
using gelu = unary<"Gelu", 20, 22>;
/// x sigmoid(x).
using swish = unary<"Swish", 14, 15>;

/// An elementwise operator on two operands that broadcast. `Fold` combines two known integers, for shape
/// arithmetic.
template <fixed_string Name, int Forward, int Backward, saved Saves, auto Fold>
struct binary : elementwise_operator<Forward, Backward, Saves> {
    static constexpr fixed_string name = Name;

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), (*a)->type, fold((*a)->integers, (*b)->integers));
    }

private:
    static std::vector<std::int64_t> fold(const std::vector<std::int64_t>& a,
                                          const std::vector<std::int64_t>& b) {
        std::vector<std::int64_t> folded;
        if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return folded;
        const std::size_t size = a.size() > b.size() ? a.size() : b.size();
        for (std::size_t i = 0; i < size; ++i)
            folded.push_back(Fold(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]));
        return folded;
    }
};

namespace detail {

// Unsigned arithmetic wraps instead of being undefined; a wrapped size fails the checks of shapes.
inline constexpr auto plus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
};
inline constexpr auto minus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
};
inline constexpr auto times = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
};
inline constexpr auto over = [](std::int64_t a, std::int64_t b) {
    return b == 0 || b == -1 ? minus(0, a) : a / b;
};
inline constexpr auto smaller = [](std::int64_t a, std::int64_t b) { return a < b ? a : b; };
inline constexpr auto larger = [](std::int64_t a, std::int64_t b) { return a > b ? a : b; };
inline constexpr auto remainder = [](std::int64_t a, std::int64_t b) {
    return b == 0 || b == -1 ? std::int64_t{0} : a % b;
};

} // namespace detail

using add = binary<"Add", 1, 1, saved::nothing, detail::plus>;
using sub = binary<"Sub", 1, 1, saved::nothing, detail::minus>;
using mul = binary<"Mul", 1, 2, saved::inputs, detail::times>;
using div = binary<"Div", 10, 21, saved::inputs, detail::over>;
using pow = binary<"Pow", 15, 16, saved::inputs, detail::times>;
using minimum = binary<"Min", 1, 1, saved::inputs, detail::smaller>;
using maximum = binary<"Max", 1, 1, saved::inputs, detail::larger>;
using mod = binary<"Mod", 10, 0, saved::nothing, detail::remainder>;

/// The sum of any number of operands.
struct sum : elementwise_operator<1, 1, saved::nothing> {
    static constexpr fixed_string name{"Sum"};
    static inferred infer(const operands& o) {
        const auto first = required(o, 0);
        if (!first) return first.problem();
        dimensions dims = (*first)->dims;
        for (const tensor* x : o.inputs) {
            auto wider = broadcast(dims, x->dims);
            if (!wider) return std::move(wider).problem();
            dims = *std::move(wider);
        }
        return one(std::move(dims), (*first)->type);
    }
    static double forward_cycles(const operands& o) {
        return o.inputs.size() < 2 ? 0.0 : static_cast<double>(o.inputs.size() - 1) * result_elements(o);
    }
};

/// A comparison or a logical operator on two operands.
template <fixed_string Name>
struct comparison : elementwise_operator<1, 0, saved::nothing> {
    static constexpr fixed_string name = Name;
    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        auto dims = broadcast((*a)->dims, (*b)->dims);
        if (!dims) return std::move(dims).problem();
        return one(*std::move(dims), element_type::boolean);
    }
};

using equal = comparison<"Equal">;
using less = comparison<"Less">;
using less_or_equal = comparison<"LessOrEqual">;
using greater = comparison<"Greater">;
using greater_or_equal = comparison<"GreaterOrEqual">;
using logical_and = comparison<"And">;
using logical_or = comparison<"Or">;
using logical_not = unary<"Not", 1, 0, saved::nothing>;
using is_nan = unary<"IsNaN", 1, 0, saved::nothing>;

/// Chooses between two operands by a condition.
struct where : elementwise_operator<1, 1, saved::inputs> {
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
        return one(*std::move(dims), (*a)->type);
    }
};

/// A change of the element type. Between floating types it costs nothing: every chip computes in one.
struct cast : elementwise_operator<0, 1, saved::nothing> {
    static constexpr fixed_string name{"Cast"};
    static constexpr core_type core = core_type::free;
    static constexpr fusion_class fusion = fusion_class::view;
    static constexpr gradient_rule gradient = gradient_rule::view;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, static_cast<element_type>(o.attributes.integer("to", 0)), (*x)->integers);
    }
    static double backward_cycles(const operands&) { return 0; }
};

} // namespace dovetail::workload::op
