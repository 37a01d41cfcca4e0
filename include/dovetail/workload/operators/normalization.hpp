#pragma once
/// \file
/// Operators that reduce along an axis and rescale by what they found.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace dovetail::workload::op {

/// What they share: the shape of the first operand, and `Forward` and `Backward` lane cycles an element. The
/// gradient includes those of scale and shift.
template <fixed_string Name, int Forward, int Backward, saved Saves>
struct normalization_operator : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::normalization;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = Saves;
    static inferred infer(const operands& o) { return like_first(o); }
    static double forward_cycles(const operands& o) { return Forward * operand_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * operand_elements(o); }
};

/// A normalization of rows: the dimensions from `axis` on. Each row takes a root and a division besides; its
/// statistics are further results.
template <fixed_string Name, int Forward, int Backward>
struct row_normalization : normalization_operator<Name, Forward, Backward, saved::inputs> {
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        if (!results) return results;
        const auto axis = checked_axis(o.attributes.integer("axis", -1), results->front().dims.size());
        if (!axis) return axis.problem();
        dimensions statistics = results->front().dims;
        std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(*axis), statistics.end(), 1);
        while (results->size() < std::min<std::size_t>(o.result_count, 3))
            results->push_back({statistics, element_type::float32, {}});
        return results;
    }
    static double forward_cycles(const operands& o) {
        return Forward * operand_elements(o) + (lane::root + lane::division + lane::step) * rows(o);
    }

private:
    static double rows(const operands& o) {
        const auto axis = checked_axis(o.attributes.integer("axis", -1), o.inputs[0]->dims.size());
        if (!axis) return 0;
        return static_cast<double>(checked_product(array_view(o.inputs[0]->dims).first(*axis)).value_or(0));
    }
};

/// Mean, centring, square, variance, three steps to scale and shift. Backward (Ba et al., 2016): x̂ again,
/// the scaled gradient, two means, four steps to combine them, and the sums for scale and shift.
using layer_normalization = row_normalization<"LayerNormalization", 7 * lane::step, 13 * lane::step>;
/// Square, mean, and two steps to scale. Backward: the same without centring and shift.
using rms_normalization = row_normalization<"RMSNormalization", 4 * lane::step, 9 * lane::step>;

/// Statistics over the batch, as in training; then one product and one sum.
struct batch_normalization
    : normalization_operator<"BatchNormalization", 6 * lane::step, 9 * lane::step, saved::inputs> {
    static inferred infer(const operands& o) {
        auto results = like_first(o);
        for (std::size_t i = 3; results && results->size() < std::min<std::size_t>(o.result_count, 3); ++i) {
            const auto statistics = required(o, i);
            if (!statistics) return statistics.problem();
            results->push_back({(*statistics)->dims, (*statistics)->type, {}});
        }
        return results;
    }
};
using group_normalization =
    normalization_operator<"GroupNormalization", 7 * lane::step, 13 * lane::step, saved::inputs>;
using instance_normalization =
    normalization_operator<"InstanceNormalization", 7 * lane::step, 13 * lane::step, saved::inputs>;

/// Maximum, difference, exponential, sum and division. Backward: y (dy - sum y dy).
using softmax = normalization_operator<"Softmax", lane::exponential + lane::division + 3 * lane::step,
                                       4 * lane::step, saved::output>;
/// Maximum, difference, exponential, sum, difference; the logarithm is one a row.
using log_softmax = normalization_operator<"LogSoftmax", lane::exponential + 4 * lane::step,
                                           lane::exponential + 3 * lane::step, saved::output>;

/// Softmax and negative log-likelihood of the labels: one number, or one a label with `reduction` "none".
/// Its gradient is the softmax, computed again, minus one-hot.
struct softmax_cross_entropy_loss
    : normalization_operator<"SoftmaxCrossEntropyLoss", lane::exponential + 4 * lane::step,
                             lane::exponential + 3 * lane::step, saved::inputs> {
    static constexpr fusion_class fusion = fusion_class::reduction;
    static inferred infer(const operands& o) {
        const auto scores = required(o, 0);
        const auto labels = required(o, 1);
        if (!scores) return scores.problem();
        if (!labels) return labels.problem();
        const bool each = o.attributes.text("reduction", "mean") == "none";
        auto results = one(each ? (*labels)->dims : dimensions(), (*scores)->type);
        if (o.result_count > 1) results->push_back({(*scores)->dims, (*scores)->type, {}});
        return results;
    }
};

} // namespace dovetail::workload::op
