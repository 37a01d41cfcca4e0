#pragma once
/// \file
/// Decoders with rotary positions and gated feed-forward blocks: Llama.

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

/// Llama 2 (Touvron et al., 2023): RMS normalisation before each block, rotary positions, SiLU gate, no
/// biases, a head of its own. \returns the graph of one pass over `batch` sequences, or errc::out_of_range
/// for an empty batch.
inline result<operator_graph> llama(const transformer& m, std::int64_t batch) {
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.bias = false,
                                .mask = causal_mask(b, m),
                                .cosine = b.buffer("rotary.cosine", {m.sequence, m.head_dim() / 2}),
                                .sine = b.buffer("rotary.sine", {m.sequence, m.head_dim() / 2})};
    const auto norm = [&](const std::string& name, index x) {
        return b.apply<op::rms_normalization>(name, {x, b.parameter(name + ".scale", {m.hidden})});
    };
    index x = embed(b, m, batch).first;
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        const index attended = attention(b, m, layer + ".attention", norm(layer + ".norm1", x), block);
        x = residual(b, m, layer + ".residual1", x, attended);
        const index y = norm(layer + ".norm2", x);
        const index gate = b.apply<op::swish>(
            layer + ".mlp.silu", {linear(b, layer + ".mlp.gate", y, m.hidden, m.feed_forward, false)});
        const index up = linear(b, layer + ".mlp.up", y, m.hidden, m.feed_forward, false);
        const index down = linear(b, layer + ".mlp.down", b.apply<op::mul>(layer + ".mlp.gated", {gate, up}),
                                  m.feed_forward, m.hidden, false);
        x = residual(b, m, layer + ".residual2", x, down);
    }
    b.output(linear(b, "head", norm("norm", x), m.hidden, m.vocabulary, false));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo
