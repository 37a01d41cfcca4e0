#pragma once
/// \file
/// A tight integer program of the library's own scheduling problem: orders of pairs, one block after another,
/// with the energy that every interval must hold.

#include <dovetail/core/assert.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/formulation/block_paths.hpp>
#include <dovetail/schedule/formulation/block_variables.hpp>
#include <dovetail/schedule/formulation/disjunctive_block.hpp>
#include <dovetail/schedule/formulation/time_grid.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dovetail::schedule::formulation {

/// Per block of `task_graph::block_ends` an extent E; per task i a start t_i from the start of its block, and
/// y_im (1: mode m); per pair x_ij (1: i ends before j starts). With p_i = sum_m y_im d_im, u_ir = sum_m y_im
/// use_imr, w_ir = sum_m y_im d_im use_imr, and g_uv the least time from the end of u to the start of v:
///
///     (1)  min sum of all E,   bound <= E <= H,   sum_m y_im = 1
///     (2)  t_j >= t_i + p_i                     i before j;   E >= t_i + p_i   for the last ones
///     (3)  t_j >= t_i + p_i - (H - q_i - h_j) (1 - x_ij),   x_ij + x_ji <= 1            else
///     (4)  sum_{m: I(m) contains I} y_im + sum_{m' in I} y_jm' <= 1 + x_ij + x_ji
///          I(m): the modes of j that do not fit beside mode m of i;   = where no two modes fit
///     (5)  x_kj <= x_ij,   x_ji <= x_jk                                  i before k, j free to both
///     (6)  flow of units as in `resource_flow`, where (4) does not decide who fits beside whom
///     (7)  t_v >= t_u + p_u + min_S g_ui + sum_S w_ir / capacity_r + min_S g_iv
///          S: the users of r that lie between u and v
///     (8)  t_j >= min(h_j, min_S h_i) + sum_{i before j} w_ir / capacity_r + sum_{i free} w_ir' x_ij /
///     capacity_r
///          E >= t_j + p_j + the same of what comes after, with tails
///
/// H is what a list schedule spends on the block, h and q are heads and tails in it, w' the least work over
/// modes. Only resources are looked at that the users in the block could exceed; x exists for pairs that
/// share one, is one column where the pair can never overlap, and none where H forbids an order. (7) also
/// holds between the two ends of the block, for the users with heads and tails from two thresholds on.
///
/// *Why (7) and (8) hold:* what lies between two moments does its work in the time between them, of which
/// every resource gives at most its capacity. They make the choice of modes cost what it takes: a mode on all
/// cores shortens a path, and fills the chip.
///
/// Its relaxation is never weaker than that of `resource_flow`: (1) to (3) and (6) are the rows of it or
/// tighter ones. Size, for a block of n tasks, of which u use the resource: at most n^2 columns x and u^2
/// flows, O(n^2) rows of (3), (4) and (6), O(n arcs) of (5), O(n^2) of (7) a resource, 2 n of (8).
class disjunctive {
public:
    using problem_type = task_graph;
    using answer_type = schedule;
    static constexpr std::string_view name = "disjunctive";

    /// \complexity O(tasks^4) at worst, in the largest block; O(tasks^3) coefficients.
    explicit disjunctive(const task_graph& problem) : problem_(&problem) {
        const certificate listed = list_scheduler{}(problem);
        const relaxation relaxed(problem);
        const double tick_s = common_tick_s(problem);
        whole_ = tick_s > 0.0 && listed.best.makespan_s <= most_ticks * tick_s;
        for (graph::index i = 0; i < problem.task_count() && !whole_; ++i)
            for (const mode& m : problem.modes(i)) unit_s_ = std::max(unit_s_, m.duration_s);
        if (whole_) unit_s_ = tick_s;
        if (unit_s_ == 0.0) unit_s_ = 1.0;
        std::size_t begin = 0;
        for (std::size_t k = 0; k < problem.block_ends().size(); ++k) {
            const std::size_t end = problem.block_ends()[k];
            const block_paths paths(problem, relaxed, problem.order().subspan(begin, end - begin),
                                    relaxed.block_bound_s()[k], listed.best);
            blocks_.push_back(detail::disjunctive_block(model_, problem, paths, unit_s_, whole_).variables());
            begin = end;
        }
        model_.minimize(ilp::sum(blocks_, &detail::block_variables::extent));
    }

    /// The program.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of time of the model: `common_tick_s`, or the longest duration.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// The schedule that the values of the model stand for, each task as early as their order allows.
    [[nodiscard]] schedule decode(const ilp::solution& found) const {
        DOVETAIL_ASSERT(found.has_values(), "a solution without values is no schedule");
        std::vector<double> start(problem_->task_count());
        std::vector<std::uint32_t> modes(start.size());
        double block_start = 0.0;
        for (const detail::block_variables& block : blocks_) {
            for (const detail::task_variables& t : block.tasks) {
                start[t.task] = block_start + found[t.start];
                for (const detail::mode_variable& c : t.choices)
                    if (found[c.chosen] > 0.5) modes[t.task] = c.mode;
            }
            block_start += found[block.extent];
        }
        return serial_schedule(*problem_, order_by(*problem_, start), modes);
    }

    /// No schedule is shorter, in seconds.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        constexpr double solver_tolerance = 1e-6;
        const double units = whole_ ? std::ceil(found.bound - solver_tolerance) : found.bound;
        return std::max(0.0, units * unit_s_);
    }

private:
    static constexpr double most_ticks = 1000.0; // so that a solver's tolerances are small beside one

    const task_graph* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 0.0;
    bool whole_ = false; // every duration is a whole number of units
    std::vector<detail::block_variables> blocks_;
};

static_assert(ilp::formulation<disjunctive>);

} // namespace dovetail::schedule::formulation
