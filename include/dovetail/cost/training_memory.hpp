#pragma once
/// \file
/// What a device holds while a transformer trains, in closed forms.

#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// Bytes of the blocks on a device of the first stage, which holds the most activations.
struct block_memory {
    double parameters = 0;
    double gradients = 0;
    double optimizer = 0;
    double activations = 0;

    [[nodiscard]] constexpr double total() const noexcept {
        return parameters + gradients + optimizer + activations;
    }
};

/// Bytes beside the weight matrices and activations of the blocks. Parameters count with their gradients and
/// optimizer.
struct other_memory {
    double embedding = 0;        ///< the token table, on devices of the first stage
    double head = 0;             ///< its copy on devices of the last stage, where that is another one
    double biases_and_norms = 0; ///< of the blocks, on every device
    double logits = 0;           ///< on devices of the last stage, kept in 16 bits and in 32
    double recomputed = 0;       ///< while one block is computed again, on every device
};

/// The memory of a plan.
struct training_memory {
    block_memory blocks;
    other_memory other;
    double device_bytes = 0; ///< on the fullest device, blocks and the rest: of the first or the last stage
};

/// Bytes that a parameter has on every device that holds it: Adam in mixed precision, of whose state the
/// replicas have a share each with ZeRO-1.
struct parameter_bytes {
    double weight = 0;
    double gradient = 0;
    double optimizer = 0;

    [[nodiscard]] constexpr double total() const noexcept { return weight + gradient + optimizer; }
};

/// The bytes of a parameter under a plan.
[[nodiscard]] constexpr parameter_bytes parameter_bytes_of(const training_plan& p) noexcept {
    constexpr double weight_bytes = 2;
    constexpr parameter_cost adam = cost_of(optimizer::adam);
    const double share = p.zero == 0 ? 1 : static_cast<double>(p.data);
    return {.weight = weight_bytes,
            .gradient = adam.resident_bytes - adam.state_bytes - weight_bytes,
            .optimizer = adam.state_bytes / share};
}

/// Bytes of activations that one block keeps for a micro-batch, on each tensor-parallel rank (Korthikanti et
/// al., MLSys 2023, table 2: s b h (10 + 24/t + 5 a s / h t) for GPT), in 16 bits with masks of one byte.
[[nodiscard]] constexpr double block_activation_bytes(const workload::transformer_shape& m,
                                                      const training_plan& p,
                                                      recomputation recompute) noexcept {
    const auto s = static_cast<double>(m.sequence);
    const auto h = static_cast<double>(m.hidden);
    const auto t = static_cast<double>(p.tensor);
    const double tokens = s * static_cast<double>(p.micro_batch) * h;
    // Every element of the residual stream is kept at the two block inputs and the two norms, and as two
    // masks.
    const double whole = recompute == recomputation::full ? 2 : m.dropout ? 10 : 8;
    double split = 0;
    if (recompute != recomputation::full) {
        // Queries, keys, values and the input of the projection; then both sides of the activation function.
        split = 4 + 4 * static_cast<double>(m.key_value_width()) / h +
                (m.gated ? 6 : 4) * static_cast<double>(m.feed_forward) / h;
        if (recompute == recomputation::none) // softmax, dropout and its mask
            split += (m.dropout ? 5 : 2) * static_cast<double>(m.heads) * s / h;
    }
    return p.sequence_parallel ? tokens * ((whole + split) / t) : tokens * (whole + split / t);
}

/// Blocks of which a device of the first stage holds activations, in parts of all blocks: those of p
/// micro-batches, and of p - 1 chunks more where stages are interleaved; never of more than there are.
[[nodiscard]] constexpr double first_stage_in_flight(const training_plan& p) noexcept {
    const std::int64_t chunks = p.interleave == 1 ? p.pipeline : (p.interleave + 1) * p.pipeline - 1;
    const std::int64_t held = std::min(chunks, p.micro_batches() * p.interleave);
    return static_cast<double>(held) / static_cast<double>(p.pipeline * p.interleave);
}

/// The memory of a valid `plan`. Constant time.
[[nodiscard]] constexpr training_memory memory_of(const workload::transformer_shape& m,
                                                  const training_plan& p) noexcept {
    const parameter_bytes each = parameter_bytes_of(p);
    const auto t = static_cast<double>(p.tensor);
    const auto stages = static_cast<double>(p.pipeline);
    const auto h = static_cast<double>(m.hidden);
    const auto layers = static_cast<double>(m.layers);

    training_memory memory;
    const double weights = layers * workload::block_weights(m) / (t * stages);
    memory.blocks.parameters = each.weight * weights;
    memory.blocks.gradients = each.gradient * weights;
    memory.blocks.optimizer = each.optimizer * weights;
    const double kept = block_activation_bytes(m, p, p.recompute);
    memory.blocks.activations = kept * layers * first_stage_in_flight(p);

    const double table = static_cast<double>(m.vocabulary) * h / t;
    memory.other.embedding = each.total() * table;
    memory.other.head = p.pipeline == 1 ? 0 : each.total() * table;
    const double split = h + 2 * static_cast<double>(m.key_value_width()) +
                         (m.gated ? 2 : 1) * static_cast<double>(m.feed_forward);
    memory.other.biases_and_norms = each.total() * layers / stages * (split / t + 6 * h);
    memory.other.logits =
        6 * static_cast<double>(p.micro_batch * m.sequence) * static_cast<double>(m.vocabulary) / t;
    memory.other.recomputed = block_activation_bytes(m, p, recomputation::none) - kept;
    if (p.recompute == recomputation::none) memory.other.recomputed = 0;

    // The last stage has one micro-batch in flight, and of interleaved stages all chunks but its first.
    const double last =
        kept * layers / stages * (1 + (stages - 1) * (1 - 1 / static_cast<double>(p.interleave)));
    const double anywhere = memory.blocks.total() - memory.blocks.activations +
                            memory.other.biases_and_norms + memory.other.recomputed;
    memory.device_bytes =
        p.pipeline == 1 ? anywhere + memory.blocks.activations + memory.other.embedding + memory.other.logits
                        : anywhere + std::max(memory.blocks.activations + memory.other.embedding,
                                              last + memory.other.head + memory.other.logits);
    return memory;
}

} // namespace dovetail::cost
