#pragma once
/// \file
/// Data-parallel training of a model of any kind on a machine of the catalogue.

#include <dovetail/core/result.hpp>
#include <dovetail/cost/graph_prices.hpp>
#include <dovetail/cost/system_kernels.hpp>
#include <dovetail/cost/training_iteration.hpp>
#include <dovetail/cost/training_memory.hpp>
#include <dovetail/cost/training_plan.hpp>
#include <dovetail/cost/training_prediction.hpp>
#include <dovetail/hardware/system.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace dovetail::cost {

/// Whether a plan has nothing but replicas that each hold the whole model.
/// \returns errc::unsupported with the flag that asks for more.
[[nodiscard]] inline result<void> validate_replicas(const training_plan& p) {
    if (auto numbers = validate(p); !numbers) return numbers;
    using named = std::pair<std::string_view, bool>;
    for (const auto& [flag, asked] : {named{"tp", p.tensor > 1}, named{"pp", p.pipeline > 1},
                                      named{"recompute", p.recompute != recomputation::none},
                                      named{"sequence-parallel", p.sequence_parallel}})
        if (asked)
            return error{errc::unsupported, "option --" + std::string(flag),
                         "the model is not a transformer of equal blocks",
                         "other models train on replicas alone: --dp, --micro-batch and --zero"};
    return {};
}

/// The prediction of a plan that `validate_replicas` accepts, with the prices of its micro-batch. The blocks
/// of `memory` are the whole model. Constant time.
[[nodiscard]] constexpr training_prediction
predict_replicas(const graph_prices& prices, const training_plan& plan, const hardware::system& machine) {
    const auto micro_batches = static_cast<double>(plan.micro_batches());
    const auto replicas = static_cast<double>(plan.data);
    training_prediction prediction;
    prediction.time.compute = micro_batches * prices.step.seconds(prices.call_s);
    prediction.time.data_comm =
        detail::plan_wires{machine.links, plan}.reduce_s(gradient_wire_bytes * prices.parameters, 0);
    prediction.time.optimizer =
        update_bytes * prices.parameters / (plan.zero == 0 ? 1 : replicas) * prices.update_byte_s;
    const parameter_bytes each = parameter_bytes_of(plan);
    prediction.memory.blocks = {.parameters = each.weight * prices.parameters,
                                .gradients = each.gradient * prices.parameters,
                                .optimizer = each.optimizer * prices.parameters,
                                .activations = prices.activation_bytes};
    prediction.memory.device_bytes = prediction.memory.blocks.total();
    prediction.mfu = micro_batches * prices.flops /
                     (prediction.iteration_s() * machine.chip.matrix_rate(half_precision(machine.chip)));
    prediction.hfu = prediction.mfu;
    return prediction;
}

} // namespace dovetail::cost
