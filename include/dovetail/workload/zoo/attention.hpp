#pragma once
/// \file
/// Multi-head attention, with learned or rotary positions.

#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::workload::zoo {

/// What distinguishes one attention block from another.
struct attention_block {
    bool fused = false; ///< one product gives queries, keys and values
    bool bias = true;
    index mask = none;   ///< added to the scores: [sequence, sequence] or [batch, 1, 1, sequence]
    index cosine = none; ///< rotary table [sequence, head_dim / 2]; none for learned positions
    index sine = none;
};

namespace detail {

/// [batch, sequence, hidden] as [batch, heads, ...] in the given order of the four axes.
inline index to_heads(graph_builder& b, const transformer& m, const std::string& name, index x,
                      std::vector<std::int64_t> order) {
    const index shape = b.integers(name + ".shape", {0, 0, m.heads, m.head_dim()});
    return b.apply<op::transpose>(name + ".heads", {b.apply<op::reshape>(name + ".split", {x, shape})},
                                  permutation(std::move(order)));
}

/// Rotates the two halves of every head by the angle of its position; `x` is [batch, heads, sequence,
/// head_dim].
inline index rotate(graph_builder& b, const transformer& m, const std::string& name, index x,
                    const attention_block& block) {
    const index sizes = b.integers(name + ".sizes", {m.head_dim() / 2, m.head_dim() / 2});
    const std::vector<index> half = b.apply_all<op::split>(name + ".halves", {x, sizes}, on_axis(-1));
    if (half.size() != 2) return none;
    const auto times = [&](const char* part, index a, index table) {
        return b.apply<op::mul>(name + part, {a, table});
    };
    const index real = b.apply<op::sub>(
        name + ".real", {times(".xc", half[0], block.cosine), times(".ys", half[1], block.sine)});
    const index imaginary = b.apply<op::add>(
        name + ".imaginary", {times(".xs", half[0], block.sine), times(".yc", half[1], block.cosine)});
    return b.apply<op::concat>(name + ".rotated", {real, imaginary}, on_axis(-1));
}

/// Queries, keys and values, each [batch, sequence, hidden].
inline std::vector<index> projections(graph_builder& b, const transformer& m, const std::string& name,
                                      index x, const attention_block& block) {
    if (!block.fused)
        return {linear(b, name + ".query", x, m.hidden, m.hidden, block.bias),
                linear(b, name + ".key", x, m.hidden, m.hidden, block.bias),
                linear(b, name + ".value", x, m.hidden, m.hidden, block.bias)};
    const index joined = linear(b, name + ".qkv", x, m.hidden, 3 * m.hidden, block.bias);
    const index sizes = b.integers(name + ".qkv.sizes", {m.hidden, m.hidden, m.hidden});
    std::vector<index> parts = b.apply_all<op::split>(name + ".qkv.parts", {joined, sizes}, on_axis(-1));
    parts.resize(3, none);
    return parts;
}

} // namespace detail

/// Softmax attention and its output projection; `x` and the result are [batch, sequence, hidden].
inline index attention(graph_builder& b, const transformer& m, const std::string& name, index x,
                       const attention_block& block) {
    const std::vector<index> qkv = detail::projections(b, m, name, x, block);
    index query = detail::to_heads(b, m, name + ".query", qkv[0], {0, 2, 1, 3});
    index key = none;
    if (block.cosine == none) {
        key = detail::to_heads(b, m, name + ".key", qkv[1], {0, 2, 3, 1});
    } else {
        query = detail::rotate(b, m, name + ".query", query, block);
        key = detail::to_heads(b, m, name + ".key", qkv[1], {0, 2, 1, 3});
        key = b.apply<op::transpose>(name + ".key.turned", {detail::rotate(b, m, name + ".key", key, block)},
                                     permutation({0, 1, 3, 2}));
    }
    const index value = detail::to_heads(b, m, name + ".value", qkv[2], {0, 2, 1, 3});

    const index scale = b.scalar(name + ".scale", 1 / std::sqrt(static_cast<double>(m.head_dim())));
    index scores =
        b.apply<op::mul>(name + ".scaled", {b.apply<op::mat_mul>(name + ".scores", {query, key}), scale});
    scores = b.apply<op::add>(name + ".masked", {scores, block.mask});
    const index weights = b.apply<op::softmax>(name + ".weights", {scores}, on_axis(-1));
    const index context =
        b.apply<op::mat_mul>(name + ".context", {dropout(b, m, name + ".dropout", weights), value});
    const index turned = b.apply<op::transpose>(name + ".turned", {context}, permutation({0, 2, 1, 3}));
    const index joined = b.apply<op::reshape>(name + ".joined",
                                              {turned, b.integers(name + ".joined.shape", {0, 0, m.hidden})});
    return linear(b, name + ".out", joined, m.hidden, m.hidden, block.bias);
}

} // namespace dovetail::workload::zoo
