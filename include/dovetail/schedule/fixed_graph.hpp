#pragma once
/// \file
/// Lists for a graph that the compiler knows: its order and its arcs are constants of the code, and nothing
/// is allocated.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/profile.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace dovetail::schedule {

/// Who waits for whom among `Tasks` tasks, as a value that a template takes:
/// `constexpr fixed_graph<3, 2> v{{{{0, 2}, {1, 2}}}}`.
template <std::size_t Tasks, std::size_t Arcs>
struct fixed_graph {
    std::array<graph::arc, Arcs> arcs{}; ///< from a task to one that waits for it

    static constexpr std::size_t task_count = Tasks;
};

/// The modes of `Tasks` tasks, at most `Most` each.
template <std::size_t Tasks, std::size_t Most>
struct fixed_modes {
    std::array<std::array<mode, Most>, Tasks> modes{};
    std::array<std::uint32_t, Tasks> count{}; ///< how many of them a task has, at least 1
};

/// The schedule of a list, and what is proved about it.
template <std::size_t Tasks>
struct fixed_schedule {
    std::array<double, Tasks> start_s{};
    std::array<std::uint32_t, Tasks> mode{};
    double makespan_s = 0.0;
    double lower_bound_s = 0.0; ///< critical path, or load of a resource: no schedule is shorter
};

namespace detail {

/// What follows from the arcs alone, worked out by the compiler.
template <auto Graph>
struct fixed_order {
    static constexpr std::size_t n = Graph.task_count;

    /// The tasks in topological order; too few where the arcs make a cycle.
    static constexpr auto order = [] {
        std::array<std::size_t, n> sorted{};
        std::array<std::size_t, n> waiting{};
        for (const graph::arc& a : Graph.arcs) ++waiting[a.target];
        std::size_t count = 0;
        for (bool found = true; found;) {
            found = false;
            for (std::size_t v = 0; v < n; ++v) {
                if (waiting[v] != 0) continue;
                sorted[count++] = v;
                waiting[v] = n + Graph.arcs.size(); // taken
                for (const graph::arc& a : Graph.arcs)
                    if (a.source == v) --waiting[a.target];
                found = true;
            }
        }
        return count == n ? sorted : std::array<std::size_t, n>{};
    }();
    static constexpr bool acyclic = n < 2 || order[0] != order[1];

    /// The arcs by rising position of their sources.
    static constexpr auto arcs = [] {
        auto sorted = Graph.arcs;
        std::size_t count = 0;
        for (const std::size_t v : order)
            for (const graph::arc& a : Graph.arcs)
                if (a.source == v && count < sorted.size()) sorted[count++] = a;
        return sorted;
    }();
};

/// As much of a vector as `basic_profile` needs, in place.
template <std::size_t Most>
class steps_in_place {
public:
    using iterator = free_step*;

    constexpr void clear() noexcept { count_ = 0; }
    constexpr void push_back(const free_step& s) { steps_[count_++] = s; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
    [[nodiscard]] constexpr free_step& operator[](std::size_t k) { return steps_[k]; }
    [[nodiscard]] constexpr const free_step& operator[](std::size_t k) const { return steps_[k]; }
    [[nodiscard]] constexpr iterator begin() noexcept { return steps_.data(); }
    constexpr void insert(iterator before, const free_step& s) {
        std::move_backward(before, begin() + count_, begin() + count_ + 1);
        *before = s;
        ++count_;
    }

private:
    std::array<free_step, Most> steps_{};
    std::size_t count_ = 0;
};

} // namespace detail

/// `list_scheduler` with the rule (`priority::longest_tail`, `mode_choice::earliest_end`) alone, for tasks
/// whose order is `Graph`: the same starts and modes, up to ties between equal tails. It runs in constant
/// expressions too. A cycle does not compile. `bench/schedule` has it beside the general one.
template <auto Graph>
struct fixed_list_scheduler {
    static constexpr std::size_t task_count = Graph.task_count; ///< of the graph

    static_assert(detail::fixed_order<Graph>::acyclic, "the arcs of a fixed_graph must not form a cycle");

    /// \param capacity units of every resource; at least one mode of every task stays within them
    /// \complexity O(tasks^2 * modes), without allocation
    template <std::size_t Most>
    [[nodiscard]] constexpr fixed_schedule<task_count>
    operator()(const demand& capacity, const fixed_modes<task_count, Most>& tasks) const {
        using known = detail::fixed_order<Graph>;
        constexpr double never = std::numeric_limits<double>::infinity();
        std::array<double, task_count> shortest_s{};
        std::array<double, max_resources> load_s{};
        for (std::size_t v = 0; v < task_count; ++v) {
            std::array<double, max_resources> least_s{};
            least_s.fill(never);
            shortest_s[v] = never;
            for (std::uint32_t k = 0; k < tasks.count[v]; ++k) {
                const mode& m = tasks.modes[v][k];
                if (!fits(m.use, capacity)) continue;
                shortest_s[v] = std::min(shortest_s[v], m.duration_s);
                for (std::size_t r = 0; r < max_resources; ++r)
                    least_s[r] = std::min(least_s[r], m.duration_s * m.use[r]);
            }
            for (std::size_t r = 0; r < max_resources; ++r) load_s[r] += least_s[r];
        }
        std::array<double, task_count> remaining_s = shortest_s; // from a start to the end of the project
        for (std::size_t k = known::arcs.size(); k-- > 0;) {
            const graph::arc& a = known::arcs[k];
            remaining_s[a.source] =
                std::max(remaining_s[a.source], shortest_s[a.source] + remaining_s[a.target]);
        }

        // Tails fall along arcs, and ties keep the topological order: the list is one.
        std::array<std::size_t, task_count> list = known::order;
        for (std::size_t k = 1; k < task_count; ++k)
            for (std::size_t i = k; i > 0 && remaining_s[list[i - 1]] < remaining_s[list[i]]; --i)
                std::swap(list[i - 1], list[i]);

        fixed_schedule<task_count> made;
        std::array<double, task_count> ready_s{};
        basic_profile<detail::steps_in_place<2 * task_count + 1>> free;
        free.assign(capacity);
        for (const std::size_t v : list) {
            double end_s = never;
            for (std::uint32_t k = 0; k < tasks.count[v]; ++k) {
                const mode& m = tasks.modes[v][k];
                if (!fits(m.use, capacity)) continue;
                const double start_s = free.earliest_start(ready_s[v], m);
                if (start_s + m.duration_s >= end_s) continue;
                end_s = start_s + m.duration_s;
                made.start_s[v] = start_s;
                made.mode[v] = k;
            }
            free.place(made.start_s[v], tasks.modes[v][made.mode[v]]);
            made.makespan_s = std::max(made.makespan_s, end_s);
            made.lower_bound_s = std::max(made.lower_bound_s, remaining_s[v]);
            for (const graph::arc& a : known::arcs)
                if (a.source == v) ready_s[a.target] = std::max(ready_s[a.target], end_s);
        }
        for (std::size_t r = 0; r < max_resources; ++r)
            if (capacity[r] > 0) made.lower_bound_s = std::max(made.lower_bound_s, load_s[r] / capacity[r]);
        return made;
    }
};

} // namespace dovetail::schedule
