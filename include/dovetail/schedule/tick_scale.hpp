#pragma once
/// \file
/// Durations as whole numbers.

#include <dovetail/core/array_view.hpp>
#include <dovetail/schedule/bound_trail.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace dovetail::schedule::detail {

/// A unit of time in which durations are whole numbers: exactly, where they have a common measure that is not
/// too small against their sum; else rounded down to multiples of 2^-52 of the sum, but never to 0. A
/// schedule keeps its order when its durations are rounded, so that a bound on rounded schedules is one on
/// all, and n tasks lose no more than n units.
class tick_scale {
public:
    /// \param duration_s at least 0 and finite
    /// \param total_s no schedule of interest is longer
    tick_scale(array_view<const double> duration_s, double total_s) {
        total_s = std::min(total_s, std::numeric_limits<double>::max());
        if (!(total_s > 0.0)) return;
        int lowest = std::numeric_limits<int>::max(); // the exponent of the last bit of all
        for (const double d : duration_s)
            if (d > 0.0) lowest = std::min(lowest, last_bit(d));
        if (std::ilogb(total_s) - lowest < 52) {
            std::int64_t measure = 0;
            for (const double d : duration_s)
                measure = std::gcd(measure, static_cast<std::int64_t>(std::ldexp(d, -lowest)));
            unit_s_ = std::ldexp(static_cast<double>(measure), lowest);
            return;
        }
        unit_s_ = std::max(std::ldexp(total_s, -52), std::numeric_limits<double>::min());
        for (const double d : duration_s) rounded_up_ += d > 0.0 && d < unit_s_ ? 1 : 0;
    }

    /// A duration in units.
    [[nodiscard]] ticks length(double duration_s) const {
        if (duration_s == 0.0) return 0;
        return std::max<ticks>(1, static_cast<ticks>(std::floor(duration_s / unit_s_)));
    }
    /// The largest makespan in units that a schedule shorter than `makespan_s` can have.
    [[nodiscard]] ticks shorter_than(double makespan_s) const {
        return static_cast<ticks>(std::floor(makespan_s * (1.0 - makespan_tolerance) / unit_s_)) +
               rounded_up_;
    }
    /// The same for a makespan in units.
    [[nodiscard]] static ticks shorter_than(ticks makespan) {
        return makespan - 1 -
               static_cast<ticks>(std::floor(static_cast<double>(makespan) * makespan_tolerance));
    }
    /// The largest makespan in units that is certainly no more than `bound_s`.
    [[nodiscard]] ticks within(double bound_s) const {
        return static_cast<ticks>(std::floor(bound_s / unit_s_));
    }
    /// What a schedule of at least `makespan` units takes at least.
    [[nodiscard]] double at_least_s(ticks makespan) const {
        return static_cast<double>(std::max<ticks>(0, makespan - rounded_up_)) * unit_s_;
    }

private:
    [[nodiscard]] static int last_bit(double positive) {
        int exponent = 0;
        const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(positive, &exponent), 53));
        return exponent - 53 + std::countr_zero(mantissa);
    }

    double unit_s_ = 1.0;
    ticks rounded_up_ = 0; // durations that are less than a unit
};

/// The scale of the durations of a block.
[[nodiscard]] inline tick_scale scale_of(const task_graph& problem, array_view<const graph::index> block) {
    std::vector<double> duration_s;
    double total_s = 0.0;
    for (const graph::index v : block) {
        double longest_s = 0.0;
        for (const mode& m : problem.modes(v)) {
            if (!fits(m.use, problem.capacity())) continue;
            duration_s.push_back(m.duration_s);
            longest_s = std::max(longest_s, m.duration_s);
        }
        total_s += longest_s;
    }
    return tick_scale(duration_s, total_s);
}

} // namespace dovetail::schedule::detail
