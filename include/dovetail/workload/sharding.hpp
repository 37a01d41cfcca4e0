#pragma once
/// \file
/// Which axis of every tensor is shared out over the devices of a tensor group, found by propagation.

#include <dovetail/core/array_view.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// The axis of the result on which a tensor stays shared when its elements are seen in another shape: the
/// axes of both shapes fall into runs of equal products, and a share is a contiguous block only along the
/// outermost axis of its run. \returns nothing where the share would not be such a block.
[[nodiscard]] inline std::optional<std::size_t>
reshaped_axis(array_view<const std::int64_t> from, array_view<const std::int64_t> to, std::size_t axis) {
    const auto first_wide = [](array_view<const std::int64_t> dims, std::size_t begin, std::size_t end) {
        while (begin < end && dims[begin] == 1) ++begin;
        return begin;
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < from.size() && j < to.size()) {
        const std::size_t from_begin = i;
        const std::size_t to_begin = j;
        std::int64_t left = from[i++];
        std::int64_t right = to[j++];
        while (left != right) {
            if (left < right && i < from.size())
                left *= from[i++];
            else if (left > right && j < to.size())
                right *= to[j++];
            else
                return std::nullopt;
        }
        if (axis >= i) continue;
        const std::size_t place = first_wide(to, to_begin, j);
        if (first_wide(from, from_begin, i) != axis || place == j) return std::nullopt;
        return place;
    }
    return std::nullopt;
}

/// How a model is shared out over the devices of a tensor group: one axis of some tensors.
struct sharding {
    static constexpr std::size_t whole = static_cast<std::size_t>(-1);

    /// Products that share out the features of their results, and the whole tensor that they read.
    struct column_group {
        index source = none;
        std::vector<index> products{};
    };
    /// A use of a constant or a mask of which every device takes its part.
    struct constant_share {
        index operation = none;
        std::size_t operand = 0;
        std::size_t axis = 0;
    };

    std::vector<std::size_t> axis; ///< for every tensor: the shared axis, or `whole`
    std::vector<bool> operations;  ///< for every operation: whether it works on shares
    std::vector<column_group> columns;
    std::vector<index> rows; ///< products that contract over a shared axis: their results are partial sums
    std::vector<constant_share> constants;
};

namespace detail {

/// Tries every group of products that read the same whole tensor, and follows their shares through the
/// operations behind them. A trial ends well when every path has ended in a product that contracts over the
/// shared axis.
class sharding_search {
public:
    explicit sharding_search(const operator_graph& g)
        : g_(g), order_(execution_order(g)), position_(g.operations.size()), of_(dependences(g)),
          producer_(producers(g)), consumers_(g.tensors.size()), given_(g.tensors.size()) {
        for (std::size_t p = 0; p < order_.size(); ++p) position_[order_[p]] = p;
        for (const index v : order_)
            for (const index t : g.operations[v].inputs)
                if (t != none) consumers_[t].push_back(v);
        for (const index t : g.outputs) given_[t] = true;
        found_.axis.assign(g.tensors.size(), sharding::whole);
        found_.operations.assign(g.operations.size(), false);
    }

    sharding run() && {
        std::vector<bool> tried(g_.tensors.size());
        for (const index v : order_) {
            if (!starts(v) || tried[g_.operations[v].inputs[0]]) continue;
            tried[g_.operations[v].inputs[0]] = true;
            attempt(g_.operations[v].inputs[0]);
        }
        return std::move(found_);
    }

private:
    /// What a trial has changed so far, to take it back.
    struct trial {
        std::vector<index> tensors;
        std::vector<index> operations;
        std::vector<index> rows;
        std::vector<sharding::constant_share> constants;
    };

    [[nodiscard]] std::size_t rank(index t) const { return g_.tensors[t].dims.size(); }
    [[nodiscard]] std::int64_t extent(index t, std::size_t axis) const { return g_.tensors[t].dims[axis]; }
    [[nodiscard]] std::size_t axis(index t) const { return t == none ? sharding::whole : found_.axis[t]; }
    [[nodiscard]] bool shared(index t) const { return axis(t) != sharding::whole; }

    /// Whether `v` may share out the features of its result: a product of whole data and a weight.
    [[nodiscard]] bool starts(index v) const {
        const operation& op = g_.operations[v];
        if (op.type != type_of<op::mat_mul> && op.type != type_of<op::gemm>) return false;
        const index a = op.inputs[0];
        const index b = op.inputs[1];
        return of_.on_data[a] && !shared(a) && of_.on_parameter[b] && !of_.on_data[b] && rank(b) >= 2;
    }

    void attempt(index source) {
        trial_ = {};
        pending_.clear();
        sharding::column_group group{.source = source};
        for (const index v : consumers_[source])
            if (starts(v) && g_.operations[v].inputs[0] == source) group.products.push_back(v);
        bool works =
            std::all_of(group.products.begin(), group.products.end(), [&](index v) { return start(v); });
        while (works && !pending_.empty()) {
            const index v = order_[*pending_.begin()];
            pending_.erase(pending_.begin());
            mark(v);
            works = propagate(v);
        }
        if (!works) {
            for (const index t : trial_.tensors) found_.axis[t] = sharding::whole;
            for (const index v : trial_.operations) found_.operations[v] = false;
            return;
        }
        found_.columns.push_back(std::move(group));
        found_.rows.insert(found_.rows.end(), trial_.rows.begin(), trial_.rows.end());
        found_.constants.insert(found_.constants.end(), trial_.constants.begin(), trial_.constants.end());
    }

    void mark(index v) {
        if (found_.operations[v]) return;
        found_.operations[v] = true;
        trial_.operations.push_back(v);
    }

    /// Shares `t` along `along`; its users follow.
    bool share(index t, std::size_t along) {
        if (shared(t)) return axis(t) == along;
        if (given_[t] || along >= rank(t)) return false;
        found_.axis[t] = along;
        trial_.tensors.push_back(t);
        for (const index v : consumers_[t])
            if (of_.on_data[t]) pending_.insert(position_[v]);
        return true;
    }

    /// Shares the results of `v`.
    bool share_results(index v, std::size_t along) {
        const auto& outputs = g_.operations[v].outputs;
        return std::all_of(outputs.begin(), outputs.end(), [&](index t) { return share(t, along); });
    }

    /// Gives every device its part of operand `i` of `v`, which no propagation reached. A weight must serve
    /// this use alone, seen through transposes at most: else its other users would find it cut.
    bool cut(index v, std::size_t i, std::size_t along) {
        index t = g_.operations[v].inputs[i];
        if (!of_.on_parameter[t]) {
            trial_.constants.push_back({.operation = v, .operand = i, .axis = along});
            return true;
        }
        if (of_.on_data[t]) return false;
        for (;;) {
            if (consumers_[t].size() != 1 || !share(t, along)) return false;
            if (producer_[t] == none) return true;
            const operation& op = g_.operations[producer_[t]];
            if (op.type != type_of<op::transpose>) return false;
            mark(producer_[t]);
            const auto order = op.attributes.integers("perm");
            along = order.empty() ? rank(t) - 1 - along : static_cast<std::size_t>(order[along]);
            t = op.inputs[0];
        }
    }

    bool start(index v) {
        const operation& op = g_.operations[v];
        mark(v);
        const index b = op.inputs[1];
        const bool turned = op.attributes.integer("transB", 0) != 0;
        if (!cut(v, 1, turned ? rank(b) - 2 : rank(b) - 1)) return false;
        if (op.inputs.size() > 2 && op.inputs[2] != none) {
            const index bias = op.inputs[2];
            const bool full = rank(bias) > 0 && extent(bias, rank(bias) - 1) > 1;
            if (!full || !cut(v, 2, rank(bias) - 1)) return false;
        }
        return share_results(v, rank(op.outputs[0]) - 1);
    }

    /// Follows the shares of the operands of `v` to its results. \returns whether it can work on shares.
    bool propagate(index v) {
        const operation& op = g_.operations[v];
        if (std::none_of(op.outputs.begin(), op.outputs.end(), [&](index t) { return of_.on_data[t]; }))
            return true; // shape arithmetic
        const fusion_class fusion = descriptor(op.type).fusion;
        if (op.type == type_of<op::mat_mul> || op.type == type_of<op::gemm>) return product(v, op);
        if (op.type == type_of<op::softmax> || op.type == type_of<op::log_softmax>)
            return along(op, -1) != axis(op.inputs[0]) && share_results(v, axis(op.inputs[0]));
        if (op.type == type_of<op::transpose>) return transposed(v, op);
        if (op.type == type_of<op::concat>) return joined(v, op);
        if (op.type == type_of<op::gather>) return gathered(v, op);
        if (op.type == type_of<op::split>) return share_results(v, axis(op.inputs[0]));
        if (op.type == type_of<op::slice>) {
            const std::size_t a = axis(op.inputs[0]);
            return shared(op.inputs[0]) && extent(op.inputs[0], a) == extent(op.outputs[0], a) &&
                   share_results(v, a);
        }
        if (op.type == type_of<op::expand>) return elementwise(v, op, 1);
        if (fusion == fusion_class::view) {
            if (!shared(op.inputs[0])) return false;
            const auto place = reshaped_axis(g_.tensors[op.inputs[0]].dims, g_.tensors[op.outputs[0]].dims,
                                             axis(op.inputs[0]));
            return place && share_results(v, *place);
        }
        return fusion == fusion_class::elementwise && descriptor(op.type).core == core_type::vector &&
               g_.tensors[op.outputs[0]].elements() > 0 && !moves(op) && elementwise(v, op, op.inputs.size());
    }

    /// Whether an operator of the elementwise fusion class mixes the elements of an axis.
    [[nodiscard]] static bool moves(const operation& op) {
        return op.type == type_of<op::trilu> || op.type == type_of<op::cumulative_sum> ||
               op.type == type_of<op::scatter_nd> || op.type == type_of<op::scatter_elements>;
    }

    /// The attribute "axis" counted from the front.
    [[nodiscard]] std::size_t along(const operation& op, std::int64_t fallback) const {
        const std::int64_t a = op.attributes.integer("axis", fallback);
        return static_cast<std::size_t>(a < 0 ? a + static_cast<std::int64_t>(rank(op.inputs[0])) : a);
    }

    /// The first `count` operands broadcast: all that reach the shared axis must be shared along it.
    bool elementwise(index v, const operation& op, std::size_t count) {
        const std::size_t width = rank(op.outputs[0]);
        std::size_t result = sharding::whole;
        for (std::size_t i = 0; i < count; ++i) {
            const index t = op.inputs[i];
            if (!shared(t)) continue;
            const std::size_t here = axis(t) + width - rank(t);
            if (result != sharding::whole && result != here) return false;
            result = here;
        }
        if (result == sharding::whole) return false;
        for (std::size_t i = 0; i < count; ++i) {
            const index t = op.inputs[i];
            if (t == none || shared(t)) continue;
            const bool reaches = result + rank(t) >= width && extent(t, result + rank(t) - width) > 1;
            if (!reaches && of_.on_parameter[t]) return false; // its gradient would be a partial sum
            if (reaches && !cut(v, i, result + rank(t) - width)) return false;
        }
        return share_results(v, result);
    }

    bool product(index v, const operation& op) {
        const index a = op.inputs[0];
        const index b = op.inputs[1];
        const bool turned_a = op.attributes.integer("transA", 0) != 0;
        const bool turned_b = op.attributes.integer("transB", 0) != 0;
        if (shared(a) && !shared(b) && !of_.on_data[b] && rank(b) >= 2) {
            if (axis(a) != rank(a) - (turned_a ? 2 : 1)) return false;
            trial_.rows.push_back(v);
            return cut(v, 1, rank(b) - (turned_b ? 1 : 2));
        }
        // Both are activations: each device has its own part of the batches, which are the heads.
        const std::size_t width = rank(op.outputs[0]);
        if (!shared(a) || !shared(b) || axis(a) + 2 >= rank(a) || axis(b) + 2 >= rank(b)) return false;
        const std::size_t batch = axis(a) + width - rank(a);
        return batch == axis(b) + width - rank(b) && share_results(v, batch);
    }

    bool transposed(index v, const operation& op) {
        const index x = op.inputs[0];
        const auto order = op.attributes.integers("perm");
        for (std::size_t place = 0; place < rank(x); ++place)
            if ((order.empty() ? rank(x) - 1 - place : static_cast<std::size_t>(order[place])) == axis(x))
                return share_results(v, place);
        return false;
    }

    bool joined(index v, const operation& op) {
        std::size_t result = sharding::whole;
        for (const index t : op.inputs)
            if (shared(t)) result = axis(t);
        const bool across = along(op, 0) == result;
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
            if (shared(op.inputs[i]) ? axis(op.inputs[i]) != result : across || !cut(v, i, result))
                return false;
        }
        return share_results(v, result);
    }

    bool gathered(index v, const operation& op) {
        const std::size_t picked = along(op, 0);
        const std::size_t a = axis(op.inputs[0]);
        if (a == sharding::whole || a == picked || shared(op.inputs[1])) return false;
        return share_results(v, a < picked ? a : a - 1 + rank(op.inputs[1]));
    }

    const operator_graph& g_;
    std::vector<index> order_;
    std::vector<std::size_t> position_; ///< of every operation in the order
    dependence of_;
    std::vector<index> producer_;
    std::vector<std::vector<index>> consumers_;
    std::vector<bool> given_;
    sharding found_;
    trial trial_;
    std::set<std::size_t> pending_; ///< positions of operations with a shared operand
};

} // namespace detail

/// The shares of a model after Megatron-LM (Shoeybi et al., 2019), found in any graph: products of the same
/// whole tensor with weights share out their result features, and the share is followed through elementwise
/// operators, reshapes (features to heads), splits, transposes, products on shared batches and softmax over
/// an axis that is not shared, until products contract over it. Products from which an operator is reached
/// that needs the whole axis (a normalisation over features, a residual sum, the result of the model), or
/// whose weight has other uses (a tied embedding), stay whole; so do embeddings and the head. Extents are not
/// looked at: whether a width divides them is for the caller to say. \complexity O(operands log operations)
/// for each group tried.
[[nodiscard]] inline sharding find_sharding(const operator_graph& g) {
    return detail::sharding_search(g).run();
}

} // namespace dovetail::workload
