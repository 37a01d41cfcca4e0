#pragma once
/// \file
/// The order of tasks, one after another, that keeps the least memory alive.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// An order of all tasks, and what is proved about its peak.
struct memory_order {
    dovetail::status status = dovetail::status::feasible; ///< `optimal` where the peak meets the bound
    std::vector<graph::index> order;                      ///< a topological order of the tasks
    std::int64_t peak_bytes = 0;                          ///< the most that is live in it
    std::int64_t lower_bound_bytes = 0;                   ///< no order, and no schedule, keeps its peak below
    std::int64_t nodes = 0;                               ///< sets of tasks that the search looked at
};

/// What no schedule can avoid: at the start, at every task with all that it reads and makes, and at the end.
/// \complexity O(uses of buffers).
[[nodiscard]] inline std::int64_t unavoidable_bytes(const live_memory& memory) {
    std::int64_t kept = 0;
    for (std::size_t b = 0; b < memory.buffer_count(); ++b)
        if (memory.kept(b)) kept += memory.size_bytes(b);
    std::int64_t most = std::max(memory.initial_bytes(), kept);
    for (graph::index v = 0; v < memory.task_count(); ++v) {
        std::int64_t bytes = memory.workspace_bytes(v);
        for (const std::uint32_t b : memory.used_by(v)) bytes += memory.size_bytes(b);
        most = std::max(most, bytes);
    }
    return most;
}

/// Looks for the order of the least peak. No schedule that runs tasks at the same time has a lower peak:
/// taken one after another in the order of their starts (of equals, those that take no time first), each task
/// finds live no more than at its start in the schedule.
///
/// A greedy order comes first; then a search over sets of finished tasks, by rising peak, so that the first
/// one that holds every task is the answer (Dijkstra's algorithm with maxima for sums). A task that leaves no
/// more alive than it found, and does not lift the peak, is taken at once: putting it first hurts no
/// continuation. Deterministic, but for a limit in seconds.
struct least_memory_order {
    budget limits{.nodes = 200'000}; ///< sets of tasks, and seconds
    std::optional<std::int64_t>
        target_bytes{}; ///< where given, the search ends once it knows whether some order keeps to it

    /// \complexity exponential in the width of the graph at worst; memory of one set of tasks a node.
    [[nodiscard]] memory_order operator()(const task_graph& problem, const live_memory& memory) const;
};

namespace detail {

/// The tasks whose predecessors are all taken.
class ready_tasks {
public:
    explicit ready_tasks(const task_graph& problem) : problem_(&problem), waiting_(problem.task_count()) {
        for (graph::index v = 0; v < waiting_.size(); ++v) {
            waiting_[v] = problem.precedence().predecessors(v).size();
            if (waiting_[v] == 0) ready_.push_back(v);
        }
    }

    [[nodiscard]] array_view<const graph::index> list() const noexcept { return ready_; }

    void take(graph::index task) {
        ready_.erase(std::find(ready_.begin(), ready_.end(), task));
        for (const graph::index w : problem_->precedence().successors(task))
            if (--waiting_[w] == 0) ready_.push_back(w);
    }

private:
    const task_graph* problem_;
    std::vector<std::size_t> waiting_;
    std::vector<graph::index> ready_;
};

/// Where a run through an order stands: what is ready, what is live, and the most that was.
class memory_run {
public:
    /// Nothing has run; every peak counts as at least `floor_bytes`.
    memory_run(const task_graph& problem, const live_memory& memory, std::int64_t floor_bytes)
        : ready_(problem), meter_(memory), peak_(std::max(floor_bytes, meter_.live_bytes())) {}

    [[nodiscard]] array_view<const graph::index> ready() const noexcept { return ready_.list(); }
    [[nodiscard]] std::int64_t peak_bytes() const noexcept { return peak_; }
    [[nodiscard]] std::int64_t peak_with(graph::index task) const {
        return std::max(peak_, meter_.live_bytes_with(task));
    }
    [[nodiscard]] std::int64_t net_bytes(graph::index task) const { return meter_.net_bytes(task); }

    void run(graph::index task) {
        meter_.start(task);
        peak_ = std::max(peak_, meter_.live_bytes());
        meter_.end(task);
        ready_.take(task);
        order_.push_back(task);
    }
    /// Runs whatever neither lifts the peak nor leaves more alive than it found.
    void run_what_is_free() {
        for (;;) {
            const auto free = std::find_if(ready().begin(), ready().end(), [&](graph::index v) {
                return peak_with(v) == peak_ && net_bytes(v) <= 0;
            });
            if (free == ready().end()) return;
            run(*free);
        }
    }
    [[nodiscard]] const std::vector<graph::index>& order() const noexcept { return order_; }

private:
    ready_tasks ready_;
    memory_meter meter_;
    std::int64_t peak_;
    std::vector<graph::index> order_;
};

/// Always the ready task that lifts the peak least; of equals, the one that leaves least alive.
[[nodiscard]] inline memory_order greedy_memory_order(const task_graph& problem, const live_memory& memory) {
    memory_order found;
    found.lower_bound_bytes = unavoidable_bytes(memory);
    memory_run run(problem, memory, found.lower_bound_bytes);
    while (!run.ready().empty()) {
        const auto key = [&](graph::index v) { return std::tuple(run.peak_with(v), run.net_bytes(v), v); };
        run.run(*std::min_element(run.ready().begin(), run.ready().end(),
                                  [&](graph::index a, graph::index b) { return key(a) < key(b); }));
    }
    found.order = run.order();
    found.peak_bytes = run.peak_bytes();
    return found;
}

/// The search over sets of finished tasks.
class memory_order_search {
public:
    /// Starts from what is known.
    memory_order_search(const task_graph& problem, const live_memory& memory, memory_order& found)
        : problem_(&problem), start_(problem, memory, found.lower_bound_bytes), found_(&found) {}

    /// Improves the order and its bound until they meet, or the answer to `target_bytes` is known.
    void run(std::optional<std::int64_t> target_bytes, spending& spent) {
        memory_run first = start_;
        first.run_what_is_free();
        add(first, 0, 0);
        const auto decided = [&] {
            return target_bytes &&
                   (found_->peak_bytes <= *target_bytes || found_->lower_bound_bytes > *target_bytes);
        };
        while (found_->peak_bytes > found_->lower_bound_bytes && !decided()) {
            // Every set with a lower peak than the best order has been looked at.
            if (open_.empty()) {
                found_->lower_bound_bytes = found_->peak_bytes;
                return;
            }
            const entry top = open_.top();
            open_.pop();
            found_->lower_bound_bytes =
                std::min(found_->peak_bytes, std::max(found_->lower_bound_bytes, top.peak_bytes));
            if (!spent.spend_node()) return;
            expand(top.node);
        }
    }

private:
    using set = std::vector<std::uint64_t>;
    struct node {
        std::size_t parent;              // the node that it came from; the first is its own
        std::vector<graph::index> steps; // from there to here
    };
    struct entry {
        std::int64_t peak_bytes;
        std::size_t count; // tasks in the set
        std::size_t node;

        // Of equal peaks, the fuller set first: it is nearer to the end.
        friend bool operator<(const entry& a, const entry& b) noexcept {
            if (a.peak_bytes != b.peak_bytes) return a.peak_bytes > b.peak_bytes;
            if (a.count != b.count) return a.count < b.count;
            return a.node > b.node;
        }
    };

    void expand(std::size_t at) {
        std::vector<const std::vector<graph::index>*> steps{&nodes_[at].steps};
        for (std::size_t k = at; nodes_[k].parent != k; k = nodes_[k].parent)
            steps.push_back(&nodes_[nodes_[k].parent].steps);
        memory_run here = start_;
        for (auto s = steps.rbegin(); s != steps.rend(); ++s)
            for (const graph::index v : **s) here.run(v);
        for (const graph::index v : here.ready()) {
            memory_run next = here;
            next.run(v);
            next.run_what_is_free();
            add(next, at, here.order().size());
        }
    }

    // Takes note of the set that `run` has finished, unless it is no better than what is known.
    void add(const memory_run& run, std::size_t parent, std::size_t known_steps) {
        if (run.peak_bytes() >= found_->peak_bytes) return;
        if (run.ready().empty()) {
            found_->order = run.order();
            found_->peak_bytes = run.peak_bytes();
            return;
        }
        set finished((problem_->task_count() + 63) / 64, 0);
        for (const graph::index v : run.order()) finished[v / 64] |= std::uint64_t{1} << (v % 64);
        const auto [seen, is_new] = seen_.try_emplace(std::move(finished), run.peak_bytes());
        if (!is_new && seen->second <= run.peak_bytes()) return;
        seen->second = run.peak_bytes();
        nodes_.push_back(
            {parent, {run.order().begin() + static_cast<std::ptrdiff_t>(known_steps), run.order().end()}});
        open_.push({run.peak_bytes(), run.order().size(), nodes_.size() - 1});
    }

    const task_graph* problem_;
    memory_run start_;
    memory_order* found_;
    std::vector<node> nodes_;
    std::unordered_map<set, std::int64_t, bit_set_hash> seen_;
    std::priority_queue<entry> open_;
};

} // namespace detail

inline memory_order least_memory_order::operator()(const task_graph& problem,
                                                   const live_memory& memory) const {
    memory_order found = detail::greedy_memory_order(problem, memory);
    spending spent(limits);
    detail::memory_order_search(problem, memory, found).run(target_bytes, spent);
    found.nodes = spent.nodes();
    found.status = found.peak_bytes == found.lower_bound_bytes ? dovetail::status::optimal
                   : spent.exhausted()                         ? dovetail::status::budget
                                                               : dovetail::status::feasible;
    return found;
}

} // namespace dovetail::schedule
