#pragma once
/// \file
/// Which units of every resource a task holds: the colouring of a schedule's intervals.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// The numbers of the units that every task holds, of every resource, rising.
class core_assignment {
public:
    /// Tasks are added in the order of their numbers, resources within them.
    constexpr void add(array_view<const std::int32_t> units) {
        units_.insert(units_.end(), units.begin(), units.end());
        end_.push_back(units_.size());
    }

    /// Units of `resource` that `task` holds, numbered below the capacity.
    [[nodiscard]] constexpr array_view<const std::int32_t> units(graph::index task,
                                                                 std::size_t resource) const {
        const std::size_t row = task * max_resources + resource;
        DOVETAIL_ASSERT(resource < max_resources && row < end_.size(), "no such task or resource");
        const std::size_t begin = row == 0 ? 0 : end_[row - 1];
        return array_view(units_).subspan(begin, end_[row] - begin);
    }

private:
    std::vector<std::size_t> end_;
    std::vector<std::int32_t> units_;
};

/// Gives every task concrete units: by start, each takes the lowest-numbered free ones. Intervals never need
/// more colours than overlap at one time, so a schedule that keeps the capacities always gets its units. A
/// task of no duration gets none. \param plan a schedule of `problem` that keeps its capacities \complexity
/// O(tasks * (log tasks + capacity)).
[[nodiscard]] constexpr core_assignment assign_cores(const task_graph& problem, const schedule& plan) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(plan.start_s.size() == n && plan.mode.size() == n, "one start and one mode a task");
    std::vector<graph::index> by_start(n, 0);
    for (graph::index v = 0; v < n; ++v) by_start[v] = v;
    std::sort(by_start.begin(), by_start.end(), [&](graph::index a, graph::index b) {
        return std::pair(plan.start_s[a], a) < std::pair(plan.start_s[b], b);
    });

    std::vector<std::vector<std::int32_t>> held(n * max_resources, std::vector<std::int32_t>{});
    for (std::size_t r = 0; r < max_resources; ++r) {
        std::vector<double> free_from_s(static_cast<std::size_t>(problem.capacity()[r]), 0.0);
        for (const graph::index v : by_start) {
            const mode& m = problem.modes(v)[plan.mode[v]];
            const double end_s = plan.start_s[v] + m.duration_s;
            if (!(end_s > plan.start_s[v])) continue;
            std::int32_t missing = m.use[r];
            for (std::size_t unit = 0; missing > 0; ++unit) {
                DOVETAIL_ASSERT(unit < free_from_s.size(), "the schedule exceeds a capacity");
                if (free_from_s[unit] > plan.start_s[v]) continue;
                free_from_s[unit] = end_s;
                held[v * max_resources + r].push_back(static_cast<std::int32_t>(unit));
                --missing;
            }
        }
    }
    core_assignment cores;
    for (const std::vector<std::int32_t>& units : held) cores.add(units);
    return cores;
}

} // namespace dovetail::schedule
