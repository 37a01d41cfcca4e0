#pragma once
/// \file
/// Attention as three operators, and as one fused operator that never writes its scores to memory.

#include <dovetail/core/status.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace dovetail::cost {

/// Heads of attention, of all sequences together: softmax(Q K') V, without a mask.
struct attention {
    std::int64_t heads = 1;
    std::int64_t queries = 1;
    std::int64_t keys = 1;
    std::int64_t key_size = 1;   ///< elements of a query and of a key
    std::int64_t value_size = 1; ///< elements of a value and of a result

    /// Q K'.
    [[nodiscard]] constexpr workload::contraction scores() const noexcept {
        return {heads, queries, key_size, keys};
    }
    /// Scores times V.
    [[nodiscard]] constexpr workload::contraction context() const noexcept {
        return {heads, queries, keys, value_size};
    }
    /// Multiply-accumulates of the two products; a fused operator has as many.
    [[nodiscard]] constexpr double forward_macs() const noexcept {
        return scores().macs() + context().macs();
    }
    /// Of the backward pass: two gradients of each product, and, fused, the scores once more.
    [[nodiscard]] constexpr double backward_macs(bool fused) const noexcept {
        return 2 * forward_macs() + (fused ? scores().macs() : 0);
    }
    /// Elements of the scores, which the softmax goes over.
    [[nodiscard]] constexpr double score_elements() const noexcept {
        return static_cast<double>(heads) * static_cast<double>(queries) * static_cast<double>(keys);
    }
};

/// Words that plain attention moves to and from the DRAM: scores and weights are written and read once each.
[[nodiscard]] constexpr moved_words plain_attention_words(const attention& a) {
    const auto real = [](std::int64_t count) { return static_cast<double>(count); };
    const double sizes = real(a.key_size) + real(a.value_size);
    return {.read = real(a.heads) * (real(a.queries) * real(a.key_size) + real(a.keys) * sizes) +
                    2 * a.score_elements(),
            .written = real(a.heads) * real(a.queries) * real(a.value_size) + 2 * a.score_elements()};
}

/// Blocks of a fused operator: so many queries by so many keys are on the chip at a time.
struct attention_blocks {
    std::int64_t queries = 0;
    std::int64_t keys = 0;
    bool queries_stay = true; ///< the inner loop runs over the keys
    moved_words dram;
};

/// The blocks of fused attention that move the fewest words through a memory of `words`.
///
/// A block holds its queries and results, its keys and values, its scores, and two statistics a query (Dao et
/// al., NeurIPS 2022). Where the queries stay, keys and values are read for every block of queries. Where the
/// keys stay, as in their algorithm 1, queries are read, and results and statistics read and written again,
/// for every block of keys. Either takes on the order of N^2 d^2 / words words (their theorem 2).
/// \param least  queries and keys of a block at least, such as the extent of an array
/// \returns status `infeasible`, as zero blocks, if not even those fit. \complexity O(1).
[[nodiscard]] constexpr attention_blocks fused_attention_blocks(const attention& a, double words,
                                                                std::int64_t least = 1) {
    const auto real = [](std::int64_t count) { return static_cast<double>(count); };
    const double sizes = real(a.key_size) + real(a.value_size);
    constexpr double statistics = 2;
    const std::int64_t few_queries = std::min(least, a.queries);
    const std::int64_t few_keys = std::min(least, a.keys);
    const double most_queries = (words - real(few_keys) * sizes) / (sizes + statistics + real(few_keys));
    const double most_keys = (words - real(few_queries) * (sizes + statistics)) / (sizes + real(few_queries));
    if (most_queries < real(few_queries)) return {};
    const auto cut = [&](std::int64_t extent, double most) {
        return even_cut::of(extent, most < real(extent) ? static_cast<std::int64_t>(most) : extent);
    };
    const even_cut queries = cut(a.queries, most_queries);
    const even_cut keys = cut(a.keys, most_keys);
    const double results = real(a.queries) * real(a.value_size);
    const double again = real(keys.count - 1) * (results + statistics * real(a.queries));
    const attention_blocks by_queries{
        .queries = queries.part,
        .keys = few_keys,
        .queries_stay = true,
        .dram = {.read = real(a.heads) *
                         (real(a.queries) * real(a.key_size) + real(queries.count) * real(a.keys) * sizes),
                 .written = real(a.heads) * results}};
    const attention_blocks by_keys{
        .queries = few_queries,
        .keys = keys.part,
        .queries_stay = false,
        .dram = {.read = real(a.heads) * (real(keys.count) * real(a.queries) * real(a.key_size) +
                                          real(a.keys) * sizes + again),
                 .written = real(a.heads) * (results + again)}};
    const auto all = [](const attention_blocks& b) { return b.dram.read + b.dram.written; };
    return all(by_keys) < all(by_queries) ? by_keys : by_queries;
}

/// Attention in both ways on one chip.
struct attention_cost {
    mapping_cost plain; ///< product, softmax and product, one after another
    mapping_cost fused; ///< one operator: everything overlaps
    attention_blocks blocks;
};

/// Prices the forward pass, without the lanes of its softmax. Both products are mapped by `search`; fused,
/// their operands and results pass the DRAM as its blocks say, through all of the global buffer.
/// \returns nothing where no tile or no block fits.
[[nodiscard]] constexpr std::optional<attention_cost>
price_attention(const mapping_hardware& hardware, const attention& a, const mapping_search& search) {
    const auto sum = [](const moved_words& x, const moved_words& y) {
        return moved_words{x.read + y.read, x.written + y.written};
    };
    const auto both = [&](const mapping_cost& x, const mapping_cost& y) {
        mapping_cost total;
        total.compute_cycles = x.compute_cycles + y.compute_cycles;
        total.local = sum(x.local, y.local);
        total.global = sum(x.global, y.global);
        total.dram = sum(x.dram, y.dram);
        return total;
    };
    attention_cost cost;
    cost.blocks =
        fused_attention_blocks(a, hardware.global.usable_words(), std::max(hardware.width, hardware.depth));
    const mapping_outcome scores_mapping = search(hardware, mapped_product(a.scores()));
    const mapping_outcome context_mapping = search(hardware, mapped_product(a.context()));
    if (cost.blocks.queries == 0 || scores_mapping.outcome == status::infeasible ||
        context_mapping.outcome == status::infeasible)
        return std::nullopt;
    const mapping_cost& scores = scores_mapping.cost;
    const mapping_cost& context = context_mapping.cost;
    cost.plain = both(scores, context);
    const moved_words softmax{a.score_elements(), a.score_elements()};
    cost.plain.dram = sum(cost.plain.dram, softmax);
    cost.plain.cycles = scores.cycles + softmax.cycles(hardware.dram) + context.cycles;
    cost.plain.energy_pj = scores.energy_pj + softmax.energy_pj(hardware.dram) + context.energy_pj;

    // On chip, nothing has to wait for the DRAM or to save it words.
    mapping_hardware on_chip = hardware;
    on_chip.dram = {.read_words_per_cycle = std::numeric_limits<double>::infinity(),
                    .write_words_per_cycle = std::numeric_limits<double>::infinity()};
    cost.fused = both(search(on_chip, mapped_product(a.scores())).cost,
                      search(on_chip, mapped_product(a.context())).cost);
    cost.blocks =
        fused_attention_blocks(a, hardware.global.usable_words(), std::max(hardware.width, hardware.depth));
    cost.fused.dram = cost.blocks.dram;
    detail::add_up(hardware, a.forward_macs(), cost.fused);
    return cost;
}

} // namespace dovetail::cost
