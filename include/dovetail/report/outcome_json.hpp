#pragma once
/// \file
/// The outcome of a joint search as JSON, with the keys that scripts rely on.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/profile.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace dovetail::report {

namespace detail {

inline void write_accelerator(json_writer& json, const hardware::accelerator& chip, double area_um2) {
    json.begin_object()
        .member("num_tc", chip.num_tc)
        .member("num_vc", chip.num_vc)
        .member("width", chip.width)
        .member("depth", chip.depth)
        .member("width_vc", chip.width_vc)
        .member("glb_bytes", chip.glb_bytes)
        .member("area_um2", area_um2)
        .end_object();
}

inline void write_plan(json_writer& json, const search::solution& found) {
    const placement::plan& plan = found.plan;
    json.begin_object().key("stages").begin_array();
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        const placement::stage& stage = plan.stages[s];
        json.begin_object().key("layers").begin_array();
        for (const graph::index v : plan.layers(s)) json.value(v);
        json.end_array()
            .member("devices", stage.devices)
            .member("load_s", stage.load_s)
            .member("memory_bytes", stage.memory_bytes)
            .end_object();
    }
    json.end_array()
        .member("data_parallel", plan.data_parallel)
        .member("tensor_parallel", plan.tensor_parallel)
        .member("micro_batch", found.micro_batch)
        .member("recompute", found.setting.recompute)
        .member("hbm_bytes", found.setting.hbm_bytes)
        .member("time_per_batch_s", plan.time_per_batch_s)
        .end_object();
}

inline void write_breakdown(json_writer& json, const search::batch_breakdown& parts) {
    json.begin_object()
        .member("forward", parts.forward_s)
        .member("backward", parts.backward_s)
        .member("recompute", parts.recompute_s)
        .member("transfer", parts.transfer_s)
        .member("bubble", parts.bubble_s)
        .member("reduction", parts.reduction_s)
        .member("update", parts.update_s)
        .end_object();
}

inline void write_step_energy(json_writer& json, const search::step_energy& parts) {
    json.begin_object()
        .member("forward", parts.forward_j)
        .member("backward", parts.backward_j)
        .member("recompute", parts.recompute_j)
        .member("update", parts.update_j)
        .member("static", parts.static_j)
        .end_object();
}

/// A chip and its plan; null where there is none.
inline void write_solution(json_writer& json, const search::solution& found) {
    if (!found.feasible()) {
        json.null();
        return;
    }
    json.begin_object().key("accelerator");
    write_accelerator(json, found.chip, found.area_um2);
    json.key("plan");
    write_plan(json, found);
    json.key("breakdown_s");
    write_breakdown(json, search::break_down(found.problem, found.plan));
    json.member("throughput_samples_per_s", found.throughput_samples_per_s);
    if (found.power) {
        json.member("tdp_w", found.power->tdp_w)
            .member("energy_j_per_step", found.power->step.total_j())
            .key("energy_j");
        write_step_energy(json, found.power->step);
    }
    json.end_object();
}

} // namespace detail

/// Writes the outcome of a search of `profile` into the object that is open. Numbers are in SI units or
/// bytes, as their names say; `best` and `baseline` are null where no plan fits. \param held what its figures
/// rest on
inline void write_outcome(json_writer& json, const search::outcome& outcome,
                          const search::workload_profile& profile, array_view<const assumption> held = {}) {
    json.member("status", to_string(outcome.status)).member("model", profile.model).key("best");
    detail::write_solution(json, outcome.best);
    json.key("baseline");
    detail::write_solution(json, outcome.baseline);
    json.key("frontier").begin_array();
    for (const search::evaluated_design& d : search::frontier(outcome.designs))
        json.begin_object()
            .member("area_um2", d.area_um2)
            .member("throughput_samples_per_s", d.throughput_samples_per_s)
            .end_object();
    json.end_array().key("search").begin_object();
    json.member("strategy", outcome.search.strategy)
        .member("evaluated", outcome.search.evaluated)
        .member("pruned", outcome.search.pruned)
        .member("seconds", outcome.search.seconds)
        .member("complete", outcome.search.complete)
        .member("proof", outcome.search.proof)
        .end_object();
    if (!outcome.binding.empty()) json.member("binding", outcome.binding);
    write_assumptions(json, held);
}

/// The outcome of a search of `profile` as one document.
[[nodiscard]] inline std::string to_json(const search::outcome& outcome,
                                         const search::workload_profile& profile,
                                         array_view<const assumption> held = {}) {
    json_writer json;
    json.begin_object();
    write_outcome(json, outcome, profile, held);
    json.end_object();
    return std::move(json).take();
}

} // namespace dovetail::report
