#include <dovetail/core/parallel.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

namespace {

TEST(ParallelFor, VisitsEveryIndexOnceForAnyThreadsAndGrain) {
    for (const std::size_t threads : {0u, 1u, 2u, 7u})
        for (const std::size_t grain : {0u, 1u, 3u, 1000u})
            for (const std::size_t count : {0u, 1u, 2u, 100u}) {
                std::vector<std::atomic<int>> visits(count);
                dovetail::parallel_for(count, threads, grain, [&](std::size_t worker, std::size_t i) {
                    EXPECT_LT(worker, std::max<std::size_t>(1, threads));
                    ++visits[i];
                });
                for (const auto& v : visits) EXPECT_EQ(v, 1);
            }
}

TEST(ParallelFor, AWorkersScratchIsItsOwn) {
    std::vector<long> sum(4, 0);
    dovetail::parallel_for(1000, 4, 1,
                           [&](std::size_t worker, std::size_t i) { sum[worker] += static_cast<long>(i); });
    EXPECT_EQ(sum[0] + sum[1] + sum[2] + sum[3], 999 * 1000 / 2);
}

} // namespace
