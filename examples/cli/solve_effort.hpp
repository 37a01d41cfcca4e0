#pragma once
// What a solver takes, of time and of memory.

#include "heap_meter.hpp"

#include <dovetail/core/budget.hpp>

#include <cstddef>

namespace cli {

/// Seconds and bytes of a solver alone: what it is given has been read before.
struct solve_effort {
    double seconds = 0.0;
    std::size_t peak_bytes = 0;
    std::size_t solves = 1; ///< that `seconds` is the mean of
};

/// Runs `solve`, whose answer it returns. Where `repeat` asks for seconds that a clock can tell, one under 50
/// ms is solved again for as long, but not beyond `limits`, and the mean is what it takes.
template <class Solve>
[[nodiscard]] auto measure_solve(solve_effort& effort, const dovetail::budget& limits, bool repeat,
                                 const Solve& solve) {
    const dovetail::stopwatch clock;
    auto answer = [&] {
        const heap_meter meter;
        auto metered = solve();
        effort.peak_bytes = meter.peak_bytes();
        return metered;
    }();
    effort.seconds = clock.seconds();
    if (!repeat || effort.seconds >= 0.05 || limits.is_over(effort.seconds)) return answer;
    const dovetail::stopwatch repeated;
    effort.solves = 0;
    do {
        static_cast<void>(solve());
        ++effort.solves;
    } while (repeated.seconds() < 0.05 && !limits.is_over(clock.seconds()));
    effort.seconds = repeated.seconds() / static_cast<double>(effort.solves);
    return answer;
}

} // namespace cli
