#pragma once
/// \file
/// The energy of a training step: what a plan's passes switch on all devices, and what these draw meanwhile.

#include <dovetail/core/assert.hpp>
#include <dovetail/cost/energy_model.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/power.hpp>
#include <dovetail/schedule/energy.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/search/winner.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::search {

/// What one pass through a layer switches on one of the devices that share it [J], in the modes that its
/// schedule chose. Collectives switch nothing here. \param events of `chip` \complexity that of the list
/// scheduler.
template <cost::latency_model Model, hardware::accelerator_like Chip>
[[nodiscard]] double pass_energy_j(const pass_profile& pass, const Model& model, const Chip& chip,
                                   const tensor_group& group, const hardware::event_energies& events) {
    pass_timer timer(pass);
    schedule::workspace memory;
    static_cast<void>(timer(model, chip, group, memory));
    std::vector<double> mode_energy_j;
    for (graph::index v = 0; v < pass.groups.size(); ++v) {
        const workload::operator_work& work = pass.groups[v];
        const std::size_t modes = timer.tasks().modes(v).size();
        for (std::size_t k = 0; k < modes; ++k) {
            if (work.uses_link() || work.empty()) {
                mode_energy_j.push_back(0);
                continue;
            }
            const auto mode = k == 0 ? cost::core_mode::one_core : cost::core_mode::all_cores;
            mode_energy_j.push_back(cost::energy_of<Model>(work, model(work, chip, mode), events).total_j());
        }
    }
    const auto energies = schedule::energy_model::make(timer.tasks(), std::move(mode_energy_j), {});
    DOVETAIL_ASSERT(energies, "energies of a latency model are finite");
    const schedule::schedule best = schedule::list_scheduler{}(timer.tasks(), memory).best;
    return (*energies)(timer.tasks(), best).switched_j;
}

/// The energy of a feasible solution's step; or nothing where the technology lacks a size of its chip.
///
/// E = N sum_l g_l (f_l forward_l + backward_l) + d sum_l g_l update_l + n P T over the layers l, with N
/// micro-batches, g devices that share a layer, static power P, f = 2
/// where the forward pass is repeated and 1 elsewhere, d replicas, n devices that the plan occupies, and T
/// the time of a batch. Links and idle devices are not counted. \complexity one schedule a distinct layer and
/// pass.
template <hardware::energy_technology T, cost::latency_model Model, hardware::platform P>
[[nodiscard]] std::optional<step_energy> energy_of_step(const evaluator<Model, P>& evaluate,
                                                        const solution& found) {
    DOVETAIL_ASSERT(found.feasible(), "a step needs a plan");
    const auto events = hardware::energies_of<T, P>(found.chip);
    const auto static_w = hardware::static_power_w<T, P>(found.chip);
    if (!events || !static_w) return std::nullopt;

    struct per_device {
        double forward_j = 0;
        double backward_j = 0;
        double update_j = 0;
    };
    const slice_profile& slice = slice_of(evaluate.profile(), found);
    const tensor_group group{slice.tensor_width, evaluate.link_bytes_per_s()};
    const cost::parameter_cost parameter = cost::cost_of(evaluate.optimizer());
    std::vector<per_device> structures;
    for (const layer_profile& layer : slice.structures)
        structures.push_back(
            {.forward_j = pass_energy_j(layer.forward, evaluate.model(), found.chip, group, *events),
             .backward_j = pass_energy_j(layer.backward, evaluate.model(), found.chip, group, *events),
             .update_j = layer.parameters * (parameter.update_bytes * events->hbm_j_per_byte +
                                             parameter.update_cycles * events->lane_cycle_j)});

    const placement::plan& plan = found.plan;
    const auto micro_batches = static_cast<double>(found.problem.micro_batches);
    step_energy spent;
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        const bool repeats = found.problem.recompute && s + 1 < plan.stages.size();
        for (const graph::index v : plan.layers(s)) {
            const graph::index k = slice.chain[v];
            const double devices =
                slice.structures[k].tensor_parallel ? static_cast<double>(plan.stages[s].devices) : 1.0;
            spent.forward_j += micro_batches * devices * structures[k].forward_j;
            if (repeats) spent.recompute_j += micro_batches * devices * structures[k].forward_j;
            spent.backward_j += micro_batches * devices * structures[k].backward_j;
            spent.update_j += static_cast<double>(plan.data_parallel) * devices * structures[k].update_j;
        }
    }
    spent.static_j = *static_w * static_cast<double>(plan.devices()) * plan.time_per_batch_s;
    return spent;
}

/// The TDP of a feasible solution's chip, and the energy of its step; or nothing where the technology lacks a
/// size. \complexity that of `energy_of_step`.
template <hardware::energy_technology T, cost::latency_model Model, hardware::platform P>
[[nodiscard]] std::optional<power_figures> power_of(const evaluator<Model, P>& evaluate,
                                                    const solution& found) {
    const auto tdp = hardware::tdp_of<T, P>(found.chip);
    const auto step = energy_of_step<T>(evaluate, found);
    if (!tdp || !step) return std::nullopt;
    return power_figures{.tdp_w = tdp->total_w(), .step = *step};
}

} // namespace dovetail::search
