#pragma once
/// \file
/// Optimal schedules with a certificate, without a solver.

#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/block_search.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace dovetail::schedule {

namespace detail {

/// When the first of `tasks` starts and the last one ends.
struct extent {
    double start_s = std::numeric_limits<double>::infinity();
    double end_s = 0.0;

    extent(const task_graph& problem, const schedule& plan, std::span<const graph::index> tasks) {
        for (const graph::index v : tasks) {
            start_s = std::min(start_s, plan.start_s[v]);
            end_s = std::max(end_s, plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s);
        }
    }
};

} // namespace detail

/// Branch and bound, for several modes and resources. A list schedule comes first; each block of the problem
/// (see `task_graph::block_ends`) whose part of it misses its bound is then searched by itself, so that the
/// work grows with the largest block and not with the whole. Deterministic, but for a limit in seconds.
struct branch_and_bound {
    budget limits{};                      ///< over all blocks together
    std::size_t memory_limit = 1'000'000; ///< partial schedules remembered in one block
    list_scheduler incumbent{};           ///< gives the first schedule

    /// \returns the best schedule found and the bound: `status::optimal` when they meet, `status::budget`
    /// when the limits ended the search first. \complexity exponential in the largest block at worst.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        certificate answer = incumbent(problem);
        if (answer.proved_optimal()) return answer;

        const relaxation relaxed(problem);
        spending spent(limits);
        std::vector<double> start_s = answer.best.start_s;
        std::vector<std::uint32_t> modes = answer.best.mode;
        double bound_s = 0.0;
        bool complete = true;
        std::size_t begin = 0;
        for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
            const std::size_t end = problem.block_ends()[block];
            const std::span<const graph::index> tasks = problem.order().subspan(begin, end - begin);
            const detail::extent listed(problem, answer.best, tasks);
            const double makespan_s = listed.end_s - listed.start_s;
            const double block_bound_s = relaxed.block_bound_s()[block];
            begin = end;
            if (meets(makespan_s, block_bound_s)) {
                bound_s += makespan_s;
                continue;
            }
            detail::block_search search(problem, relaxed, tasks, makespan_s, memory_limit, spent);
            const bool finished = search.run();
            bound_s += finished ? search.best_s() : block_bound_s;
            complete &= finished;
            if (search.best_start_s().empty()) continue;
            for (std::size_t k = 0; k < tasks.size(); ++k) {
                start_s[tasks[k]] = listed.start_s + search.best_start_s()[k];
                modes[tasks[k]] = search.best_mode()[k];
            }
        }
        // Blocks start where the one before ends: placing the tasks again in order closes the gaps between
        // them.
        answer.best = serial_schedule(problem, order_by(problem, start_s), modes);
        answer.nodes = spent.nodes();
        answer.lower_bound_s = complete ? answer.best.makespan_s : bound_s;
        answer.status = complete ? dovetail::status::optimal : dovetail::status::budget;
        return answer;
    }
};

} // namespace dovetail::schedule
