#pragma once
/// \file
/// A parallel loop whose result cannot depend on the number of threads: workers only take indices.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace dovetail {

/// The threads to use when the caller does not say: every hardware thread, at least one.
[[nodiscard]] inline std::size_t hardware_threads() {
    return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

/// Calls `body(worker, index)` once for every index in [0, count), in blocks of `grain` handed out as workers
/// become free. `worker` is in [0, threads): use it to reach scratch memory, never the answer. Returning from
/// `body` is the only way to end it; write results to a slot of `index`. \complexity O(count) calls.
template <class Body>
void parallel_for(std::size_t count, std::size_t threads, std::size_t grain, Body&& body) {
    threads = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(1, count));
    grain = std::max<std::size_t>(1, grain);
    std::atomic<std::size_t> next{0};
    const auto work = [&](std::size_t worker) {
        for (;;) {
            const std::size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
            if (begin >= count) return;
            const std::size_t end = std::min(count, begin + grain);
            for (std::size_t index = begin; index < end; ++index) body(worker, index);
        }
    };
    std::vector<std::jthread> helpers;
    helpers.reserve(threads - 1);
    for (std::size_t worker = 1; worker < threads; ++worker) helpers.emplace_back(work, worker);
    work(0);
}

} // namespace dovetail
