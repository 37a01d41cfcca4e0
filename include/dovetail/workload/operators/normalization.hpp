#pragma once
/// \file
/// Operators that reduce along an axis and rescale by what they found.

#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

namespace dovetail::workload::op {

/// What they share: the shape of the first operand, and `Forward` and `Backward` lane cycles an element.
template <fixed_string Name, int Forward, int Backward, saved Saves>
struct normalization_operator : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::normalization;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = Saves;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, (*x)->type);
    }
    static double forward_cycles(const operands& o) { return Forward * operand_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * operand_elements(o); }
};

/// Mean, variance, centring, scaling and shifting, with one division and root a row.
using layer_normalization = normalization_operator<"LayerNormalization", 7, 11, saved::inputs>;
/// Mean square, scaling by its root and by the weight.
using rms_normalization = normalization_operator<"RMSNormalization", 4, 8, saved::inputs>;
/// Statistics over the batch in training, then one product and one sum.
using batch_normalization = normalization_operator<"BatchNormalization", 7, 8, saved::inputs>;
using group_normalization = normalization_operator<"GroupNormalization", 7, 11, saved::inputs>;
using instance_normalization = normalization_operator<"InstanceNormalization", 7, 11, saved::inputs>;
/// Maximum, exponential, sum and division.
using softmax = normalization_operator<"Softmax", 28, 3, saved::output>;
using log_softmax = normalization_operator<"LogSoftmax", 32, 18, saved::output>;

/// Softmax and negative log-likelihood of the labels: one number. Its gradient is softmax minus one-hot.
struct softmax_cross_entropy_loss : normalization_operator<"SoftmaxCrossEntropyLoss", 28, 2, saved::inputs> {
    static constexpr fusion_class fusion = fusion_class::reduction;
    static inferred infer(const operands& o) {
        const auto scores = required(o, 0);
        if (!scores) return scores.problem();
        return one({}, (*scores)->type);
    }
};

} // namespace dovetail::workload::op
