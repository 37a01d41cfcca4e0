#pragma once
/// \file
/// The exact scheduler for layers: a list, then what a shorter schedule would need, then a search of what is
/// left.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/cutset_search.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/small_block.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/schedule/tick_scale.hpp>
#include <dovetail/schedule/tightening.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace dovetail::schedule {

namespace detail {

/// A block of a problem by itself, with the modes that may be in a shorter schedule.
class reduced_block {
public:
    reduced_block(const task_graph& whole, std::span<const graph::index> tasks, const tightening& left)
        : tasks_(tasks) {
        std::vector<graph::index> position(whole.task_count(), 0);
        for (graph::index k = 0; k < tasks.size(); ++k) position[tasks[k]] = k;
        std::vector<graph::arc> arcs;
        mode_table table;
        for (graph::index k = 0; k < tasks.size(); ++k) {
            for (const graph::index w : whole.precedence().successors(tasks[k]))
                if (whole.block(w) == whole.block(tasks[k])) arcs.push_back({k, position[w]});
            table.add_task();
            first_mode_.push_back(mode_.size());
            for (std::uint32_t m = 0; m < whole.modes(tasks[k]).size(); ++m) {
                if (!left.allows(k, m)) continue;
                table.add_mode(whole.modes(tasks[k])[m]);
                mode_.push_back(m);
            }
        }
        problem_ =
            make_task_graph(graph::digraph(tasks.size(), arcs), whole.capacity(), std::move(table)).value();
    }

    [[nodiscard]] const task_graph& problem() const noexcept { return problem_; }

    /// Writes a schedule of the block into one of the whole, from `start_s` on.
    void put_into(schedule& whole, const schedule& block, double start_s) const {
        for (std::size_t k = 0; k < tasks_.size(); ++k) {
            whole.start_s[tasks_[k]] = start_s + block.start_s[k];
            whole.mode[tasks_[k]] = mode_[first_mode_[k] + block.mode[k]];
        }
    }

private:
    std::span<const graph::index> tasks_;
    std::vector<std::size_t> first_mode_;
    std::vector<std::uint32_t> mode_; // of the whole problem
    task_graph problem_;
};

} // namespace detail

/// The memory of a `tightened_search`, kept from one problem to the next; one a thread.
struct tightened_workspace {
    workspace lists; ///< of the list scheduler
    tightening left; ///< of the bounds
    detail::small_block block;
    detail::cutset_search cutsets;
};

/// A list schedule; for every block that misses its bound, `tightening` proves it shortest or rules modes
/// out; then lists of what is left, for as long as they are shorter; then `branch_and_bound` on what is left.
/// Layers of operators, each of which takes one core or all, seldom come to the last step. Deterministic, but
/// for a limit in seconds.
struct tightened_search {
    budget limits{};            ///< of the search, over all blocks together
    list_scheduler incumbent{}; ///< gives the first schedule, and those of what is left

    /// \returns the best schedule found and the bound, as `branch_and_bound` does; `certificate::nodes` is 0
    /// where bounds alone proved a list schedule. \complexity O(tasks^3 * resources) a round of tightening;
    /// exponential in the largest block where it comes to a search.
    [[nodiscard]] certificate operator()(const task_graph& problem, tightened_workspace& memory) const {
        certificate answer = incumbent(problem, memory.lists);
        if (answer.proved_optimal()) return answer;
        const relaxation relaxed(problem);
        schedule found = answer.best;
        answer.lower_bound_s = 0.0;
        spent so_far{.limits = limits};
        std::size_t begin = 0;
        for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
            const std::size_t end = problem.block_ends()[block];
            const std::span<const graph::index> tasks = problem.order().subspan(begin, end - begin);
            begin = end;
            const detail::extent listed(problem, answer.best, tasks);
            const double makespan_s = listed.end_s - listed.start_s;
            answer.lower_bound_s += meets(makespan_s, relaxed.block_bound_s()[block])
                                        ? makespan_s
                                        : improve(problem, tasks, listed, found, memory, so_far);
        }
        // Blocks start where the one before ends: placing the tasks again in order closes the gaps.
        answer.best = serial_schedule(problem, order_by(problem, found.start_s), found.mode);
        answer.nodes = so_far.nodes;
        if (!so_far.exhausted) answer.lower_bound_s = answer.best.makespan_s;
        answer.status = so_far.exhausted ? dovetail::status::budget : dovetail::status::optimal;
        return answer;
    }

    /// The same, with memory of its own.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        tightened_workspace memory;
        return (*this)(problem, memory);
    }

private:
    struct spent {
        budget limits;
        stopwatch clock{};
        std::int64_t nodes = 0;
        bool exhausted = false;
    };

    // Puts the best schedule of the block into `found`. Returns its bound.
    double improve(const task_graph& problem, std::span<const graph::index> tasks,
                   const detail::extent& listed, schedule& found, tightened_workspace& memory,
                   spent& so_far) const {
        double upper_s = listed.end_s - listed.start_s;
        const auto shorter = [&](const certificate& c) {
            return c.best.makespan_s < upper_s * (1.0 - makespan_tolerance);
        };
        std::size_t width = first_width;
        while (memory.left(problem, tasks, upper_s)) {
            const detail::reduced_block left(problem, tasks, memory.left);
            certificate again = incumbent(left.problem(), memory.lists);
            const bool listed_again = shorter(again);
            if (!listed_again && !meets(upper_s, again.lower_bound_s))
                again = search(left.problem(), upper_s, width, memory, so_far);
            if (shorter(again)) {
                left.put_into(found, again.best, listed.start_s);
                upper_s = again.best.makespan_s;
            }
            if (!listed_again && (so_far.exhausted || meets(upper_s, again.lower_bound_s)))
                return std::min(upper_s, again.lower_bound_s);
        }
        return upper_s;
    }

    // A schedule of what is left that is shorter than `upper_s`, or the proof that there is none, or what
    // the limits allow. Widens, and finds wider again next time.
    certificate search(const task_graph& left, double upper_s, std::size_t& width,
                       tightened_workspace& memory, spent& so_far) const {
        const budget rest{so_far.limits.nodes - so_far.nodes, so_far.limits.seconds - so_far.clock.seconds()};
        if (left.task_count() > detail::small_block::most_tasks) {
            certificate answer = branch_and_bound{.limits = rest}(left);
            so_far.nodes += answer.nodes;
            so_far.exhausted = !answer.proved_optimal();
            return answer;
        }
        const detail::tick_scale scale = detail::scale_of(left, left.order());
        const detail::ticks limit = scale.shorter_than(upper_s);
        memory.block.assign(left, scale, [&](std::size_t v) { return memory.left.tail_s(v); });
        certificate answer;
        spending nodes(rest);
        for (;; width *= 8) {
            const detail::cutset_search::outcome found = memory.cutsets(memory.block, limit, width, nodes);
            so_far.exhausted = nodes.exhausted();
            answer.lower_bound_s =
                std::max(answer.lower_bound_s, found.bound > limit ? upper_s : scale.at_least_s(found.bound));
            if (found.makespan != detail::small_block::never) {
                const std::span<const detail::ticks> start = memory.cutsets.start();
                answer.best =
                    serial_schedule(left, order_by(left, std::vector<double>(start.begin(), start.end())),
                                    memory.cutsets.mode());
            } else if (found.bound <= limit && !so_far.exhausted) {
                continue;
            } else {
                answer.best.makespan_s = upper_s;
            }
            so_far.nodes += nodes.nodes();
            return answer;
        }
    }

    static constexpr std::size_t first_width = 32;
};

} // namespace dovetail::schedule
