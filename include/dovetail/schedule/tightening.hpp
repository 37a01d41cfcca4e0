#pragma once
/// \file
/// What cannot be in a schedule shorter than a known one: modes that are ruled out, or the proof that there
/// is none.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/occupancy.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule {

/// Destructive bounding of one block of a problem: assume a schedule shorter than `upper_s`, and see what
/// follows.
///
/// The argument is about a set of tasks that all need a resource. A task in a mode that takes all of its
/// units, for f_i seconds, overlaps with no other of the set. The rest take fewer, for o_i seconds: they last
/// at least as long as the longest of them, and as their work over the capacity, w_i each. So the set takes
/// at least
///
///     min over theta of  (sum over o_i > theta of f_i) + max(theta, sum over o_i <= theta of min(f_i, w_i))
///
/// with theta, the longest o_i of the rest, among the o_i, or 0 where there is no rest. Tried are the sets of
/// all tasks with a head >= h and a tail >= q, for all h and q, between that head and that tail; and for the
/// head of a task its ancestors, for its tail its descendants. A mode is ruled out where its own path reaches
/// `upper_s`, or the minimum over theta >= o_i does. What is left makes all bounds larger, and so on until
/// nothing changes.
class tightening {
public:
    /// Reasons about the tasks `block`, one block of `problem` in topological order. The memory is kept from
    /// one use to the next. \returns whether a shorter schedule may exist: false is a proof that none does.
    /// \param spent where given and late, it ends with what is known by then
    /// \complexity O(tasks^3 * resources) a round; every round but the last rules a mode out.
    bool operator()(const task_graph& problem, array_view<const graph::index> block, double upper_s,
                    spending* spent = nullptr);

    /// Whether a shorter schedule may use `mode` of the task at `position` of the block.
    [[nodiscard]] bool allows(std::size_t position, std::size_t mode) const {
        return allowed_[tasks_[position].first_mode + mode] != 0;
    }

    /// No shorter schedule of the block ends sooner after the end of the task at `position`.
    [[nodiscard]] double tail_s(std::size_t position) const { return tasks_[position].tail_s; }

private:
    using local = std::uint32_t; // position in the block

    struct task {
        std::size_t first_mode;
        array_view<const mode> modes;
        double shortest_s, head_s, tail_s;
        std::array<resource_need, max_resources> needs;
        std::array<local, max_resources> chain;
    };

    void assign(const task_graph& problem, array_view<const graph::index> block);
    bool summarise();
    void spread();
    template <bool Backward>
    void spread_to(local v);
    template <class Inside>
    double occupied_s(std::size_t r, const Inside& inside);
    bool sweep(std::size_t r);
    void cover(std::size_t r);

    [[nodiscard]] bool before(local u, local v) const { return before_[u * tasks_.size() + v] != 0; }
    [[nodiscard]] bool late() const { return spent_ != nullptr && spent_->late(); }
    [[nodiscard]] bool too_long(double seconds) const { return seconds >= limit_s_; }
    void rule_out(std::size_t position) {
        allowed_[position] = 0;
        changed_ = true;
    }

    spending* spent_ = nullptr;
    double limit_s_ = 0.0;
    bool changed_ = false;
    std::vector<task> tasks_;
    demand capacity_{};
    std::vector<std::uint8_t> allowed_, before_;
    std::array<std::vector<local>, max_resources> by_part_; // those that always need it, by part_s
    std::vector<double> heads_, tails_, chain_s_;
    std::vector<local> left_, chain_before_;
    occupancy set_;
    bool by_chains_ = false;
};

inline bool tightening::operator()(const task_graph& problem, array_view<const graph::index> block,
                                   double upper_s, spending* spent) {
    spent_ = spent;
    assign(problem, block);
    limit_s_ = upper_s * (1.0 - makespan_tolerance);
    by_chains_ = false;
    do {
        changed_ = false;
        if (!summarise()) return false;
        spread();
        for (const task& t : tasks_) {
            for (std::size_t k = 0; k < t.modes.size(); ++k)
                if (allowed_[t.first_mode + k] != 0 && too_long(t.head_s + t.modes[k].duration_s + t.tail_s))
                    rule_out(t.first_mode + k);
        }
        for (std::size_t r = 0; r < max_resources; ++r)
            if (!sweep(r)) return false;
        if (late()) return true;
        if (!changed_ && !by_chains_) {
            by_chains_ = changed_ = true;
            for (std::size_t r = 0; r < max_resources; ++r) cover(r);
        }
    } while (changed_);
    return true;
}

inline void tightening::assign(const task_graph& problem, array_view<const graph::index> block) {
    const std::size_t n = block.size();
    capacity_ = problem.capacity();
    tasks_.resize(n);
    allowed_.clear();
    before_.assign(n * n, 0);
    for (local v = 0; v < n; ++v) {
        task& t = tasks_[v];
        t.first_mode = allowed_.size();
        t.modes = problem.modes(block[v]);
        t.head_s = t.tail_s = 0.0; // of what is not reached in time
        for (const mode& m : t.modes) allowed_.push_back(fits(m.use, problem.capacity()) ? 1 : 0);
        for (local u = 0; u < v; ++u)
            before_[u * n + v] = problem.reaches().reaches(block[u], block[v]) ? 1 : 0;
    }
}

// What every task needs at least by the modes that are left; false where one has none.
inline bool tightening::summarise() {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (std::vector<local>& list : by_part_) list.clear();
    for (local v = 0; v < tasks_.size(); ++v) {
        task& t = tasks_[v];
        t.shortest_s = infinity;
        t.needs.fill({});
        for (std::size_t k = 0; k < t.modes.size(); ++k) {
            if (allowed_[t.first_mode + k] == 0) continue;
            const mode& m = t.modes[k];
            t.shortest_s = std::min(t.shortest_s, m.duration_s);
            for (std::size_t r = 0; r < max_resources; ++r)
                t.needs[r].add(m.duration_s, m.use[r], capacity_[r]);
        }
        if (t.shortest_s == infinity) return false;
        for (std::size_t r = 0; r < max_resources; ++r)
            if (t.needs[r].always) by_part_[r].push_back(v);
    }
    for (std::size_t r = 0; r < max_resources; ++r)
        std::sort(by_part_[r].begin(), by_part_[r].end(), [&](local a, local b) {
            const double x = tasks_[a].needs[r].part_s, y = tasks_[b].needs[r].part_s;
            return x < y || (x == y && a < b);
        });
    return true;
}

// Heads and tails: the longest path, and what the ancestors or descendants take of each resource.
inline void tightening::spread() {
    for (local v = 0; v < tasks_.size() && !late(); ++v) spread_to<false>(v);
    for (local v = static_cast<local>(tasks_.size()); v-- > 0 && !late();) spread_to<true>(v);
}

template <bool Backward>
void tightening::spread_to(local v) {
    const auto reach_s = [](task& t) -> double& { return Backward ? t.tail_s : t.head_s; };
    const auto leads = [&](local u) { return Backward ? before(v, u) : before(u, v); };
    double reached_s = 0.0;
    for (local u = 0; u < tasks_.size(); ++u)
        if (leads(u)) reached_s = std::max(reached_s, reach_s(tasks_[u]) + tasks_[u].shortest_s);
    for (std::size_t r = 0; r < max_resources; ++r) {
        heads_.clear();
        for (const local u : by_part_[r])
            if (leads(u)) heads_.push_back(reach_s(tasks_[u]));
        if (heads_.size() < 2) continue;
        std::sort(heads_.begin(), heads_.end());
        heads_.erase(std::unique(heads_.begin(), heads_.end()), heads_.end());
        for (const double from_s : heads_)
            reached_s = std::max(reached_s, from_s + occupied_s(r, [&](local u) {
                                                return leads(u) && reach_s(tasks_[u]) >= from_s;
                                            }));
    }
    reach_s(tasks_[v]) = reached_s;
}

// How long the tasks of a set take at least, each of which always needs resource `r`.
template <class Inside>
double tightening::occupied_s(std::size_t r, const Inside& inside) {
    set_.clear();
    for (const local v : by_part_[r])
        if (inside(v)) set_.add({v, tasks_[v].needs[r], tasks_[v].chain[r]});
    return by_chains_ ? set_.by_chains() : set_.by_longest();
}

// All sets between a head and a tail; false where one of them takes too long.
inline bool tightening::sweep(std::size_t r) {
    heads_.clear();
    tails_.clear();
    for (const local v : by_part_[r]) {
        heads_.push_back(tasks_[v].head_s);
        tails_.push_back(tasks_[v].tail_s);
    }
    for (std::vector<double>* list : {&heads_, &tails_}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    for (const double head_s : heads_) {
        if (late()) break;
        for (const double tail_s : tails_) {
            const double set_s = occupied_s(
                r, [&](local v) { return tasks_[v].head_s >= head_s && tasks_[v].tail_s >= tail_s; });
            if (set_.members().empty()) break;
            if (too_long(head_s + set_s + tail_s)) return false;
            for (std::size_t k = set_.members().size();
                 k-- > 0 && too_long(head_s + set_.where_shared_s(k) + tail_s);) {
                const task& t = tasks_[set_.members()[k].task];
                for (std::size_t m = 0; m < t.modes.size(); ++m)
                    if (allowed_[t.first_mode + m] != 0 && t.modes[m].use[r] < capacity_[r])
                        rule_out(t.first_mode + m);
            }
        }
    }
    return true;
}

// Covers the tasks that may share the resource by chains, the longest of what is left each time: the fewer
// chains and the longer, the less can be saved beside one another.
inline void tightening::cover(std::size_t r) {
    left_.clear();
    for (const local v : by_part_[r])
        if (tasks_[v].needs[r].part_s < std::numeric_limits<double>::infinity()) left_.push_back(v);
    std::sort(left_.begin(), left_.end());
    chain_s_.resize(tasks_.size());
    chain_before_.resize(tasks_.size());
    for (local chain = 0; !left_.empty() && !late(); ++chain) {
        local last = left_.front();
        for (const local v : left_) {
            chain_s_[v] = 0.0;
            chain_before_[v] = v;
            for (const local u : left_) {
                if (u == v) break;
                if (!before(u, v) || chain_s_[u] <= chain_s_[v]) continue;
                chain_s_[v] = chain_s_[u];
                chain_before_[v] = u;
            }
            chain_s_[v] += tasks_[v].needs[r].part_s;
            if (chain_s_[v] > chain_s_[last]) last = v;
        }
        for (local v = last;; v = chain_before_[v]) {
            tasks_[v].chain[r] = chain;
            left_.erase(std::find(left_.begin(), left_.end(), v));
            if (chain_before_[v] == v) break;
        }
    }
}

} // namespace dovetail::schedule
