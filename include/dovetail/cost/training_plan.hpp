#pragma once
/// \file
/// How a transformer is trained on many devices: the degrees of parallelism, the batch, and what is kept.

#include <dovetail/core/option.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::cost {

/// What the backward pass computes again instead of keeping it (Korthikanti et al., MLSys 2023).
enum class recomputation : std::uint8_t {
    none,
    selective, ///< the core of attention: scores, softmax and their product with the values
    full,      ///< every block, from its input
};

inline constexpr std::array<std::string_view, 3> recomputation_names{"none", "selective", "full"};

/// The word of the command line for it.
[[nodiscard]] constexpr std::string_view to_string(recomputation r) noexcept {
    return recomputation_names[static_cast<std::size_t>(r)];
}

/// \returns errc::unknown_name for anything but the three names.
[[nodiscard]] inline result<recomputation> find_recomputation(std::string_view name) {
    for (std::size_t i = 0; i < recomputation_names.size(); ++i)
        if (recomputation_names[i] == name) return static_cast<recomputation>(i);
    return error{errc::unknown_name, "recomputation '" + std::string(name) + "'", "it is not known",
                 "known are none, selective, full"};
}

/// Degrees, batch and choices of synchronous training with 1F1B pipelines. Tensor-parallel ranks are
/// neighbours, then the data-parallel replicas, then the stages.
struct training_plan {
    std::int64_t tensor = 1;
    std::int64_t pipeline = 1;
    std::int64_t data = 1;
    std::int64_t interleave = 1; ///< chunks of layers on every stage (Narayanan et al., SC 2021)
    std::int64_t micro_batch = 1;
    std::int64_t global_batch = 1;
    recomputation recompute = recomputation::none;
    bool sequence_parallel = false; ///< what tensor parallelism does not split, it splits along the sequence
    std::int64_t zero = 0;          ///< 1: the replicas share out the optimizer (Rajbhandari et al., SC 2020)

    [[nodiscard]] constexpr std::int64_t devices() const noexcept { return tensor * pipeline * data; }
    /// Micro-batches that every pipeline takes in one iteration.
    [[nodiscard]] constexpr std::int64_t micro_batches() const noexcept {
        return global_batch / (data * micro_batch);
    }
};

/// Whether the numbers of a plan make sense, whatever the model.
/// \returns errc::out_of_range, errc::unsupported or errc::shape with the flag of the command line that is
///          wrong.
[[nodiscard]] inline result<void> validate(const training_plan& p) {
    constexpr std::int64_t most = std::int64_t{1} << 20; // three degrees stay within 64 bits
    using named = std::pair<std::string_view, std::int64_t>;
    for (const auto& [name, value] : {named{"tp", p.tensor}, named{"pp", p.pipeline}, named{"dp", p.data},
                                      named{"interleave", p.interleave}, named{"micro-batch", p.micro_batch},
                                      named{"global-batch", p.global_batch}})
        if (value < 1 || value > most)
            return number_error<std::int64_t>(errc::out_of_range, name, to_text(value), 1.0,
                                              static_cast<double>(most));
    if (p.zero < 0 || p.zero > 1)
        return error{errc::unsupported, "option --zero", "its value is '" + to_text(p.zero) + "'",
                     "0 and 1 are modelled: 1 shares out the optimizer, 2 and 3 also what is reduced"};
    if (p.global_batch % (p.data * p.micro_batch) != 0)
        return error{errc::shape, "option --global-batch",
                     readable(p.global_batch) + " sequences are not whole micro-batches of " +
                         readable(p.micro_batch) + " on " + readable(p.data) + " replicas",
                     "dp times micro-batch must divide it"};
    if (p.interleave > 1 && (p.pipeline == 1 || p.micro_batches() % p.pipeline != 0))
        return error{errc::shape, "option --interleave",
                     readable(p.micro_batches()) + " micro-batches go through " + readable(p.pipeline) +
                         (p.pipeline == 1 ? " stage" : " stages"),
                     "chunks need 2 stages or more, and whole rounds of micro-batches"};
    return {};
}

/// Whether a plan can train `m`: also what its degrees have to divide.
/// \returns as above, errc::shape for a degree that does not divide its part of the model, and errc::overflow
///          for products too large to count their tiles.
[[nodiscard]] inline result<void> validate(const training_plan& p, const workload::transformer_shape& m) {
    if (auto sizes = workload::validate(m); !sizes) return sizes;
    if (auto numbers = validate(p); !numbers) return numbers;
    const auto divides = [&](std::int64_t whole, std::string_view of) -> result<void> {
        if (whole % p.tensor == 0) return {};
        return error{errc::shape, "option --tp",
                     readable(p.tensor) + " does not divide the " + readable(whole) + " " + std::string(of),
                     "give a divisor"};
    };
    if (auto fits = divides(m.heads, "attention heads"); !fits) return fits;
    if (auto fits = divides(m.key_value_heads, "key-value heads"); !fits) return fits;
    if (auto fits = divides(m.feed_forward, "columns of the feed-forward network"); !fits) return fits;
    if (p.sequence_parallel)
        if (auto fits = divides(m.sequence, "tokens of a sequence"); !fits) return fits;
    if (m.layers % (p.pipeline * p.interleave) != 0)
        return error{errc::shape, "option --pp",
                     readable(p.pipeline) + " stages of " + readable(p.interleave) +
                         " chunks do not divide " + readable(m.layers) + " layers",
                     "stages times chunks must divide the layers"};
    // What the products have: tokens, logits, both sides of the feed-forward network, projections; heads.
    const std::int64_t tokens = p.micro_batch * m.sequence;
    const std::int64_t extent = std::max({tokens, m.vocabulary, 2 * m.feed_forward, 3 * m.hidden});
    if (extent > gemm::most_extent || p.micro_batch * m.heads / p.tensor > gemm::most_batch)
        return error{errc::overflow, "option --micro-batch",
                     readable(tokens) +
                         " tokens, or what they are multiplied with, are too many for a product",
                     "it has at most " + readable(gemm::most_extent) + " rows and columns, of at most " +
                         readable(gemm::most_batch) + " heads"};
    return {};
}

} // namespace dovetail::cost
