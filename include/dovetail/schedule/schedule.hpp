#pragma once
/// \file
/// What a scheduler gives: when and how each task runs, and what is proved about it.

#include <dovetail/core/status.hpp>

#include <cstdint>
#include <vector>

namespace dovetail::schedule {

/// When each task starts, and in which of its modes. Concrete cores follow from it: see `assign_cores`.
struct schedule {
    std::vector<double> start_s;     ///< one entry a task, from 0
    std::vector<std::uint32_t> mode; ///< one entry a task: a position in `task_graph::modes(task)`
    double makespan_s = 0.0;         ///< the end of the task that ends last; 0 without tasks

    friend bool operator==(const schedule&, const schedule&) = default;
};

/// Makespans closer than this, relative to the larger, count as equal: sums of the same durations in another
/// order differ by rounding.
inline constexpr double makespan_tolerance = 1e-12;

/// Whether a schedule of `makespan_s` meets the bound, so that none is shorter.
[[nodiscard]] constexpr bool meets(double makespan_s, double lower_bound_s) noexcept {
    return makespan_s <= lower_bound_s * (1.0 + makespan_tolerance);
}

/// A schedule, and a bound that no schedule of the same problem can beat.
struct certificate {
    dovetail::status status = dovetail::status::feasible; ///< `optimal` where the schedule meets the bound
    schedule best;                                        ///< the shortest schedule found
    double lower_bound_s = 0.0;                           ///< no schedule is shorter
    std::int64_t nodes = 0; ///< nodes of a search tree; 0 where the bound alone proved the schedule

    /// Whether no schedule is shorter.
    [[nodiscard]] bool proved_optimal() const noexcept { return status == dovetail::status::optimal; }

    /// (makespan - bound) / makespan; 0 for an empty problem.
    [[nodiscard]] double relative_gap() const noexcept {
        return best.makespan_s > 0.0 ? (best.makespan_s - lower_bound_s) / best.makespan_s : 0.0;
    }
};

} // namespace dovetail::schedule
