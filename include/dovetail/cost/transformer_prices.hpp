#pragma once
/// \file
/// What the blocks, the token table and the head of a transformer cost for one micro-batch, on one device of
/// a tensor-parallel group.

#include <dovetail/cost/collective.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace dovetail::cost {

/// What a device needs for its kernels, in seconds.
template <class K>
concept training_kernels = requires(const K& kernels, std::int64_t size) {
    /// Of `batch` products of [m, k] and [k, n] in 16 bits.
    { kernels.matmul_s(size, size, size, size) } -> std::convertible_to<double>; // batch, m, n, k
    /// Of a byte that a kernel without a product moves to or from the device's memory.
    { kernels.byte_s() } -> std::convertible_to<double>;
    /// Of a byte that the optimizer moves, in long streams.
    { kernels.update_byte_s() } -> std::convertible_to<double>;
    /// Of the host for one call of the framework, kernel launch included.
    { kernels.call_s() } -> std::convertible_to<double>;
};

/// A sequence of kernels on one device. The host issues calls ahead of the device: it is the bottleneck where
/// it needs longer for them.
struct kernel_pass {
    double kernels_s = 0;
    double collectives_s = 0; ///< among tensor-parallel ranks, which wait for them
    double calls = 0;

    [[nodiscard]] constexpr double seconds(double call_s) const noexcept {
        return std::max(kernels_s + collectives_s, calls * call_s);
    }
    constexpr kernel_pass& operator+=(const kernel_pass& other) noexcept {
        kernels_s += other.kernels_s;
        collectives_s += other.collectives_s;
        calls += other.calls;
        return *this;
    }
    [[nodiscard]] friend constexpr kernel_pass operator+(kernel_pass a, const kernel_pass& b) noexcept {
        return a += b;
    }
    [[nodiscard]] friend constexpr kernel_pass operator*(double times, const kernel_pass& p) noexcept {
        return {times * p.kernels_s, times * p.collectives_s, times * p.calls};
    }
};

/// What one micro-batch costs on one device. It depends on the tensor-parallel degree, the micro-batch and
/// whether sequences are split, not on the rest of a plan: a space of plans shares it.
struct transformer_prices {
    kernel_pass forward;   ///< of one block
    kernel_pass backward;  ///< of one block, without recomputation
    kernel_pass core;      ///< forward through the core of attention, which selective recomputation repeats
    kernel_pass embedding; ///< token table, forward and backward
    kernel_pass head;      ///< last norm, logits and loss, forward and backward
    double call_s = 0;     ///< of the host
    double update_byte_s = 0;    ///< of a byte that the optimizer moves
    double activation_bytes = 0; ///< of the residual stream, the whole of it
};

/// Prices of `m` on the kernels of a device and the network of its tensor-parallel group. The kernels are
/// those of Megatron-LM (Narayanan et al., SC 2021): scaling, mask and softmax fused, bias with activation or
/// with dropout and residual sum, everything else on its own; two bytes an element, the loss in 32 bits; the
/// gradient of a weight is added to that of the micro-batches before it. The bytes that each kernel moves:
/// docs/models/iteration.md. \complexity 17 products and up to 4 collectives, no allocation.
template <training_kernels Kernels>
[[nodiscard]] constexpr transformer_prices
price_transformer(const Kernels& kernels, const hardware::network& network,
                  const workload::transformer_shape& m, std::int64_t tensor, std::int64_t micro_batch,
                  bool sequence_parallel) {
    const std::int64_t rows = micro_batch * m.sequence;
    const std::int64_t head_width = m.hidden / m.heads;
    const std::int64_t heads = micro_batch * m.heads / tensor;
    const std::int64_t columns = (m.vocabulary + tensor - 1) / tensor;
    const auto t = static_cast<double>(tensor);
    const auto h = static_cast<double>(m.hidden);
    const double f = static_cast<double>(m.feed_forward) / h;
    const double kv = static_cast<double>(m.key_value_width()) / h;
    const double gates = m.gated ? 2 : 1; // products that the feed-forward network begins with
    const double drop = m.dropout ? 1 : 0;
    const double stream = static_cast<double>(rows) * h;          // elements, whole
    const double whole = sequence_parallel ? stream / t : stream; // where t does not split h
    const double split = stream / t;                              // where it does
    const double scores = static_cast<double>(heads) * static_cast<double>(m.sequence * m.sequence);
    const double weights = workload::block_weights(m) / t;

    transformer_prices prices;
    prices.call_s = kernels.call_s();
    prices.update_byte_s = kernels.update_byte_s();
    prices.activation_bytes = 2 * stream;
    const auto stream_s = [byte_s = kernels.byte_s()](double bytes) { return bytes * byte_s; };

    // Linear layers: one product forward, two backward.
    const auto linear = [&](kernel_pass& forward, kernel_pass& backward, std::int64_t in, std::int64_t out) {
        forward.kernels_s += kernels.matmul_s(1, rows, out, in);
        backward.kernels_s += kernels.matmul_s(1, rows, in, out) + kernels.matmul_s(1, in, out, rows);
        forward.calls += 1;
        backward.calls += 2;
    };
    linear(prices.forward, prices.backward, m.hidden, (m.hidden + 2 * m.key_value_width()) / tensor);
    linear(prices.forward, prices.backward, m.hidden / tensor, m.hidden);
    linear(prices.forward, prices.backward, m.hidden, (m.gated ? 2 : 1) * m.feed_forward / tensor);
    linear(prices.forward, prices.backward, m.feed_forward / tensor, m.hidden);

    // The core: scores, softmax (read and write 2 bytes), dropout (and a mask of 1), product with the values.
    const double to_scores = kernels.matmul_s(heads, m.sequence, m.sequence, head_width);
    const double from_scores = kernels.matmul_s(heads, m.sequence, head_width, m.sequence);
    prices.core = {.kernels_s = to_scores + from_scores + stream_s(scores * (4 + 5 * drop)),
                   .calls = 3 + drop};
    prices.forward += prices.core;
    prices.backward +=
        {.kernels_s = to_scores + 3 * from_scores + stream_s(scores * (6 + 5 * drop)), .calls = 5 + drop};

    // Two norms, two residual sums with dropout, the activation, and a copy of the context.
    prices.forward +=
        {.kernels_s = stream_s(whole * (8 + 12 + 2 * drop) + split * (4 + 2 * (gates + 1) * f)), .calls = 6};
    // Their gradients, those of four biases, and the sum of weight gradients over micro-batches.
    prices.backward +=
        {.kernels_s = stream_s(whole * (20 + 12 + 10 * drop + 4) +
                               split * (4 + 6 * (1 + 2 * kv) + (2 + 6 * gates) * f) + 6 * weights),
         .calls = 20};

    // The loss in 32 bits: convert, maximum, subtract, exponential, sum, divide; backward scale and convert.
    linear(prices.head, prices.head, m.hidden, columns);
    prices.head +=
        {.kernels_s = stream_s(52 * static_cast<double>(rows) * static_cast<double>(columns) + 28 * whole),
         .calls = 20};
    // Rows gathered, positions added, dropout; the table's gradient is dense, and added to what is there.
    const double table = h * static_cast<double>(columns);
    prices.embedding = {.kernels_s = stream_s(stream * (14 + 10 * drop) + 8 * table), .calls = 10};

    if (tensor == 1) return prices;
    const hardware::rank_group group = hardware::spread(network, tensor);
    constexpr collective_model library;
    const double reduce_s = library(network, group, collective::all_reduce, prices.activation_bytes);
    double block_s = 2 * reduce_s;
    if (sequence_parallel)
        block_s = 2 * (library(network, group, collective::all_gather, prices.activation_bytes) +
                       library(network, group, collective::reduce_scatter, prices.activation_bytes));
    prices.forward.collectives_s = block_s;
    prices.backward.collectives_s = block_s;
    // Backward from the logits, and three sums of one number a token.
    const double tokens_s = library(network, group, collective::all_reduce, 4 * static_cast<double>(rows));
    prices.head.collectives_s = reduce_s + 3 * tokens_s;
    prices.embedding.collectives_s = reduce_s;
    return prices;
}

} // namespace dovetail::cost
