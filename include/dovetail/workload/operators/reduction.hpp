#pragma once
/// \file
/// Operators that give fewer elements than they take: means, sums, pooling.

#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

/// What they share: they walk over their operand.
template <fixed_string Name, int Forward, int Backward, saved Saves>
struct reduction_operator : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = fusion_class::reduction;
    static constexpr gradient_rule gradient =
        Backward > 0 ? gradient_rule::elementwise : gradient_rule::stops;
    static constexpr saved saves = Saves;
    static double forward_cycles(const operands& o) { return Forward * operand_elements(o); }
    static double backward_cycles(const operands& o) { return Backward * operand_elements(o); }
};

/// A reduction along listed axes (all of them where none is listed).
template <fixed_string Name, int Forward, int Backward, saved Saves = saved::nothing>
struct reduce : reduction_operator<Name, Forward, Backward, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of axes");
        const auto axes = checked_axes(listed(o, 1, "axes"), (*x)->dims.size());
        if (!axes) return axes.problem();
        if (axes->empty() && o.attributes.integer("noop_with_empty_axes", 0) != 0) return like_first(o);
        const bool keep = o.attributes.integer("keepdims", 1) != 0;
        dimensions dims;
        for (std::size_t i = 0; i < (*x)->dims.size(); ++i) {
            if (!axes->empty() && !std::binary_search(axes->begin(), axes->end(), i))
                dims.push_back((*x)->dims[i]);
            else if (keep)
                dims.push_back(1);
        }
        return one(std::move(dims), (*x)->type);
    }
};

using reduce_mean = reduce<"ReduceMean", 1, 1>;
using reduce_sum = reduce<"ReduceSum", 1, 1>;
using reduce_max = reduce<"ReduceMax", 1, 2, saved::inputs>;
using reduce_min = reduce<"ReduceMin", 1, 2, saved::inputs>;
using reduce_product = reduce<"ReduceProd", 1, 12, saved::inputs>;
using reduce_l1 = reduce<"ReduceL1", 2, 2, saved::inputs>;
using reduce_square = reduce<"ReduceSumSquare", 2, 2, saved::inputs>;
using reduce_l2 = reduce<"ReduceL2", 2, 12, saved::inputs>;

/// The position of an extreme element along an axis.
template <fixed_string Name>
struct position_of : reduction_operator<Name, 1, 0, saved::nothing> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        const auto axis = checked_axis(o.attributes.integer("axis", 0), (*x)->dims.size());
        if (!axis) return axis.problem();
        dimensions dims = (*x)->dims;
        if (o.attributes.integer("keepdims", 1) != 0)
            dims[*axis] = 1;
        else
            dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(*axis));
        return one(std::move(dims), element_type::int64);
    }
};

using arg_max = position_of<"ArgMax">;
using arg_min = position_of<"ArgMin">;

/// A window that slides over the spatial axes; each result element costs the area of the window.
template <fixed_string Name, saved Saves>
struct pool : reduction_operator<Name, 1, 1, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (!o.attributes.contains("kernel_shape")) return missing_attribute("kernel_shape");
        auto extents = sliding((*x)->dims, o.attributes.integers("kernel_shape"), o.attributes);
        if (!extents) return std::move(extents).problem();
        dimensions dims{(*x)->dims[0], (*x)->dims[1]};
        dims.insert(dims.end(), extents->begin(), extents->end());
        auto results = one(dims, (*x)->type);
        if (o.result_count > 1) results->push_back({std::move(dims), element_type::int64, {}}); // positions
        return results;
    }
    static double forward_cycles(const operands& o) { return window_area(o) * result_elements(o); }
    static double backward_cycles(const operands& o) { return window_area(o) * result_elements(o); }

private:
    static double window_area(const operands& o) {
        double area = 1;
        for (const std::int64_t extent : o.attributes.integers("kernel_shape"))
            area *= static_cast<double>(extent);
        return area;
    }
};

using average_pool = pool<"AveragePool", saved::nothing>;
using max_pool = pool<"MaxPool", saved::inputs>;

/// One number a channel, over all spatial axes.
template <fixed_string Name, saved Saves>
struct global_pool : reduction_operator<Name, 1, 1, Saves> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        if (dims.size() < 3)
            return shape_error("a tensor " + to_text(dims), "it has a batch, channels and spatial axes");
        std::fill(dims.begin() + 2, dims.end(), 1);
        return one(std::move(dims), (*x)->type);
    }
};

using global_average_pool = global_pool<"GlobalAveragePool", saved::nothing>;
using global_max_pool = global_pool<"GlobalMaxPool", saved::inputs>;

} // namespace dovetail::workload::op
