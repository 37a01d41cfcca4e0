#pragma once
/// \file
/// Matrix products and convolutions: the operators of the tensor cores.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace dovetail::workload::op {

/// What products share. Both operands are kept for the backward pass: each is a factor of the other's
/// gradient.
struct product_operator {
    static constexpr core_type core = core_type::tensor;
    static constexpr fusion_class fusion = fusion_class::contraction;
    static constexpr gradient_rule gradient = gradient_rule::product;
    static constexpr saved saves = saved::inputs;
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

/// A (… x rows x reduction) times B (… x reduction x columns), batch dimensions broadcast.
struct mat_mul : product_operator {
    static constexpr fixed_string name{"MatMul"};

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        dimensions left = (*a)->dims;
        dimensions right = (*b)->dims;
        if (left.empty() || right.empty())
            return shape_error("a product with a scalar", "both operands have at least one dimension");
        const bool row_vector = left.size() == 1;
        const bool column_vector = right.size() == 1;
        if (row_vector) left.insert(left.begin(), 1);
        if (column_vector) right.push_back(1);
        if (left.back() != right[right.size() - 2])
            return shape_error("the operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims) +
                                   " disagree in the inner dimension",
                               "the last dimension of the first equals the last but one of the second");
        const array_view<const std::int64_t> left_batch(left.data(), left.size() - 2);
        const array_view<const std::int64_t> right_batch(right.data(), right.size() - 2);
        auto dims = broadcast(left_batch, right_batch);
        if (!dims) return std::move(dims).problem();
        if (!row_vector) dims->push_back(left[left.size() - 2]);
        if (!column_vector) dims->push_back(right.back());
        return one(*std::move(dims), (*a)->type);
    }

    /// A second operand without batch dimensions is shared by all batches of the first, whose batches are
    /// then further rows.
    static contraction product(const operands& o) {
        const dimensions& a = o.inputs[0]->dims;
        const dimensions& b = o.inputs[1]->dims;
        const std::int64_t reduction = a.back();
        const std::int64_t columns = b.size() == 1 ? 1 : b.back();
        const std::int64_t result = o.outputs[0]->elements();
        std::int64_t batch = 1;
        for (std::size_t i = 0; i + 2 < b.size(); ++i) batch *= b[i];
        if (columns == 0 || batch == 0) return {};
        return {
            .batch = batch, .rows = result / (batch * columns), .reduction = reduction, .columns = columns};
    }
};

/// alpha A B + beta C with optional transposes.
struct gemm : product_operator {
    static constexpr fixed_string name{"Gemm"};

    static inferred infer(const operands& o) {
        const auto a = required(o, 0);
        const auto b = required(o, 1);
        if (!a) return a.problem();
        if (!b) return b.problem();
        if ((*a)->dims.size() != 2 || (*b)->dims.size() != 2)
            return shape_error("operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims),
                               "both are matrices");
        const bool turn_a = o.attributes.integer("transA", 0) != 0;
        const bool turn_b = o.attributes.integer("transB", 0) != 0;
        if ((*a)->dims[turn_a ? 0 : 1] != (*b)->dims[turn_b ? 1 : 0])
            return shape_error("the operands " + to_text((*a)->dims) + " and " + to_text((*b)->dims) +
                                   " disagree in the inner dimension",
                               "they agree after transA and transB");
        return one({(*a)->dims[turn_a ? 1 : 0], (*b)->dims[turn_b ? 0 : 1]}, (*a)->type);
    }

    static contraction product(const operands& o) {
        const bool turn_a = o.attributes.integer("transA", 0) != 0;
        return {.batch = 1,
                .rows = o.outputs[0]->dims[0],
                .reduction = o.inputs[0]->dims[turn_a ? 0 : 1],
                .columns = o.outputs[0]->dims[1]};
    }

    /// The bias, where there is one.
    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }
};

/// A convolution over any number of spatial axes, as its implicit product.
struct conv : product_operator {
    static constexpr fixed_string name{"Conv"};

    static inferred infer(const operands& o) {
        const auto image = required(o, 0);
        const auto kernel = required(o, 1);
        if (!image) return image.problem();
        if (!kernel) return kernel.problem();
        const dimensions& x = (*image)->dims;
        const dimensions& w = (*kernel)->dims;
        const std::int64_t group = o.attributes.integer("group", 1);
        if (w.size() < 3 || x.size() != w.size())
            return shape_error("a kernel " + to_text(w) + " over a tensor " + to_text(x),
                               "both have channels and the same spatial axes");
        if (group < 1 || w[0] % group != 0 || x[1] % group != 0 || x[1] / group != w[1])
            return shape_error("a kernel " + to_text(w) + " in " + dovetail::to_text(group) +
                                   " groups over " + dovetail::to_text(x[1]) + " channels",
                               "channels equal the groups times the kernel's second dimension");
        auto extents = sliding(x, array_view(w).subspan(2), o.attributes);
        if (!extents) return std::move(extents).problem();
        dimensions dims{x[0], w[0]};
        dims.insert(dims.end(), extents->begin(), extents->end());
        return one(std::move(dims), (*image)->type);
    }

    static contraction product(const operands& o) {
        const std::int64_t group = std::max<std::int64_t>(1, o.attributes.integer("group", 1));
        const dimensions& w = o.inputs[1]->dims;
        if (w[0] == 0) return {};
        return {.batch = group,
                .rows = o.outputs[0]->elements() / w[0],
                .reduction = o.inputs[1]->elements() / w[0],
                .columns = w[0] / group};
    }

    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }
};

/// The transpose of a convolution: every element of the tensor spreads a kernel over the result.
struct conv_transpose : product_operator {
    static constexpr fixed_string name{"ConvTranspose"};

    static inferred infer(const operands& o) {
        const auto image = required(o, 0);
        const auto kernel = required(o, 1);
        if (!image) return image.problem();
        if (!kernel) return kernel.problem();
        const dimensions& x = (*image)->dims;
        const dimensions& w = (*kernel)->dims;
        const std::int64_t group = o.attributes.integer("group", 1);
        if (w.size() < 3 || x.size() != w.size() || x[1] != w[0])
            return shape_error("a kernel " + to_text(w) + " over a tensor " + to_text(x),
                               "both have the same spatial axes, and the kernel starts with the channels");
        const auto channels = group < 1 ? std::nullopt : checked_multiply(w[1], group);
        if (!channels || w[0] % group != 0)
            return shape_error(dovetail::to_text(group) + " groups of a kernel " + to_text(w),
                               "the groups divide the channels");
        dimensions dims{x[0], *channels};
        for (std::size_t i = 2; i < x.size(); ++i) {
            const auto extent = spread(o.attributes, i - 2, w.size() - 2, x[i], w[i]);
            if (!extent) return extent.problem();
            dims.push_back(*extent);
        }
        return one(std::move(dims), (*image)->type);
    }

    static contraction product(const operands& o) {
        const std::int64_t group = std::max<std::int64_t>(1, o.attributes.integer("group", 1));
        const dimensions& w = o.inputs[1]->dims;
        if (w[0] == 0) return {};
        return {.batch = group,
                .rows = o.inputs[0]->elements() / w[0],
                .reduction = w[0] / group,
                .columns = o.inputs[1]->elements() / w[0]};
    }

    static double forward_cycles(const operands& o) {
        return optional_operand(o, 2) != nullptr ? lane::step * result_elements(o) : 0;
    }

private:
    /// The result extent of axis `i` of `rank` spatial axes.
    static result<std::int64_t> spread(const attribute_set& a, std::size_t i, std::size_t rank,
                                       std::int64_t extent, std::int64_t kernel) {
        const auto entry = [&](std::string_view list, std::size_t at, std::int64_t fallback) {
            return at < a.integers(list).size() ? a.integers(list)[at] : fallback;
        };
        if (const auto fixed = a.integers("output_shape"); i < fixed.size()) return fixed[i];
        const std::int64_t stride = entry("strides", i, 1);
        const std::int64_t dilation = entry("dilations", i, 1);
        const std::int64_t more = entry("output_padding", i, 0);
        const std::int64_t less_front = entry("pads", i, 0);
        const std::int64_t less_back = entry("pads", i + rank, 0);
        constexpr std::int64_t largest = std::int64_t{1} << 30; // products stay below 2^61
        for (const std::int64_t value : {extent, kernel, stride, dilation, more, less_front, less_back})
            if (value < 0 || value > largest)
                return shape_error("a window setting of " + dovetail::to_text(value),
                                   "extents, strides, dilations and pads are not negative and below 2^30");
        if (a.text("auto_pad", "NOTSET").starts_with("SAME")) return extent * stride;
        const std::int64_t result =
            stride * (extent - 1) + more + dilation * (kernel - 1) + 1 - less_front - less_back;
        if (extent < 1 || kernel < 1 || result < 0)
            return shape_error("pads larger than the result", "something of the result remains");
        return result;
    }
};

} // namespace dovetail::workload::op
