#pragma once
/// \file
/// Priority lists turned into schedules: the incumbent of every search, and nearly always the optimum of a
/// layer.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/profile.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// Which task a list puts first; ties go to the smaller position in the topological order.
enum class priority : std::uint8_t {
    longest_tail,     ///< most seconds from its start to the end of the project
    earliest_head,    ///< smallest head
    earliest_window,  ///< smallest difference of the two
    most_descendants, ///< most tasks that must wait for it
};

/// Which mode a task gets when its turn comes; ties go to the earlier end, then to the earlier mode.
enum class mode_choice : std::uint8_t {
    earliest_end, ///< the one that ends first where the task stands in the list
    shortest,     ///< the one of the shortest duration
    least_work,   ///< the one that takes the smallest share of the capacities, summed, times its duration
};

/// One way to make a list and to read it.
struct list_rule {
    priority first = priority::longest_tail;     ///< the order of the list
    mode_choice run = mode_choice::earliest_end; ///< how each of its tasks runs
};

/// The rules that the list scheduler tries, best first in its experience.
inline constexpr std::array<list_rule, 6> default_list_rules{{
    {priority::longest_tail, mode_choice::earliest_end},
    {priority::longest_tail, mode_choice::least_work},
    {priority::earliest_window, mode_choice::earliest_end},
    {priority::most_descendants, mode_choice::earliest_end},
    {priority::earliest_head, mode_choice::least_work},
    {priority::earliest_head, mode_choice::shortest},
}};

/// The memory of a list scheduler, kept from one problem to the next; one a thread.
class workspace {
public:
    workspace() = default;

private:
    friend struct list_scheduler;

    struct entry {
        double key;
        std::uint32_t position; // in the topological order

        friend constexpr bool operator<(const entry& a, const entry& b) noexcept {
            return a.key < b.key || (a.key == b.key && a.position < b.position);
        }
    };
    struct choice {
        std::uint32_t mode;
        double start_s;
        double end_s;
    };

    void list_by(priority first, const task_graph& problem);
    void list_by_sample(const task_graph& problem, double spread, random_source& random);
    template <bool Reversed, class Choose>
    void place_all(const task_graph& problem, const Choose& choose);
    [[nodiscard]] choice choose(mode_choice run, array_view<const mode> modes, const demand& capacity,
                                double ready_s) const;
    void justify(const task_graph& problem);
    void keep_if_better();

    relaxation relaxed_;
    profile free_;
    std::vector<entry> list_;
    std::vector<double> end_s_;
    schedule trial_;
    certificate result_;
};

/// Serial schedule generation (Kolisch, EJOR 90, 1996): tasks are taken from a list, each at its earliest
/// start among those placed before. Every rule gives a list; a schedule that misses the bound is justified to
/// the right and to the left again (Valls, Ballestin and Quintanilla, EJOR 165, 2005), which never makes it
/// longer. Sampled lists are by the longest tail of durations that were shortened at random. The best of all
/// is returned, and the first that meets the bound ends the search. Deterministic, but for a limit in
/// seconds; there is always a schedule.
struct list_scheduler {
    array_view<const list_rule> rules = default_list_rules; ///< at least one
    bool justify = true; ///< whether a schedule that misses the bound is justified
    /// Tasks placed by sampled lists, which follow those of the rules; at most ten lists a task.
    std::int64_t sampled_tasks = 0;
    std::uint64_t seed = 1; ///< of the draws
    budget limits{}; ///< seconds, and a request to stop, looked at after every list; nodes are not counted

    /// The best schedule found, with the bound of `relaxation`. The answer lies in `memory` until its next
    /// use. \complexity O(lists * (n log n + n * modes * steps)), where steps < 2n are those of the profile
    /// that one task looks at; no allocation once the memory has grown.
    const certificate& operator()(const task_graph& problem, workspace& memory) const {
        DOVETAIL_ASSERT(!rules.empty(), "a list needs a rule");
        certificate& result = memory.result_;
        memory.relaxed_.assign(problem);
        result.lower_bound_s = memory.relaxed_.lower_bound_s();
        result.best.makespan_s = std::numeric_limits<double>::infinity();
        const auto proved = [&] { return meets(result.best.makespan_s, result.lower_bound_s); };
        const auto started = limits.is_timed() ? std::optional<stopwatch>(std::in_place) : std::nullopt;
        const auto late = [&] { return started && limits.is_over(started->seconds()); };
        const auto read = [&](mode_choice run) {
            memory.place_all<false>(problem, [&](graph::index v, double ready_s) {
                return memory.choose(run, problem.modes(v), problem.capacity(), ready_s);
            });
            memory.keep_if_better();
            if (proved() || !justify || late()) return;
            memory.justify(problem);
            memory.keep_if_better();
        };
        for (const list_rule& rule : rules) {
            memory.list_by(rule.first, problem);
            read(rule.run);
            if (proved() || late()) break;
        }
        random_source random(seed);
        const auto tasks = static_cast<std::int64_t>(problem.task_count());
        for (std::int64_t k = 0; k < 10 * tasks && k * tasks < sampled_tasks && !proved() && !late(); ++k) {
            memory.list_by_sample(problem, random.real(), random);
            read(rules[static_cast<std::size_t>(k) % rules.size()].run);
        }
        result.status = proved() ? dovetail::status::optimal : dovetail::status::feasible;
        return result;
    }

    /// The same, with memory of its own.
    [[nodiscard]] certificate operator()(const task_graph& problem) const {
        workspace memory;
        return (*this)(problem, memory);
    }
};

// Every key falls or stays along an arc, in floating-point arithmetic too, because each is a sum or a maximum
// of its successor's; with ties broken by topological position the lists are therefore topological.
inline void workspace::list_by(priority first, const task_graph& problem) {
    const array_view<const graph::index> order = problem.order();
    list_.resize(order.size());
    for (std::uint32_t position = 0; position < order.size(); ++position) {
        const graph::index v = order[position];
        const double remaining_s = relaxed_.shortest_s()[v] + relaxed_.tail_s()[v];
        double key = 0.0;
        switch (first) {
        case priority::longest_tail:
            key = -remaining_s;
            break;
        case priority::earliest_head:
            key = relaxed_.head_s()[v];
            break;
        case priority::earliest_window:
            key = relaxed_.head_s()[v] - remaining_s;
            break;
        case priority::most_descendants:
            for (const std::uint64_t word : problem.reaches().descendants(v)) key -= std::popcount(word);
            break;
        }
        list_[position] = {key, position};
    }
    std::sort(list_.begin(), list_.end());
}

// The list by longest tail, of durations that are each up to `spread` shorter than they are: along an arc,
// these tails fall as the true ones do.
inline void workspace::list_by_sample(const task_graph& problem, double spread, random_source& random) {
    const array_view<const graph::index> order = problem.order();
    end_s_.assign(order.size(), 0.0);
    list_.resize(order.size());
    for (auto position = static_cast<std::uint32_t>(order.size()); position-- > 0;) {
        const graph::index v = order[position];
        for (const graph::index w : problem.precedence().successors(v))
            end_s_[v] = std::max(end_s_[v], end_s_[w]);
        end_s_[v] += relaxed_.shortest_s()[v] * (1.0 - spread * random.real());
        list_[position] = {-end_s_[v], position};
    }
    std::sort(list_.begin(), list_.end());
}

// Places the tasks of `list_`, forward in time or, reversed, backward from the end of the project.
template <bool Reversed, class Choose>
void workspace::place_all(const task_graph& problem, const Choose& choose) {
    const graph::digraph& precedence = problem.precedence();
    const array_view<const graph::index> order = problem.order();
    free_.assign(problem.capacity());
    end_s_.resize(order.size());
    trial_.start_s.resize(order.size());
    trial_.mode.resize(order.size());
    trial_.makespan_s = 0.0;
    for (const entry& e : list_) {
        const graph::index v = order[e.position];
        double ready_s = 0.0;
        for (const graph::index u : Reversed ? precedence.successors(v) : precedence.predecessors(v))
            ready_s = std::max(ready_s, end_s_[u]);
        const choice made = choose(v, ready_s);
        trial_.start_s[v] = made.start_s;
        trial_.mode[v] = made.mode;
        end_s_[v] = made.end_s;
        trial_.makespan_s = std::max(trial_.makespan_s, made.end_s);
        free_.place(made.start_s, problem.modes(v)[made.mode]);
    }
}

inline workspace::choice workspace::choose(mode_choice run, array_view<const mode> modes,
                                           const demand& capacity, double ready_s) const {
    choice best{0, 0.0, std::numeric_limits<double>::infinity()};
    double best_key = std::numeric_limits<double>::infinity();
    for (std::uint32_t k = 0; k < modes.size(); ++k) {
        const mode& m = modes[k];
        if (!fits(m.use, capacity)) continue;
        const double start_s = free_.earliest_start(ready_s, m);
        const double end_s = start_s + m.duration_s;
        double key = 0.0;
        if (run == mode_choice::shortest) key = m.duration_s;
        if (run == mode_choice::least_work)
            for (std::size_t r = 0; r < max_resources; ++r)
                if (m.use[r] > 0) key += m.duration_s * m.use[r] / capacity[r];
        if (key > best_key || (key == best_key && end_s >= best.end_s)) continue;
        best_key = key;
        best = {k, start_s, end_s};
    }
    return best;
}

inline void workspace::justify(const task_graph& problem) {
    const auto as_before = [&](graph::index v, double ready_s) {
        const std::uint32_t k = trial_.mode[v];
        const mode& m = problem.modes(v)[k];
        const double start_s = free_.earliest_start(ready_s, m);
        return choice{k, start_s, start_s + m.duration_s};
    };
    // What ends last moves right first; among equals, the last of the topological order.
    const auto by_latest_end = [&](const entry& a, const entry& b) {
        return a.key > b.key || (a.key == b.key && a.position > b.position);
    };
    const array_view<const graph::index> order = problem.order();
    for (entry& e : list_) e.key = end_s_[order[e.position]];
    std::sort(list_.begin(), list_.end(), by_latest_end);
    place_all<true>(problem, as_before);
    for (entry& e : list_) e.key = -end_s_[order[e.position]];
    std::sort(list_.begin(), list_.end());
    place_all<false>(problem, as_before);
}

inline void workspace::keep_if_better() {
    if (!(trial_.makespan_s < result_.best.makespan_s)) return;
    result_.best.start_s.assign(trial_.start_s.begin(), trial_.start_s.end());
    result_.best.mode.assign(trial_.mode.begin(), trial_.mode.end());
    result_.best.makespan_s = trial_.makespan_s;
}

} // namespace dovetail::schedule
