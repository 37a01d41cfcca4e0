#pragma once
/// \file
/// A lower bound by refuting makespans one after another.

#include <dovetail/core/array_view.hpp>
#include <dovetail/schedule/block_model.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>

namespace dovetail::schedule {

namespace detail {

/// The bound of one block of `problem` between two others, of which the lower one is valid and the upper one
/// not exceeded.
[[nodiscard]] inline double destructive_bound_s(const task_graph& problem,
                                                array_view<const graph::index> block, double low_s,
                                                double high_s) {
    const tick_scale scale = scale_of(problem, block);
    ticks low = scale.within(low_s);
    ticks high = scale.shorter_than(high_s) + 1;
    while (low < high) {
        const ticks middle = low + (high - low) / 2;
        if (block_model(problem, block, scale, middle).propagate())
            high = middle;
        else
            low = middle + 1;
    }
    return std::clamp(scale.at_least_s(low), low_s, high_s);
}

} // namespace detail

/// Destructive improvement (Klein and Scholl, EJOR 112, 1999): the shortest makespan that propagation alone
/// does not refute, found by bisection and summed over the blocks of `task_graph::block_ends`. Propagated are
/// precedence, pairs of tasks that never fit together, and certain use (see `detail::cumulative`), with the
/// least that any mode needs. \param high_s the makespan of some schedule, which the bound does not exceed
/// \returns at least `lower_bound_s(problem)`
/// \complexity O(log(high / unit)) propagations, each of O(tasks^2) at least.
[[nodiscard]] inline double destructive_bound_s(const task_graph& problem, double high_s) {
    const relaxation relaxed(problem);
    double bound_s = 0.0;
    std::size_t begin = 0;
    for (std::size_t block = 0; block < problem.block_ends().size(); ++block) {
        const std::size_t end = problem.block_ends()[block];
        const double low_s = relaxed.block_bound_s()[block];
        bound_s += detail::destructive_bound_s(problem, problem.order().subspan(begin, end - begin), low_s,
                                               std::max(low_s, high_s - (relaxed.lower_bound_s() - low_s)));
        begin = end;
    }
    return std::min(bound_s, std::max(high_s, relaxed.lower_bound_s()));
}

} // namespace dovetail::schedule
