#pragma once
/// \file
/// A training plan on a machine of the catalogue: seconds, memory and utilisation.

#include <dovetail/cost/system_kernels.hpp>
#include <dovetail/cost/training_flops.hpp>
#include <dovetail/cost/training_iteration.hpp>
#include <dovetail/cost/training_memory.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/cost/transformer_prices.hpp>
#include <dovetail/hardware/system.hpp>
#include <dovetail/workload/transformer_shape.hpp>

namespace dovetail::cost {

/// What a plan takes. Utilisations are fractions of the peak rate of all its devices in 16 bits.
struct training_prediction {
    iteration_breakdown time;
    training_memory memory;
    double mfu = 0; ///< forward and backward FLOPs once
    double hfu = 0; ///< recomputed FLOPs as well

    [[nodiscard]] constexpr double iteration_s() const noexcept { return time.total(); }
};

/// The prediction of a valid `plan` for `m` on `machine`, with prices that were computed before: those of its
/// tensor-parallel degree, micro-batch and split of sequences. Constant time, no allocation.
[[nodiscard]] constexpr training_prediction predict_training(const workload::transformer_shape& m,
                                                             const transformer_prices& prices,
                                                             const training_plan& plan,
                                                             const hardware::system& machine) {
    training_prediction prediction;
    prediction.time = predict_iteration(m, prices, plan, machine.links);
    prediction.memory = memory_of(m, plan);
    const iteration_flops flops = count_flops(m, plan);
    const double possible = prediction.iteration_s() * static_cast<double>(plan.devices()) *
                            machine.chip.matrix_rate(half_precision(machine.chip));
    prediction.mfu = flops.model / possible;
    prediction.hfu = flops.hardware / possible;
    return prediction;
}

/// The same from the beginning, prices included.
[[nodiscard]] constexpr training_prediction predict_training(const workload::transformer_shape& m,
                                                             const training_plan& plan,
                                                             const hardware::system& machine) {
    const transformer_prices prices = price_transformer(
        system_kernels{machine}, machine.links, m, plan.tensor, plan.micro_batch, plan.sequence_parallel);
    return predict_training(m, prices, plan, machine);
}

} // namespace dovetail::cost
