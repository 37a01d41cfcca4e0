#pragma once
/// \file
/// The tree behind the exact scheduler under a memory limit: which tasks start whenever one has ended.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/memory_bound.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/schedule/useful_modes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::schedule::detail {

/// Depth-first search forward in time. Under a memory limit it can pay to wait with a task that could start,
/// so a branch chooses, at time 0 and whenever a task has ended, any set of tasks that fit, the empty one
/// included. Those times are enough: between two ends nothing comes free, so every start in between can move
/// to the earlier one. A task that takes no time holds nothing and starts as soon as it may. Not looked at
/// are
///  - a mode, where another is neither longer nor larger;
///  - what its bound shows to be no better than the incumbent;
///  - a state whose tasks another state of the same tasks ends no later: that one can wait and do the same.
class memory_search {
public:
    /// Looks for a schedule that is shorter than `incumbent_s`.
    memory_search(const task_graph& problem, const live_memory& memory, const relaxation& relaxed,
                  std::int64_t limit_bytes, double incumbent_s, std::size_t memory_limit, spending& spent);

    /// Whether the tree was searched to its end.
    bool run() { return explore(0.0, true); }

    /// The shortest schedule found; without tasks when nothing beats the incumbent.
    [[nodiscard]] const schedule& best() const noexcept { return best_; }

private:
    using set = std::vector<std::uint64_t>;
    struct held {
        graph::index task;
        double end_s;
        demand use;
    };
    struct state {
        double time_s;
        std::vector<held> running;
    };

    bool explore(double time_s, bool is_new);
    bool choose(double time_s, array_view<const graph::index> candidates, std::size_t from, bool is_new);
    bool advance(bool is_new);
    void start(graph::index v, std::uint32_t k, double time_s);
    void take_back_start(graph::index v);
    void end(graph::index v);
    void take_back_end(graph::index v);
    [[nodiscard]] bool is_started(graph::index v) const { return (started_[v / 64] >> (v % 64) & 1) != 0; }
    [[nodiscard]] double bound(double time_s);
    [[nodiscard]] bool dominated(double time_s);
    [[nodiscard]] bool beaten(double bound_s) const noexcept {
        return bound_s >= best_.makespan_s * (1.0 - makespan_tolerance);
    }

    const task_graph& problem_;
    const relaxation& relaxed_;
    double limit_bytes_;
    std::size_t memory_limit_;
    spending& spent_;

    std::vector<std::vector<std::uint32_t>> useful_; // modes that no other one dominates
    std::vector<double> memory_work_;                // of every task: of what it makes and of its workspace
    double memory_work_left_ = 0.0;
    memory_meter meter_;
    demand free_;
    set started_;
    std::size_t started_count_ = 0;
    std::vector<std::size_t> waiting_;
    std::vector<held> running_; // in the order of their starts
    std::vector<double> end_s_, earliest_s_;
    schedule trial_, best_;
    std::unordered_map<set, std::vector<state>, bit_set_hash> seen_;
    std::size_t remembered_ = 0;
};

inline memory_search::memory_search(const task_graph& problem, const live_memory& memory,
                                    const relaxation& relaxed, std::int64_t limit_bytes, double incumbent_s,
                                    std::size_t memory_limit, spending& spent)
    : problem_(problem), relaxed_(relaxed), limit_bytes_(static_cast<double>(limit_bytes)),
      memory_limit_(memory_limit), spent_(spent), useful_(problem.task_count()),
      memory_work_(problem.task_count(), 0.0), meter_(memory), free_(problem.capacity()),
      started_((problem.task_count() + 63) / 64, 0), waiting_(problem.task_count()),
      end_s_(problem.task_count()), earliest_s_(problem.task_count()) {
    best_.makespan_s = incumbent_s;
    trial_.start_s.resize(problem.task_count());
    trial_.mode.resize(problem.task_count());
    const std::vector<double> life_s = shortest_lives_s(problem, memory, relaxed);
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        waiting_[v] = problem.precedence().predecessors(v).size();
        useful_[v] = useful_modes(problem.modes(v), problem.capacity());
        memory_work_[v] = static_cast<double>(memory.workspace_bytes(v)) * relaxed.shortest_s()[v];
        for (const std::uint32_t b : memory.used_by(v))
            if (memory.producer(b) == v)
                memory_work_[v] += static_cast<double>(memory.size_bytes(b)) * life_s[b];
        memory_work_left_ += memory_work_[v];
    }
}

// `is_new`: tasks have started since the state that this one comes from; if not, this is how that one waits,
// and it must not be compared with it.
inline bool memory_search::explore(double time_s, bool is_new) {
    if (!spent_.spend_node()) return false;
    std::vector<graph::index> instant;
    const auto is_ready = [&](graph::index v) { return waiting_[v] == 0 && !is_started(v); };
    for (const graph::index v : problem_.order()) {
        if (!is_ready(v)) continue;
        // The only useful mode of a task that may take no time.
        const std::uint32_t k = useful_[v].front();
        if (problem_.modes(v)[k].duration_s > 0.0) continue;
        start(v, k, time_s);
        end(v);
        instant.push_back(v);
    }
    bool complete = true;
    if (started_count_ == problem_.task_count()) {
        double makespan_s = time_s;
        for (const held& h : running_) makespan_s = std::max(makespan_s, h.end_s);
        if (makespan_s < best_.makespan_s) {
            best_ = trial_;
            best_.makespan_s = makespan_s;
        }
    } else if (!beaten(bound(time_s)) && !(is_new && dominated(time_s))) {
        std::vector<graph::index> candidates;
        for (const graph::index v : problem_.order())
            if (is_ready(v)) candidates.push_back(v);
        const auto remaining_s = [&](graph::index v) {
            return relaxed_.shortest_s()[v] + relaxed_.tail_s()[v];
        };
        sort_stably(candidates.begin(), candidates.end(),
                    [&](graph::index a, graph::index b) { return remaining_s(a) > remaining_s(b); });
        complete = choose(time_s, candidates, 0, !instant.empty());
    }
    for (auto v = instant.rbegin(); v != instant.rend(); ++v) {
        take_back_end(*v);
        take_back_start(*v);
    }
    return complete;
}

// Every set of candidates from position `from` on, larger sets first, each followed by what comes after it.
inline bool memory_search::choose(double time_s, array_view<const graph::index> candidates, std::size_t from,
                                  bool is_new) {
    for (std::size_t c = from; c < candidates.size(); ++c) {
        const graph::index v = candidates[c];
        if (static_cast<double>(meter_.live_bytes_with(v)) > limit_bytes_) continue;
        for (const std::uint32_t k : useful_[v]) {
            const mode& m = problem_.modes(v)[k];
            if (!fits(m.use, free_)) continue;
            if (beaten(time_s + m.duration_s + relaxed_.tail_s()[v])) continue;
            start(v, k, time_s);
            running_.push_back({v, end_s_[v], m.use});
            for (std::size_t r = 0; r < max_resources; ++r) free_[r] -= m.use[r];
            const bool complete = choose(time_s, candidates, c + 1, true);
            for (std::size_t r = 0; r < max_resources; ++r) free_[r] += m.use[r];
            running_.pop_back();
            take_back_start(v);
            if (!complete) return false;
        }
    }
    return running_.empty() || advance(is_new);
}

// Time passes until the next task ends.
inline bool memory_search::advance(bool is_new) {
    double time_s = std::numeric_limits<double>::infinity();
    for (const held& h : running_) time_s = std::min(time_s, h.end_s);
    const std::vector<held> before = running_;
    for (const held& h : before) {
        if (h.end_s > time_s) continue;
        end(h.task);
        for (std::size_t r = 0; r < max_resources; ++r) free_[r] += h.use[r];
    }
    std::erase_if(running_, [&](const held& h) { return h.end_s <= time_s; });
    const bool complete = explore(time_s, is_new);
    running_ = before;
    for (auto h = before.rbegin(); h != before.rend(); ++h) {
        if (h->end_s > time_s) continue;
        for (std::size_t r = 0; r < max_resources; ++r) free_[r] -= h->use[r];
        take_back_end(h->task);
    }
    return complete;
}

inline void memory_search::start(graph::index v, std::uint32_t k, double time_s) {
    trial_.start_s[v] = time_s;
    trial_.mode[v] = k;
    end_s_[v] = time_s + problem_.modes(v)[k].duration_s;
    started_[v / 64] |= std::uint64_t{1} << (v % 64);
    ++started_count_;
    meter_.start(v);
    memory_work_left_ -= memory_work_[v];
}

inline void memory_search::take_back_start(graph::index v) {
    memory_work_left_ += memory_work_[v];
    meter_.take_back_start(v);
    --started_count_;
    started_[v / 64] &= ~(std::uint64_t{1} << (v % 64));
}

inline void memory_search::end(graph::index v) {
    meter_.end(v);
    for (const graph::index w : problem_.precedence().successors(v)) --waiting_[w];
}

inline void memory_search::take_back_end(graph::index v) {
    for (const graph::index w : problem_.precedence().successors(v)) ++waiting_[w];
    meter_.take_back_end(v);
}

// Critical path of what is left, and what every resource and the memory have still to do from `time_s` on.
inline double memory_search::bound(double time_s) {
    work left_s{}, last_s{};
    last_s.fill(std::numeric_limits<double>::infinity());
    double bound_s = time_s + memory_work_left_ * (1.0 - 1e-9) / limit_bytes_;
    for (const graph::index v : problem_.order()) {
        const double tail_s = relaxed_.tail_s()[v];
        work needed_s = relaxed_.work_s()[v];
        if (is_started(v)) {
            earliest_s_[v] = end_s_[v];
            const double rest_s = std::max(0.0, end_s_[v] - time_s);
            for (std::size_t r = 0; r < max_resources; ++r)
                needed_s[r] = rest_s * problem_.modes(v)[trial_.mode[v]].use[r];
        } else {
            double ready_s = time_s;
            for (const graph::index u : problem_.precedence().predecessors(v))
                ready_s = std::max(ready_s, earliest_s_[u]);
            earliest_s_[v] = ready_s + relaxed_.shortest_s()[v];
        }
        bound_s = std::max(bound_s, earliest_s_[v] + tail_s);
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (needed_s[r] == 0.0) continue;
            left_s[r] += needed_s[r];
            last_s[r] = std::min(last_s[r], tail_s);
        }
    }
    for (std::size_t r = 0; r < max_resources; ++r)
        if (left_s[r] > 0.0)
            bound_s = std::max(bound_s, time_s + left_s[r] / problem_.capacity()[r] + last_s[r]);
    return bound_s;
}

// Whether a state seen before, of the same tasks, allows whatever this one allows; if not, this one is
// remembered.
inline bool memory_search::dominated(double time_s) {
    const auto allows_more = [&](const state& s) {
        return s.time_s <= time_s && std::all_of(s.running.begin(), s.running.end(), [&](const held& h) {
                   if (h.end_s <= time_s) return true;
                   return h.end_s <= end_s_[h.task] &&
                          fits(h.use, problem_.modes(h.task)[trial_.mode[h.task]].use);
               });
    };
    const auto found = seen_.find(started_);
    if (found != seen_.end() && std::any_of(found->second.begin(), found->second.end(), allows_more))
        return true;
    if (remembered_ == memory_limit_) return false;
    ++remembered_;
    seen_[started_].push_back({time_s, running_});
    return false;
}

} // namespace dovetail::schedule::detail
