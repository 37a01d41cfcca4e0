#pragma once
/// \file
/// The energy that an operator switches on a chip, from the traffic of its estimate.

#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>

namespace dovetail::cost {

/// Where the energy of an operator goes, in joules. What the chip draws beside it, whatever runs, is the
/// static power of hardware/power.hpp.
struct operator_energy {
    double tensor_j = 0; ///< multiply-accumulates of the arrays, and their registers
    double vector_j = 0; ///< cycles of the lanes, and their registers
    double local_j = 0;
    double global_j = 0;
    double hbm_j = 0;

    [[nodiscard]] constexpr double total_j() const noexcept {
        return tensor_j + vector_j + local_j + global_j + hbm_j;
    }
};

/// The energy of `work`, whose bytes are those of `e`: E = sum_k n_k e_k over multiply-accumulates,
/// lane cycles and the bytes of every level. Laws: zero for no work; at most the TDP without its static part
/// times the latency of `e`. A collective costs nothing here: links are no part of a chip. \param events of
/// the chip that `e` is for \complexity O(1).
template <latency_model Model>
[[nodiscard]] constexpr operator_energy energy_of(const workload::operator_work& work, const estimate& e,
                                                  const hardware::event_energies& events) noexcept {
    const words_beside epilogue = epilogue_words(work, Model::element_bytes);
    const double vector_bytes =
        std::min(e.local_bytes, 2.0 * (epilogue.read + epilogue.written) * Model::element_bytes);
    return {.tensor_j = work.product.macs() * events.mac_j,
            .vector_j = work.lane_cycles * events.lane_cycle_j,
            .local_j = (e.local_bytes - vector_bytes) * events.tensor_buffer_j_per_byte +
                       vector_bytes * events.vector_buffer_j_per_byte,
            .global_j = e.global_bytes * events.global_buffer_j_per_byte,
            .hbm_j = e.hbm_bytes * events.hbm_j_per_byte};
}

} // namespace dovetail::cost
