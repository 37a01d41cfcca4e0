#pragma once
/// \file
/// Seeded random problems, and an oracle for the small ones.

#include <dovetail/core/random.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::test {

using schedule::demand;
using schedule::max_resources;
using schedule::mode;
using schedule::mode_table;
using schedule::task_graph;

inline graph::digraph random_order(random_source& random, std::size_t n, double density) {
    std::vector<graph::arc> arcs;
    for (graph::index i = 0; i < n; ++i)
        for (graph::index j = i + 1; j < n; ++j)
            if (random.real() < density) arcs.push_back({i, j});
    return graph::digraph(n, arcs);
}

/// Any modes at all: one to three a task over all resources, whole durations, some of them 0; the first mode
/// fits the capacities, the others need not.
inline task_graph random_project(random_source& random, std::size_t n) {
    demand capacity{};
    for (auto& units : capacity) units = static_cast<std::int32_t>(random.integer(1, 4));
    const auto draw = [&](const demand& most) {
        mode m{static_cast<double>(random.integer(0, 8)), {}};
        for (std::size_t r = 0; r < max_resources; ++r)
            if (random.real() < 0.6) m.use[r] = static_cast<std::int32_t>(random.integer(0, most[r]));
        return m;
    };
    mode_table table;
    for (std::size_t v = 0; v < n; ++v) {
        table.add_task(draw(capacity));
        for (std::int64_t more = random.integer(0, 2); more > 0; --more) table.add_mode(draw({4, 4, 4, 4}));
    }
    return make_task_graph(random_order(random, n, random.real(0.05, 0.5)), capacity, std::move(table))
        .value();
}

/// Operators on a chip with the resources tensor, vector and link: each on one core of its type or on all,
/// fused ones on both types, an all-reduce on the link.
inline task_graph random_layer(random_source& random, std::size_t n) {
    const demand capacity{static_cast<std::int32_t>(random.integer(1, 4)),
                          static_cast<std::int32_t>(random.integer(1, 3)), 1, 0};
    mode_table table;
    for (std::size_t v = 0; v < n; ++v) {
        const std::int64_t kind = random.integer(0, 7);
        const bool tensor = kind < 3 || kind == 6;
        const bool vector = (kind >= 3 && kind < 6) || kind == 6;
        const double one_s = static_cast<double>(random.integer(1, 9));
        if (kind == 7) {
            table.add_task({one_s, {0, 0, 1, 0}});
            continue;
        }
        table.add_task({one_s, {tensor, vector, 0, 0}});
        table.add_mode({static_cast<double>(random.integer(1, static_cast<std::int64_t>(one_s))),
                        {tensor ? capacity[0] : 0, vector ? capacity[1] : 0, 0, 0}});
    }
    return make_task_graph(random_order(random, n, random.real(0.05, 0.5)), capacity, std::move(table))
        .value();
}

/// A project of one mode in the way of PSPLIB's generator (Kolisch, Sprecher and Drexl, Management Science
/// 41, 1995): `complexity` arcs a task, each of four resources asked for with probability `factor`,
/// capacities between the largest demand (`strength` 0) and the peak of the schedule of earliest starts (1).
inline task_graph random_progen(random_source& random, std::size_t n, double complexity, double factor,
                                double strength) {
    std::vector<graph::arc> arcs;
    const auto pick = [&](std::size_t low, std::size_t high) {
        return static_cast<graph::index>(
            random.integer(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
    };
    for (std::size_t v = 3; v < n; ++v) arcs.push_back({pick(v > 8 ? v - 8 : 0, v - 1), pick(v, v)});
    while (n > 3 && static_cast<double>(arcs.size()) < complexity * static_cast<double>(n)) {
        const graph::index from = pick(0, n - 2);
        arcs.push_back({from, pick(from + std::size_t{1}, n - 1)});
    }
    std::vector<mode> modes(n);
    demand least{}, peak{};
    for (mode& m : modes) {
        m.duration_s = static_cast<double>(random.integer(1, 10));
        for (std::size_t r = 0; r < max_resources; ++r) {
            if (random.real() < factor) m.use[r] = static_cast<std::int32_t>(random.integer(1, 10));
            least[r] = std::max(least[r], m.use[r]);
        }
    }
    const graph::digraph precedence(n, arcs);
    std::vector<double> start_s(n, 0.0);
    for (graph::index v = 0; v < n; ++v)
        for (const graph::index u : precedence.predecessors(v))
            start_s[v] = std::max(start_s[v], start_s[u] + modes[u].duration_s);
    for (std::size_t v = 0; v < n; ++v) {
        demand held{};
        for (std::size_t u = 0; u < n; ++u)
            if (start_s[u] <= start_s[v] && start_s[v] < start_s[u] + modes[u].duration_s)
                for (std::size_t r = 0; r < max_resources; ++r) held[r] += modes[u].use[r];
        for (std::size_t r = 0; r < max_resources; ++r) peak[r] = std::max(peak[r], held[r]);
    }
    demand capacity{};
    for (std::size_t r = 0; r < max_resources; ++r)
        capacity[r] = least[r] + static_cast<std::int32_t>(strength * (peak[r] - least[r]));
    mode_table table;
    for (const mode& m : modes) table.add_task(m);
    return make_task_graph(precedence, capacity, std::move(table)).value();
}

/// The same problem with all durations times `factor`.
inline task_graph scaled(task_graph problem, double factor) {
    mode_table table;
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        table.add_task();
        for (mode m : problem.modes(v)) {
            m.duration_s *= factor;
            table.add_mode(m);
        }
    }
    EXPECT_TRUE(problem.refill(problem.capacity(), table));
    return problem;
}

/// The shortest makespan of a problem with whole durations, by trying every order and every choice of modes
/// on a table of unit time slots.
class brute_force {
public:
    explicit brute_force(const task_graph& problem)
        : problem_(problem), end_(problem.task_count(), -1), horizon_(horizon(problem)),
          free_(static_cast<std::size_t>(horizon_), problem.capacity()), best_(horizon_ + 1) {
        extend(0, 0);
    }

    [[nodiscard]] double makespan_s() const { return best_; }

private:
    static int horizon(const task_graph& problem) {
        int total = 0;
        for (graph::index v = 0; v < problem.task_count(); ++v) {
            double longest = 0;
            for (const mode& m : problem.modes(v)) longest = std::max(longest, m.duration_s);
            total += static_cast<int>(longest);
        }
        return total;
    }

    // No schedule with these tasks placed ends before the chains of fastest modes behind them.
    [[nodiscard]] int soonest_end() const {
        std::vector<int> end = end_;
        int last = 0;
        for (const graph::index v : problem_.order()) {
            if (end[v] < 0) {
                int ready = 0;
                for (const graph::index u : problem_.precedence().predecessors(v))
                    ready = std::max(ready, end[u]);
                int shortest = horizon_;
                for (const mode& m : problem_.modes(v))
                    if (schedule::fits(m.use, problem_.capacity()))
                        shortest = std::min(shortest, static_cast<int>(m.duration_s));
                end[v] = ready + shortest;
            }
            last = std::max(last, end[v]);
        }
        return last;
    }

    void extend(std::size_t placed, int last_end) {
        if (soonest_end() >= best_) return;
        if (placed == problem_.task_count()) {
            best_ = last_end;
            return;
        }
        for (graph::index v = 0; v < problem_.task_count(); ++v) {
            if (end_[v] >= 0) continue;
            int ready = 0;
            bool eligible = true;
            for (const graph::index u : problem_.precedence().predecessors(v)) {
                eligible &= end_[u] >= 0;
                ready = std::max(ready, end_[u]);
            }
            if (!eligible) continue;
            for (const mode& m : problem_.modes(v)) {
                if (!schedule::fits(m.use, problem_.capacity())) continue;
                const int duration = static_cast<int>(m.duration_s);
                int start = ready;
                while (!free_during(start, duration, m.use)) ++start;
                hold(start, duration, m.use, 1);
                end_[v] = start + duration;
                extend(placed + 1, std::max(last_end, end_[v]));
                end_[v] = -1;
                hold(start, duration, m.use, -1);
            }
        }
    }

    [[nodiscard]] bool free_during(int start, int duration, const demand& use) const {
        for (int slot = start; slot < start + duration; ++slot)
            if (!schedule::fits(use, free_[static_cast<std::size_t>(slot)])) return false;
        return true;
    }

    void hold(int start, int duration, const demand& use, int sign) {
        for (int slot = start; slot < start + duration; ++slot)
            for (std::size_t r = 0; r < max_resources; ++r)
                free_[static_cast<std::size_t>(slot)][r] -= sign * use[r];
    }

    const task_graph& problem_;
    std::vector<int> end_;
    int horizon_;
    std::vector<demand> free_;
    int best_;
};

} // namespace dovetail::test
