#pragma once
/// \file
/// The same model for another number of samples a pass.
///
/// Shapes are inferred anew from the rescaled inputs; only the constants that spell a shape out (reshape and
/// expand targets) have the old batch baked in, and must follow it. A dimension that changes is the one that
/// holds the batch, so the batch needs no rule an operator: where an operand changes, the new inference
/// shows.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

namespace detail {

/// Where the batch stands in a tensor: in dimension `axis`, behind a factor `outer` of that dimension.
struct batch_place {
    std::size_t axis = 0;
    std::int64_t outer = 1;
};

/// One change of the batch of a graph.
class batch_change {
public:
    batch_change(const operator_graph& before, std::int64_t batch)
        : before_(before), after_(before), batch_(batch), places_(before.tensors.size()),
          moves_(before.tensors.size(), false), targets_(before.tensors.size()) {}

    [[nodiscard]] result<operator_graph> run() && {
        if (auto moved = move_inputs(); !moved) return std::move(moved).problem();
        const auto order = graph::topological_order(dataflow(before_));
        if (!order) return order.problem();
        for (const index v : *order)
            if (auto done = infer(v); !done)
                return std::move(done).problem().within(label(before_.operations[v]));
        settle_targets();
        after_.batch = batch_;
        return std::move(after_);
    }

private:
    [[nodiscard]] result<void> move_inputs() {
        bool any = false;
        for (index t = 0; t < after_.tensors.size(); ++t) {
            tensor& x = after_.tensors[t];
            if (x.role != tensor_role::input || x.dims.empty() || x.dims[0] != before_.batch) continue;
            x.dims[0] = batch_;
            moves_[t] = any = true;
            if (auto sound = check_shape(x); !sound) return sound;
        }
        if (any) return {};
        return error{errc::unsupported, before_.name,
                     "no input has the batch of " + to_text(before_.batch) + " as its first dimension",
                     "data inputs start with the batch"};
    }

    /// Infers operation `v` from the operands as they are now.
    [[nodiscard]] result<void> infer(index v) {
        const operation& op = before_.operations[v];
        tensor list; // a rescaled target stands in for the constant until all its uses are known
        std::vector<const tensor*> inputs;
        for (const index t : op.inputs) inputs.push_back(t == none ? nullptr : &after_.tensors[t]);
        if (const std::size_t at = target_position(op); at < op.inputs.size()) {
            auto target = rescaled_target(op, at);
            if (!target) return std::move(target).problem();
            list = after_.tensors[op.inputs[at]];
            list.integers = *target;
            inputs[at] = &list;
            if (list.integers != after_.tensors[op.inputs[at]].integers)
                targets_[op.inputs[at]][*std::move(target)].push_back({v, at});
        }
        auto inferred = descriptor(op.type).infer({.inputs = inputs,
                                                   .outputs = {},
                                                   .attributes = op.attributes,
                                                   .result_count = op.outputs.size()});
        if (!inferred) return std::move(inferred).problem();
        return take_results(op, *inferred);
    }

    [[nodiscard]] result<void> take_results(const operation& op, const std::vector<signature>& results) {
        for (std::size_t r = 0; r < op.outputs.size(); ++r) {
            const signature& s = results[r];
            const index t = op.outputs[r];
            const dimensions& old = before_.tensors[t].dims;
            tensor& x = after_.tensors[t];
            x.dims = s.dims;
            x.integers = s.integers;
            if (auto sound = check_shape(x); !sound) return sound;
            if (x.dims == old) continue;
            std::size_t axis = 0;
            while (axis < old.size() && axis < x.dims.size() && x.dims[axis] == old[axis]) ++axis;
            dimensions expected = old;
            if (axis < old.size()) expected[axis] = old[axis] / before_.batch * batch_;
            if (x.dims != expected)
                return error{errc::unsupported,
                             {},
                             "its result of shape " + op::to_text(old) + " at batch " +
                                 to_text(before_.batch) + " becomes " + op::to_text(x.dims) + " at batch " +
                                 to_text(batch_),
                             "the batch is a factor of one dimension: export the model at the batch wanted"};
            moves_[t] = true;
            places_[t] = {axis, outer_factor(op, axis, old)};
        }
        return {};
    }

    /// The factor of dimension `axis` of the result that stands before the batch.
    [[nodiscard]] std::int64_t outer_factor(const operation& op, std::size_t axis,
                                            const dimensions& dims) const {
        for (const index t : op.inputs) {
            if (t == none || !moves_[t]) continue;
            const dimensions& from = before_.tensors[t].dims;
            if (op.type == type_of<op::reshape> || op.type == type_of<op::flatten>)
                return before_batch(t) / leading(dims, axis);
            if (from[places_[t].axis] == dims[axis]) return places_[t].outer;
        }
        return 1;
    }

    /// The operand of `op` that spells out a shape and is a constant; past the end where there is none.
    [[nodiscard]] std::size_t target_position(const operation& op) const {
        const std::size_t at = op.type == type_of<op::reshape> || op.type == type_of<op::expand> ? 1
                               : op.type == type_of<op::constant_of_shape>                       ? 0
                                                                           : op.inputs.size();
        const bool constant = at < op.inputs.size() && op.inputs[at] != none &&
                              before_.tensors[op.inputs[at]].role == tensor_role::constant;
        return constant ? at : op.inputs.size();
    }

    /// The list that operand `at` of `op` must hold at the new batch.
    [[nodiscard]] result<std::vector<std::int64_t>> rescaled_target(const operation& op,
                                                                    std::size_t at) const {
        std::vector<std::int64_t> list = before_.tensors[op.inputs[at]].integers;
        const dimensions& dims = before_.tensors[op.outputs[0]].dims;
        const index x = at == 1 ? op.inputs[0] : none;
        if (x != none && !moves_[x]) return list;
        std::size_t entry = 0;
        if (op.type == type_of<op::reshape>) {
            entry = reshaped_axis(x, dims);
        } else if (x != none) {
            entry = places_[x].axis + dims.size() - before_.tensors[x].dims.size();
            entry -= std::min(entry, dims.size() - list.size());
            if (list[entry] == 1) return list; // stretched by the operand
        } else if (list.empty() || before_.batch == 1 || list[0] != before_.batch) {
            return list;
        }
        if (entry < list.size() && list[entry] <= 0) return list; // open, or kept from the operand
        if (entry >= list.size() || list[entry] % before_.batch != 0)
            return error{errc::unsupported,
                         {},
                         "the batch of " + to_text(before_.batch) + " cannot be found in the target " +
                             op::to_text(list),
                         "export the model with a dynamic batch, or at the batch wanted"};
        const auto scaled = checked_multiply(list[entry] / before_.batch, batch_);
        if (!scaled)
            return error{errc::overflow,
                         {},
                         "the target " + op::to_text(list) + " leaves 64 bits",
                         "use a smaller batch"};
        list[entry] = *scaled;
        return list;
    }

    /// The dimension of `dims`, a reshape of tensor `x`, that takes up the batch. Row-major order keeps what
    /// stands before the batch. Where that leaves a choice, for a batch of 1, a dimension that is just the
    /// batch, or what stands before it and the batch, goes before one with further factors.
    [[nodiscard]] std::size_t reshaped_axis(index x, const dimensions& dims) const {
        const std::int64_t ahead = before_batch(x);
        const auto holds = [&](std::size_t axis, bool alone) {
            const std::int64_t lead = leading(dims, axis);
            if (lead <= 0 || ahead % lead != 0) return false;
            const std::int64_t least = ahead / lead * before_.batch;
            return alone ? dims[axis] == least : dims[axis] % least == 0 && dims[axis] >= least;
        };
        const std::size_t same = places_[x].axis;
        if (same < dims.size() && leading(dims, same) == ahead && holds(same, true)) return same;
        for (std::size_t axis = dims.size(); axis-- > 0;)
            if (holds(axis, true)) return axis;
        std::size_t axis = 0;
        while (axis < dims.size() && !holds(axis, false)) ++axis;
        return axis;
    }

    /// The elements of tensor `t` that stand before the batch in row-major order, in units of the batch.
    [[nodiscard]] std::int64_t before_batch(index t) const {
        return leading(before_.tensors[t].dims, places_[t].axis) * places_[t].outer;
    }

    [[nodiscard]] static std::int64_t leading(const dimensions& dims, std::size_t axis) {
        return checked_product(array_view(dims).first(axis)).value_or(0);
    }

    /// Writes the rescaled targets: in place where all uses of a constant agree, else into copies.
    void settle_targets() {
        std::vector<std::size_t> uses(before_.tensors.size(), 0);
        for (const operation& op : before_.operations)
            for (const index t : op.inputs)
                if (t != none) ++uses[t];
        for (index t = 0; t < uses.size(); ++t)
            for (auto& [list, users] : targets_[t]) {
                if (users.size() == uses[t]) {
                    after_.tensors[t].integers = list;
                    continue;
                }
                tensor copy = after_.tensors[t];
                copy.name.append("@").append(op::to_text(list));
                copy.integers = list;
                const index fresh = after_.add(std::move(copy));
                for (const use& u : users) after_.operations[u.operation].inputs[u.position] = fresh;
            }
    }

    struct use {
        index operation;
        std::size_t position;
    };

    const operator_graph& before_;
    operator_graph after_;
    std::int64_t batch_;
    std::vector<batch_place> places_;
    std::vector<bool> moves_; ///< whether the tensor holds the batch
    std::vector<std::map<std::vector<std::int64_t>, std::vector<use>>>
        targets_; ///< by constant and new value
};

} // namespace detail

/// `g` for `batch` samples a pass: inputs whose first dimension is the batch of `g` are rescaled, all shapes
/// inferred anew, and constant reshape targets follow the batch, merged with other dimensions or not.
/// \param g forward only, with shapes. \param batch at least 1.
/// \returns errc::out_of_range for a batch below 1, errc::unsupported where the batch cannot be followed,
/// errc::overflow. \complexity O(operands + arcs log operations).
[[nodiscard]] inline result<operator_graph> with_batch(const operator_graph& g, std::int64_t batch) {
    if (batch < 1)
        return error{errc::out_of_range, g.name, "a batch of " + to_text(batch) + " samples",
                     "a batch holds at least one sample"};
    if (batch == g.batch) return g;
    return detail::batch_change(g, batch).run();
}

} // namespace dovetail::workload
