#pragma once
/// \file
/// A bound on the makespan from memory: the bytes that are live, times how long they must be, over the limit.

#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule {

/// For how long every buffer of `memory` is live at least, in any schedule: from its producer's start along
/// the heaviest path of shortest modes to the end of a reader; one that is there at the start, from time 0;
/// one that is kept, to the end. \param relaxed the relaxation of `problem` \complexity O(tasks * arcs).
[[nodiscard]] inline std::vector<double>
shortest_lives_s(const task_graph& problem, const live_memory& memory, const relaxation& relaxed) {
    std::vector<double> life_s(memory.buffer_count(), 0.0);
    const std::size_t n = problem.task_count();
    // What is there at the start lives as if a task before all others had made it.
    std::vector<double> end_s(n);
    for (graph::index v = 0; v < n; ++v) end_s[v] = relaxed.head_s()[v] + relaxed.shortest_s()[v];
    const auto lengthen = [&](graph::index v, auto&& belongs) {
        for (const std::uint32_t b : memory.used_by(v))
            if (belongs(b))
                life_s[b] = std::max(life_s[b], end_s[v] + (memory.kept(b) ? relaxed.tail_s()[v] : 0.0));
    };
    for (graph::index v = 0; v < n; ++v)
        lengthen(v, [&](std::uint32_t b) { return memory.producer(b) == graph::none; });

    constexpr double unreached = -1.0;
    for (std::size_t from = 0; from < n; ++from) {
        const graph::index producer = problem.order()[from];
        std::fill(end_s.begin(), end_s.end(), unreached);
        end_s[producer] = relaxed.shortest_s()[producer];
        for (std::size_t k = from; k < n; ++k) {
            const graph::index v = problem.order()[k];
            if (end_s[v] == unreached) continue;
            lengthen(v, [&](std::uint32_t b) { return memory.producer(b) == producer; });
            for (const graph::index w : problem.precedence().successors(v))
                end_s[w] = std::max(end_s[w], end_s[v] + relaxed.shortest_s()[w]);
        }
    }
    return life_s;
}

/// No schedule that keeps at most `limit_bytes` alive is shorter: memory is a resource of which a buffer of
/// size s that lives for l seconds takes the work s l, and a workspace that of its task's shortest mode.
/// \param limit_bytes above 0 \complexity O(tasks * arcs).
[[nodiscard]] inline double memory_bound_s(const task_graph& problem, const live_memory& memory,
                                           const relaxation& relaxed, std::int64_t limit_bytes) {
    DOVETAIL_ASSERT(limit_bytes > 0, "a limit is above 0");
    const std::vector<double> life_s = shortest_lives_s(problem, memory, relaxed);
    double held = 0.0;
    for (std::size_t b = 0; b < life_s.size(); ++b)
        held += static_cast<double>(memory.size_bytes(b)) * life_s[b];
    for (graph::index v = 0; v < problem.task_count(); ++v)
        held += static_cast<double>(memory.workspace_bytes(v)) * relaxed.shortest_s()[v];
    return held / static_cast<double>(limit_bytes);
}

} // namespace dovetail::schedule
