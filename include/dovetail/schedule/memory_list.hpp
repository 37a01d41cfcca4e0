#pragma once
/// \file
/// Schedules under a memory limit that are found fast: lists that can always be carried on.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// An order that follows `priority` as far as memory allows. A task is taken only where what is left can be
/// finished within the limit in the order of `safe`, as in the banker's algorithm (Dijkstra, EWD 108), so
/// that the order itself keeps to the limit. \param safe an order whose peak is at most `limit_bytes`
/// \param priority one key a task; of the ready ones the smallest comes first
/// \complexity O(tasks^2 * (ready tasks + uses of buffers a task)).
[[nodiscard]] inline std::vector<graph::index>
safe_order_by(const task_graph& problem, const live_memory& memory, std::int64_t limit_bytes,
              array_view<const graph::index> safe, array_view<const double> priority);

/// Places tasks whose starts may only rise along `order`: each as soon as its predecessors have ended, its
/// units are free and its bytes fit, in the mode that ends first. An order that keeps to the limit always
/// gives a schedule: a task that waits for all before it to end finds what it found in the order.
/// \param order a topological order whose peak is at most `limit_bytes`
/// \complexity O(tasks * (modes * tasks + uses of buffers a task)).
[[nodiscard]] inline schedule schedule_in_order(const task_graph& problem, const live_memory& memory,
                                                std::int64_t limit_bytes,
                                                array_view<const graph::index> order);

namespace detail {

/// Tasks that run now, by rising end, and the units that they leave free.
class running_tasks {
public:
    explicit running_tasks(const demand& capacity) : free_(capacity) {}

    [[nodiscard]] bool empty() const noexcept { return running_.empty(); }
    [[nodiscard]] double first_end_s() const { return running_.front().end_s; }

    /// The first time from `time_s` on at which `use` fits, if nothing else starts.
    [[nodiscard]] double earliest_s(double time_s, const demand& use) const {
        demand free = free_;
        for (const held& h : running_) {
            if (fits(use, free)) break;
            time_s = std::max(time_s, h.end_s);
            for (std::size_t r = 0; r < max_resources; ++r) free[r] += h.use[r];
        }
        return time_s;
    }
    void start(graph::index task, double end_s, const demand& use) {
        const auto after =
            std::find_if(running_.begin(), running_.end(), [&](const held& h) { return h.end_s > end_s; });
        running_.insert(after, {task, end_s, use});
        for (std::size_t r = 0; r < max_resources; ++r) free_[r] -= use[r];
    }
    /// Ends the first.
    graph::index end_first() {
        const held first = running_.front();
        running_.erase(running_.begin());
        for (std::size_t r = 0; r < max_resources; ++r) free_[r] += first.use[r];
        return first.task;
    }

private:
    struct held {
        graph::index task;
        double end_s;
        demand use;
    };

    demand free_;
    std::vector<held> running_;
};

} // namespace detail

inline std::vector<graph::index> safe_order_by(const task_graph& problem, const live_memory& memory,
                                               std::int64_t limit_bytes, array_view<const graph::index> safe,
                                               array_view<const double> priority) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(safe.size() == n && priority.size() == n, "one place and one key a task");
    std::vector<graph::index> left(safe.begin(), safe.end());
    std::vector<graph::index> order;
    std::vector<graph::index> candidates;
    std::vector<std::size_t> waiting(n);
    for (graph::index v = 0; v < n; ++v) waiting[v] = problem.precedence().predecessors(v).size();
    memory_meter meter(memory);
    while (!left.empty()) {
        candidates.clear();
        for (const graph::index v : left)
            if (waiting[v] == 0 && meter.live_bytes_with(v) <= limit_bytes) candidates.push_back(v);
        std::sort(candidates.begin(), candidates.end(), [&](graph::index a, graph::index b) {
            return std::pair(priority[a], a) < std::pair(priority[b], b);
        });
        // The first of `left` can always go on.
        const auto can_go_on = [&](graph::index v) {
            memory_meter after = meter;
            after.start(v);
            after.end(v);
            return std::all_of(left.begin(), left.end(), [&](graph::index u) {
                if (u == v) return true;
                after.start(u);
                const bool within = after.live_bytes() <= limit_bytes;
                after.end(u);
                return within;
            });
        };
        const auto next = std::find_if(candidates.begin(), candidates.end(), can_go_on);
        DOVETAIL_ASSERT(next != candidates.end(), "the safe order exceeds the limit");
        meter.start(*next);
        meter.end(*next);
        order.push_back(*next);
        left.erase(std::find(left.begin(), left.end(), *next));
        for (const graph::index w : problem.precedence().successors(*next)) --waiting[w];
    }
    return order;
}

inline schedule schedule_in_order(const task_graph& problem, const live_memory& memory,
                                  std::int64_t limit_bytes, array_view<const graph::index> order) {
    const std::size_t n = problem.task_count();
    DOVETAIL_ASSERT(order.size() == n, "the order must hold every task");
    schedule made;
    made.start_s.assign(n, 0.0);
    made.mode.assign(n, 0);
    std::vector<double> end_s(n, 0.0);
    detail::running_tasks running(problem.capacity());
    memory_meter meter(memory);
    double time_s = 0.0;
    const auto pass_until = [&](double until_s) {
        time_s = std::max(time_s, until_s);
        while (!running.empty() && running.first_end_s() <= time_s) meter.end(running.end_first());
    };
    for (const graph::index v : order) {
        double ready_s = time_s;
        for (const graph::index u : problem.precedence().predecessors(v))
            ready_s = std::max(ready_s, end_s[u]);
        pass_until(ready_s);
        while (meter.live_bytes_with(v) > limit_bytes) {
            DOVETAIL_ASSERT(!running.empty(), "the order exceeds the limit");
            pass_until(running.first_end_s());
        }
        double start_s = 0.0;
        end_s[v] = std::numeric_limits<double>::infinity();
        const array_view<const mode> modes = problem.modes(v);
        for (std::uint32_t k = 0; k < modes.size(); ++k) {
            if (!fits(modes[k].use, problem.capacity())) continue;
            const bool instant = modes[k].duration_s == 0.0;
            const double from_s = instant ? time_s : running.earliest_s(time_s, modes[k].use);
            if (from_s + modes[k].duration_s >= end_s[v]) continue;
            start_s = from_s;
            end_s[v] = from_s + modes[k].duration_s;
            made.mode[v] = k;
        }
        pass_until(start_s);
        made.start_s[v] = start_s;
        made.makespan_s = std::max(made.makespan_s, end_s[v]);
        meter.start(v);
        const mode& chosen = modes[made.mode[v]];
        if (end_s[v] > start_s)
            running.start(v, end_s[v], chosen.use);
        else
            meter.end(v);
    }
    return made;
}

} // namespace dovetail::schedule
