#pragma once
/// \file
/// The library's own scheduling problem as an integer program over ticks: which tick each task starts in.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/formulation/time_grid.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::schedule::formulation {

/// The time-indexed formulation of Pritsker, Watters and Wolfe (Management Science 16, 1969) with the
/// disaggregated precedence of Christofides, Alvarez-Valdes and Tamarit (EJOR 29, 1987), here with several
/// modes. Times are ticks of a `time_grid`. x_imt = 1: task i starts in tick t in mode m; z_t = 1: the
/// makespan is t.
///
///     min sum_t t z_t
///     sum_mt x_imt = 1,   sum_t z_t = 1
///     sum_m sum_{s > t - d_im} x_ims + sum_m sum_{s <= t} x_jms <= 1     i before j, every t
///     sum_m sum_{s > t - d_im} x_ims + sum_{s <= t} z_s <= 1             i without successors, every t
///     sum_im k_imr sum_{t - d_im < s <= t} x_ims <= capacity_r           every r and t
///
/// Windows: head_i <= t <= H - tail_i - d_im, and LB <= makespan <= H, with heads, tails and LB of
/// `relaxation` and H the makespan of a list schedule. Arcs that others imply, and rows that the windows
/// imply, are left out.
///
/// Size: as many columns as the windows of all tasks and modes are long; at most (arcs + tasks + resources) H
/// rows. The relaxation needs no big-M, but spreads tasks over their windows: on exact grids its root is
/// below that of `disjunctive` more often than above (docs/models/formulations.md).
class time_indexed {
public:
    using problem_type = task_graph;
    using answer_type = schedule;
    static constexpr std::string_view name = "time-indexed";

    /// \complexity O(arcs * H * modes * H) coefficients at worst.
    explicit time_indexed(const task_graph& problem, const grid_options& options = {});

    /// The program; its objective is in ticks.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// The grid that it is written on.
    [[nodiscard]] const time_grid& grid() const noexcept { return grid_; }

    /// The schedule of the problem, not of the grid, that the values stand for: each task as early as the
    /// order of the starts allows.
    [[nodiscard]] schedule decode(const ilp::solution& found) const {
        DOVETAIL_ASSERT(found.has_values(), "a solution without values is no schedule");
        std::vector<double> start(tasks_.size());
        std::vector<std::uint32_t> modes(tasks_.size());
        for (std::size_t i = 0; i < tasks_.size(); ++i)
            for (const choice& c : tasks_[i])
                if (found[c.chosen] > 0.5) {
                    start[i] = static_cast<double>(c.start);
                    modes[i] = c.mode;
                }
        return serial_schedule(*problem_, order_by(*problem_, start), modes);
    }

    /// No schedule of the problem is shorter, in seconds; 0 where the grid was rounded up.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        constexpr double tolerance = 1e-6; // of solvers; makespans are whole ticks
        return grid_.bounds() ? std::max(0.0, std::ceil(found.bound - tolerance)) * grid_.tick_s() : 0.0;
    }

private:
    /// A task that starts in one mode at one time.
    struct choice {
        std::uint32_t mode;
        std::int64_t start, end;
        ilp::variable chosen;
    };
    using choices = std::vector<choice>; ///< of one task, or of the end of all

    void add_windows(const relaxation& relaxed, std::int64_t horizon);
    void add_end(std::int64_t lower_bound, std::int64_t horizon);
    void add_precedence(const choices& before, const choices& after, const std::string& row_name);
    void add_resource(std::size_t resource, std::int64_t horizon);

    static ilp::expression chosen(const choices& some) {
        return ilp::sum(some, [](const choice& c) { return c.chosen; });
    }

    const task_graph* problem_; // outlives the formulation
    time_grid grid_;
    ilp::model model_;
    std::vector<choices> tasks_;
    choices end_;
};

inline time_indexed::time_indexed(const task_graph& problem, const grid_options& options)
    : problem_(&problem), grid_(problem, options) {
    const task_graph& on_grid = grid_.problem();
    const relaxation relaxed(on_grid);
    // Whole durations: some best schedule starts everything in whole ticks.
    const auto horizon = static_cast<std::int64_t>(list_scheduler{}(on_grid).best.makespan_s);
    const auto lower_bound = static_cast<std::int64_t>(std::ceil(relaxed.lower_bound_s() - 1e-9));
    add_windows(relaxed, horizon);
    add_end(std::min(lower_bound, horizon), horizon);
    for (graph::index i = 0; i < tasks_.size(); ++i) {
        const auto after = on_grid.precedence().successors(i);
        if (after.empty()) add_precedence(tasks_[i], end_, "last_" + to_text(i));
        for (const graph::index j : after) {
            const bool implied = std::any_of(after.begin(), after.end(),
                                             [&](graph::index w) { return on_grid.reaches().reaches(w, j); });
            if (!implied) add_precedence(tasks_[i], tasks_[j], "after_" + to_text(i) + "_" + to_text(j));
        }
    }
    for (std::size_t r = 0; r < max_resources; ++r) add_resource(r, horizon);
}

inline void time_indexed::add_windows(const relaxation& relaxed, std::int64_t horizon) {
    const task_graph& on_grid = grid_.problem();
    tasks_.resize(on_grid.task_count());
    for (graph::index i = 0; i < tasks_.size(); ++i) {
        const auto earliest = static_cast<std::int64_t>(std::ceil(relaxed.head_s()[i] - 1e-9));
        const auto tail = static_cast<std::int64_t>(std::ceil(relaxed.tail_s()[i] - 1e-9));
        for (std::uint32_t k = 0; k < on_grid.modes(i).size(); ++k) {
            const mode& m = on_grid.modes(i)[k];
            if (!fits(m.use, on_grid.capacity())) continue;
            const auto ticks = static_cast<std::int64_t>(m.duration_s);
            for (std::int64_t t = earliest; t <= horizon - tail - ticks; ++t)
                tasks_[i].push_back(
                    {k, t, t + ticks,
                     model_.add_binary("x_" + to_text(i) + "_" + to_text(k) + "_" + to_text(t))});
        }
        model_.add_constraint(chosen(tasks_[i]) == 1.0, "once_" + to_text(i));
    }
}

inline void time_indexed::add_end(std::int64_t lower_bound, std::int64_t horizon) {
    for (std::int64_t t = lower_bound; t <= horizon; ++t)
        end_.push_back({0, t, t, model_.add_binary("z_" + to_text(t))});
    model_.add_constraint(chosen(end_) == 1.0, "end");
    model_.minimize(ilp::sum(end_, [](const choice& c) { return static_cast<double>(c.start) * c.chosen; }));
}

// A row for every tick in which both could be: who still runs in t, or later, keeps the other from starting
// by t.
inline void time_indexed::add_precedence(const choices& before, const choices& after,
                                         const std::string& row_name) {
    std::int64_t first = after.front().start, last = 0;
    for (const choice& c : after) first = std::min(first, c.start);
    for (const choice& c : before) last = std::max(last, c.end - 1);
    for (std::int64_t t = first; t <= last; ++t) {
        ilp::expression row;
        for (const choice& c : before)
            if (c.end > t) row += c.chosen;
        for (const choice& c : after)
            if (c.start <= t) row += c.chosen;
        model_.add_constraint(row <= 1.0, row_name + "_" + to_text(t));
    }
}

inline void time_indexed::add_resource(std::size_t resource, std::int64_t horizon) {
    const auto capacity = static_cast<double>(grid_.problem().capacity()[resource]);
    for (std::int64_t t = 0; t < horizon; ++t) {
        ilp::expression held;
        double most = 0.0;
        for (graph::index i = 0; i < tasks_.size(); ++i) {
            double of_task = 0.0;
            for (const choice& c : tasks_[i]) {
                const std::int32_t units = grid_.problem().modes(i)[c.mode].use[resource];
                if (units == 0 || c.start > t || c.end <= t) continue;
                held += static_cast<double>(units) * c.chosen;
                of_task = std::max(of_task, static_cast<double>(units));
            }
            most += of_task;
        }
        if (most > capacity)
            model_.add_constraint(held <= capacity, "held_" + to_text(resource) + "_" + to_text(t));
    }
}

static_assert(ilp::formulation<time_indexed>);

} // namespace dovetail::schedule::formulation
