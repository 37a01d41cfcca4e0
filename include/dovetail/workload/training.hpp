#pragma once
/// \file
/// The graph of a training step: forward pass, loss, both gradients, optimizer.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/dependence.hpp>
#include <dovetail/workload/descriptor.hpp>
#include <dovetail/workload/gradient.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

/// What a training step is made of besides the forward pass.
struct training_options {
    /// Softmax and cross-entropy on the model's first result against labels; without it, the gradients of the
    /// results are data inputs.
    bool loss = true;
};

namespace detail {

/// Appends the backward pass to a forward graph, in reverse execution order.
class differentiation {
public:
    differentiation(const operator_graph& forward, const training_options& options) : g_(forward) {
        if (options.loss) append_loss();
        order_ = execution_order(g_);
        needs_ = needs_gradient(g_, order_);
        name_masks();
        on_data_ = dependences(g_).on_data;
        contributions_.resize(g_.tensors.size());
        seed();
    }

    operator_graph run() && {
        for (auto v = order_.rbegin(); v != order_.rend(); ++v) differentiate(*v);
        append_updates();
        return std::move(g_);
    }

private:
    /// Adds the loss of the logits; scores with more than two dimensions are seen as a list of rows, since
    /// the classes are the last dimension of a language model.
    void append_loss() {
        const auto found = std::find_if(g_.outputs.begin(), g_.outputs.end(),
                                        [&](index t) { return is_floating(g_.tensors[t].type); });
        if (found == g_.outputs.end()) return;
        index scores = *found;
        const dimensions dims = g_.tensors[scores].dims;
        const element_type type = g_.tensors[scores].type;
        if (dims.size() < 2) return;
        const std::int64_t classes = dims.back();
        const std::int64_t rows = classes > 0 ? g_.tensors[scores].elements() / classes : 0;
        if (dims.size() > 2) {
            const index shape = g_.add(tensor{.name = "loss.rows.shape",
                                              .role = tensor_role::constant,
                                              .type = element_type::int64,
                                              .dims = {2},
                                              .integers = {-1, classes}});
            scores = append({.type = type_of<op::reshape>, .name = "loss.rows", .inputs = {scores, shape}},
                            {rows, classes}, type);
        }
        const index labels = g_.add(tensor{
            .name = "labels", .role = tensor_role::input, .type = element_type::int64, .dims = {rows}});
        const index loss = append(
            {.type = type_of<op::softmax_cross_entropy_loss>, .name = "loss", .inputs = {scores, labels}}, {},
            type);
        g_.outputs = {loss};
    }

    /// Makes the masks that gradients read results of their operations, which is what they are from then on.
    void name_masks() {
        for (operation& op : g_.operations) {
            if (std::none_of(op.outputs.begin(), op.outputs.end(), [&](index t) { return needs_[t]; }))
                continue;
            if (std::optional<tensor> mask = unnamed_mask(g_, op))
                op.outputs.push_back(g_.add(*std::move(mask)));
        }
        needs_.resize(g_.tensors.size(), false);
    }

    void seed() {
        for (const index t : g_.outputs) {
            if (!needs_[t]) continue;
            tensor dy = g_.tensors[t];
            dy.name += ".gradient";
            dy.role = dy.dims.empty() ? tensor_role::constant : tensor_role::input;
            if (dy.dims.empty()) dy.reals = {1.0};
            contributions_[t].push_back(g_.add(std::move(dy)));
        }
    }

    void differentiate(index v) {
        const operation op = g_.operations[v]; // a copy: the list grows
        const gradient_rule rule = descriptor(op.type).gradient;
        if (rule == gradient_rule::stops) return;
        std::vector<std::size_t> wanted;
        for (std::size_t i = 0; i < op.inputs.size(); ++i)
            if (op.inputs[i] != none && needs_[op.inputs[i]]) wanted.push_back(i);
        std::vector<index> given;
        for (const index t : op.outputs)
            if (const index dy = gradient(t); dy != none) given.push_back(dy);
        if (wanted.empty() || given.empty()) return;

        if (rule == gradient_rule::product) {
            for (const std::size_t i : wanted) {
                std::vector<index> factors = given;
                if (i == 0) factors.push_back(op.inputs[1]);
                if (i == 1) factors.insert(factors.begin(), op.inputs[0]);
                append_gradient(v, op, {i}, std::move(factors), static_cast<index>(i));
            }
            return;
        }
        if (rule == gradient_rule::elementwise) {
            std::erase_if(wanted, [&](std::size_t i) {
                if (!passes(op, i)) return false;
                contributions_[op.inputs[i]].push_back(given.front());
                return true;
            });
            for (const index t : saved_tensors(g_, op, needs_)) given.push_back(t);
        }
        if (!wanted.empty()) append_gradient(v, op, wanted, std::move(given), none);
    }

    /// Whether the gradient of operand `i` is the gradient of the result itself: no operation is needed.
    [[nodiscard]] bool passes(const operation& op, std::size_t i) const {
        const bool additive = op.type == type_of<op::add> || op.type == type_of<op::sum> ||
                              (op.type == type_of<op::sub> && i == 0);
        return additive && g_.tensors[op.inputs[i]].dims == g_.tensors[op.outputs[0]].dims;
    }

    void append_gradient(index v, const operation& op, const std::vector<std::size_t>& wanted,
                         std::vector<index> inputs, index operand) {
        operation backward{.type = op.type,
                           .phase = phase::weight_gradient,
                           .name = op.name + (operand == none ? ".gradient" : joined(".gradient.", operand)),
                           .inputs = std::move(inputs),
                           .attributes = op.attributes,
                           .forward = v,
                           .operand = operand};
        for (const std::size_t i : wanted) {
            const index t = op.inputs[i];
            if (on_data_[t]) backward.phase = phase::input_gradient;
            backward.outputs.push_back(add_gradient_of(t));
            contributions_[t].push_back(backward.outputs.back());
        }
        g_.add(std::move(backward));
    }

    /// The gradient of a forward tensor, all of whose consumers are done; `none` where nothing flows back.
    index gradient(index t) {
        std::vector<index>& parts = contributions_[t];
        if (parts.size() > 1) {
            operation sum{.type = type_of<op::sum>,
                          .phase = on_data_[t] ? phase::input_gradient : phase::weight_gradient,
                          .name = g_.tensors[t].name + ".gradient.sum",
                          .inputs = std::move(parts),
                          .forward = home(t)};
            parts = {add_gradient_of(t)};
            sum.outputs = parts;
            g_.add(std::move(sum));
        }
        return parts.empty() ? none : parts.front();
    }

    void append_updates() {
        for (index t = 0; t < contributions_.size(); ++t) {
            if (g_.tensors[t].role != tensor_role::parameter) continue;
            const index dy = gradient(t);
            if (dy == none) continue;
            tensor updated = g_.tensors[t];
            updated.name += ".updated";
            updated.role = tensor_role::activation;
            const index result = g_.add(std::move(updated));
            g_.outputs.push_back(result);
            g_.add(operation{.type = type_of<op::optimizer_step>,
                             .phase = phase::update,
                             .name = g_.tensors[t].name + ".update",
                             .inputs = {t, dy},
                             .outputs = {result},
                             .forward = home(t)});
        }
    }

    /// The forward operation that a tensor belongs to: its producer, or for a parameter its first user.
    index home(index t) {
        if (home_.empty()) {
            home_.assign(contributions_.size(), none);
            for (auto v = order_.rbegin(); v != order_.rend(); ++v)
                for (const index used : g_.operations[*v].inputs)
                    if (used != none) home_[used] = *v;
            for (const index v : order_)
                for (const index given : g_.operations[v].outputs) home_[given] = v;
        }
        return home_[t];
    }

    index add_gradient_of(index t) {
        const tensor& of = g_.tensors[t];
        return g_.add(tensor{.name = of.name + ".gradient", .type = of.type, .dims = of.dims});
    }

    index append(operation op, dimensions dims, element_type type) {
        const index t = g_.add(tensor{.name = op.name, .type = type, .dims = std::move(dims)});
        op.outputs = {t};
        g_.add(std::move(op));
        return t;
    }

    operator_graph g_;
    std::vector<index> order_;
    std::vector<bool> on_data_, needs_;             ///< for every forward tensor
    std::vector<std::vector<index>> contributions_; ///< for every forward tensor
    std::vector<index> home_;
};

} // namespace detail

/// The training step of a forward graph. Tensors and operations of `forward` keep their numbers; behind them
/// come the loss, the gradients in an execution order, and one OptimizerStep for every parameter that the
/// loss depends on. A mask that a gradient reads and `forward` leaves out becomes a result of its operation.
/// A gradient operation keeps the type of its forward operation, and takes the gradients of its results and
/// then what it reads of the forward pass. A product gives one operation for each operand that needs a
/// gradient: {dY, B} for the first, {A, dY} for the second, {dY} for a bias. Contributions of several
/// consumers are added by a Sum; a sum's gradient is passed on without an operation. The graph's outputs
/// become the loss and the updated parameters. \complexity O(operands).
[[nodiscard]] inline operator_graph training_graph(const operator_graph& forward,
                                                   const training_options& options = {}) {
    return detail::differentiation(forward, options).run();
}

/// Labels of the forward operations (their layers, say) carried over to all operations of their training
/// graph: a gradient or update has the label of its forward operation, the loss that of the operation before
/// it.
[[nodiscard]] inline std::vector<index> training_labels(const operator_graph& training,
                                                        array_view<const index> forward_labels) {
    DOVETAIL_ASSERT(forward_labels.size() <= training.operations.size(), "one label a forward operation");
    const std::vector<index> producer = producers(training);
    std::vector<index> labels(forward_labels.begin(), forward_labels.end());
    for (std::size_t v = labels.size(); v < training.operations.size(); ++v) {
        const operation& op = training.operations[v];
        const index source = op.forward != none ? op.forward : producer[op.inputs.front()];
        labels.push_back(source != none ? labels[source] : none);
    }
    return labels;
}

} // namespace dovetail::workload
