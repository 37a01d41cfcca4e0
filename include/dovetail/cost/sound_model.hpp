#pragma once
/// \file
/// The library's own latency model: compute, and the traffic of every memory level, in seconds.

#include <dovetail/core/assert.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/refetch.hpp>
#include <dovetail/cost/tensor_core.hpp>
#include <dovetail/hardware/platform.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// A closed-form model on the constants of platform `P`.
///
/// A product runs on the tensor cores (tensor_core.hpp) while its epilogue runs on the vector cores, tile
/// behind tile: the product's result passes between them through the global buffer. Every operand comes from
/// the HBM and every result goes there, since the backward pass needs it; inside a fused group nothing does.
/// One core may use the whole global buffer and HBM: see `shared_memory_s`.
template <hardware::platform P>
struct sound_model {
    static constexpr double element_bytes = static_cast<double>(P::element_bytes);

    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] constexpr estimate operator()(const workload::operator_work& work, const Chip& chip,
                                                core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        constexpr double cycle_s = 1.0 / P::clock_hz;

        estimate e;
        if (!work.uses_tensor_core() && !work.uses_vector_core()) return e;
        double hbm_elements = work.read_elements + work.written_elements;
        double local_words = 0;
        words_beside global;
        if (work.uses_vector_core()) {
            const std::int64_t cores = all ? chip.num_vc : 1;
            DOVETAIL_ASSERT(cores > 0 && chip.width_vc > 0, "a vector operator needs a vector core");
            global = {.read = work.product_result_elements +
                              std::max(0.0, work.read_elements - work.product_operand_elements),
                      .written = work.written_elements};
            // One port of a local buffer takes what the other gives.
            const double words = global.read + global.written;
            local_words = 2.0 * words;
            e.vector_s = work.lane_cycles / static_cast<double>(cores * chip.width_vc) * cycle_s;
            e.local_s = words / static_cast<double>(cores) / P::local_words_per_cycle * cycle_s;
        }
        if (work.uses_tensor_core()) {
            const product_cost product = cost_of<P>(work.product, chip, all ? chip.num_tc : 1, global);
            hbm_elements +=
                refetched_elements<P>(work.product, work.product_operand_elements, chip.glb_bytes);
            global.read += product.global_words;
            global.written += product.result_words;
            local_words += 2.0 * product.local_words;
            e.tensor_s = product.array_cycles * cycle_s;
            e.local_s = std::max(e.local_s, product.local_cycles * cycle_s);
            e.fill_s = product.fill_cycles * cycle_s;
        }
        e.global_s = std::max(global.read, global.written) / P::global_words_per_cycle * cycle_s;
        e.hbm_s = hbm_elements * element_bytes / P::hbm_bytes_per_s;
        e.local_bytes = local_words * element_bytes;
        e.global_bytes = (global.read + global.written) * element_bytes;
        e.hbm_bytes = hbm_elements * element_bytes;
        return e;
    }
};

static_assert(latency_model<sound_model<hardware::phaze_platform>>);

} // namespace dovetail::cost
