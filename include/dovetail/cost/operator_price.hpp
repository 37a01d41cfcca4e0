#pragma once
/// \file
/// What an estimate leaves to be told of an operator: how well it uses its cores, and its register traffic.

#include <dovetail/cost/core_mode.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/workload/work.hpp>

namespace dovetail::cost {

/// The share of what its leading cores could do in the time of the operator, in [0, 1]: multiply-accumulates
/// of the tensor cores that a product keeps, else cycles of the lanes. \param e  what a model on `P` says of
/// `work` on `chip` in `mode` \returns 0 for no work
template <hardware::platform P, hardware::accelerator_like Chip>
[[nodiscard]] constexpr double utilization(const workload::operator_work& work, const estimate& e,
                                           const Chip& chip, core_mode mode) noexcept {
    const double cycles = e.latency_s() * P::clock_hz;
    if (!(cycles > 0)) return 0;
    const bool all = mode == core_mode::all_cores;
    if (work.uses_tensor_core())
        return work.product.macs() / cycles /
               (static_cast<double>(all ? chip.num_tc : 1) * static_cast<double>(chip.width) *
                static_cast<double>(chip.depth));
    return work.lane_cycles / cycles /
           (static_cast<double>(all ? chip.num_vc : 1) * static_cast<double>(chip.width_vc));
}

/// Bytes read and written in the registers: the weight of every multiply-accumulate; two operands and the
/// result of every lane cycle. These are the events that `energies_of` charges.
template <hardware::platform P>
[[nodiscard]] constexpr double register_bytes(const workload::operator_work& work) noexcept {
    constexpr double of_a_mac = 1;
    constexpr double of_a_lane_cycle = 3;
    return (of_a_mac * work.product.macs() + of_a_lane_cycle * work.lane_cycles) *
           static_cast<double>(P::element_bytes);
}

} // namespace dovetail::cost
