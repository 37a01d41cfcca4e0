#pragma once
/// \file
/// The shape rules that descriptors share: broadcasting, axes, sliding windows.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

using inferred = result<std::vector<signature>>;

/// "[2,3,4]".
[[nodiscard]] inline std::string to_text(array_view<const std::int64_t> dims) {
    std::string text = "[";
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (i > 0) text += ',';
        text += dovetail::to_text(dims[i]);
    }
    return text + ']';
}

/// The error of a shape rule; the place is added by whoever knows the operation.
[[nodiscard]] inline error shape_error(std::string wrong, std::string expected) {
    return {errc::shape, {}, std::move(wrong), std::move(expected)};
}

/// The operand at `position`, or an error where it is missing.
[[nodiscard]] inline result<const tensor*> required(const operands& o, std::size_t position) {
    if (position < o.inputs.size() && o.inputs[position] != nullptr) return o.inputs[position];
    return shape_error("operand " + dovetail::to_text(position) + " is missing", "it is not optional");
}

/// The operand at `position`, or null where it is missing.
[[nodiscard]] inline const tensor* optional_operand(const operands& o, std::size_t position) {
    return position < o.inputs.size() ? o.inputs[position] : nullptr;
}

/// The error of an attribute without a default.
[[nodiscard]] inline error missing_attribute(std::string_view name) {
    return shape_error("attribute '" + std::string(name) + "' is missing", "it has no default");
}

/// One result.
[[nodiscard]] inline inferred one(dimensions dims, element_type type,
                                  std::vector<std::int64_t> integers = {}) {
    std::vector<signature> results(1);
    results[0] = {std::move(dims), type, std::move(integers)};
    return results;
}

/// One result with the shape and type of the first operand.
[[nodiscard]] inline inferred like_first(const operands& o) {
    const auto x = required(o, 0);
    if (!x) return x.problem();
    return one((*x)->dims, (*x)->type);
}

/// `axis` counted from the front, where a negative one counts from the back.
[[nodiscard]] inline result<std::size_t> checked_axis(std::int64_t axis, std::size_t rank) {
    const auto signed_rank = static_cast<std::int64_t>(rank);
    if (axis < -signed_rank || axis >= signed_rank)
        return shape_error("axis " + dovetail::to_text(axis) + " of a tensor with " +
                               dovetail::to_text(rank) + " dimensions",
                           "an axis is at least -rank and below rank");
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

/// The axes `list`, counted from the front and rising.
[[nodiscard]] inline result<std::vector<std::size_t>> checked_axes(array_view<const std::int64_t> list,
                                                                   std::size_t rank) {
    std::vector<std::size_t> axes;
    for (const std::int64_t a : list) {
        const auto axis = checked_axis(a, rank);
        if (!axis) return axis.problem();
        axes.push_back(*axis);
    }
    std::sort(axes.begin(), axes.end());
    if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
        return shape_error("axes " + to_text(list) + " name an axis twice", "every axis stands once");
    return axes;
}

/// The shape that both broadcast to (NumPy's rule: aligned from the back, 1 stretches).
[[nodiscard]] inline result<dimensions> broadcast(array_view<const std::int64_t> a,
                                                  array_view<const std::int64_t> b) {
    dimensions dims(std::max(a.size(), b.size()));
    for (std::size_t back = 1; back <= dims.size(); ++back) {
        const std::int64_t x = back <= a.size() ? a[a.size() - back] : 1;
        const std::int64_t y = back <= b.size() ? b[b.size() - back] : 1;
        if (x != y && x != 1 && y != 1)
            return shape_error("shapes " + to_text(a) + " and " + to_text(b) + " do not broadcast",
                               "each pair of dimensions must be equal, or one of them 1");
        dims[dims.size() - back] = x == 1 ? y : x;
    }
    return dims;
}

/// A list that newer versions of an operator take as an operand and older ones as an attribute.
[[nodiscard]] inline array_view<const std::int64_t> listed(const operands& o, std::size_t position,
                                                           std::string_view attribute) {
    const tensor* operand = optional_operand(o, position);
    return operand != nullptr ? array_view<const std::int64_t>(operand->integers)
                              : o.attributes.integers(attribute);
}

/// Whether such a list is given but its value is not known, so that the shape cannot be either.
[[nodiscard]] inline bool unknown_list(const operands& o, std::size_t position) {
    const tensor* operand = optional_operand(o, position);
    return operand != nullptr && operand->integers.empty() && operand->elements() > 0;
}

/// The error of a shape that depends on a value which only the run knows.
[[nodiscard]] inline error dynamic_error(std::string_view what) {
    return {errc::dynamic_shape,
            {},
            std::string(what) + " is not a constant of the file",
            "export the model with static shapes, or give values for its dynamic dimensions"};
}

/// A window that slides along one axis.
struct window {
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t dilation = 1;
    std::int64_t pad_front = 0;
    std::int64_t pad_back = 0;
    bool round_up = false; ///< a last window may hang over the back
};

/// The positions of a window on `extent` elements. One that would start in the padding at the back is none.
[[nodiscard]] inline result<std::int64_t> window_positions(std::int64_t extent, const window& w) {
    constexpr std::int64_t largest = std::int64_t{1} << 31; // so that nothing below leaves 64 bits
    const auto inside = [&](std::int64_t value, std::int64_t least) {
        return value >= least && value < largest;
    };
    if (!inside(w.kernel, 1) || !inside(w.stride, 1) || !inside(w.dilation, 1) || !inside(w.pad_front, 0) ||
        !inside(w.pad_back, 0) || extent >= std::numeric_limits<std::int64_t>::max() - 2 * largest)
        return shape_error("a window of " + dovetail::to_text(w.kernel) + " elements, stride " +
                               dovetail::to_text(w.stride) + ", dilation " + dovetail::to_text(w.dilation) +
                               ", pads " + dovetail::to_text(w.pad_front) + " and " +
                               dovetail::to_text(w.pad_back),
                           "kernels, strides and dilations are positive, pads are not negative");
    const std::int64_t reach = w.dilation * (w.kernel - 1) + 1;
    const std::int64_t padded = extent + w.pad_front + w.pad_back;
    if (reach > padded)
        return shape_error("a window that reaches over " + dovetail::to_text(reach) + " elements of " +
                               dovetail::to_text(padded),
                           "it fits into the padded extent");
    const std::int64_t slack = padded - reach;
    std::int64_t last = w.round_up ? ceil_div(slack, w.stride) : slack / w.stride;
    if (w.round_up && last > 0 && last * w.stride >= extent + w.pad_front) --last;
    return last + 1;
}

/// The result extents of a window that slides over the spatial axes (2 and up) of `image`.
[[nodiscard]] inline result<dimensions>
sliding(array_view<const std::int64_t> image, array_view<const std::int64_t> kernel, const attribute_set& a) {
    const std::size_t rank = kernel.size();
    if (rank == 0 || image.size() != rank + 2)
        return shape_error("a window " + to_text(kernel) + " over a tensor " + to_text(image),
                           "the tensor has a batch, channels and one axis for each axis of the window");
    const auto entry = [](array_view<const std::int64_t> list, std::size_t i, std::int64_t fallback) {
        return i < list.size() ? list[i] : fallback;
    };
    const std::string_view automatic = a.text("auto_pad", "NOTSET");
    const auto pads = a.integers("pads");
    dimensions extents;
    for (std::size_t i = 0; i < rank; ++i) {
        window w{.kernel = kernel[i],
                 .stride = entry(a.integers("strides"), i, 1),
                 .dilation = entry(a.integers("dilations"), i, 1),
                 .pad_front = entry(pads, i, 0),
                 .pad_back = entry(pads, i + rank, 0),
                 .round_up = a.integer("ceil_mode", 0) != 0};
        if (automatic.starts_with("SAME") && w.stride > 0) {
            extents.push_back(ceil_div(image[i + 2], w.stride));
            continue;
        }
        if (automatic == "VALID") w.pad_front = w.pad_back = 0;
        const auto positions = window_positions(image[i + 2], w);
        if (!positions) return positions.problem();
        extents.push_back(*positions);
    }
    return extents;
}

/// The elements of the first result, which is what most vector operators walk over.
[[nodiscard]] inline double result_elements(const operands& o) {
    return o.outputs.empty() || o.outputs[0] == nullptr ? 0.0 : static_cast<double>(o.outputs[0]->elements());
}

/// The elements of the first operand.
[[nodiscard]] inline double operand_elements(const operands& o) {
    return o.inputs.empty() || o.inputs[0] == nullptr ? 0.0 : static_cast<double>(o.inputs[0]->elements());
}

/// What operators without a product share.
struct no_product {
    static contraction product(const operands&) { return {}; }
};

/// What operators that cost nothing share.
struct free_of_charge : no_product {
    static constexpr core_type core = core_type::free;
    static double forward_cycles(const operands&) { return 0; }
    static double backward_cycles(const operands&) { return 0; }
};

} // namespace dovetail::workload::op
