#pragma once
/// \file
/// Where a graph spells out a formula.

#include <dovetail/core/array_view.hpp>
#include <dovetail/workload/composites.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/pattern.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// What a formula stands for at one place of a graph.
struct occurrence {
    static constexpr std::size_t slots = 3;
    std::array<index, slots> operands{none, none, none}; ///< tensors by slot
    std::optional<double> setting;
    std::vector<std::size_t> axes; ///< of its reductions; empty where it has none
    std::vector<index> operations; ///< that the composite replaces
};

/// Looks for formulas in a graph, by backtracking over a list of goals: this tensor is to match that pattern.
class formula_matcher {
public:
    explicit formula_matcher(const operator_graph& g)
        : graph_(g), producer_(producers(g)), on_data_(dependences(g).on_data), users_(g.tensors.size()),
          given_(g.tensors.size(), false) {
        for (index v = 0; v < g.operations.size(); ++v)
            for (const index t : g.operations[v].inputs)
                if (t != none) users_[t].push_back(v);
        for (const index t : g.outputs) given_[t] = true;
    }

    /// Where the result of operation `root` means `sought` and nobody else uses what it is made of.
    [[nodiscard]] std::optional<occurrence> operator()(index root, const composite& sought) {
        if (graph_.operations[root].outputs.size() != 1) return std::nullopt;
        found_ = {};
        result_ = graph_.operations[root].outputs.front();
        sought_ = &sought;
        const goal first{.of = sought.meaning, .tensor = result_};
        if (!holds(&first)) return std::nullopt;
        return std::move(found_);
    }

private:
    static constexpr unsigned all = ~0U;

    struct goal {
        const pattern* of = nullptr;
        index tensor = none;
        unsigned members = all; ///< of a chain: which operands are left
        const goal* next = nullptr;
    };

    /// Whether all goals can be met together with what has been found so far.
    [[nodiscard]] bool holds(const goal* now) {
        if (now == nullptr) return fits() && closed();
        if (now->tensor == none) return false;
        return holds_here(*now) || holds_behind_cast(*now);
    }

    [[nodiscard]] bool holds_here(const goal& now) {
        const pattern& p = *now.of;
        switch (p.what) {
        case pattern::kind::weight:
            if (on_data_[now.tensor]) return false;
            [[fallthrough]];
        case pattern::kind::operand:
            return bind(found_.operands[p.slot], now.tensor, none, now.next);
        case pattern::kind::setting: {
            const std::optional<double> value = constant(now.tensor);
            return value && bind(found_.setting, value, std::optional<double>(), now.next);
        }
        case pattern::kind::number: {
            const std::optional<double> value = constant(now.tensor);
            constexpr double tolerance = 0x1p-9;
            return value && std::abs(*value - p.value) <= tolerance * std::abs(p.value) && holds(now.next);
        }
        case pattern::kind::choice:
            return std::any_of(p.operands.begin(), p.operands.end(), [&](const pattern* alternative) {
                const goal one{.of = alternative, .tensor = now.tensor, .next = now.next};
                return holds(&one);
            });
        case pattern::kind::operation:
            return holds_for_operands(now);
        case pattern::kind::chain:
            return holds_for_members(now);
        }
        return false;
    }

    /// Gives `place` a value, if it has none, for as long as the rest of the goals hold.
    template <class T>
    [[nodiscard]] bool bind(T& place, const T& value, const T& empty, const goal* rest) {
        if (place != empty) return place == value && holds(rest);
        place = value;
        if (holds(rest)) return true;
        place = empty;
        return false;
    }

    /// The operation that gives `t`, if it is of this type.
    [[nodiscard]] index giver(index t, operator_type type) const {
        const index v = producer_[t];
        const bool is = v != none && graph_.operations[v].type == type &&
                        graph_.operations[v].phase == phase::forward &&
                        graph_.operations[v].outputs.size() == 1;
        return is ? v : none;
    }

    /// Counts `v` in for as long as `rest` holds.
    template <class Rest>
    [[nodiscard]] bool with(index v, Rest rest) {
        if (contains(v)) return rest();
        found_.operations.push_back(v);
        if (rest()) return true;
        found_.operations.pop_back();
        return false;
    }
    [[nodiscard]] bool contains(index v) const {
        return std::find(found_.operations.begin(), found_.operations.end(), v) != found_.operations.end();
    }

    [[nodiscard]] bool holds_for_operands(const goal& now) {
        const index v = giver(now.tensor, now.of->type);
        if (v == none || graph_.operations[v].inputs.size() < now.of->operands.size()) return false;
        const operation& op = graph_.operations[v];
        std::vector<goal> goals(now.of->operands.size());
        for (std::size_t k = 0; k < goals.size(); ++k)
            goals[k] = {.of = now.of->operands[k],
                        .tensor = op.inputs[k],
                        .next = k + 1 < goals.size() ? &goals[k + 1] : now.next};
        return with(v, [&] {
            if (descriptor(op.type).fusion != fusion_class::reduction) return holds(goals.data());
            const std::vector<std::size_t> along = axes(op);
            return !along.empty() && bind(found_.axes, along, {}, goals.data());
        });
    }

    /// Every way to share the members of a chain between the two operands of the operation.
    [[nodiscard]] bool holds_for_members(const goal& now) {
        const unsigned members = now.members & ((1U << now.of->operands.size()) - 1U);
        if (std::has_single_bit(members)) {
            const auto only = static_cast<std::size_t>(std::countr_zero(members));
            const goal one{.of = now.of->operands[only], .tensor = now.tensor, .next = now.next};
            return holds(&one);
        }
        const index v = giver(now.tensor, now.of->type);
        if (v == none || graph_.operations[v].inputs.size() != 2) return false;
        const std::vector<index>& inputs = graph_.operations[v].inputs;
        return with(v, [&] {
            for (unsigned left = (members - 1) & members; left != 0; left = (left - 1) & members) {
                const goal second{
                    .of = now.of, .tensor = inputs[1], .members = members & ~left, .next = now.next};
                const goal first{.of = now.of, .tensor = inputs[0], .members = left, .next = &second};
                if (holds(&first)) return true;
            }
            return false;
        });
    }

    /// A change between floating types does not change what a formula means.
    [[nodiscard]] bool holds_behind_cast(const goal& now) {
        const index v = giver(now.tensor, type_of<op::cast>);
        if (v == none || now.of->what == pattern::kind::choice) return false;
        const index from = graph_.operations[v].inputs.front();
        if (from == none || !is_floating(graph_.tensors[from].type) ||
            !is_floating(graph_.tensors[now.tensor].type))
            return false;
        goal behind = now;
        behind.tensor = from;
        if (!on_data_[now.tensor]) return holds(&behind); // others may share a constant
        return with(v, [&] { return holds(&behind); });
    }

    /// The value of a constant of one element.
    [[nodiscard]] std::optional<double> constant(index t) const {
        const tensor& value = graph_.tensors[t];
        if (value.role != tensor_role::constant || value.elements() != 1) return std::nullopt;
        if (!value.reals.empty()) return value.reals.front();
        if (!value.integers.empty()) return static_cast<double>(value.integers.front());
        return std::nullopt;
    }

    /// The axes of a reduction that keeps them, counted from the front and ascending; empty otherwise.
    [[nodiscard]] std::vector<std::size_t> axes(const operation& op) const {
        if (op.attributes.integer("keepdims", 1) == 0 || op.inputs.empty() || op.inputs[0] == none) return {};
        array_view<const std::int64_t> listed = op.attributes.integers("axes");
        if (op.inputs.size() > 1 && op.inputs[1] != none) listed = graph_.tensors[op.inputs[1]].integers;
        const auto rank = static_cast<std::int64_t>(graph_.tensors[op.inputs[0]].dims.size());
        std::vector<std::size_t> along;
        for (const std::int64_t axis : listed)
            along.push_back(static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
        std::sort(along.begin(), along.end());
        return along;
    }

    /// Whether shapes and axes are those of the operator, too.
    [[nodiscard]] bool fits() const {
        const dimensions& dims = graph_.tensors[found_.operands.front()].dims;
        if (graph_.tensors[result_].dims != dims) return false;
        const std::vector<std::size_t>& along = found_.axes;
        if (sought_->axes == reduced_axes::one) return along.size() == 1;
        if (sought_->axes == reduced_axes::nothing) return true;
        if (along.front() + along.size() != dims.size()) return false;
        for (std::size_t k = 1; k < along.size(); ++k)
            if (along[k] != along[k - 1] + 1) return false;
        const array_view<const std::int64_t> row = array_view(dims).subspan(along.front());
        return std::all_of(found_.operands.begin() + 1, found_.operands.end(), [&](index t) {
            if (t == none) return true;
            array_view<const std::int64_t> shape = graph_.tensors[t].dims;
            while (shape.size() > row.size() && shape.front() == 1) shape = shape.subspan(1);
            return std::equal(shape.begin(), shape.end(), row.begin(), row.end());
        });
    }

    /// Whether all results but the last serve the formula alone.
    [[nodiscard]] bool closed() const {
        return std::all_of(found_.operations.begin(), found_.operations.end(), [&](index v) {
            const index t = graph_.operations[v].outputs.front();
            return t == result_ || (!given_[t] && std::all_of(users_[t].begin(), users_[t].end(),
                                                              [&](index user) { return contains(user); }));
        });
    }

    const operator_graph& graph_;
    std::vector<index> producer_;
    std::vector<bool> on_data_;
    std::vector<std::vector<index>> users_;
    std::vector<bool> given_;
    occurrence found_;
    index result_ = none;
    const composite* sought_ = nullptr;
};

} // namespace dovetail::workload
