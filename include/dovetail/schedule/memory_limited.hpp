#pragma once
/// \file
/// The shortest schedule that keeps no more alive than a memory holds, with a certificate.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/least_memory_order.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/memory_bound.hpp>
#include <dovetail/schedule/memory_list.hpp>
#include <dovetail/schedule/memory_search.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// A schedule under a memory limit and what is proved about it. The schedule has no tasks where none was
/// found: `status::infeasible` when none exists, `status::budget` when the limits ended the search for one.
struct memory_certificate {
    certificate proof;
    std::int64_t peak_bytes = 0;       ///< the most that is live at any time of the schedule
    std::int64_t least_peak_bytes = 0; ///< no schedule keeps its peak below: the least limit worth trying
};

/// Minimises the makespan where at most `limit_bytes` may be live at any time. Exact for small problems, with
/// a schedule and a bound for large ones:
///  1. the list schedule that knows no limit, where it keeps to it by itself;
///  2. an order that keeps to the limit (`least_memory_order`), or the proof that there is none;
///  3. lists by several priorities that can always be carried on (`safe_order_by`, `schedule_in_order`);
///  4. a search over all schedules (`detail::memory_search`), cut off by the limits.
/// The bound is the larger of that of `relaxation` and `memory_bound_s`. Deterministic, but for a limit in
/// seconds.
struct memory_limited {
    std::int64_t limit_bytes = std::numeric_limits<std::int64_t>::max(); ///< at least 1
    budget limits{.nodes = 1'000'000};    ///< nodes of the search over schedules, seconds of all steps
    std::size_t memory_limit = 1'000'000; ///< states that this search remembers
    least_memory_order order{};           ///< finds the order of step 2; its target is set here

    /// \complexity exponential at worst; steps 1 to 3 take O(tasks^2 * uses of buffers a task).
    [[nodiscard]] memory_certificate operator()(const task_graph& problem, const live_memory& memory) const;
};

inline memory_certificate memory_limited::operator()(const task_graph& problem,
                                                     const live_memory& memory) const {
    DOVETAIL_ASSERT(limit_bytes > 0, "a limit is above 0");
    DOVETAIL_ASSERT(memory.task_count() == problem.task_count(), "the memory of another problem");
    const stopwatch clock;
    const relaxation relaxed(problem);
    memory_certificate answer;
    answer.proof.best.makespan_s = std::numeric_limits<double>::infinity();
    answer.proof.lower_bound_s =
        std::max(relaxed.lower_bound_s(), memory_bound_s(problem, memory, relaxed, limit_bytes));
    answer.least_peak_bytes = unavoidable_bytes(memory);
    const auto offer = [&](schedule candidate) {
        if (!(candidate.makespan_s < answer.proof.best.makespan_s)) return;
        const std::int64_t peak = peak_bytes(memory, problem, candidate);
        if (peak > limit_bytes) return;
        answer.proof.best = std::move(candidate);
        answer.peak_bytes = peak;
    };
    const auto ends_as = [&](dovetail::status status) {
        answer.proof.status = status;
        if (status == dovetail::status::optimal) answer.proof.lower_bound_s = answer.proof.best.makespan_s;
        return answer;
    };
    const auto proved = [&] { return meets(answer.proof.best.makespan_s, answer.proof.lower_bound_s); };

    offer(list_scheduler{.limits = limits}(problem).best);
    if (proved()) return ends_as(dovetail::status::optimal);

    least_memory_order finder = order;
    finder.target_bytes = limit_bytes;
    finder.limits.seconds = std::min(finder.limits.seconds, limits.after(clock.seconds()).seconds);
    finder.limits.stop = limits.stop;
    const memory_order safe = finder(problem, memory);
    answer.least_peak_bytes = safe.lower_bound_bytes;
    if (safe.lower_bound_bytes > limit_bytes) return ends_as(dovetail::status::infeasible);
    if (safe.peak_bytes <= limit_bytes) {
        std::vector<double> key(problem.task_count());
        const auto try_priority = [&](auto&& of_task) {
            if (limits.is_over(clock.seconds())) return;
            for (graph::index v = 0; v < key.size(); ++v) key[v] = of_task(v);
            const std::vector<graph::index> safely =
                safe_order_by(problem, memory, limit_bytes, safe.order, key);
            offer(schedule_in_order(problem, memory, limit_bytes, safely));
        };
        offer(schedule_in_order(problem, memory, limit_bytes, safe.order));
        const auto remaining_s = [&](graph::index v) {
            return relaxed.shortest_s()[v] + relaxed.tail_s()[v];
        };
        try_priority([&](graph::index v) { return -remaining_s(v); });
        try_priority([&](graph::index v) { return relaxed.head_s()[v]; });
        try_priority([&](graph::index v) { return relaxed.head_s()[v] - remaining_s(v); });
        try_priority([&](graph::index v) { return static_cast<double>(memory.taken_bytes(v)); });
        if (proved()) return ends_as(dovetail::status::optimal);
    }

    spending spent(limits.after(clock.seconds()));
    detail::memory_search search(problem, memory, relaxed, limit_bytes, answer.proof.best.makespan_s,
                                 memory_limit, spent);
    const bool complete = search.run();
    answer.proof.nodes = spent.nodes();
    if (!search.best().start_s.empty()) offer(search.best());
    if (!complete) return ends_as(dovetail::status::budget);
    const bool found = !answer.proof.best.start_s.empty() || problem.task_count() == 0;
    return ends_as(found ? dovetail::status::optimal : dovetail::status::infeasible);
}

} // namespace dovetail::schedule
