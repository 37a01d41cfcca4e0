#pragma once
/// \file
/// The exact scheduler for layers: a list, then what a shorter schedule would need, then a search of what is
/// left.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/cutset_search.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/learning_search.hpp>
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
#include <utility>
#include <vector>

namespace dovetail::schedule {

namespace detail {

/// A block of a problem by itself, with the modes that may be in a shorter schedule.
class reduced_block {
public:
    reduced_block(const task_graph& whole, array_view<const graph::index> tasks, const tightening& left)
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
    array_view<const graph::index> tasks_;
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
/// out; then lists of what is left, for as long as they are shorter; then two searches among what is left
/// take turns: `detail::cutset_search`, which has few sets of operators to go through where a layer is
/// narrow, and `detail::learning_search`, which alone takes blocks of more than 64 tasks. Deterministic, but
/// for a limit in seconds.
struct tightened_search {
    budget limits{};            ///< over all blocks together; nodes are of the searches
    list_scheduler incumbent{}; ///< gives the first schedule, and those of what is left; its limits are those
                                ///< of the search

    /// \returns the best schedule found and the bound, as `branch_and_bound` does; `certificate::nodes` is 0
    /// where bounds alone proved a list schedule. \complexity O(tasks^3 * resources) a round of tightening;
    /// exponential in the width of the widest block where it comes to a search.
    [[nodiscard]] certificate operator()(const task_graph& problem, tightened_workspace& memory) const {
        spent so_far{.limits = limits};
        certificate answer = lists(so_far)(problem, memory.lists);
        if (answer.proved_optimal()) return answer;
        const relaxation relaxed(problem);
        schedule found = answer.best;
        answer.lower_bound_s = 0.0;
        std::size_t begin = 0;
        for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
            const std::size_t end = problem.block_ends()[block];
            const array_view<const graph::index> tasks = problem.order().subspan(begin, end - begin);
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
    // Levels of the search over beginnings are widened from here to there.
    static constexpr std::size_t least_width = 128, most_width = 131'072, widening = 16;
    // A turn of the learning search has the width before over this as nodes, which take longer each.
    static constexpr std::size_t learning_part = 4;
    static constexpr std::size_t nogood_limit = 100'000;

    struct spent {
        budget limits;
        stopwatch clock{};
        std::int64_t nodes = 0;
        bool exhausted = false;
        bool complete = true;

        [[nodiscard]] budget rest() const { return limits.after(clock.seconds(), nodes); }
        [[nodiscard]] bool late() const { return exhausted || limits.is_over(clock.seconds()); }

        void add(const spending& search) {
            nodes += search.nodes();
            exhausted = nodes > limits.nodes || limits.is_over(clock.seconds());
        }
    };

    [[nodiscard]] static bool shorter(const certificate& found, double upper_s) {
        return found.best.makespan_s < upper_s * (1.0 - makespan_tolerance);
    }

    [[nodiscard]] list_scheduler lists(const spent& so_far) const {
        list_scheduler timed = incumbent;
        timed.limits = so_far.rest();
        return timed;
    }

    // Puts the best schedule of the block into `found`. Returns its bound, at least `bound_s`.
    double improve(const task_graph& problem, array_view<const graph::index> tasks,
                   const detail::extent& listed, double bound_s, schedule& found, tightened_workspace& memory,
                   spent& so_far) const {
        double upper_s = listed.end_s - listed.start_s;
        std::size_t width = least_width;
        for (;;) {
            spending bounding(so_far.rest());
            if (!memory.left(problem, tasks, upper_s, &bounding)) return upper_s;
            if (so_far.late()) {
                so_far.complete = so_far.complete && meets(upper_s, bound_s);
                return std::min(upper_s, bound_s);
            }
            const detail::reduced_block left(problem, tasks, memory.left);
            certificate again = lists(so_far)(left.problem(), memory.lists);
            if (!shorter(again, upper_s) && !meets(upper_s, again.lower_bound_s))
                again = search(left.problem(), again.best.mode, upper_s, width, memory, so_far);
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
    }

    // A schedule that is shorter than `upper_s`, where there is one and the limits allow to find it; it need
    // not be the shortest. The bound is at least `upper_s` where there is none. Two searches take turns, each
    // longer than the one before: few sets of tasks that begin a schedule are soon gone through, and a few
    // nogoods may refute what many sets do not. Leaves in `width` what it took.
    certificate search(const task_graph& left, array_view<const std::uint32_t> modes, double upper_s,
                       std::size_t& width, tightened_workspace& memory, spent& so_far) const {
        certificate answer;
        answer.best.makespan_s = std::numeric_limits<double>::infinity();
        const detail::tick_scale scale = detail::scale_of(left, left.order());
        const bool small = left.task_count() <= detail::small_block::most_tasks;
        if (small) memory.block.assign(left, scale, [&](std::size_t v) { return memory.left.tail_s(v); });
        for (;; width = width < most_width ? std::min(width * widening, most_width) : most_width + 1) {
            const bool last = !small || width > most_width;
            if (!last) begin(left, scale, upper_s, width, memory, answer, so_far);
            if (decided(answer, upper_s, so_far)) return answer;
            const auto turn = last ? so_far.limits.nodes : static_cast<std::int64_t>(width / learning_part);
            learn(left, modes, upper_s, turn, answer, so_far);
            if (last || decided(answer, upper_s, so_far)) return answer;
        }
    }

    // Whether a schedule was found, or that there is none, or the limits are reached.
    [[nodiscard]] static bool decided(const certificate& answer, double upper_s, const spent& so_far) {
        return shorter(answer, upper_s) || meets(upper_s, answer.lower_bound_s) || so_far.exhausted;
    }

    // Looks among the beginnings of schedules, `width` of one length.
    static void begin(const task_graph& left, const detail::tick_scale& scale, double upper_s,
                      std::size_t width, tightened_workspace& memory, certificate& answer, spent& so_far) {
        const detail::ticks limit = scale.shorter_than(upper_s);
        spending nodes(so_far.rest());
        const auto found = memory.cutsets(memory.block, limit, width, nodes);
        so_far.add(nodes);
        answer.lower_bound_s =
            std::max(answer.lower_bound_s, found.bound > limit ? upper_s : scale.at_least_s(found.bound));
        if (found.makespan != detail::small_block::never)
            answer.best = placed(left, memory.cutsets.start(), memory.cutsets.mode());
    }

    // Looks with at most `turn` nodes by learning from contradictions.
    static void learn(const task_graph& left, array_view<const std::uint32_t> modes, double upper_s,
                      std::int64_t turn, certificate& answer, spent& so_far) {
        budget rest = so_far.rest();
        rest.nodes = std::min(rest.nodes, turn);
        spending nodes(rest);
        detail::learning_search learning(left, left.order(), modes, upper_s, nogood_limit, nodes);
        const bool finished = learning.run();
        so_far.add(nodes);
        if (finished) answer.lower_bound_s = std::max(answer.lower_bound_s, learning.best_s());
        if (learning.best_start().empty()) return;
        std::vector<detail::ticks> start(left.task_count());
        std::vector<std::uint32_t> mode(left.task_count());
        for (std::size_t k = 0; k < left.task_count(); ++k) {
            start[left.order()[k]] = learning.best_start()[k];
            mode[left.order()[k]] = learning.best_mode()[k];
        }
        answer.best = placed(left, start, mode);
    }

    [[nodiscard]] static schedule placed(const task_graph& left, array_view<const detail::ticks> start,
                                         array_view<const std::uint32_t> mode) {
        return serial_schedule(left, order_by(left, std::vector<double>(start.begin(), start.end())), mode);
    }
};

} // namespace dovetail::schedule
