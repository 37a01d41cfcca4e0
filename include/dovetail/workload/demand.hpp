#pragma once
/// \file
/// What operations, alone or fused, ask of a chip: cycles, products, distinct elements moved.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// Prices the operations of one graph, which must outlive it, in any phase. Building it is O(operands).
///
/// Views and expressions of weights alone cost nothing and are looked through: a product that reads the
/// transpose of a weight reads the weight. What a group makes and only the group uses moves no memory.
class demand {
public:
    explicit demand(const operator_graph& g)
        : g_(&g), on_data_(dependences(g).on_data), producer_(producers(g)), bases_(g),
          uses_(uses_of(g, bases_)) {}

    /// Whether operation `v` costs nothing: a view, or made of weights alone.
    [[nodiscard]] bool free(index v) const {
        const operation& op = g_->operations[v];
        return is_view(op) || (op.phase == phase::forward && made_of_weights(op));
    }

    /// The demand of one operation.
    [[nodiscard]] operator_work operator()(index v) const { return (*this)(array_view(&v, 1)); }

    /// The demand of operations that run as one; at most one of them is a product.
    /// \complexity O(operands x group size).
    [[nodiscard]] operator_work operator()(array_view<const index> group) const {
        operator_work work;
        footprint read;
        data_volume written;
        for (const index v : group) {
            if (free(v)) continue;
            const operation& op = g_->operations[v];
            if (const contraction product = product_of(*g_, op); !product.empty()) {
                DOVETAIL_ASSERT(work.product.empty(), "a group has at most one product");
                work.product = product;
                footprint factors;
                for (int i = 0; i < 2; ++i) collect(op.inputs[static_cast<std::size_t>(i)], {}, factors);
                work.product_operand_elements = total(factors).elements;
                work.product_result_elements = elements(op.outputs[0]);
            }
            work.lane_cycles += lane_cycles(op);
            if (reduces(op)) work.reduced_elements += elements(op.outputs[0]);
            collect_operands(op, group, read);
            for (const index t : op.outputs)
                if (leaves(t, group)) written += touched(op, t);
        }
        const data_volume all_read = total(read);
        work.read_elements = all_read.elements;
        work.read_discrete_bytes = all_read.discrete_bytes;
        work.written_elements = written.elements;
        work.written_discrete_bytes = written.discrete_bytes;
        return work;
    }

private:
    /// Distinct tensors in memory, and how much of each is touched.
    using footprint = std::vector<std::pair<index, data_volume>>;

    [[nodiscard]] double elements(index t) const { return static_cast<double>(g_->tensors[t].elements()); }

    [[nodiscard]] bool made_of_weights(const operation& op) const {
        return !op.outputs.empty() && !on_data_[op.outputs.front()];
    }

    [[nodiscard]] static bool contains(array_view<const index> group, index v) {
        return std::find(group.begin(), group.end(), v) != group.end();
    }

    /// Whether the group makes what `t` shows, or a part of it.
    [[nodiscard]] bool inside(index t, array_view<const index> group) const {
        const array_view<const index> bases = bases_.of(t);
        return std::any_of(bases.begin(), bases.end(),
                           [&](index s) { return contains(group, producer_[s]); });
    }

    /// Whether somebody outside the group reads `t`, a result of the group, or the model gives it.
    [[nodiscard]] bool leaves(index t, array_view<const index> group) const {
        const std::vector<index>& readers = uses_.readers[t];
        return uses_.given[t] ||
               std::any_of(readers.begin(), readers.end(), [&](index v) { return !contains(group, v); });
    }

    /// Adds to `read` what a reader of `t` fetches, unless the group makes it.
    void collect(index t, array_view<const index> group, footprint& read) const {
        for (const index s : bases_.fetched(t)) {
            if (inside(s, group)) continue;
            const bool seen =
                std::any_of(read.begin(), read.end(), [&](const auto& entry) { return entry.first == s; });
            if (!seen) read.emplace_back(s, volume_of(g_->tensors[s]));
        }
    }

    void collect_operands(const operation& op, array_view<const index> group, footprint& read) const {
        const bool lookup = op.type == type_of<op::gather> && op.phase == phase::forward;
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            if (op.inputs[i] == none) continue;
            if (lookup && i == 0 && !inside(op.inputs[0], group))
                // The rows chosen, not the table; another operation of the group may read the table as well.
                read.emplace_back(none, volume_of(g_->tensors[op.inputs[0]].type,
                                                  std::min(elements(op.inputs[0]), elements(op.outputs[0]))));
            else
                collect(op.inputs[i], group, read);
        }
    }

    /// What `op` writes of result `t`: the gradient of a table is scattered into the rows used.
    [[nodiscard]] data_volume touched(const operation& op, index t) const {
        const bool scatter = op.type == type_of<op::gather> && op.phase != phase::forward;
        return volume_of(g_->tensors[t].type,
                         scatter ? std::min(elements(t), elements(op.inputs.front())) : elements(t));
    }

    [[nodiscard]] static data_volume total(const footprint& f) {
        data_volume sum;
        for (const auto& entry : f) sum += entry.second;
        return sum;
    }

    [[nodiscard]] double lane_cycles(const operation& op) const {
        const descriptor_record& type = descriptor(op.type);
        if (op.phase == phase::forward || op.phase == phase::update || is_accumulation(op))
            return type.forward_cycles(operand_view(*g_, op).get());
        if (type.gradient == gradient_rule::product) // a sum over the rows for a bias, else the product alone
            return op.operand < 2 ? 0.0 : elements(op.inputs.front());
        return type.backward_cycles(operand_view(*g_, g_->operations[op.forward]).get());
    }

    const operator_graph* g_;
    std::vector<bool> on_data_;
    std::vector<index> producer_;
    base_tensors bases_;
    base_uses uses_;
};

} // namespace dovetail::workload
