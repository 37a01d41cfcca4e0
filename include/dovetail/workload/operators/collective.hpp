#pragma once
/// \file
/// Operators of the link between the devices that share a layer, and the optimizer's step.

#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

namespace dovetail::workload::op {

/// The two conjugate operators around a split product (g and f in Shoeybi et al., Megatron-LM, 2019).
template <fixed_string Name>
struct collective : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::link;
    static constexpr fusion_class fusion = fusion_class::opaque;
    static constexpr gradient_rule gradient = gradient_rule::collective;
    static constexpr saved saves = saved::nothing;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

/// Adds up partial results in the forward pass; the identity in the backward pass.
using all_reduce_forward = collective<"AllReduceForward">;
/// The identity in the forward pass; adds up partial gradients in the backward pass.
using all_reduce_backward = collective<"AllReduceBackward">;

/// Adam on one parameter tensor: two moments, a root, a division, and the master copy.
struct optimizer_step : no_product {
    static constexpr fixed_string name{"OptimizerStep"};
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::opaque;
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static constexpr saved saves = saved::nothing;
    /// Each moment: two products and a sum; the ratio of one to the root of the other; step and master copy.
    static constexpr double cycles_an_element = 11 * lane::step + lane::root + lane::division;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) { return cycles_an_element * operand_elements(o); }
    static double backward_cycles(const operands&) { return 0; }
};

} // namespace dovetail::workload::op
