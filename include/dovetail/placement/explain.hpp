#pragma once
/// \file
/// What binds a plan, and what a little more of everything would buy: by solving again, not by guessing.

#include <dovetail/core/result.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/plan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace dovetail::placement {

/// What keeps a plan from being faster.
enum class bottleneck : std::uint8_t {
    compute, ///< neither more memory nor faster links would help
    memory,  ///< devices without a limit on memory would help, and more than links without one
    network, ///< links without a limit would help, and at least as much
};

/// The name of a bottleneck.
[[nodiscard]] constexpr std::string_view to_string(bottleneck b) noexcept {
    switch (b) {
    case bottleneck::compute:
        return "compute";
    case bottleneck::memory:
        return "memory";
    case bottleneck::network:
        return "network";
    }
    return "unknown";
}

/// Why a plan takes as long as it does. Every time is that of a best plan of a changed problem, in seconds
/// per batch.
struct explanation {
    bottleneck binding = bottleneck::compute;
    std::size_t stage = 0; ///< with the largest load; of a plan bound by memory, the fullest
    double time_s = 0.0;   ///< of the plan itself

    double unlimited_memory_s = 0.0;
    double unlimited_links_s = 0.0;
    double one_more_gib_s = 0.0;      ///< of memory, on every device
    double one_more_gb_per_s_s = 0.0; ///< 10^9 bytes a second, on every link between devices or nodes
    double one_more_device_s = 0.0;   ///< in the whole cluster
    bool complete = true; ///< false where the budget of a solve ended first: then the rest means nothing

    /// What the change that leads to `changed_s` saves, as a share of the time of the plan.
    [[nodiscard]] constexpr double gain(double changed_s) const {
        return time_s > 0.0 ? 1.0 - changed_s / time_s : 0.0;
    }
};

/// Explains the best plan of a valid problem.
/// \param best what `solve` gives for `problem`; it must hold stages
/// \param solve an exact program: called with five changed problems, gives a `plan` or a `result<plan>`
/// \returns the first error of `solve`.
template <class Solve>
[[nodiscard]] result<explanation> explain(const layer_graph& problem, const plan& best, const Solve& solve) {
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    explanation why{.time_s = best.time_per_batch_s};
    layer_graph memory = problem, links = problem, gib = problem, gb = problem, device = problem;
    memory.hbm_bytes = unlimited;
    links.link_bytes_per_s = unlimited;
    gib.hbm_bytes += static_cast<double>(gibibyte);
    gb.link_bytes_per_s += 1e9;
    device.devices += 1;
    const std::array<std::pair<const layer_graph*, double explanation::*>, 5> changes{
        {{&memory, &explanation::unlimited_memory_s},
         {&links, &explanation::unlimited_links_s},
         {&gib, &explanation::one_more_gib_s},
         {&gb, &explanation::one_more_gb_per_s_s},
         {&device, &explanation::one_more_device_s}}};
    for (const auto& [changed, time] : changes) {
        const result<plan> answer = solve(*changed);
        if (!answer) return answer.problem();
        if (answer->outcome == status::budget) why.complete = false;
        if (!why.complete) return why;
        // The plan at hand stays one of the changed problem: a later digit of another sum is no loss.
        why.*time = std::min(answer->time_per_batch_s, why.time_s);
    }
    constexpr double noticeable = 1e-9;
    const double by_memory = why.gain(why.unlimited_memory_s);
    const double by_links = why.gain(why.unlimited_links_s);
    if (std::max(by_memory, by_links) > noticeable)
        why.binding = by_memory > by_links ? bottleneck::memory : bottleneck::network;
    why.stage = best.heaviest_stage();
    if (why.binding == bottleneck::memory) {
        const auto fuller = [](const stage& a, const stage& b) { return a.memory_bytes < b.memory_bytes; };
        why.stage = static_cast<std::size_t>(
            std::max_element(best.stages.begin(), best.stages.end(), fuller) - best.stages.begin());
    }
    return why;
}

} // namespace dovetail::placement
