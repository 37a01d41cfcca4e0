#pragma once
/// \file
/// The sizes of a transformer that closed forms need: no graph, only numbers.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::workload {

/// A stack of equal blocks between a token table and a head that shares it. Every block is self-attention and
/// a feed-forward network of two matrices, or of three where it is gated.
struct transformer_shape {
    std::int64_t hidden = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;           ///< of queries; they divide `hidden`
    std::int64_t key_value_heads = 0; ///< they divide `heads`; equal but for grouped queries
    std::int64_t sequence = 0;
    std::int64_t feed_forward = 0;
    std::int64_t vocabulary = 0;
    bool gated = false;  ///< the feed-forward network has a gate
    bool dropout = true; ///< after the softmax and before both residual sums

    /// Width of keys and values, all heads of each.
    [[nodiscard]] constexpr std::int64_t key_value_width() const noexcept {
        return hidden / heads * key_value_heads;
    }
};

/// GPT (Radford et al., 2019): a feed-forward network four times as wide, no grouped queries, no gate.
[[nodiscard]] constexpr transformer_shape gpt_shape(std::int64_t hidden, std::int64_t layers,
                                                    std::int64_t heads, std::int64_t sequence,
                                                    std::int64_t vocabulary) noexcept {
    return {.hidden = hidden,
            .layers = layers,
            .heads = heads,
            .key_value_heads = heads,
            .sequence = sequence,
            .feed_forward = 4 * hidden,
            .vocabulary = vocabulary};
}

/// Elements of the weight matrices of one block: 12 h^2 for GPT.
[[nodiscard]] constexpr double block_weights(const transformer_shape& m) noexcept {
    const auto h = static_cast<double>(m.hidden);
    const double attention = 2 * h * (h + static_cast<double>(m.key_value_width()));
    return attention + (m.gated ? 3 : 2) * h * static_cast<double>(m.feed_forward);
}

/// \returns errc::out_of_range for a size that is not positive or too large, errc::shape for heads that do
///          not divide what they split.
[[nodiscard]] inline result<void> validate(const transformer_shape& m) {
    constexpr std::int64_t most = std::int64_t{1} << 31; // products of two stay exact in a double
    using named = std::pair<std::string_view, std::int64_t>;
    for (const auto& [name, value] :
         {named{"hidden", m.hidden}, named{"layers", m.layers}, named{"heads", m.heads},
          named{"key-value heads", m.key_value_heads}, named{"seq", m.sequence},
          named{"feed-forward width", m.feed_forward}, named{"vocab", m.vocabulary}})
        if (value < 1 || value > most)
            return error{errc::out_of_range, "model", std::string(name) + " is " + to_text(value),
                         "it must be at least 1 and at most " + readable(most)};
    const auto divides = [](std::int64_t part, std::int64_t whole) { return whole % part == 0; };
    if (!divides(m.heads, m.hidden))
        return error{errc::shape, "model",
                     to_text(m.heads) + " heads do not divide hidden " + to_text(m.hidden),
                     "every head is as wide as every other"};
    if (!divides(m.key_value_heads, m.heads))
        return error{errc::shape, "model",
                     to_text(m.key_value_heads) + " key-value heads do not divide " + to_text(m.heads) +
                         " heads",
                     "every group of queries is as large as every other"};
    return {};
}

} // namespace dovetail::workload
