#pragma once
/// \file
/// An independent check of what a schedule keeps alive, from the definition of a buffer's life alone.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace dovetail::schedule {

/// Checks that at no time more than `limit_bytes` are live; the schedule itself passed `verify`. Reads the
/// buffers as they were given, and adds up who lives at every start. \returns the first time at which the
/// limit is broken. \complexity O(tasks * uses of buffers).
[[nodiscard]] inline result<void> verify_memory(const task_graph& problem,
                                                array_view<const std::int64_t> workspace_bytes,
                                                array_view<const buffer> buffers, const schedule& plan,
                                                std::int64_t limit_bytes) {
    const auto end_s = [&](graph::index v) {
        return plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s;
    };
    const auto live_at = [&](double time_s) {
        std::int64_t live = 0;
        for (graph::index v = 0; v < problem.task_count(); ++v)
            if (plan.start_s[v] <= time_s && time_s < end_s(v)) live += workspace_bytes[v];
        for (const buffer& b : buffers) {
            const bool made = b.producer != graph::none;
            const double from_s = made ? plan.start_s[b.producer] : 0.0;
            double to_s = made ? end_s(b.producer) : 0.0;
            for (const graph::index v : b.consumers) to_s = std::max(to_s, end_s(v));
            if (b.kept) to_s = std::numeric_limits<double>::infinity();
            if (from_s <= time_s && time_s < to_s) live += b.size_bytes;
        }
        return live;
    };
    std::int64_t initial = 0;
    for (const buffer& b : buffers)
        if (b.producer == graph::none && (b.kept || !b.consumers.empty())) initial += b.size_bytes;
    if (initial > limit_bytes)
        return error{errc::out_of_range, "schedule: memory",
                     to_text(initial) + " bytes are live before it starts",
                     "the limit is " + to_text(limit_bytes)};
    // From there on, what is live grows only where a task starts.
    for (const double time_s : plan.start_s)
        if (const std::int64_t live = live_at(time_s); live > limit_bytes)
            return error{errc::out_of_range, "schedule: memory",
                         to_text(live) + " bytes are live at " + to_text(time_s) + " s",
                         "the limit is " + to_text(limit_bytes)};
    return {};
}

} // namespace dovetail::schedule
