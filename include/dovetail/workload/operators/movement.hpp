#pragma once
/// \file
/// Operators that move data without computing: their price is the memory that they touch.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/fixed_string.hpp>
#include <dovetail/workload/operators/shape_rules.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::workload::op {

/// What they share: one lane cycle a result element, and the same for the gradient.
template <fixed_string Name, fusion_class Fusion = fusion_class::opaque>
struct movement : no_product {
    static constexpr fixed_string name = Name;
    static constexpr core_type core = core_type::vector;
    static constexpr fusion_class fusion = Fusion;
    static constexpr gradient_rule gradient = gradient_rule::elementwise;
    static constexpr saved saves = saved::nothing;
    static double forward_cycles(const operands& o) { return result_elements(o); }
    static double backward_cycles(const operands& o) { return result_elements(o); }
};

/// Rows of a table by number: an embedding. Its gradient scatters into the table.
struct gather : movement<"Gather"> {
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
            dims[*axis] += (*next)->dims[*axis];
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
        const auto pads = listed(o, 1, "pads");
        dimensions dims = (*x)->dims;
        if (pads.size() != 2 * dims.size())
            return shape_error("pads " + to_text(pads) + " of a tensor " + to_text(dims),
                               "there are two for each axis");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            dims[i] += pads[i] + pads[i + dims.size()];
            if (dims[i] < 0) return shape_error("pads " + to_text(pads), "no extent becomes negative");
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

/// An operator of one operand that keeps its shape and moves its elements.
template <fixed_string Name>
struct in_place : movement<Name, fusion_class::elementwise> {
    static inferred infer(const operands& o) {
        const auto x = required(o, 0);
        if (!x) return x.problem();
        return one((*x)->dims, (*x)->type);
    }
};

using trilu = in_place<"Trilu">;
using cumulative_sum = in_place<"CumSum">;
using scatter_nd = in_place<"ScatterND">;
using scatter_elements = in_place<"ScatterElements">;

} // namespace dovetail::workload::op
