#pragma once
/// \file
/// The four pictures of a joint search.

#include <dovetail/core/checked.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/placement/pipeline.hpp>
#include <dovetail/report/gantt.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/scatter.hpp>
#include <dovetail/report/schedule_chart.hpp>
#include <dovetail/report/svg.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/winner.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::report {

/// What to call the chip that others are compared with.
[[nodiscard]] inline std::string reference_name(const search::outcome& outcome) {
    return outcome.baseline.chip == hardware::tpuv4_like ? "TPUv4-like" : "reference";
}

/// Throughput against area: every design, the frontier, the best and the reference.
[[nodiscard]] inline std::string throughput_against_area(const search::outcome& outcome) {
    const auto at = [](double area_um2, double throughput) {
        return sample{area_um2 / um2_per_mm2, throughput};
    };
    std::vector<sample> cloud;
    for (const search::evaluated_design& d : outcome.designs)
        cloud.push_back(at(d.area_um2, d.throughput_samples_per_s));
    std::vector<sample> front;
    for (const search::evaluated_design& d : search::frontier(outcome.designs))
        front.push_back(at(d.area_um2, d.throughput_samples_per_s));
    std::vector<marked_sample> marks;
    if (outcome.baseline.feasible())
        marks.push_back(
            {at(outcome.baseline.area_um2, outcome.baseline.throughput_samples_per_s), "reference",
             reference_name(outcome) + ": " + readable(outcome.baseline.throughput_samples_per_s, 4)});
    if (outcome.best.feasible())
        marks.push_back({at(outcome.best.area_um2, outcome.best.throughput_samples_per_s), "best",
                         "best: " + readable(outcome.best.throughput_samples_per_s, 4)});
    return draw(scatter{.title = "Throughput against chip area",
                        .x_name = "chip area [mm²]",
                        .y_name = "throughput [samples/s]",
                        .cloud = cloud,
                        .frontier = front,
                        .marks = marks});
}

/// The first micro-batches of a batch through the pipeline: enough of them to see it fill, run and drain.
[[nodiscard]] inline std::string pipeline_timeline(const search::solution& found) {
    const auto times = search::times_of(found.problem, found.plan);
    const auto all =
        static_cast<std::size_t>(ceil_div(found.problem.micro_batches, found.plan.data_parallel));
    const std::size_t shown = std::min(all, 2 * times.size() + 4);
    std::vector<std::string> rows;
    for (std::size_t s = 0; s < times.size(); ++s) rows.push_back("stage " + to_text(s + 1));
    std::vector<bar> bars;
    const auto timeline = placement::simulate(placement::one_forward_one_backward{}, times, shown);
    for (const auto& passes : timeline.devices)
        for (const placement::pipeline_pass& pass : passes) {
            const std::string kind = pass.kind == placement::pass_kind::forward ? "forward" : "backward";
            bars.push_back({.row = pass.stage,
                            .rows = 1,
                            .start = pass.start_s * 1e3,
                            .end = pass.end_s * 1e3,
                            .style = kind,
                            .label = to_text(pass.micro_batch + 1),
                            .hint = kind + " pass of micro-batch " + to_text(pass.micro_batch + 1) + ": " +
                                    readable((pass.end_s - pass.start_s) * 1e3, 4) + " ms"});
        }
    return gantt("The pipeline's timeline", rows, bars,
                 "time [ms], " + readable(shown) + " of " + readable(all) + " micro-batches");
}

/// What fills the memory of every stage, against the HBM of a device.
[[nodiscard]] inline std::string memory_by_stage(const search::solution& found) {
    const placement::width_costs& costs = search::costs_of(found.problem, found.plan);
    const auto gib = [](double bytes) { return bytes / static_cast<double>(gibibyte); };
    std::vector<std::string> rows;
    std::vector<bar> bars;
    for (std::size_t s = 0; s < found.plan.stages.size(); ++s) {
        rows.push_back("stage " + to_text(s + 1));
        double resident = 0;
        for (const graph::index v : found.plan.layers(s)) resident += costs.layers[v].resident_bytes;
        const double total = found.plan.stages[s].memory_bytes;
        bars.push_back({s, 1, 0, gib(resident), "resident", "weights, gradients, optimizer",
                        readable(gib(resident), 4) + " GiB of weights, gradients and optimizer state"});
        bars.push_back({s, 1, gib(resident), gib(total), "activation", "activations",
                        readable(gib(total - resident), 4) + " GiB of activations"});
        bars.push_back({s, 1, gib(total), gib(found.setting.hbm_bytes), "unused", "",
                        readable(gib(found.setting.hbm_bytes - total), 4) + " GiB free"});
    }
    return gantt("Memory of every stage", rows, bars,
                 "memory of a device [GiB]; HBM " + readable(gib(found.setting.hbm_bytes), 4) + " GiB");
}

/// One pass through a layer, by core: see `schedule_chart`.
[[nodiscard]] inline std::string operator_schedule(std::string_view title,
                                                   const search::scheduled_pass& pass) {
    return schedule_chart(title, {.table = pass.table, .names = pass.names, .resources = chip_resources()},
                          {.per_second = 1e6, .name = "µs"});
}

} // namespace dovetail::report
