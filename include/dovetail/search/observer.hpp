#pragma once
/// \file
/// Hooks that a search calls while it runs; a caller gives those that it wants.

#include <cstddef>

namespace dovetail::search {

/// How far a search is.
struct progress {
    std::size_t done = 0;  ///< designs evaluated, under every setting or some
    std::size_t total = 0; ///< designs that the strategy will evaluate; 0 where it decides on the way
    double seconds = 0;
    double best_throughput_samples_per_s = 0;
};

/// An observer without hooks.
struct silent {};

/// Calls `observer.on_progress(p)` where there is such a hook, always from the thread that searches.
template <class Observer>
void notify(Observer& observer, const progress& p) {
    if constexpr (requires { observer.on_progress(p); }) observer.on_progress(p);
}

} // namespace dovetail::search
