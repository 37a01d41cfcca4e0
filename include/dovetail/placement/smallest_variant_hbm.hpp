#pragma once
/// \file
/// Why no pipeline of layers with variants fits: the smallest memory that would do, and who needs it.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/placement/upset_lattice.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_labels.hpp>
#include <dovetail/placement/variant_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// The least memory of a device with which a problem has a pipeline.
struct variant_hbm_need {
    double bytes = std::numeric_limits<double>::infinity(); ///< infinite where the devices do not suffice
    std::vector<variant_stage> stages; ///< a pipeline that makes do with so little, in no hurry
    std::size_t stage = 0;             ///< the one that needs it, counted from the first
    std::int64_t fewest_devices = 0;   ///< of any pipeline; known only where the devices do not suffice
    bool proved = true;                ///< false where the time was over first: it may be less
};

namespace detail {

// The fewest devices on which the layers run, whatever the memory. One stage a layer at its narrowest takes
// the number that the search starts from.
[[nodiscard]] inline std::int64_t fewest_variant_devices(variant_graph problem, const upset_lattice& lattice,
                                                         spending& spent) {
    std::int64_t enough = 0;
    for (const variant_layer& layer : problem.layers)
        for (const width_variants& w : layer.widths)
            if (!w.variants.empty()) {
                enough += w.width;
                break;
            }
    problem.devices = enough;
    problem.micro_batches = 1; // no replicas
    variant_labels labels(problem, lattice, spent);
    std::int64_t too_few = 0;
    while (too_few + 1 < enough && !spent.late()) {
        const std::int64_t middle = too_few + (enough - too_few) / 2;
        variant_limits limits;
        limits.devices = middle;
        (labels(limits, spent) == variant_labels::verdict::yes ? enough : too_few) = middle;
    }
    return enough;
}

} // namespace detail

/// Finds the smallest memory of a device with which a valid problem, otherwise unchanged, has a pipeline:
/// what the layers of one of its stages add up to. \returns errc::unsupported for more downsets than the
/// limit. \param limits where they end first, the answer is not proved \complexity As `variant_program`.
[[nodiscard]] inline result<variant_hbm_need>
smallest_hbm(const variant_graph& problem, std::size_t downset_limit = 1U << 16, const budget& limits = {}) {
    spending spent(limits);
    variant_hbm_need need;
    const auto ended = [&] {
        need.proved = false;
        return need;
    };
    const auto lattice = detail::upset_lattice::make(problem, downset_limit, spent);
    if (spent.exhausted()) return ended();
    if (!lattice) return lattice.problem();
    detail::variant_labels labels(problem, *lattice, spent);
    if (spent.exhausted()) return ended();
    const auto below = [&](double bytes) {
        detail::variant_limits asked;
        asked.hbm_bytes = bytes;
        asked.light = true;
        asked.devices = problem.devices;
        if (labels(asked, spent) != detail::variant_labels::verdict::yes) return false;
        std::vector<variant_stage> stages = labels.stages(true);
        const auto heaviest = std::max_element(
            stages.begin(), stages.end(),
            [](const variant_stage& a, const variant_stage& b) { return a.memory_bytes < b.memory_bytes; });
        if (!(heaviest->memory_bytes < need.bytes)) return false; // less by rounding alone
        need.bytes = heaviest->memory_bytes;
        need.stage = static_cast<std::size_t>(heaviest - stages.begin());
        need.stages = std::move(stages);
        return true;
    };
    if (!below(std::numeric_limits<double>::infinity())) {
        if (spent.exhausted()) return ended();
        need.fewest_devices = detail::fewest_variant_devices(problem, *lattice, spent);
        return spent.exhausted() ? ended() : need;
    }
    double too_little = 0.0;
    while (need.bytes > too_little) {
        const double middle = 0.5 * (too_little + need.bytes);
        if (below(middle)) continue;
        if (spent.exhausted()) return ended();
        too_little = middle;
        // The last pipeline found is often the leanest already.
        if (!below(need.bytes)) break;
    }
    if (spent.exhausted()) return ended();
    return need;
}

} // namespace dovetail::placement
