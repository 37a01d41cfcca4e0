#pragma once
/// \file
/// One block of a scheduling problem by itself: its tasks, the paths between them, and how long it takes.

#include <dovetail/core/array_view.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace dovetail::schedule::formulation {

/// A block of `task_graph::block_ends` with its own time, which starts where the block before ends. Tasks are
/// called by their positions in the block's topological order; `source()` and `sink()` stand for the moments
/// before and after all of them.
class block_paths {
public:
    /// \param tasks of the block, in topological order
    /// \param bound_s no schedule of the block is shorter
    /// \param listed a schedule of the whole problem
    /// \complexity O(tasks * (tasks + arcs)).
    block_paths(const task_graph& problem, const relaxation& relaxed, array_view<const graph::index> tasks,
                double bound_s, const schedule& listed)
        : tasks_(tasks), shortest_s_(tasks.size() + 2, 0.0),
          gap_s_((tasks.size() + 2) * (tasks.size() + 2), no_path), bound_s_(bound_s) {
        double first_s = std::numeric_limits<double>::infinity(), last_s = 0.0;
        std::vector<std::size_t> position(problem.task_count(), tasks.size());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const graph::index v = tasks[i];
            position[v] = i;
            shortest_s_[i] = relaxed.shortest_s()[v];
            first_s = std::min(first_s, listed.start_s[v]);
            last_s = std::max(last_s, listed.start_s[v] + problem.modes(v)[listed.mode[v]].duration_s);
        }
        horizon_s_ = std::max(bound_s, last_s - first_s);
        // From every place forward: the order is topological, and the end comes last.
        for (std::size_t k = 0; k <= tasks.size(); ++k) {
            const std::size_t from = k < tasks.size() ? k : source();
            for (std::size_t i = 0; i < tasks.size(); ++i) {
                double& reached = gap(from, i);
                if (from == source()) reached = 0.0;
                for (const graph::index u : problem.precedence().predecessors(tasks[i])) {
                    const std::size_t before = position[u];
                    if (before == tasks.size()) continue; // of another block
                    if (before == from)
                        reached = std::max(reached, 0.0);
                    else if (gap(from, before) != no_path)
                        reached = std::max(reached, gap(from, before) + shortest_s_[before]);
                }
                if (reached != no_path)
                    gap(from, sink()) = std::max(gap(from, sink()), reached + shortest_s_[i]);
            }
            if (from != source()) gap(from, sink()) = std::max(gap(from, sink()), 0.0);
        }
    }

    /// Number of tasks.
    [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
    /// The number of a task in the problem.
    [[nodiscard]] graph::index task(std::size_t i) const { return tasks_[i]; }
    /// The moment before all tasks.
    [[nodiscard]] std::size_t source() const noexcept { return tasks_.size(); }
    /// The moment after all tasks.
    [[nodiscard]] std::size_t sink() const noexcept { return tasks_.size() + 1; }

    /// Whether `before` ends before `after` starts in every schedule.
    [[nodiscard]] bool precedes(std::size_t before, std::size_t after) const {
        return gap_s_[before * (size() + 2) + after] != no_path;
    }
    /// Neither precedes the other.
    [[nodiscard]] bool incomparable(std::size_t i, std::size_t j) const {
        return i != j && !precedes(i, j) && !precedes(j, i);
    }
    /// The least time from the end of one place to the start of another that it precedes.
    [[nodiscard]] double gap_s(std::size_t before, std::size_t after) const {
        return gap_s_[before * (size() + 2) + after];
    }
    /// The earliest start of a task.
    [[nodiscard]] double head_s(std::size_t i) const { return gap_s(source(), i); }
    /// The least time from the end of a task to the end of the block.
    [[nodiscard]] double tail_s(std::size_t i) const { return gap_s(i, sink()); }
    /// The shortest duration of a task; 0 of the two places that are none.
    [[nodiscard]] double shortest_s(std::size_t i) const { return shortest_s_[i]; }
    /// No schedule of the block is shorter.
    [[nodiscard]] double bound_s() const noexcept { return bound_s_; }
    /// Some best schedule of the problem spends no more on the block: what the given one does.
    [[nodiscard]] double horizon_s() const noexcept { return horizon_s_; }

private:
    static constexpr double no_path = -1.0;

    double& gap(std::size_t from, std::size_t to) { return gap_s_[from * (size() + 2) + to]; }

    array_view<const graph::index> tasks_; // of the problem, which outlives this
    std::vector<double> shortest_s_;
    std::vector<double> gap_s_;
    double bound_s_;
    double horizon_s_ = 0.0;
};

} // namespace dovetail::schedule::formulation
