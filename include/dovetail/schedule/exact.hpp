#pragma once
/// \file
/// Optimal schedules with a certificate, without a solver.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/destructive_bound.hpp>
#include <dovetail/schedule/learning_search.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::schedule {

namespace detail {

/// When the first of `tasks` starts and the last one ends.
struct extent {
    double start_s = std::numeric_limits<double>::infinity();
    double end_s = 0.0;

    extent(const task_graph& problem, const schedule& plan, array_view<const graph::index> tasks) {
        for (const graph::index v : tasks) {
            start_s = std::min(start_s, plan.start_s[v]);
            end_s = std::max(end_s, plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s);
        }
    }
};

} // namespace detail

/// Branch and bound that learns, for several modes and resources. List schedules come first, those of the
/// rules and then sampled ones; each block of the problem (see `task_graph::block_ends`) whose part of the
/// best misses its bound is then searched by itself, so that the work grows with the largest block and not
/// with the whole. Deterministic, but for a limit in seconds.
struct branch_and_bound {
    budget limits{};                                   ///< over all blocks together
    std::size_t nogood_limit = 100'000;                ///< remembered of what was learned in one block
    list_scheduler incumbent{.sampled_tasks = 10'000}; ///< gives the first schedule, within the limits

    /// \returns the best schedule found and the bound: `status::optimal` when they meet, `status::budget`
    /// when the limits ended the search first; the bound is then that of `destructive_bound_s` where a block
    /// was not finished. \complexity exponential in the largest block at worst.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        spending spent(limits);
        list_scheduler lists = incumbent;
        lists.limits = limits;
        certificate answer = lists(problem);
        if (answer.proved_optimal()) return answer;

        const relaxation relaxed(problem);
        std::vector<double> key(problem.task_count()); // tasks are placed by rising key in the end
        std::vector<std::uint32_t> modes = answer.best.mode;
        std::vector<graph::index> by_start;
        double bound_s = 0.0;
        bool complete = true;
        std::size_t begin = 0;
        for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
            const std::size_t end = problem.block_ends()[block];
            const array_view<const graph::index> tasks = problem.order().subspan(begin, end - begin);
            const detail::extent listed(problem, answer.best, tasks);
            const double makespan_s = listed.end_s - listed.start_s;
            const double block_bound_s = relaxed.block_bound_s()[block];
            for (const graph::index v : tasks) key[v] = answer.best.start_s[v];
            if (meets(makespan_s, block_bound_s)) {
                bound_s += makespan_s;
            } else {
                detail::learning_search search(problem, tasks, modes, makespan_s, nogood_limit, spent);
                const bool finished = search.run();
                complete &= finished;
                if (finished)
                    bound_s += search.best_s();
                else
                    bound_s += limits.is_over(spent.seconds())
                                   ? block_bound_s
                                   : detail::destructive_bound_s(problem, tasks, block_bound_s, makespan_s);
                for (std::size_t k = 0; k < search.best_start().size(); ++k) {
                    key[tasks[k]] = static_cast<double>(search.best_start()[k]);
                    modes[tasks[k]] = search.best_mode()[k];
                }
            }
            by_start.assign(tasks.begin(), tasks.end());
            sort_stably(by_start.begin(), by_start.end(),
                        [&](graph::index a, graph::index b) { return key[a] < key[b]; });
            for (const graph::index v : by_start) key[v] = static_cast<double>(begin++);
        }
        schedule found = serial_schedule(problem, order_by(problem, key), modes);
        if (found.makespan_s < answer.best.makespan_s) answer.best = std::move(found);
        answer.nodes = spent.nodes();
        complete |= meets(answer.best.makespan_s, bound_s);
        answer.lower_bound_s = complete ? answer.best.makespan_s : bound_s;
        answer.status = complete ? dovetail::status::optimal : dovetail::status::budget;
        return answer;
    }
};

} // namespace dovetail::schedule
