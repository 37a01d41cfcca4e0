#pragma once
/// \file
/// The library's own latency model: compute, and the traffic of every memory level, in seconds.

#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/tensor_core.hpp>
#include <dovetail/hardware/platform.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// A closed-form model on the constants of platform `P`.
///
/// A product runs on the tensor cores (tensor_core.hpp) while its epilogue runs on the vector cores, tile
/// behind tile. Every operand comes from the HBM and every result goes there, since the backward pass needs
/// it; inside a fused group nothing does. One core may use the whole global buffer and HBM: a schedule that
/// runs several operators at once must therefore also last as long as the busy times of these two add up to.
template <hardware::platform P>
struct sound_model {
    static constexpr double element_bytes = static_cast<double>(P::element_bytes);

    template <hardware::accelerator_like Chip>
    [[nodiscard]] constexpr estimate operator()(const workload::operator_work& work, const Chip& chip,
                                                core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        const std::int64_t tensor_cores = all ? chip.num_tc : 1;
        const std::int64_t vector_cores = all ? chip.num_vc : 1;
        constexpr double cycle_s = 1.0 / P::clock_hz;

        estimate e;
        double moved_elements = work.read_elements + work.written_elements;
        double global_reads = work.read_elements;
        double global_writes = work.written_elements;
        if (work.uses_tensor_core()) {
            const product_cost product = cost_of<P>(work.product, chip, tensor_cores);
            const double compulsory = work.product_operand_elements + work.product_result_elements;
            moved_elements += hbm_elements<P>(work.product, compulsory, chip.glb_bytes) - compulsory;
            global_reads += std::max(0.0, product.global_words - work.product_operand_elements);
            e.tensor_s = product.array_cycles * cycle_s;
            e.local_s = product.local_cycles * cycle_s;
            e.fill_s = product.fill_cycles * cycle_s;
        }
        if (work.uses_vector_core()) {
            const auto lanes = static_cast<double>(vector_cores * chip.width_vc);
            e.vector_s = work.lane_cycles / lanes * cycle_s;
            // The epilogue's operands pass through the local buffers of the vector cores.
            const double others = work.read_elements + work.written_elements - work.product_operand_elements;
            const double words = std::max(0.0, others) / static_cast<double>(vector_cores);
            e.local_s = std::max(e.local_s, words / P::local_words_per_cycle * cycle_s);
        }
        e.global_s = std::max(global_reads, global_writes) / P::global_words_per_cycle * cycle_s;
        e.hbm_s = moved_elements * element_bytes / P::hbm_bytes_per_s;
        if (work.empty()) return {};
        return e;
    }
};

} // namespace dovetail::cost
