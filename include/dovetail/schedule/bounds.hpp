#pragma once
/// \file
/// Lower bounds on the makespan: the critical path, and each resource's load between its first and last use.

#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace dovetail::schedule {

/// Units times seconds, of every resource.
using work = std::array<double, max_resources>;

/// What a task needs at least, each respect by itself: the modes that attain them may differ.
struct least_needs {
    double duration_s = std::numeric_limits<double>::infinity();
    work work_s{};

    /// Over the modes that stay within the capacities, of which there is at least one.
    constexpr least_needs(std::span<const mode> modes, const demand& capacity) noexcept {
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
    constexpr explicit relaxation(const task_graph& problem) { assign(problem); }

    /// Takes another problem. \complexity O(arcs + modes); no allocation once the memory has grown.
    constexpr void assign(const task_graph& problem) {
        const std::size_t n = problem.task_count();
        shortest_s_.resize(n);
        work_s_.resize(n);
        head_s_.assign(n, 0.0);
        tail_s_.assign(n, 0.0);
        critical_path_s_ = 0.0;
        const std::span<const graph::index> order = problem.order();
        for (const graph::index v : order) {
            const least_needs least(problem.modes(v), problem.capacity());
            shortest_s_[v] = least.duration_s;
            work_s_[v] = least.work_s;
            const double end_s = head_s_[v] + least.duration_s;
            critical_path_s_ = std::max(critical_path_s_, end_s);
            for (const graph::index w : problem.precedence().successors(v))
                head_s_[w] = std::max(head_s_[w], end_s);
        }
        for (auto v = order.rbegin(); v != order.rend(); ++v)
            for (const graph::index w : problem.precedence().successors(*v))
                tail_s_[*v] = std::max(tail_s_[*v], shortest_s_[w] + tail_s_[w]);
        measure_loads(problem.capacity());
    }

    /// Of every task: the duration of its shortest mode.
    [[nodiscard]] constexpr std::span<const double> shortest_s() const noexcept { return shortest_s_; }
    /// Of every task: the least that it asks of every resource.
    [[nodiscard]] constexpr std::span<const work> work_s() const noexcept { return work_s_; }
    /// Of every task: no schedule starts it earlier.
    [[nodiscard]] constexpr std::span<const double> head_s() const noexcept { return head_s_; }
    /// Of every task: no schedule ends sooner after the task's own end.
    [[nodiscard]] constexpr std::span<const double> tail_s() const noexcept { return tail_s_; }

    /// The heaviest path of shortest modes.
    [[nodiscard]] constexpr double critical_path_s() const noexcept { return critical_path_s_; }

    /// For every resource: the smallest head of the tasks that cannot do without it, plus their least work
    /// over the capacity, plus their smallest tail. 0 for a resource that every task can avoid.
    [[nodiscard]] constexpr const work& load_s() const noexcept { return load_s_; }

    /// The largest of all these: no schedule is shorter.
    [[nodiscard]] constexpr double lower_bound_s() const noexcept {
        return std::max(critical_path_s_, *std::max_element(load_s_.begin(), load_s_.end()));
    }

private:
    constexpr void measure_loads(const demand& capacity) {
        for (std::size_t r = 0; r < max_resources; ++r) {
            double total = 0.0;
            double first = std::numeric_limits<double>::infinity();
            double last = first;
            for (std::size_t v = 0; v < work_s_.size(); ++v) {
                if (work_s_[v][r] == 0.0) continue;
                total += work_s_[v][r];
                first = std::min(first, head_s_[v]);
                last = std::min(last, tail_s_[v]);
            }
            load_s_[r] = total > 0.0 ? first + total / capacity[r] + last : 0.0;
        }
    }

    std::vector<double> shortest_s_, head_s_, tail_s_;
    std::vector<work> work_s_;
    work load_s_{};
    double critical_path_s_ = 0.0;
};

/// A makespan that no schedule of `problem` can beat: see `relaxation::lower_bound_s`.
[[nodiscard]] constexpr double lower_bound_s(const task_graph& problem) {
    return relaxation(problem).lower_bound_s();
}

} // namespace dovetail::schedule
