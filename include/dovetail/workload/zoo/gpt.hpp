#pragma once
/// \file
/// Decoders with learned positions: GPT and OPT.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/zoo/attention.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace dovetail::workload::zoo {

/// GPT-2 and GPT-3 (Radford et al., 2019; Brown et al., 2020): fused projections, normalised before each
/// block and once at the end, GELU, tied head. \returns the graph of one pass over `batch` sequences, or
/// errc::out_of_range for an empty batch.
inline result<operator_graph> gpt(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.fused = true, .mask = causal_mask(b, m)};
    const auto [words, table] = embed(b, m, batch);
    index x = dropout(b, m, "embedding.dropout", add_positions(b, m, words));
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        index y = layer_norm(b, layer + ".norm1", x, m.hidden);
        y = attention(b, m, layer + ".attention", y, block);
        x = residual(b, m, layer + ".residual1", x, y);
        y = layer_norm(b, layer + ".norm2", x, m.hidden);
        y = feed_forward<op::gelu>(b, m, layer + ".mlp", y);
        x = residual(b, m, layer + ".residual2", x, y);
    }
    b.output(tied_head(b, layer_norm(b, "norm", x, m.hidden), table));
    return std::move(b).finish();
}

/// OPT (Zhang et al., 2022) at 350M: separate projections, ReLU, normalised after each residual sum, a token
/// table narrower than the hidden size with a projection on either side of the layers, tied head. \returns as
/// `gpt`.
inline result<operator_graph> opt(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.mask = causal_mask(b, m)};
    const auto [words, table] = embed(b, m, batch);
    const index widened = linear(b, "project_in", words, m.word_embedding, m.hidden, false);
    index x = add_positions(b, m, widened);
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        index y = attention(b, m, layer + ".attention", x, block);
        x = layer_norm(b, layer + ".norm1", residual(b, m, layer + ".residual1", x, y), m.hidden);
        y = feed_forward<op::relu>(b, m, layer + ".mlp", x);
        x = layer_norm(b, layer + ".norm2", residual(b, m, layer + ".residual2", x, y), m.hidden);
    }
    b.output(tied_head(b, linear(b, "project_out", x, m.hidden, m.word_embedding, false), table));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo
