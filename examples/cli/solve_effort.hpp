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
};

/// Runs `solve`, whose answer it returns. A solve under 50 ms is repeated until the clock can tell, but not
/// beyond `limits`.
template <class Solve>
[[nodiscard]] auto measure_solve(solve_effort& effort, const dovetail::budget& limits, const Solve& solve) {
    const dovetail::stopwatch clock;
    auto answer = [&] {
        const heap_meter meter;
        auto metered = solve();
        effort.peak_bytes = meter.peak_bytes();
        return metered;
    }();
    effort.seconds = clock.seconds();
    if (effort.seconds >= 0.05 || limits.is_over(effort.seconds)) return answer;
    const dovetail::stopwatch repeated;
    int solves = 0;
    do {
        static_cast<void>(solve());
        ++solves;
    } while (repeated.seconds() < 0.05 && !limits.is_over(clock.seconds()));
    effort.seconds = repeated.seconds() / solves;
    return answer;
}

} // namespace cli
