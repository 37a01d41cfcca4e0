#pragma once
/// \file
/// Every layer of a model, forward and backward, on every core count of PHAZE's family: the problems that a
/// search over designs meets, all of them.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/workload/recognise.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::bench {

/// What a sweep found.
struct layer_sweep {
    std::vector<double> seconds; ///< of every problem, rising once the sweep is finished
    std::size_t by_list = 0;     ///< proved by the first bound
    std::size_t by_bounds = 0;   ///< proved by bounds, the first or those of `tightening`
    std::size_t unproved = 0;    ///< the limit ended the search
    std::size_t largest = 0;     ///< tasks of the largest problem

    [[nodiscard]] double quantile_s(double share) const {
        return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1))];
    }
};

/// Schedules both passes of every layer of `model` for micro-batches of 1 and 8 and the given tensor widths,
/// on 128 x 128 tensor cores and 128-lane vector cores with 128 MiB.
inline layer_sweep sweep_layers(const workload::operator_graph& model,
                                const std::vector<std::int64_t>& widths,
                                const schedule::tightened_search& scheduler) {
    layer_sweep sweep;
    const auto profile = search::profile_workload(workload::recognise(model),
                                                  {.micro_batches = {1, 8}, .tensor_widths = widths});
    if (!profile) return sweep;
    const cost::sound_model<hardware::phaze_platform> costs;
    schedule::tightened_workspace memory;
    const auto solve_all = [&](const search::pass_profile& pass, std::int64_t width) {
        search::pass_timer timer(pass);
        sweep.largest = std::max(sweep.largest, pass.groups.size());
        for (const std::int64_t num_tc : hardware::phaze_family::cores)
            for (const std::int64_t num_vc : hardware::phaze_family::cores) {
                const hardware::accelerator chip{num_tc, num_vc, 128, 128, 128, 128 * mebibyte};
                timer(costs, chip, {.width = width, .link_bytes_per_s = 4.0 * gibibyte}, memory.lists);
                const stopwatch clock;
                const schedule::certificate answer = scheduler(timer.tasks(), memory);
                sweep.seconds.push_back(clock.seconds());
                sweep.by_bounds += answer.nodes == 0 && answer.proved_optimal() ? 1U : 0U;
                sweep.unproved += answer.proved_optimal() ? 0U : 1U;
                sweep.by_list +=
                    schedule::list_scheduler{}(timer.tasks(), memory.lists).proved_optimal() ? 1U : 0U;
            }
    };
    for (const search::slice_profile& slice : profile->slices)
        for (const search::layer_profile& layer : slice.structures) {
            solve_all(layer.forward, slice.tensor_width);
            solve_all(layer.backward, slice.tensor_width);
        }
    std::sort(sweep.seconds.begin(), sweep.seconds.end());
    return sweep;
}

} // namespace dovetail::bench
