#pragma once
/// \file
/// Seconds of one training iteration of a transformer under a plan.

#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/cost/transformer_prices.hpp>
#include <dovetail/hardware/network.hpp>
#include <dovetail/workload/transformer_shape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::cost {

/// Where the seconds of an iteration go, on the stage that is the bottleneck.
struct iteration_breakdown {
    double compute = 0;         ///< kernels, and the host where it is slower
    double tensor_comm = 0;     ///< collectives of tensor and sequence parallelism
    double pipeline_bubble = 0; ///< waiting for the first and the last micro-batch
    double pipeline_comm = 0;   ///< activations and their gradients from stage to stage
    double data_comm = 0;       ///< gradients among replicas, and those of the shared table
    double optimizer = 0;

    [[nodiscard]] constexpr double total() const noexcept {
        return compute + tensor_comm + pipeline_bubble + pipeline_comm + data_comm + optimizer;
    }
};

/// Bytes that the end of an iteration moves for a parameter: gradients are converted to 32 bits (2 + 4),
/// scaled (4 + 4), their norm is taken (4), and Adam reads and writes.
inline constexpr double update_bytes = 18 + cost_of(optimizer::adam).update_bytes;

/// Gradients travel in the 16 bits in which the backward pass leaves them.
inline constexpr double gradient_wire_bytes = 2;

namespace detail {

/// What of a plan's groups lies where in the network: tensor-parallel ranks are neighbours, then replicas,
/// then stages.
struct plan_wires {
    const hardware::network& network;
    const training_plan& plan;

    /// Seconds to hand the activations of a micro-batch to the next stage. Every tensor-parallel rank sends
    /// its part, and where the sequence is whole the receivers then gather the parts (Narayanan et al., SC
    /// 2021, section 4.1).
    [[nodiscard]] constexpr double hand_over_s(double activation_bytes) const {
        const std::int64_t stride = plan.tensor * plan.data;
        const std::size_t level = hardware::spread(network, plan.pipeline, stride).meeting_level();
        const std::int64_t senders = std::min(stride, network.unit_devices(level));
        const double sent_s =
            point_to_point_s(network, level, senders, activation_bytes / static_cast<double>(plan.tensor));
        if (plan.sequence_parallel || plan.tensor == 1) return sent_s;
        return sent_s + collective_model{}(network, hardware::spread(network, plan.tensor),
                                           collective::all_gather, activation_bytes);
    }

    /// Seconds of the gradients at the end: `bytes` among the replicas, and `table_bytes` between the first
    /// and the last stage, which share the token table.
    [[nodiscard]] constexpr double reduce_s(double bytes, double table_bytes) const {
        constexpr collective_model library;
        double total = library(network, hardware::spread(network, plan.data, plan.tensor),
                               collective::all_reduce, bytes);
        if (plan.pipeline > 1)
            total +=
                library(network, hardware::spread(network, 2, plan.tensor * plan.data * (plan.pipeline - 1)),
                        collective::all_reduce, table_bytes);
        return total;
    }
};

} // namespace detail

/// The iteration of a valid `plan` for `m`, with prices from `price_transformer` for the same tensor-parallel
/// degree, micro-batch and split of sequences. With m micro-batches and p stages of v chunks, all as fast as
/// the slowest: m stages of work, (p - 1) / v of bubble (Narayanan et al., SC 2021, section 2.2) and
/// 2 (m v + p - 1) transfers, since 1F1B waits for each. Nothing overlaps gradients. Constant time, no
/// allocation. Equations: docs/models/iteration.md.
[[nodiscard]] constexpr iteration_breakdown predict_iteration(const workload::transformer_shape& m,
                                                              const transformer_prices& prices,
                                                              const training_plan& plan,
                                                              const hardware::network& network) {
    const auto micro_batches = static_cast<double>(plan.micro_batches());
    const auto stages = static_cast<double>(plan.pipeline);
    const auto chunks = static_cast<double>(plan.interleave);
    const auto layers = static_cast<double>(m.layers) / stages;
    kernel_pass block = prices.forward + prices.backward;
    if (plan.recompute == recomputation::full) block += prices.forward;
    if (plan.recompute == recomputation::selective) block += prices.core;

    const kernel_pass middle = layers * block;
    const kernel_pass first = middle + prices.embedding;
    const kernel_pass last = plan.pipeline == 1 ? first + prices.head : middle + prices.head;
    const bool at_last = last.seconds(prices.call_s) >= first.seconds(prices.call_s);
    const kernel_pass& slowest = at_last ? last : first;
    const kernel_pass& other_end = at_last ? first : last;

    iteration_breakdown time;
    time.tensor_comm = micro_batches * slowest.collectives_s;
    time.compute = micro_batches * slowest.seconds(prices.call_s) - time.tensor_comm;
    const double table = static_cast<double>(m.hidden * m.vocabulary) / static_cast<double>(plan.tensor);
    const detail::plan_wires wires{network, plan};
    if (plan.pipeline > 1) {
        time.pipeline_bubble =
            ((stages - 2) * middle.seconds(prices.call_s) + other_end.seconds(prices.call_s)) / chunks;
        time.pipeline_comm =
            2 * (micro_batches * chunks + stages - 1) * wires.hand_over_s(prices.activation_bytes);
    }

    const double parameters = layers * workload::block_weights(m) / static_cast<double>(plan.tensor) + table;
    time.data_comm = wires.reduce_s(gradient_wire_bytes * parameters, gradient_wire_bytes * table);
    const double updated = plan.zero == 0 ? parameters : parameters / static_cast<double>(plan.data);
    time.optimizer = updated * update_bytes * prices.update_byte_s;
    return time;
}

} // namespace dovetail::cost
