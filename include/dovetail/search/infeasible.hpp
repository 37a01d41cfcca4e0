#pragma once
/// \file
/// Why no plan fits, in a line.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/smallest_hbm.hpp>
#include <dovetail/search/evaluate.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace dovetail::search {

/// Names the constraint that no setting satisfies, from the setting that comes closest: too few devices for a
/// single replica, or the memory that the leanest plan needs and the stage that needs it.
/// \param problem the layers as priced for the smallest micro-batch; memory is the same for every chip
/// \param micro_batch its samples
/// \complexity a few placements.
[[nodiscard]] inline std::string binding_constraint(placement::layer_graph problem,
                                                    array_view<const setting> settings,
                                                    std::int64_t micro_batch) {
    placement::hbm_need least;
    bool recomputes = false;
    double largest_offered = 0;
    for (const setting& s : settings) largest_offered = std::max(largest_offered, s.hbm_bytes);
    for (const bool recompute : {false, true}) {
        if (std::none_of(settings.begin(), settings.end(),
                         [&](const setting& s) { return s.recompute == recompute; }))
            continue;
        problem.recompute = recompute;
        const auto need = placement::smallest_hbm(problem);
        if (need && (least.fewest_devices == 0 || need->bytes < least.bytes)) {
            least = *need;
            recomputes = recompute;
        }
    }
    if (least.binding() == placement::constraint::devices)
        return "devices: there are " + readable(problem.devices) + ", and a single replica takes at least " +
               readable(least.fewest_devices);
    const auto gib = [](double bytes) { return readable(bytes / static_cast<double>(gibibyte), 6) + " GiB"; };
    return "memory: a device has at most " + gib(largest_offered) + ", and the leanest plan needs " +
           gib(least.bytes) + " for stage " + to_text(least.stage + 1) + " of " + to_text(least.stages) +
           ": micro-batches of " + readable(micro_batch) + ", tensor width " +
           readable(least.tensor_parallel) + (recomputes ? ", with" : ", without") + " recomputation";
}

} // namespace dovetail::search
