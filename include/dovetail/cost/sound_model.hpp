#pragma once
/// \file
/// The library's own latency model: compute, and the traffic of every memory level, in seconds.

#include <dovetail/core/assert.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/refetch.hpp>
#include <dovetail/cost/tensor_core.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <cstdint>

namespace dovetail::cost {

/// What the vector cores read from and write to the global buffer while they run `work`, in words of
/// `element_bytes`.
[[nodiscard]] constexpr words_beside epilogue_words(const workload::operator_work& work,
                                                    double element_bytes) noexcept {
    if (!work.uses_vector_core()) return {};
    return {.read = work.product_result_elements +
                    std::max(0.0, work.read_words(element_bytes) - work.product_operand_elements),
            .written = work.written_words(element_bytes)};
}

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
        return put_together(work, product_part(work, chip, all ? chip.num_tc : 1),
                            refetched_part(work, chip.glb_bytes), (all ? chip.num_vc : 1) * chip.width_vc,
                            all ? chip.num_vc : 1);
    }

    /// What depends on the shape of a tensor core and on their number.
    template <hardware::accelerator_like Chip = hardware::accelerator>
    [[nodiscard]] static constexpr product_cost product_part(const workload::operator_work& work,
                                                             const Chip& chip, std::int64_t tensor_cores) {
        return cost_of<P>(work.product, chip, tensor_cores, epilogue_words(work, element_bytes));
    }

    /// What depends on the global buffer: elements that come from the HBM again.
    [[nodiscard]] static constexpr double refetched_part(const workload::operator_work& work,
                                                         std::int64_t glb_bytes) {
        if (!work.uses_tensor_core()) return 0;
        return refetched_elements<P>(work.product, work.product_operand_elements, glb_bytes);
    }

    /// The estimate from its parts, on vector cores with `lanes` lanes together.
    [[nodiscard]] static constexpr estimate put_together(const workload::operator_work& work,
                                                         const product_cost& product, double refetched,
                                                         std::int64_t lanes, std::int64_t vector_cores) {
        estimate e;
        if (!work.uses_tensor_core() && !work.uses_vector_core()) return e;
        constexpr double cycle_s = 1.0 / P::clock_hz;
        const words_beside epilogue = epilogue_words(work, element_bytes);
        const double global_reads = product.global_words + epilogue.read;
        const double global_writes = product.result_words + epilogue.written;
        const double hbm_words =
            work.read_words(element_bytes) + work.written_words(element_bytes) + refetched;
        // Of the ports of a local buffer, one takes what the other gives.
        const double vector_words = epilogue.read + epilogue.written;
        e.tensor_s = product.array_cycles * cycle_s;
        e.fill_s = product.fill_cycles * cycle_s;
        e.local_s = product.local_cycles * cycle_s;
        if (work.uses_vector_core()) {
            DOVETAIL_ASSERT(vector_cores > 0 && lanes > 0, "a vector operator needs a vector core");
            e.vector_s = work.lane_cycles / static_cast<double>(lanes) * cycle_s;
            e.local_s = std::max(e.local_s, vector_words / static_cast<double>(vector_cores) /
                                                P::local_words_per_cycle * cycle_s);
        }
        e.global_s = std::max(global_reads, global_writes) / P::global_words_per_cycle * cycle_s;
        e.hbm_s = hbm_words * element_bytes / P::hbm_bytes_per_s;
        e.local_bytes = 2.0 * (product.local_words + vector_words) * element_bytes;
        e.global_bytes = (global_reads + global_writes) * element_bytes;
        e.hbm_bytes = hbm_words * element_bytes;
        return e;
    }
};

static_assert(latency_model<sound_model<hardware::phaze_platform>>);

} // namespace dovetail::cost
