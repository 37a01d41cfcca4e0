#pragma once
/// \file
/// The timeline of a pipeline: when each stage works on each micro-batch.

#include <dovetail/core/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace dovetail::placement {

/// Seconds that a stage takes for one micro-batch.
struct stage_times {
    double forward_s = 0;
    double backward_s = 0;
};

/// One pass of one micro-batch through one stage.
struct pipeline_pass {
    std::size_t stage = 0;
    std::size_t micro_batch = 0;
    bool backward = false;
    double start_s = 0;
    double end_s = 0;

    friend constexpr bool operator==(const pipeline_pass&, const pipeline_pass&) = default;
};

/// The one-forward-one-backward schedule with flush (PipeDream-flush, Narayanan et al., ICML 2021): stage s
/// of p runs min(p - 1 - s, m) forward passes ahead, then alternates, then drains, each pass as soon as its
/// input is there. Ends no later than (m + p - 1) times the heaviest stage's forward and backward time.
/// \returns the passes of stage 0, then of stage 1 and so on, each stage's in order of time.
/// \complexity O(stages * micro_batches) time and memory.
[[nodiscard]] constexpr std::vector<pipeline_pass>
one_forward_one_backward(std::span<const stage_times> stages, std::size_t micro_batches) {
    const std::size_t p = stages.size();
    const std::size_t m = micro_batches;
    std::vector<pipeline_pass> passes;
    passes.reserve(2 * p * m);
    for (std::size_t s = 0; s < p; ++s) {
        DOVETAIL_ASSERT(stages[s].forward_s >= 0 && stages[s].backward_s >= 0, "times are not negative");
        const std::size_t ahead = std::min(p - 1 - s, m);
        for (std::size_t i = 0; i < ahead; ++i) passes.push_back({s, i, false, 0, 0});
        for (std::size_t i = ahead; i < m; ++i) {
            passes.push_back({s, i, false, 0, 0});
            passes.push_back({s, i - ahead, true, 0, 0});
        }
        for (std::size_t i = m - ahead; i < m; ++i) passes.push_back({s, i, true, 0, 0});
    }

    std::vector<double> forward_end(p * m, -1);
    std::vector<double> backward_end(p * m, -1);
    std::vector<std::size_t> next(p, 0);
    std::vector<double> free_from(p, 0);
    // Sweeps over the stages until none can go on: each sweep runs every stage as far as its inputs reach.
    for (bool advanced = true; advanced;) {
        advanced = false;
        for (std::size_t s = 0; s < p; ++s)
            for (; next[s] < 2 * m; ++next[s]) {
                pipeline_pass& pass = passes[2 * m * s + next[s]];
                const std::size_t i = pass.micro_batch;
                double ready = 0;
                if (!pass.backward && s > 0) ready = forward_end[(s - 1) * m + i];
                if (pass.backward) ready = s + 1 < p ? backward_end[(s + 1) * m + i] : forward_end[s * m + i];
                if (ready < 0) break;
                pass.start_s = std::max(ready, free_from[s]);
                pass.end_s = pass.start_s + (pass.backward ? stages[s].backward_s : stages[s].forward_s);
                free_from[s] = pass.end_s;
                (pass.backward ? backward_end : forward_end)[s * m + i] = pass.end_s;
                advanced = true;
            }
    }
    return passes;
}

/// When the last pass ends. \param passes as `one_forward_one_backward` gives them
[[nodiscard]] constexpr double end_of(std::span<const pipeline_pass> passes) {
    double latest = 0;
    for (const pipeline_pass& pass : passes) latest = std::max(latest, pass.end_s);
    return latest;
}

} // namespace dovetail::placement
