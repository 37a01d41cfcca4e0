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
#include <limits>
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
    workspace lists;               ///< of the list scheduler
    tightening left;               ///< of the bounds
    detail::small_block block;     ///< of what is searched
    detail::cutset_search cutsets; ///< of the search
};

/// A list schedule; for every block that misses its bound, `tightening` proves it shortest or rules modes
/// out; then lists of what is left, for as long as they are shorter; then `detail::cutset_search` among what
/// is left, which goes through few sets of operators where a layer is narrow. What it cannot hold,
/// `branch_and_bound` searches: blocks of more than 64 tasks, and very wide ones. Deterministic, but for a
/// limit in seconds.
struct tightened_search {
    budget limits{};            ///< of the searches, over all blocks together
    list_scheduler incumbent{}; ///< gives the first schedule, and those of what is left

    /// \returns the best schedule found and the bound, as `branch_and_bound` does; `certificate::nodes` is 0
    /// where bounds alone proved a list schedule. \complexity O(tasks^3 * resources) a round of tightening;
    /// exponential in the width of the widest block where it comes to a search.
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
            const double bound_s = relaxed.block_bound_s()[block];
            answer.lower_bound_s += meets(makespan_s, bound_s)
                                        ? makespan_s
                                        : improve(problem, tasks, listed, bound_s, found, memory, so_far);
        }
        // Blocks start where the one before ends: placing the tasks again in order closes the gaps.
        answer.best = serial_schedule(problem, order_by(problem, found.start_s), found.mode);
        answer.nodes = so_far.nodes;
        if (so_far.complete) answer.lower_bound_s = answer.best.makespan_s;
        answer.status = so_far.complete ? dovetail::status::optimal : dovetail::status::budget;
        return answer;
    }

    /// The same, with memory of its own.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        tightened_workspace memory;
        return (*this)(problem, memory);
    }

private:
    // Levels of the search are widened from here to there.
    static constexpr std::size_t least_width = 128, most_width = 131'072, widening = 16;

    struct spent {
        budget limits;
        stopwatch clock{};
        std::int64_t nodes = 0;
        bool complete = true;

        [[nodiscard]] budget rest() const { return {limits.nodes - nodes, limits.seconds - clock.seconds()}; }
    };

    [[nodiscard]] static bool shorter(const certificate& found, double upper_s) {
        return found.best.makespan_s < upper_s * (1.0 - makespan_tolerance);
    }

    // Puts the best schedule of the block into `found`. Returns its bound, at least `bound_s`.
    double improve(const task_graph& problem, std::span<const graph::index> tasks,
                   const detail::extent& listed, double bound_s, schedule& found, tightened_workspace& memory,
                   spent& so_far) const {
        double upper_s = listed.end_s - listed.start_s;
        std::size_t width = least_width;
        while (memory.left(problem, tasks, upper_s)) {
            const detail::reduced_block left(problem, tasks, memory.left);
            certificate again = incumbent(left.problem(), memory.lists);
            if (!shorter(again, upper_s) && !meets(upper_s, again.lower_bound_s))
                again = search(left.problem(), upper_s, width, memory, so_far);
            bound_s = std::max(bound_s, again.lower_bound_s);
            const bool improved = shorter(again, upper_s);
            if (improved) {
                left.put_into(found, again.best, listed.start_s);
                upper_s = again.best.makespan_s;
            }
            if (improved && !meets(upper_s, bound_s)) continue;
            so_far.complete = so_far.complete && meets(upper_s, bound_s);
            return std::min(upper_s, bound_s);
        }
        return upper_s;
    }

    // A schedule that is shorter than `upper_s`, where there is one and the limits allow to find it; it need
    // not be the shortest. The bound is at least `upper_s` where there is none. Leaves in `width` what it
    // took.
    certificate search(const task_graph& left, double upper_s, std::size_t& width,
                       tightened_workspace& memory, spent& so_far) const {
        certificate answer;
        answer.best.makespan_s = std::numeric_limits<double>::infinity();
        if (left.task_count() <= detail::small_block::most_tasks) {
            const detail::tick_scale scale = detail::scale_of(left, left.order());
            const detail::ticks limit = scale.shorter_than(upper_s);
            memory.block.assign(left, scale, [&](std::size_t v) { return memory.left.tail_s(v); });
            for (;; width = std::min(width * widening, most_width)) {
                spending nodes(so_far.rest());
                const auto found = memory.cutsets(memory.block, limit, width, nodes);
                so_far.nodes += nodes.nodes();
                answer.lower_bound_s = std::max(
                    answer.lower_bound_s, found.bound > limit ? upper_s : scale.at_least_s(found.bound));
                const bool any = found.makespan != detail::small_block::never;
                if (any) {
                    const std::span<const detail::ticks> start = memory.cutsets.start();
                    const std::vector<double> key(start.begin(), start.end());
                    answer.best = serial_schedule(left, order_by(left, key), memory.cutsets.mode());
                }
                if (any || found.bound > limit || nodes.exhausted()) return answer;
                if (width == most_width) break;
            }
        }
        certificate deep = branch_and_bound{.limits = so_far.rest()}(left);
        so_far.nodes += deep.nodes;
        deep.lower_bound_s = std::max(deep.lower_bound_s, answer.lower_bound_s);
        return deep;
    }
};

} // namespace dovetail::schedule
