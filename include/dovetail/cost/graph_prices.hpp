#pragma once
/// \file
/// What a model of any kind costs for one micro-batch on one device: its training graph, group by group.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/gemm_time.hpp>
#include <dovetail/cost/transformer_prices.hpp>
#include <dovetail/workload/counts.hpp>
#include <dovetail/workload/data_volume.hpp>
#include <dovetail/workload/demand.hpp>
#include <dovetail/workload/fusion.hpp>
#include <dovetail/workload/operator_graph.hpp>
#include <dovetail/workload/stash.hpp>
#include <dovetail/workload/training.hpp>
#include <dovetail/workload/validate.hpp>

#include <algorithm>
#include <vector>

namespace dovetail::cost {

/// The prices of one micro-batch of a graph, forward and backward.
struct graph_prices {
    kernel_pass step;
    double flops = 0;            ///< of its products
    double parameters = 0;       ///< trained elements
    double activation_bytes = 0; ///< kept from the forward pass for the backward pass
    double call_s = 0;
    double update_byte_s = 0; ///< of a byte that the optimizer moves
};

/// Prices the training step of `forward`, a recognised graph at the micro-batch that it is to have. A fused
/// group is one kernel and one call: its product, if it has one, and 16 bits for every other element that it
/// moves. \returns errc::overflow for a product too large to count its tiles. \complexity O(operands log
/// operands).
template <training_kernels Kernels>
[[nodiscard]] result<graph_prices> price_graph(const Kernels& kernels,
                                               const workload::operator_graph& forward) {
    const workload::operator_graph training = workload::training_graph(forward);
    const workload::demand price(training);
    constexpr double element_bytes = 2;
    graph_prices prices;
    for (const workload::fused_group& group : workload::fuse(training).groups) {
        if (training.operations[group.head].phase == workload::phase::update) continue;
        const workload::operator_work work = price(group.operations);
        if (work.empty()) continue;
        double moved = work.read_words(element_bytes) + work.written_words(element_bytes);
        if (const workload::contraction& product = work.product; !product.empty()) {
            const gemm sizes{
                .m = product.rows, .n = product.columns, .k = product.reduction, .batch = product.batch};
            if (!sizes.in_range())
                return error{errc::overflow, workload::label(training.operations[group.head]),
                             "its product has " + readable(product.rows) + " rows and " +
                                 readable(product.columns) + " columns",
                             "a product has at most " + readable(gemm::most_extent) +
                                 " of each: take a smaller micro-batch"};
            prices.step.kernels_s +=
                kernels.matmul_s(product.batch, product.rows, product.columns, product.reduction);
            prices.flops += 2 * product.macs();
            moved = std::max(0.0, moved - work.product_operand_elements - work.product_result_elements);
        }
        prices.step.kernels_s += element_bytes * moved * kernels.byte_s();
        prices.step.calls += 1;
    }
    prices.parameters = static_cast<double>(workload::count_parameters(forward));
    const std::vector<workload::index> one_layer(forward.operations.size(), 0);
    for (const workload::data_volume& kept : workload::stash(forward, one_layer))
        prices.activation_bytes += kept.size_bytes(element_bytes);
    prices.call_s = kernels.call_s();
    prices.update_byte_s = kernels.update_byte_s();
    return prices;
}

} // namespace dovetail::cost
