#pragma once
/// \file
/// The dimensions of a transformer, and the blocks that all of them are made of.

#include <dovetail/workload/attributes.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operators.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::workload::zoo {

/// The dimensions of a transformer. Its weights are [in, out]; a pass takes whole sequences.
struct transformer {
    std::string_view name;
    std::int64_t layers = 0;
    std::int64_t hidden = 0;
    std::int64_t heads = 0; ///< divides `hidden`
    std::int64_t sequence = 0;
    std::int64_t feed_forward = 0;
    std::int64_t vocabulary = 0;
    std::int64_t positions = 0;      ///< rows of the learned position table; 0 where positions are rotary
    std::int64_t word_embedding = 0; ///< width of the token table; 0 where it is `hidden`
    bool pre_norm = true;            ///< normalise before each block, else after its residual sum
    bool dropout = true;             ///< as in training: after the attention weights and before residual sums

    [[nodiscard]] constexpr std::int64_t head_dim() const noexcept { return hidden / heads; }
};

/// The attribute of a Transpose.
inline attribute_set permutation(std::vector<std::int64_t> order) {
    attribute_set attributes;
    attributes.set("perm", std::move(order));
    return attributes;
}

/// The attribute of an operator that works along one axis.
inline attribute_set on_axis(std::int64_t axis) {
    attribute_set attributes;
    attributes.set("axis", axis);
    return attributes;
}

/// The weight [in, out] times the last axis of `x`, and a bias.
inline index linear(graph_builder& b, const std::string& name, index x, std::int64_t in, std::int64_t out,
                    bool bias) {
    const index product = b.apply<op::mat_mul>(name, {x, b.parameter(name + ".weight", {in, out})});
    return bias ? b.apply<op::add>(name + ".add", {product, b.parameter(name + ".bias", {out})}) : product;
}

/// A linear layer with a bias.
inline index linear(graph_builder& b, const std::string& name, index x, std::int64_t in, std::int64_t out) {
    return linear(b, name, x, in, out, true);
}

/// Layer normalisation over the last axis.
inline index layer_norm(graph_builder& b, const std::string& name, index x, std::int64_t width) {
    return b.apply<op::layer_normalization>(
        name, {x, b.parameter(name + ".scale", {width}), b.parameter(name + ".bias", {width})});
}

/// Dropout, where the model has it.
inline index dropout(graph_builder& b, const transformer& m, const std::string& name, index x) {
    return m.dropout ? b.apply<op::dropout>(name, {x}) : x;
}

/// A residual sum: `x` and what the block made of it, after dropout.
inline index residual(graph_builder& b, const transformer& m, const std::string& name, index x, index y) {
    return b.apply<op::add>(name, {x, dropout(b, m, name + ".dropout", y)});
}

/// Two linear layers with an activation between them.
template <operator_descriptor Activation>
index feed_forward(graph_builder& b, const transformer& m, const std::string& name, index x) {
    const index wide = linear(b, name + ".up", x, m.hidden, m.feed_forward);
    return linear(b, name + ".down", b.apply<Activation>(name + ".activation", {wide}), m.feed_forward,
                  m.hidden);
}

/// The causal mask: zero up to the diagonal, minus infinity after it.
inline index causal_mask(graph_builder& b, const transformer& m) {
    return b.buffer("mask", {m.sequence, m.sequence});
}

/// Tokens by a table that is returned as well, for a tied head. \returns {embedded tokens, table}.
inline std::pair<index, index> embed(graph_builder& b, const transformer& m, std::int64_t batch) {
    const std::int64_t width = m.word_embedding != 0 ? m.word_embedding : m.hidden;
    const index ids = b.input("input_ids", {batch, m.sequence}, element_type::int64);
    const index table = b.parameter("embedding.word", {m.vocabulary, width});
    return {b.apply<op::gather>("embedding.words", {table, ids}), table};
}

/// The learned positions [sequence, hidden] added to `x`.
inline index add_positions(graph_builder& b, const transformer& m, index x) {
    const index ids = b.buffer("position_ids", {m.sequence}, element_type::int64);
    const index table = b.parameter("embedding.position", {m.positions, m.hidden});
    return b.apply<op::add>("embedding.add", {x, b.apply<op::gather>("embedding.positions", {table, ids})});
}

/// The logits by the token table itself, transposed: it costs nothing and adds no parameter.
inline index tied_head(graph_builder& b, index x, index table) {
    return b.apply<op::mat_mul>("head",
                                {x, b.apply<op::transpose>("head.weight", {table}, permutation({1, 0}))});
}

} // namespace dovetail::workload::zoo
