#pragma once
/// \file
/// The sizes of a transformer, found in its graph.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/attention_heads.hpp>
#include <dovetail/workload/base_tensors.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/shapes.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload {

namespace detail {

class transformer_finder {
public:
    explicit transformer_finder(const operator_graph& g) : graph_(g), producer_(producers(g)), bases_(g) {}

    [[nodiscard]] result<transformer_shape> find() {
        m_.heads = find_attention_heads(graph_);
        if (m_.heads == 0) return refused("it has no attention");
        for (const operation& op : graph_.operations)
            if (auto read = visit(op); !read) return std::move(read).problem();
        if (m_.vocabulary == 0) return refused("it has no token table");
        if (table_width_ != m_.hidden)
            return refused("its token table is " + to_text(table_width_) + " wide, its blocks " +
                           to_text(m_.hidden));
        if (auto split = split_block(); !split) return std::move(split).problem();
        if (auto sizes = validate(m_); !sizes) return std::move(sizes).problem();
        return m_;
    }

private:
    [[nodiscard]] error refused(std::string what) const {
        return {errc::unsupported, "model '" + graph_.name + "'", std::move(what),
                "give a transformer: a token table, equal blocks of attention and feed-forward network"};
    }

    [[nodiscard]] result<void> visit(const operation& op) {
        if (op.type == type_of<op::dropout>) m_.dropout = true;
        if (op.type == type_of<op::gather>) {
            const tensor& table = graph_.tensors[op.inputs[0]];
            if (table.role == tensor_role::parameter && table.dims.size() == 2 &&
                table.dims[0] > m_.vocabulary) {
                m_.vocabulary = table.dims[0];
                table_width_ = table.dims[1];
            }
        }
        const contraction product = descriptor(op.type).product(operand_view(graph_, op).get());
        if (product.empty()) return {};
        if (op.inputs.size() >= 2 && is_weight(op.inputs[1])) {
            if (product.batch == 1) ++weights_[{product.reduction, product.columns}];
            return {};
        }
        if (!attention_weights(graph_, producer_, op.inputs[0])) return {};
        const std::int64_t width = m_.heads * product.columns;
        if (m_.layers > 0 && (m_.hidden != width || m_.sequence != product.rows))
            return refused("its blocks differ");
        m_.hidden = width;
        m_.sequence = product.rows;
        ++m_.layers;
        return {};
    }

    /// Whether `t` is a parameter, or a view of one.
    [[nodiscard]] bool is_weight(index t) const {
        return t != none && graph_.tensors[bases_.of(t).front()].role == tensor_role::parameter;
    }

    /// Reads the widths of a block from its weights: what is not `hidden` wide and leads back to it is the
    /// feed-forward network; what leaves `hidden` is queries, keys, values, projection, and one or two
    /// products of the feed-forward network.
    [[nodiscard]] result<void> split_block() {
        std::int64_t leaving = 0;
        for (const auto& [sizes, count] : weights_) {
            const auto [in, out] = sizes;
            const std::int64_t each = count / m_.layers;
            if (in == m_.hidden) leaving += each * out;
            if (in != m_.hidden && out == m_.hidden && each > 0) m_.feed_forward = in;
        }
        if (m_.feed_forward == 0) return refused("its feed-forward network is not found");
        for (const bool gated : {false, true}) {
            const std::int64_t doubled = leaving - 2 * m_.hidden - (gated ? 2 : 1) * m_.feed_forward;
            if (doubled <= 0 || doubled > 2 * m_.hidden) continue;
            const std::int64_t head_width = m_.hidden / m_.heads;
            if (doubled % (2 * head_width) != 0) continue;
            m_.gated = gated;
            m_.key_value_heads = doubled / (2 * head_width);
            return {};
        }
        return refused("its blocks are not attention and a feed-forward network");
    }

    const operator_graph& graph_;
    std::vector<index> producer_;
    base_tensors bases_;
    transformer_shape m_{.dropout = false};
    std::int64_t table_width_ = 0;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> weights_; // uses by [in, out]
};

} // namespace detail

/// The sizes of a transformer from its forward graph: as many blocks as there are attentions, the widths from
/// their weights, the vocabulary from the longest table that is looked up.
/// \param g acyclic, with shapes, recognised (`recognise`)
/// \returns errc::unsupported for a graph without attention or token table, with blocks that differ, or with
///          a table of another width. \complexity O(operands) for each attention at worst.
[[nodiscard]] inline result<transformer_shape> find_transformer(const operator_graph& g) {
    return detail::transformer_finder(g).find();
}

} // namespace dovetail::workload
