#pragma once
/// \file
/// Encoders with a masked-language-model head: BERT.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/workload/builder.hpp>
#include <dovetail/workload/operators.hpp>
#include <dovetail/workload/tensor.hpp>
#include <dovetail/workload/zoo/attention.hpp>
#include <dovetail/workload/zoo/transformer.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace dovetail::workload::zoo {

/// BERT (Devlin et al., 2019) with its masked-language-model head; the next-sentence head is left out. As
/// published it normalises after the embeddings and after each residual sum. Megatron-LM's (Shoeybi et al.,
/// 2019) normalises before each block and after the last layer instead, and fuses its projections.
/// \returns the graph of one pass over `batch` sequences, or errc::out_of_range for an empty batch.
inline result<operator_graph> bert(const transformer& m, std::int64_t batch) {
    constexpr std::int64_t token_types = 2;
    graph_builder b(std::string(m.name), batch);
    b.attention_heads(m.heads);
    const attention_block block{.fused = m.pre_norm,
                                .mask = b.input("attention_mask", {batch, 1, 1, m.sequence})};
    const auto [words, table] = embed(b, m, batch);
    const index type_ids = b.input("token_type_ids", {batch, m.sequence}, element_type::int64);
    const index types = b.apply<op::gather>(
        "embedding.types", {b.parameter("embedding.type", {token_types, m.hidden}), type_ids});
    index x = b.apply<op::add>("embedding.typed", {add_positions(b, m, words), types});
    if (!m.pre_norm) x = layer_norm(b, "embedding.norm", x, m.hidden);
    x = dropout(b, m, "embedding.dropout", x);
    for (std::int64_t i = 0; i < m.layers; ++i) {
        const std::string layer = "layer." + to_text(i);
        const auto before = [&](const char* name, index y) {
            return m.pre_norm ? layer_norm(b, layer + name, y, m.hidden) : y;
        };
        const auto after = [&](const char* name, index y) {
            return m.pre_norm ? y : layer_norm(b, layer + name, y, m.hidden);
        };
        index y = attention(b, m, layer + ".attention", before(".norm1", x), block);
        x = after(".norm1", residual(b, m, layer + ".residual1", x, y));
        y = feed_forward<op::gelu>(b, m, layer + ".mlp", before(".norm2", x));
        x = after(".norm2", residual(b, m, layer + ".residual2", x, y));
    }
    if (m.pre_norm) x = layer_norm(b, "norm", x, m.hidden);
    x = b.apply<op::gelu>("head.gelu", {linear(b, "head.transform", x, m.hidden, m.hidden)});
    const index scores = tied_head(b, layer_norm(b, "head.norm", x, m.hidden), table);
    b.output(b.apply<op::add>("head.add", {scores, b.parameter("head.bias", {m.vocabulary})}));
    return std::move(b).finish();
}

} // namespace dovetail::workload::zoo
