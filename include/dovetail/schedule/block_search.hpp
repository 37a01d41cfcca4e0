#pragma once
/// \file
/// The tree behind the exact scheduler: one block of tasks, placed by rising start.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

namespace dovetail::schedule::detail {

/// Depth-first search over partial schedules of one block. A child places one more task, in one of its modes,
/// at its earliest start not before the last one placed; every active schedule has such a path, in the order
/// of its starts. Times count from the start of the block. Not placed in the tree are
///  - a mode, where another is neither longer nor larger;
///  - a task that would start when another one could have ended already: that one fits in before;
///  - what its bound shows to be no better than the incumbent;
///  - a partial schedule of the same tasks as one seen before that leaves no more free, at no time (the
///  cut-set
///    rule of Demeulemeester and Herroelen, Management Science 38, 1992, here with modes).
class block_search {
public:
    /// Looks for a schedule of the tasks `block`, all of one block of `problem`, shorter than `incumbent_s`.
    block_search(const task_graph& problem, const relaxation& relaxed, std::span<const graph::index> block,
                 double incumbent_s, std::size_t memory_limit, spending& spent);

    /// Whether the tree was searched to its end.
    bool run() { return explore(0.0); }

    [[nodiscard]] double best_s() const noexcept { return best_s_; }
    /// Starts and modes of the tasks, in the order of the block; empty when nothing beats the incumbent.
    [[nodiscard]] std::span<const double> best_start_s() const noexcept { return best_start_s_; }
    [[nodiscard]] std::span<const std::uint32_t> best_mode() const noexcept { return best_mode_; }

private:
    using local = std::uint32_t; // position in the block

    struct task {
        double shortest_s;
        double tail_s;
        work least_work_s;
        std::vector<local> before, after;
        std::vector<std::uint32_t> candidates; // modes that no other one dominates
        std::span<const mode> modes;
    };
    struct child {
        local task;
        std::uint32_t mode;
        double start_s;
        double bound_s;
    };
    struct held {
        local task;
        double end_s;
        demand use;
    };
    struct state {
        double time_s;
        std::vector<held> running;
    };
    struct word_hash {
        std::size_t operator()(const std::vector<std::uint64_t>& words) const noexcept {
            std::uint64_t h = 0;
            for (const std::uint64_t word : words) h = mix(h ^ word);
            return static_cast<std::size_t>(h);
        }
    };

    bool explore(double time_s);
    void list_children(double time_s);
    void place(const child& c);
    void take_back(local v);
    [[nodiscard]] double earliest_start(double time_s, local v, const mode& m) const;
    [[nodiscard]] double bound(double time_s);
    [[nodiscard]] bool dominated(double time_s);
    void keep();

    const mode& running_mode(local v) const { return tasks_[v].modes[mode_[v]]; }
    bool beaten(double bound_s) const noexcept { return bound_s >= best_s_ * (1.0 - makespan_tolerance); }

    demand capacity_;
    std::vector<task> tasks_;
    spending& spent_;
    std::size_t memory_limit_;

    std::vector<local> placed_; // in the order of their starts
    std::vector<std::uint64_t> is_placed_;
    std::vector<std::uint32_t> waiting_, mode_;
    std::vector<double> start_s_, end_s_, earliest_s_;
    std::vector<child> children_; // of every node on the path, a stack
    std::unordered_map<std::vector<std::uint64_t>, std::vector<state>, word_hash> seen_;
    std::size_t remembered_ = 0;

    double best_s_;
    std::vector<double> best_start_s_;
    std::vector<std::uint32_t> best_mode_;
};

inline block_search::block_search(const task_graph& problem, const relaxation& relaxed,
                                  std::span<const graph::index> block, double incumbent_s,
                                  std::size_t memory_limit, spending& spent)
    : capacity_(problem.capacity()), tasks_(block.size()), spent_(spent), memory_limit_(memory_limit),
      is_placed_((block.size() + 63) / 64, 0), waiting_(block.size()), mode_(block.size()),
      start_s_(block.size()), end_s_(block.size()), earliest_s_(block.size()), best_s_(incumbent_s) {
    std::vector<local> position(problem.task_count());
    for (local v = 0; v < block.size(); ++v) position[block[v]] = v;
    for (local v = 0; v < block.size(); ++v) {
        task& t = tasks_[v];
        const graph::index name = block[v];
        t.shortest_s = relaxed.shortest_s()[name];
        t.tail_s = 0.0;
        t.least_work_s = relaxed.work_s()[name];
        t.modes = problem.modes(name);
        for (const graph::index w : problem.precedence().successors(name)) {
            if (problem.block(w) != problem.block(name)) continue;
            t.after.push_back(position[w]);
            tasks_[position[w]].before.push_back(v);
            ++waiting_[position[w]];
        }
        for (std::uint32_t k = 0; k < t.modes.size(); ++k) {
            const mode& m = t.modes[k];
            bool useful = fits(m.use, capacity_);
            for (std::uint32_t other = 0; other < t.modes.size(); ++other) {
                const mode& o = t.modes[other];
                if (o.duration_s <= m.duration_s && fits(o.use, m.use) && (other < k || o != m) && other != k)
                    useful = false;
            }
            if (useful) t.candidates.push_back(k);
        }
    }
    for (auto t = tasks_.rbegin(); t != tasks_.rend(); ++t)
        for (const local w : t->after)
            t->tail_s = std::max(t->tail_s, tasks_[w].shortest_s + tasks_[w].tail_s);
}

inline bool block_search::explore(double time_s) {
    if (!spent_.spend_node()) return false;
    if (placed_.size() == tasks_.size()) {
        keep();
        return true;
    }
    const std::size_t begin = children_.size();
    list_children(time_s);
    const std::size_t end = children_.size();
    bool complete = true;
    for (std::size_t k = begin; k < end && complete; ++k) {
        const child c = children_[k];
        if (beaten(c.bound_s)) continue;
        place(c);
        if (placed_.size() == tasks_.size() || !dominated(c.start_s)) complete = explore(c.start_s);
        take_back(c.task);
    }
    children_.resize(begin);
    return complete;
}

// The children of the node, best bound first.
inline void block_search::list_children(double time_s) {
    const auto begin = static_cast<std::ptrdiff_t>(children_.size());
    double first_end_s = std::numeric_limits<double>::infinity();
    local first = 0;
    for (local v = 0; v < tasks_.size(); ++v) {
        if (waiting_[v] != 0 || (is_placed_[v / 64] >> (v % 64) & 1) != 0) continue;
        for (const std::uint32_t k : tasks_[v].candidates) {
            const mode& m = tasks_[v].modes[k];
            const double start_s = earliest_start(time_s, v, m);
            children_.push_back({v, k, start_s, 0.0});
            if (start_s + m.duration_s < first_end_s) {
                first_end_s = start_s + m.duration_s;
                first = v;
            }
        }
    }
    const auto too_late = [&](const child& c) { return c.start_s >= first_end_s && c.task != first; };
    children_.erase(std::remove_if(children_.begin() + begin, children_.end(), too_late), children_.end());
    for (auto c = children_.begin() + begin; c != children_.end(); ++c) {
        place(*c);
        c->bound_s = bound(c->start_s);
        take_back(c->task);
    }
    std::stable_sort(children_.begin() + begin, children_.end(), [&](const child& a, const child& b) {
        if (a.bound_s != b.bound_s) return a.bound_s < b.bound_s;
        if (a.start_s != b.start_s) return a.start_s < b.start_s;
        return tasks_[a.task].shortest_s + tasks_[a.task].tail_s >
               tasks_[b.task].shortest_s + tasks_[b.task].tail_s;
    });
}

inline void block_search::place(const child& c) {
    start_s_[c.task] = c.start_s;
    end_s_[c.task] = c.start_s + tasks_[c.task].modes[c.mode].duration_s;
    mode_[c.task] = c.mode;
    placed_.push_back(c.task);
    is_placed_[c.task / 64] |= std::uint64_t{1} << (c.task % 64);
    for (const local w : tasks_[c.task].after) --waiting_[w];
}

inline void block_search::take_back(local v) {
    for (const local w : tasks_[v].after) ++waiting_[w];
    is_placed_[v / 64] &= ~(std::uint64_t{1} << (v % 64));
    placed_.pop_back();
}

// All that is placed starts by `time_s`, so from there on units only come free.
inline double block_search::earliest_start(double time_s, local v, const mode& m) const {
    double start_s = time_s;
    for (const local u : tasks_[v].before) start_s = std::max(start_s, end_s_[u]);
    if (m.duration_s == 0.0) return start_s;
    for (;;) {
        demand needed = m.use;
        double next_s = std::numeric_limits<double>::infinity();
        for (const local u : placed_) {
            if (end_s_[u] <= start_s) continue;
            next_s = std::min(next_s, end_s_[u]);
            for (std::size_t r = 0; r < max_resources; ++r) needed[r] += running_mode(u).use[r];
        }
        if (fits(needed, capacity_)) return start_s;
        start_s = next_s;
    }
}

// Critical path of what is left, and the work that every resource has still to do from `time_s` on.
inline double block_search::bound(double time_s) {
    double bound_s = 0.0;
    work left_s{}, last_s{};
    last_s.fill(std::numeric_limits<double>::infinity());
    for (local v = 0; v < tasks_.size(); ++v) {
        const task& t = tasks_[v];
        if ((is_placed_[v / 64] >> (v % 64) & 1) != 0) {
            earliest_s_[v] = end_s_[v];
            bound_s = std::max(bound_s, end_s_[v] + t.tail_s);
            if (end_s_[v] <= time_s) continue;
            for (std::size_t r = 0; r < max_resources; ++r) {
                if (running_mode(v).use[r] == 0) continue;
                left_s[r] += (end_s_[v] - time_s) * running_mode(v).use[r];
                last_s[r] = std::min(last_s[r], t.tail_s);
            }
            continue;
        }
        // The block is in topological order: what comes before v has its earliest end already.
        double ready_s = time_s;
        for (const local u : t.before) ready_s = std::max(ready_s, earliest_s_[u]);
        earliest_s_[v] = ready_s + t.shortest_s;
        bound_s = std::max(bound_s, earliest_s_[v] + t.tail_s);
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (t.least_work_s[r] == 0.0) continue;
            left_s[r] += t.least_work_s[r];
            last_s[r] = std::min(last_s[r], t.tail_s);
        }
    }
    for (std::size_t r = 0; r < max_resources; ++r)
        if (left_s[r] > 0.0) bound_s = std::max(bound_s, time_s + left_s[r] / capacity_[r] + last_s[r]);
    return bound_s;
}

// Whether a state seen before, of the same tasks, allows whatever this one allows; if not, this one is
// remembered.
inline bool block_search::dominated(double time_s) {
    const auto allows_more = [&](const state& s) {
        return s.time_s <= time_s && std::all_of(s.running.begin(), s.running.end(), [&](const held& h) {
                   return h.end_s <= time_s ||
                          (h.end_s <= end_s_[h.task] && fits(h.use, running_mode(h.task).use));
               });
    };
    const auto found = seen_.find(is_placed_);
    if (found != seen_.end() && std::any_of(found->second.begin(), found->second.end(), allows_more))
        return true;
    if (remembered_ == memory_limit_) return false;
    ++remembered_;
    state now{time_s, {}};
    for (const local v : placed_)
        if (end_s_[v] > time_s) now.running.push_back({v, end_s_[v], running_mode(v).use});
    (found != seen_.end() ? found->second : seen_[is_placed_]).push_back(std::move(now));
    return false;
}

inline void block_search::keep() {
    const double makespan_s = *std::max_element(end_s_.begin(), end_s_.end());
    if (!(makespan_s < best_s_)) return;
    best_s_ = makespan_s;
    best_start_s_ = start_s_;
    best_mode_ = mode_;
}

} // namespace dovetail::schedule::detail
