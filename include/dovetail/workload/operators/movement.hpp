#pragma once
/// \file
/// Operators that move data without computing: their price is the memory that they touch.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/lane_cycles.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

/// What they share: one step a result element, and the same for the gradient.
template <fixed_string Name, fusion_class Fusion = fusion_class::opaque>
struct movement : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = Fusion;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = saved::nothing;
    static double forward_cycles(const operands& o) { return lane::step * result_elements(o); }
    static double backward_cycles(const operands& o) { return lane::step * result_elements(o); }
};

/// Rows of a table by number: an embedding. Its gradient scatters into the table, by the same numbers.
struct gather : movement<"Gather"> {
    static constexpr saved saves = saved::discrete_inputs;
    static inferred infer(const operands& o) {
        const auto table = required(o, 0);
        const auto rows = required(o, 1);
        if (!table) return table.problem();
        if (!rows) return rows.problem();
        const dimensions& x = (*table)->dims;
        const auto axis = checked_axis(o.attributes.integer("axis", 0), x.size());
        if (!axis) return axis.problem();
        const auto here = x.begin() + static_cast<std::ptrdiff_t>(*axis);
        dimensions dims(x.begin(), here);
        dims.insert(dims.end(), (*rows)->dims.begin(), (*rows)->dims.end());
        dims.insert(dims.end(), here + 1, x.end());
        std::vector<std::int64_t> chosen;
        if (x.size() == 1 && !(*table)->integers.empty())
            for (std::int64_t row : (*rows)->integers) {
                if (row < 0) row += x[0];
                if (row < 0 || row >= x[0])
                    return shape_error("element " + dovetail::to_text(row) + " of " + to_text(x),
                                       "it exists");
                chosen.push_back((*table)->integers[static_cast<std::size_t>(row)]);
            }
        return one(std::move(dims), (*table)->type, std::move(chosen));
    }
};

/// Operands one behind the other along an axis.
struct concat : movement<"Concat"> {
    static inferred infer(const operands& o) {
        const auto first = required(o, 0);
        if (!first) return first.problem();
        dimensions dims = (*first)->dims;
        if (!o.attributes.contains("axis")) return missing_attribute("axis");
        const auto axis = checked_axis(o.attributes.integer("axis", 0), dims.size());
        if (!axis) return axis.problem();
        std::vector<std::int64_t> values = (*first)->integers;
        bool known = dims.size() == 1 && !values.empty();
        for (std::size_t i = 1; i < o.inputs.size(); ++i) {
            const auto next = required(o, i);
            if (!next) return next.problem();
            dimensions others = (*next)->dims;
            if (others.size() == dims.size()) others[*axis] = dims[*axis];
            if (others != dims)
                return shape_error("tensors " + to_text(dims) + " and " + to_text((*next)->dims) +
                                       " joined along axis " + dovetail::to_text(*axis),
                                   "all other dimensions are equal");
            const auto extent = checked_add(dims[*axis], (*next)->dims[*axis]);
            if (!extent) return shape_error("extents that add up to 2^63 or more", "they stay below");
            dims[*axis] = *extent;
            known = known && !(*next)->integers.empty();
            values.insert(values.end(), (*next)->integers.begin(), (*next)->integers.end());
        }
        if (!known) values.clear();
        return one(std::move(dims), (*first)->type, std::move(values));
    }
};

/// A frame of constant elements.
struct pad : movement<"Pad"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of pads");
        if (unknown_list(o, 3)) return dynamic_error("the list of axes");
        const auto pads = listed(o, 1, "pads");
        const auto chosen = listed(o, 3, "axes");
        dimensions dims = (*x)->dims;
        std::vector<std::int64_t> axes(chosen.begin(), chosen.end());
        if (axes.empty()) {
            axes.resize(dims.size());
            std::iota(axes.begin(), axes.end(), 0);
        }
        if (pads.size() != 2 * axes.size())
            return shape_error("pads " + to_text(pads) + " of a tensor " + to_text(dims),
                               "there are two for each axis");
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto axis = checked_axis(axes[i], dims.size());
            if (!axis) return axis.problem();
            constexpr std::int64_t largest = std::int64_t{1} << 60; // the sum of three stays below 2^63
            std::int64_t& extent = dims[*axis];
            const std::int64_t front = pads[i];
            const std::int64_t back = pads[i + axes.size()];
            if (extent > largest || front > largest || back > largest || front < -extent || back < -extent ||
                extent + front + back < 0)
                return shape_error("pads " + to_text(pads) + " of a tensor " + to_text((*x)->dims),
                                   "no extent becomes negative or leaves 64 bits");
            extent += front + back;
        }
        return one(std::move(dims), (*x)->type);
    }
};

/// A tensor repeated along its axes.
struct tile : movement<"Tile"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        if (unknown_list(o, 1)) return dynamic_error("the list of repeats");
        const auto repeats = listed(o, 1, "repeats");
        dimensions dims = (*x)->dims;
        if (repeats.size() != dims.size())
            return shape_error("repeats " + to_text(repeats) + " of a tensor " + to_text(dims),
                               "there is one for each axis");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const auto extent = repeats[i] < 0 ? std::nullopt : checked_multiply(dims[i], repeats[i]);
            if (!extent)
                return shape_error("repeats " + to_text(repeats),
                                   "they are not negative and extents stay below 2^63");
            dims[i] = *extent;
        }
        return one(std::move(dims), (*x)->type);
    }
};

/// Elements of a tensor by number, as many as there are numbers.
struct gather_elements : movement<"GatherElements"> {
    static constexpr saved saves = saved::discrete_inputs;
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        const auto numbers = required(o, 1);
        if (!x) return x.problem();
        if (!numbers) return numbers.problem();
        return one((*numbers)->dims, (*x)->type);
    }
};

/// Blocks of `blocksize` x `blocksize` elements, exchanged between the channels and the two spatial axes.
template <fixed_string Name, bool ToSpace>
struct block_exchange : movement<Name> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        const std::int64_t block = o.attributes.integer("blocksize", 0);
        const auto refused = [&] {
            return shape_error(
                "blocks of " + dovetail::to_text(block) + " in a tensor " + to_text((*x)->dims),
                "the tensor has two spatial axes, and the blocks divide what they are taken from");
        };
        if (dims.size() != 4 || block < 1 || block > (std::int64_t{1} << 31)) return refused();
        const std::int64_t area = block * block;
        if (ToSpace ? dims[1] % area != 0 : dims[2] % block != 0 || dims[3] % block != 0) return refused();
        const auto grown = [&](std::size_t axis, std::int64_t factor) {
            const auto extent = checked_multiply(dims[axis], factor);
            dims[axis] = extent.value_or(-1);
            return extent.has_value();
        };
        if constexpr (ToSpace) {
            dims[1] /= area;
            if (!grown(2, block) || !grown(3, block)) return refused();
        } else {
            if (!grown(1, area)) return refused();
            dims[2] /= block;
            dims[3] /= block;
        }
        return one(std::move(dims), (*x)->type);
    }
};

using depth_to_space = block_exchange<"DepthToSpace", true>;
using space_to_depth = block_exchange<"SpaceToDepth", false>;

/// A tensor sampled at other resolutions, each result element from the neighbours that `mode` names.
struct resize : movement<"Resize"> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        dimensions dims = (*x)->dims;
        const tensor* sizes = optional_operand(o, 3);
        const tensor* scales = optional_operand(o, 2);
        if (sizes != nullptr && sizes->integers.size() == dims.size())
            return one(sizes->integers, (*x)->type);
        if (scales == nullptr || scales->reals.size() != dims.size())
            return dynamic_error("the scales or sizes of the result");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const double extent = std::floor(static_cast<double>(dims[i]) * scales->reals[i]);
            if (!(extent >= 0 && extent < 9e15))
                return shape_error("a scale of " + dovetail::to_text(scales->reals[i]),
                                   "scales are positive, and extents stay below 2^53");
            dims[i] = static_cast<std::int64_t>(extent);
        }
        return one(std::move(dims), (*x)->type);
    }
    static double forward_cycles(const operands& o) { return cycles(o) * result_elements(o); }
    static double backward_cycles(const operands& o) { return cycles(o) * result_elements(o); }

private:
    /// A product and a sum for each neighbour in the plane.
    static double cycles(const operands& o) {
        const std::string_view mode = o.attributes.text("mode", "nearest");
        return mode == "cubic" ? 32 * lane::step : mode == "linear" ? 8 * lane::step : lane::step;
    }
};

/// An operator that keeps the shape of its first operand and moves its elements.
template <fixed_string Name, fusion_class Fusion = fusion_class::opaque>
struct in_place : movement<Name, Fusion> {
    static inferred infer(const operands& o) { return like_first(o); }
};

using trilu = in_place<"Trilu", fusion_class::elementwise>;
using cumulative_sum = in_place<"CumSum">;

/// A tensor with other elements at some places: its gradients need the numbers of the places.
template <fixed_string Name>
struct scatter : in_place<Name> {
    static constexpr saved saves = saved::discrete_inputs;
};

using scatter_nd = scatter<"ScatterND">;
using scatter_elements = scatter<"ScatterElements">;

} // namespace dovetail::workload::op
