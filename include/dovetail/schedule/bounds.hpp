#pragma once
/// \file
/// Lower bounds on the makespan: the critical path, and each resource's load between its first and last use.

#include <dovetail/core/array_view.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

namespace dovetail::schedule {

/// Units times seconds, of every resource.
using work = std::array<double, max_resources>;

/// What a task needs at least, each respect by itself: the modes that attain them may differ.
struct least_needs {
    double duration_s = std::numeric_limits<double>::infinity(); ///< of the shortest mode
    work work_s{}; ///< of the mode that works least on the resource

    /// Over the modes that stay within the capacities, of which there is at least one.
    constexpr least_needs(array_view<const mode> modes, const demand& capacity) noexcept {
        work_s.fill(std::numeric_limits<double>::infinity());
        for (const mode& m : modes) {
            if (!fits(m.use, capacity)) continue;
            duration_s = std::min(duration_s, m.duration_s);
            for (std::size_t r = 0; r < max_resources; ++r)
                work_s[r] = std::min(work_s[r], m.duration_s * m.use[r]);
        }
    }
};

/// A problem relaxed to the least needs of its tasks. Its memory is kept from one problem to the next.
class relaxation {
public:
    constexpr relaxation() = default;
    /// The relaxation of `problem`.
    constexpr explicit relaxation(const task_graph& problem) { assign(problem); }

    /// Takes another problem. \complexity O(arcs + modes); no allocation once the memory has grown.
    constexpr void assign(const task_graph& problem) {
        const std::size_t n = problem.task_count();
        shortest_s_.assign(n, 0.0);
        work_s_.assign(n, work{});
        head_s_.assign(n, 0.0);
        tail_s_.assign(n, 0.0);
        load_s_ = {};
        critical_path_s_ = lower_bound_s_ = 0.0;
        block_bound_s_.clear();
        std::size_t begin = 0;
        for (const graph::index end : problem.block_ends()) {
            const array_view<const graph::index> block = problem.order().subspan(begin, end - begin);
            block_bound_s_.push_back(assign_block(problem, block));
            for (const graph::index v : block) head_s_[v] += lower_bound_s_;
            lower_bound_s_ += block_bound_s_.back();
            begin = end;
        }
        double after_s = 0.0;
        std::size_t current = block_bound_s_.size();
        for (auto v = problem.order().rbegin(); v != problem.order().rend(); ++v) {
            for (; problem.block(*v) + 1 < current; --current) after_s += block_bound_s_[current - 1];
            tail_s_[*v] += after_s;
        }
    }

    /// Of every task: the duration of its shortest mode.
    [[nodiscard]] constexpr array_view<const double> shortest_s() const noexcept { return shortest_s_; }
    /// Of every task: the least that it asks of every resource.
    [[nodiscard]] constexpr array_view<const work> work_s() const noexcept { return work_s_; }
    /// Of every task: no schedule starts it earlier.
    [[nodiscard]] constexpr array_view<const double> head_s() const noexcept { return head_s_; }
    /// Of every task: no schedule ends sooner after the task's own end.
    [[nodiscard]] constexpr array_view<const double> tail_s() const noexcept { return tail_s_; }

    /// The heaviest path of shortest modes.
    [[nodiscard]] constexpr double critical_path_s() const noexcept { return critical_path_s_; }

    /// Of every resource: the least work of all tasks over the capacity.
    [[nodiscard]] constexpr const work& load_s() const noexcept { return load_s_; }

    /// No schedule is shorter: the sum over the blocks of `task_graph::block_ends` of each one's critical
    /// path or, if larger, its largest load. Here the load counts the smallest head and tail, in the block,
    /// of the tasks that cannot do without the resource: before and after them it idles.
    [[nodiscard]] constexpr double lower_bound_s() const noexcept { return lower_bound_s_; }

    /// Of every block of `task_graph::block_ends`: its part of the bound.
    [[nodiscard]] constexpr array_view<const double> block_bound_s() const noexcept { return block_bound_s_; }

private:
    // The bound of one block; its heads and tails, counted from its own ends.
    constexpr double assign_block(const task_graph& problem, array_view<const graph::index> block) {
        double path_s = 0.0;
        for (const graph::index v : block) {
            const least_needs least(problem.modes(v), problem.capacity());
            shortest_s_[v] = least.duration_s;
            work_s_[v] = least.work_s;
            const double end_s = head_s_[v] + least.duration_s;
            path_s = std::max(path_s, end_s);
            for (const graph::index w : problem.precedence().successors(v))
                if (problem.block(w) == problem.block(v)) head_s_[w] = std::max(head_s_[w], end_s);
        }
        for (auto v = block.rbegin(); v != block.rend(); ++v)
            for (const graph::index w : problem.precedence().successors(*v))
                if (problem.block(w) == problem.block(*v))
                    tail_s_[*v] = std::max(tail_s_[*v], shortest_s_[w] + tail_s_[w]);
        critical_path_s_ += path_s;

        double bound_s = path_s;
        for (std::size_t r = 0; r < max_resources; ++r) {
            double total = 0.0;
            double first_s = std::numeric_limits<double>::infinity();
            double last_s = first_s;
            for (const graph::index v : block) {
                if (work_s_[v][r] == 0.0) continue;
                total += work_s_[v][r];
                first_s = std::min(first_s, head_s_[v]);
                last_s = std::min(last_s, tail_s_[v]);
            }
            if (total == 0.0) continue;
            total /= problem.capacity()[r];
            load_s_[r] += total;
            bound_s = std::max(bound_s, first_s + total + last_s);
        }
        return bound_s;
    }

    std::vector<double> shortest_s_, head_s_, tail_s_;
    std::vector<work> work_s_;
    std::vector<double> block_bound_s_;
    work load_s_{};
    double critical_path_s_ = 0.0;
    double lower_bound_s_ = 0.0;
};

/// A makespan that no schedule of `problem` can beat: see `relaxation::lower_bound_s`.
[[nodiscard]] constexpr double lower_bound_s(const task_graph& problem) {
    return relaxation(problem).lower_bound_s();
}

} // namespace dovetail::schedule
