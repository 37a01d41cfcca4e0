#pragma once
/// \file
/// Operators that only look at data in another way: they move nothing and cost nothing.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

/// What views share.
template <fixed_string Name>
struct view : free_of_charge {
    static constexpr fixed_string name = Name;
    static constexpr fusion_class fusion = fusion_class::view;
    static constexpr gradient_rule gradient = gradient_rule::view;
    static constexpr saved saves = saved::nothing;
};

/// Identity: its operand.
struct identity : view<"Identity"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, (*x)->type, (*x)->integers);
    }
};

/// The same elements in another shape: 0 keeps a dimension, -1 stands for what is left.
struct reshape : view<"Reshape"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the target shape");
        const auto target = listed(o, 1, "shape");
        dimensions dims(target.begin(), target.end());
        const bool zero_keeps = o.attributes.integer("allowzero", 0) == 0;
        std::ptrdiff_t open = -1;
        std::int64_t known = 1;
        for (std::size_t i = 0; i < dims.size(); ++i) {
            if (dims[i] == 0 && zero_keeps && i < (*x)->dims.size()) dims[i] = (*x)->dims[i];
            if (dims[i] < -1 || (dims[i] == -1 && open >= 0))
                return shape_error("a target shape " + to_text(target), "at most one dimension is -1");
            if (dims[i] == -1) {
                open = static_cast<std::ptrdiff_t>(i);
                continue;
            }
            const auto product = checked_multiply(known, dims[i]);
            if (!product)
                return shape_error("a target shape " + to_text(target), "it has fewer than 2^63 elements");
            known = *product;
        }
        const std::int64_t elements = (*x)->elements();
        if (open >= 0)
            dims[static_cast<std::size_t>(open)] = known > 0 && elements % known == 0 ? elements / known : -1;
        if (checked_product_or(dims) != elements)
            return shape_error("a tensor " + to_text((*x)->dims) + " as " + to_text(target),
                               "both shapes have the same number of elements");
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }

private:
    static std::int64_t checked_product_or(const dimensions& dims) {
        for (const std::int64_t d : dims)
            if (d < 0) return -1;
        return checked_product(dims).value_or(-1);
    }
};

/// Transpose: permutes the extents by `perm`, or reverses them.
struct transpose : view<"Transpose"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const std::size_t rank = (*x)->dims.size();
        std::vector<std::int64_t> order(rank);
        std::iota(order.rbegin(), order.rend(), 0);
        if (const auto perm = o.attributes.integers("perm"); !perm.empty())
            order.assign(perm.begin(), perm.end());
        const auto all = checked_axes(order, rank);
        if (!all || all->size() != rank)
            return shape_error("a permutation " + to_text(order) + " of a tensor " + to_text((*x)->dims),
                               "it names every axis once");
        dimensions dims;
        for (const std::int64_t axis : order)
            dims.push_back((*x)->dims[static_cast<std::size_t>(
                axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis)]);
        return one(std::move(dims), (*x)->type);
    }
};

/// Flatten: a matrix of the extents before and from `axis` on.
struct flatten : view<"Flatten"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const dimensions& dims = (*x)->dims;
        const auto rank = static_cast<std::int64_t>(dims.size());
        std::int64_t axis = o.attributes.integer("axis", 1);
        if (axis < 0) axis += rank;
        if (axis < 0 || axis > rank)
            return shape_error("axis " + dovetail::to_text(axis) + " of a tensor " + to_text(dims),
                               "it is at most the rank");
        const std::int64_t rows =
            checked_product(array_view(dims).first(static_cast<std::size_t>(axis))).value_or(0);
        const std::int64_t columns =
            checked_product(array_view(dims).subspan(static_cast<std::size_t>(axis))).value_or(0);
        return one({rows, columns}, (*x)->type);
    }
};

/// Squeeze: drops extents of one.
struct squeeze : view<"Squeeze"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto axes = checked_axes(listed(o, 1, "axes"), (*x)->dims.size());
        if (!axes) return axes.problem();
        dimensions dims;
        for (std::size_t i = 0; i < (*x)->dims.size(); ++i) {
            const bool named = std::binary_search(axes->begin(), axes->end(), i);
            if (named && (*x)->dims[i] != 1)
                return shape_error("axis " + dovetail::to_text(i) + " of a tensor " + to_text((*x)->dims),
                                   "only an axis of one element can be squeezed");
            if (!named && !(axes->empty() && (*x)->dims[i] == 1)) dims.push_back((*x)->dims[i]);
        }
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }
};

/// Unsqueeze: puts in extents of one.
struct unsqueeze : view<"Unsqueeze"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto list = listed(o, 1, "axes");
        const auto axes = checked_axes(list, (*x)->dims.size() + list.size());
        if (!axes) return axes.problem();
        dimensions dims = (*x)->dims;
        for (const std::size_t axis : *axes) dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        return one(std::move(dims), (*x)->type, (*x)->integers);
    }
};

/// Stretches dimensions of one element; the reader repeats them.
struct expand : view<"Expand"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the target shape");
        auto dims = broadcast((*x)->dims, listed(o, 1, "shape"));
        if (!dims) return std::move(dims).problem();
        std::vector<std::int64_t> values;
        if (*dims == (*x)->dims) values = (*x)->integers;
        return one(*std::move(dims), (*x)->type, std::move(values));
    }
};

/// Parts of a tensor along an axis: equal ones, or of the sizes listed.
struct split : view<"Split"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of sizes");
        const auto axis = checked_axis(o.attributes.integer("axis", 0), (*x)->dims.size());
        if (!axis) return axis.problem();
        const auto list = listed(o, 1, "split");
        std::vector<std::int64_t> sizes(list.begin(), list.end());
        const std::int64_t extent = (*x)->dims[*axis];
        if (sizes.empty()) {
            const auto parts = o.attributes.integer("num_outputs", static_cast<std::int64_t>(o.result_count));
            if (parts < 1 || parts > extent)
                return shape_error(dovetail::to_text(parts) + " parts of " + dovetail::to_text(extent) +
                                       " elements",
                                   "there is at least one part, and no more than elements");
            if (parts > most_parts)
                return shape_error(dovetail::to_text(parts) + " parts", "there are fewer");
            const std::int64_t size = ceil_div(extent, parts);
            for (std::int64_t begin = 0; begin < extent; begin += size)
                sizes.push_back(std::min(size, extent - begin));
        }
        std::int64_t rest = extent;
        for (const std::int64_t size : sizes) rest = size >= 0 && size <= rest ? rest - size : -1;
        if (rest != 0)
            return shape_error("parts " + to_text(sizes) + " of " + dovetail::to_text(extent) + " elements",
                               "the parts add up");
        std::vector<signature> results;
        for (const std::int64_t size : sizes) {
            dimensions dims = (*x)->dims;
            dims[*axis] = size;
            results.push_back({std::move(dims), (*x)->type, {}});
        }
        return results;
    }

private:
    static constexpr std::int64_t most_parts = 65536;
};

/// A box of a tensor, with steps.
struct slice : view<"Slice"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        for (std::size_t position = 1; position < 5; ++position)
            if (unknown_list(o, position)) return dynamic_error("a bound of the slice");
        const auto starts = listed(o, 1, "starts");
        const auto ends = listed(o, 2, "ends");
        auto axes = listed(o, 3, "axes");
        const auto steps = listed(o, 4, "steps");
        std::vector<std::int64_t> leading(starts.size());
        std::iota(leading.begin(), leading.end(), 0);
        if (axes.empty()) axes = leading;
        if (ends.size() != starts.size() || axes.size() != starts.size() ||
            (!steps.empty() && steps.size() != starts.size()))
            return shape_error("lists of different lengths",
                               "starts, ends, axes and steps have one entry an axis");
        dimensions dims = (*x)->dims;
        std::vector<std::int64_t> kept = (*x)->integers;
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const auto axis = checked_axis(axes[i], dims.size());
            if (!axis) return axis.problem();
            const std::int64_t step = steps.empty() ? 1 : steps[i];
            if (step == 0 || step == std::numeric_limits<std::int64_t>::min())
                return shape_error("a step of " + dovetail::to_text(step), "steps are not 0 and below 2^63");
            const range bounds = clamp(starts[i], ends[i], step, dims[*axis]);
            dims[*axis] = bounds.count;
            if (dims.size() == 1 && !kept.empty()) {
                std::vector<std::int64_t> chosen;
                for (std::int64_t k = 0; k < bounds.count; ++k)
                    chosen.push_back(kept[static_cast<std::size_t>(bounds.first + k * step)]);
                kept = std::move(chosen);
            }
        }
        return one(std::move(dims), (*x)->type, std::move(kept));
    }

private:
    struct range {
        std::int64_t first;
        std::int64_t count;
    };
    static range clamp(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
        // Bounds may be the extremes of the type, so they are clamped before anything is added.
        const auto inside = [&](std::int64_t bound, std::int64_t lowest, std::int64_t highest) {
            const std::int64_t from_front = bound < 0 ? std::max(bound, -extent - 1) + extent : bound;
            return std::clamp(from_front, lowest, highest);
        };
        if (step > 0) {
            const std::int64_t first = inside(start, 0, extent);
            const std::int64_t last = inside(end, 0, extent);
            return {first, first < last ? (last - first - 1) / step + 1 : 0};
        }
        if (extent == 0) return {0, 0};
        const std::int64_t first = inside(start, 0, extent - 1);
        const std::int64_t last = inside(end, -1, extent - 1);
        return {first, first > last ? (first - last - 1) / -step + 1 : 0};
    }
};

/// The shape of a tensor, from dimension `start` to `end`, as a list.
struct shape : view<"Shape"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const auto rank = static_cast<std::int64_t>((*x)->dims.size());
        const auto bound = [&](std::string_view name, std::int64_t fallback) {
            const std::int64_t axis = std::clamp(o.attributes.integer(name, fallback), -rank, rank);
            return axis < 0 ? axis + rank : axis;
        };
        const std::int64_t start = bound("start", 0);
        const std::int64_t end = std::max(start, bound("end", rank));
        const dimensions list((*x)->dims.begin() + start, (*x)->dims.begin() + end);
        return one({end - start}, element_type::int64, list);
    }
};

/// The number of elements of a tensor.
struct size : view<"Size"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one({}, element_type::int64, {(*x)->elements()});
    }
};

/// A tensor of one repeated value.
struct constant_of_shape : view<"ConstantOfShape"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 0)) return dynamic_error("the shape");
        for (const std::int64_t extent : (*x)->integers)
            if (extent < 0)
                return shape_error("a shape " + to_text((*x)->integers), "extents are not negative");
        const auto type = static_cast<element_type>(o.attributes.integer("to", 0));
        const auto elements = checked_product((*x)->integers);
        std::vector<std::int64_t> values;
        if (elements && *elements <= 64 && !is_floating(type))
            values.assign(static_cast<std::size_t>(*elements), o.attributes.integer("integer_value", 0));
        return one((*x)->integers, type, std::move(values));
    }
};

/// The numbers from a start to a limit.
struct range : view<"Range"> {
    static constexpr gradient_rule gradient = gradient_rule::stops;
    static inferred infer(const operands& o) {
        for (std::size_t i = 0; i < 3; ++i) {
            const auto x = required(o, i);
            if (!x) return x.problem();
            if ((*x)->integers.size() != 1) return dynamic_error("a bound of the range");
        }
        const std::int64_t start = o.inputs[0]->integers[0];
        const std::int64_t limit = o.inputs[1]->integers[0];
        const std::int64_t step = o.inputs[2]->integers[0];
        constexpr std::int64_t largest = std::int64_t{1} << 40;
        const auto inside = [](std::int64_t bound) { return bound >= -largest && bound <= largest; };
        if (step == 0 || !inside(start) || !inside(limit) || !inside(step))
            return shape_error("a range from " + dovetail::to_text(start) + " to " +
                                   dovetail::to_text(limit) + " in steps of " + dovetail::to_text(step),
                               "the step is not 0 and no bound is beyond 2^40");
        const std::int64_t span = step > 0 ? limit - start : start - limit;
        return one({span > 0 ? ceil_div(span, std::abs(step)) : 0}, o.inputs[0]->type);
    }
};

} // namespace dovetail::workload::op
