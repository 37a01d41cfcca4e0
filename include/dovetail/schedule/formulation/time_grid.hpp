#pragma once
/// \file
/// A scheduling problem in whole ticks: exact where the durations allow it, else rounded to one known side.

#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace dovetail::schedule::formulation {

/// Which way durations go that are no whole number of ticks.
enum class rounding : std::uint8_t {
    down, ///< the grid's optimum is a lower bound on the problem's
    up,   ///< every schedule of the grid is one of the problem
};

/// How to lay a grid.
struct grid_options {
    std::int32_t ticks = 100;        ///< of a list schedule, at most; from 1
    rounding round = rounding::down; ///< matters where the grid is not exact
};

/// The largest time of which every duration is a whole multiple, each to a relative `makespan_tolerance`; 0
/// where there is none, or where all durations are 0. \complexity O(modes).
[[nodiscard]] inline double common_tick_s(const task_graph& problem) {
    double longest_s = 0.0;
    for (graph::index v = 0; v < problem.task_count(); ++v)
        for (const mode& m : problem.modes(v)) longest_s = std::max(longest_s, m.duration_s);
    // Euclid's algorithm. A remainder that is all rounding counts as none: durations such as 3e-4 and 7e-4
    // are no exact multiples of 1e-4.
    const double noise_s = 1e-9 * longest_s;
    double tick_s = longest_s;
    for (graph::index v = 0; v < problem.task_count(); ++v)
        for (const mode& m : problem.modes(v))
            for (double other_s = m.duration_s; other_s > noise_s;) {
                double rest_s = std::fmod(tick_s, other_s);
                if (other_s - rest_s <= noise_s) rest_s = 0.0;
                tick_s = other_s;
                other_s = rest_s;
            }
    if (!(tick_s > 0.0)) return 0.0;
    tick_s = longest_s / std::round(longest_s / tick_s);
    for (graph::index v = 0; v < problem.task_count(); ++v)
        for (const mode& m : problem.modes(v)) {
            const double off_s = m.duration_s - std::round(m.duration_s / tick_s) * tick_s;
            if (std::abs(off_s) > makespan_tolerance * m.duration_s) return 0.0;
        }
    return tick_s;
}

/// The problem with whole numbers of ticks for seconds.
///
/// The tick is `common_tick_s`, and the grid exact, where a list schedule takes no more than
/// `grid_options::ticks` of it. Else the tick is that many parts of the list schedule.
///
/// *Rounded down, the optimum in ticks is a lower bound:* let starts s and durations d, in ticks, be any
/// schedule. The starts floor(s) with the durations floor(d) are one of the grid. Precedence: s_j >= s_i +
/// d_i gives floor(s_j) >= floor(s_i) + floor(d_i). Resources: who runs in tick t of the grid has s < t + 1
/// and s + d >= floor(s) + floor(d) >= t + 1, so all of them run together just before t + 1. *Rounded up,*
/// starts and longer durations that obey the grid obey the problem.
class time_grid {
public:
    /// \complexity That of a list schedule.
    explicit time_grid(const task_graph& problem, const grid_options& options = {})
        : in_ticks_(problem), round_(options.round) {
        DOVETAIL_ASSERT(options.ticks >= 1, "a grid has one tick at least");
        const double horizon_s = list_scheduler{}(problem).best.makespan_s;
        tick_s_ = common_tick_s(problem);
        exact_ = tick_s_ > 0.0 && std::round(horizon_s / tick_s_) <= options.ticks;
        if (!exact_) tick_s_ = horizon_s / options.ticks;
        if (!(tick_s_ > 0.0)) tick_s_ = 1.0;
        mode_table table;
        for (graph::index v = 0; v < problem.task_count(); ++v) {
            table.add_task();
            for (const mode& m : problem.modes(v)) table.add_mode({in_ticks(m.duration_s), m.use});
        }
        const result<void> filled = in_ticks_.refill(problem.capacity(), table);
        DOVETAIL_ASSERT(filled, "rounding leaves durations finite");
    }

    /// The same tasks and modes; one tick is a second of it.
    [[nodiscard]] const task_graph& problem() const noexcept { return in_ticks_; }
    /// Seconds in one tick.
    [[nodiscard]] double tick_s() const noexcept { return tick_s_; }
    /// Whether every duration is a whole number of ticks.
    [[nodiscard]] bool exact() const noexcept { return exact_; }
    /// Whether the optimum in ticks bounds that of the problem from below.
    [[nodiscard]] bool bounds() const noexcept { return exact_ || round_ == rounding::down; }

private:
    [[nodiscard]] double in_ticks(double duration_s) const {
        // No mode that takes so long is of use, and every number up to here is exact.
        const double ticks = std::min(duration_s / tick_s_, 1e15);
        const double nearest = std::round(ticks);
        if (exact_ || std::abs(ticks - nearest) <= makespan_tolerance * ticks) return nearest;
        return round_ == rounding::down ? std::floor(ticks) : std::ceil(ticks);
    }

    task_graph in_ticks_;
    rounding round_;
    double tick_s_ = 0.0;
    bool exact_ = false;
};

} // namespace dovetail::schedule::formulation
