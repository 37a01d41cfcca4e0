#pragma once
/// \file
/// The timeline of a pipeline: when each stage works on each micro-batch.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/placement/pipeline_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::placement {

/// One pass of one micro-batch through one stage.
struct pipeline_pass {
    std::size_t stage = 0;
    std::size_t micro_batch = 0;
    pass_kind kind = pass_kind::forward;
    double start_s = 0;
    double end_s = 0;

    friend constexpr bool operator==(const pipeline_pass&, const pipeline_pass&) = default;
};

/// What a pipeline does in one batch.
struct pipeline_timeline {
    std::vector<std::vector<pipeline_pass>> devices; ///< the passes of each, in order of time

    /// When the last pass ends.
    [[nodiscard]] constexpr double end_s() const {
        double latest = 0;
        for (const auto& passes : devices)
            if (!passes.empty()) latest = std::max(latest, passes.back().end_s);
        return latest;
    }
    /// Seconds that the batch binds the device that it binds longest, first pass to last: batches follow one
    /// another at that pace where every device updates its own weights when it is done.
    [[nodiscard]] constexpr double period_s() const {
        double longest = 0;
        for (const auto& passes : devices)
            if (!passes.empty()) longest = std::max(longest, passes.back().end_s - passes.front().start_s);
        return longest;
    }
    /// The most stages' worth of activations that a device holds at one time: from a forward pass to the end
    /// of the last pass that reads them.
    [[nodiscard]] constexpr std::size_t in_flight(std::size_t device) const {
        std::size_t held = 0;
        std::size_t most = 0;
        for (const pipeline_pass& pass : devices[device]) {
            if (pass.kind == pass_kind::forward) most = std::max(most, ++held);
            if (pass.kind == pass_kind::backward || pass.kind == pass_kind::weight_gradient) --held;
        }
        return most;
    }
};

/// Runs a schedule: every pass starts as soon as its device is free and its input is there.
/// \param stages the times of each, first to last; with several chunks a device, a whole number of them each
/// \complexity O(stages * micro_batches * devices) time at worst, O(stages * micro_batches) memory.
template <pipeline_policy Policy>
[[nodiscard]] constexpr pipeline_timeline simulate(const Policy& policy, array_view<const stage_times> stages,
                                                   std::size_t micro_batches) {
    DOVETAIL_ASSERT(stages.size() % policy.chunks() == 0, "every device has as many stages");
    const std::size_t devices = stages.size() / policy.chunks();
    const std::size_t m = micro_batches;
    pipeline_timeline timeline;
    timeline.devices.resize(devices);
    std::vector<std::vector<pass_step>> orders;
    for (std::size_t s = 0; s < devices; ++s) orders.push_back(policy.order(s, devices, m));

    constexpr double not_yet = -1;
    std::vector<double> forward_end(stages.size() * m, not_yet);
    std::vector<double> gradient_end(stages.size() * m, not_yet); // of the stage's input
    std::vector<double> free_from(devices, 0);
    const auto inputs_ready = [&](std::size_t stage, const pass_step& step) {
        const std::size_t i = step.micro_batch;
        if (step.kind == pass_kind::forward) return stage == 0 ? 0.0 : forward_end[(stage - 1) * m + i];
        if (step.kind == pass_kind::weight_gradient) return gradient_end[stage * m + i];
        return stage + 1 < stages.size() ? gradient_end[(stage + 1) * m + i] : forward_end[stage * m + i];
    };
    const auto seconds_of = [&](const stage_times& t, pass_kind kind) {
        DOVETAIL_ASSERT(t.forward_s >= 0 && t.weight_gradient_s >= 0 && t.input_gradient_s() >= 0,
                        "times are not negative");
        switch (kind) {
        case pass_kind::forward:
            return t.forward_s;
        case pass_kind::backward:
            return t.backward_s;
        case pass_kind::input_gradient:
            return t.input_gradient_s();
        case pass_kind::weight_gradient:
            break;
        }
        return t.weight_gradient_s;
    };
    // Sweeps over the devices until none can go on: each sweep runs every device as far as its inputs reach.
    for (bool advanced = true; advanced;) {
        advanced = false;
        for (std::size_t s = 0; s < devices; ++s)
            for (auto& done = timeline.devices[s]; done.size() < orders[s].size();) {
                const pass_step& step = orders[s][done.size()];
                const std::size_t stage = step.chunk * devices + s;
                const double ready = inputs_ready(stage, step);
                if (ready == not_yet) break;
                const double start = std::max(ready, free_from[s]);
                const double end = start + seconds_of(stages[stage], step.kind);
                free_from[s] = end;
                if (step.kind == pass_kind::forward)
                    forward_end[stage * m + step.micro_batch] = end;
                else if (step.kind != pass_kind::weight_gradient)
                    gradient_end[stage * m + step.micro_batch] = end;
                done.push_back({stage, step.micro_batch, step.kind, start, end});
                advanced = true;
            }
    }
    for (std::size_t s = 0; s < devices; ++s)
        DOVETAIL_ASSERT(timeline.devices[s].size() == orders[s].size(), "the schedule has no deadlock");
    return timeline;
}

/// An upper bound on the pace at which batches follow one another: the closed form with the longest forward
/// pass, input gradient and weight gradient of all stages. A cycle of passes that wait for one another sets
/// the pace, and no cycle gets longer when a pass gets shorter. Holds for every schedule, where it admits.
template <pipeline_policy Policy>
[[nodiscard]] constexpr double period_bound_s(const Policy& policy, array_view<const stage_times> stages,
                                              std::size_t micro_batches) {
    stage_times longest;
    double input_gradient_s = 0;
    for (const stage_times& t : stages) {
        longest.forward_s = std::max(longest.forward_s, t.forward_s);
        longest.weight_gradient_s = std::max(longest.weight_gradient_s, t.weight_gradient_s);
        input_gradient_s = std::max(input_gradient_s, t.input_gradient_s());
    }
    longest.backward_s = input_gradient_s + longest.weight_gradient_s;
    const std::size_t devices = stages.size() / policy.chunks();
    return static_cast<double>(micro_batches * policy.chunks()) * longest.total_s() +
           policy.bubble_s(longest, devices);
}

} // namespace dovetail::placement
