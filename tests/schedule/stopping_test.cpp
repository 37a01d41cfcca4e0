// Schedulers that are ended early: whenever that is, the schedule and the bound are sound.
#include "schedule/problems.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/memory_limited.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace dovetail::schedule {
namespace {

/// Resources as scarce as in the hardest projects of the literature; nothing proves these in a moment.
task_graph hard_project(std::size_t tasks) {
    random_source random(11);
    return test::random_progen(random, tasks, 1.8, 0.7, 0.2);
}

TEST(Stopping, AtAnyTimeLeavesASoundScheduleAndBound) {
    random_source random(5);
    int ended = 0;
    for (int round = 0; round < 120; ++round) {
        SCOPED_TRACE(round);
        const task_graph problem =
            round % 2 == 0 ? test::random_project(random, 9) : test::random_progen(random, 14, 1.8, 0.7, 0.3);
        const double best_s = branch_and_bound{}(problem).best.makespan_s;
        tightened_workspace memory; // kept: what an ended search leaves in it must not matter
        for (const double seconds : {0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 60.0}) {
            for (const certificate& answer :
                 {tightened_search{.limits = {.seconds = seconds}}(problem, memory),
                  branch_and_bound{.limits = {.seconds = seconds}}(problem)}) {
                const auto sound = verify(problem, answer.best);
                ASSERT_TRUE(sound) << sound.problem().line();
                EXPECT_GE(answer.best.makespan_s, best_s * (1 - 1e-9));
                EXPECT_LE(answer.lower_bound_s, best_s * (1 + 1e-9));
                ended += answer.status == status::budget;
                if (answer.status == status::optimal) {
                    EXPECT_NEAR(answer.best.makespan_s, best_s, 1e-9 * best_s);
                }
            }
        }
    }
    EXPECT_GT(ended, 50);
}

TEST(Stopping, ARequestBeforehandLeavesTheFirstList) {
    stop_request stop;
    stop.ask();
    const task_graph problem = hard_project(120);
    const list_scheduler sampling{.sampled_tasks = std::numeric_limits<std::int64_t>::max(),
                                  .limits = {.stop = &stop}};
    for (const certificate& answer :
         {tightened_search{.limits = {.stop = &stop}}(problem),
          branch_and_bound{.limits = {.stop = &stop}}(problem), sampling(problem)}) {
        EXPECT_TRUE(verify(problem, answer.best));
        EXPECT_NE(answer.status, status::optimal);
        EXPECT_LE(answer.nodes, 1) << "the one that was not looked at";
        EXPECT_LE(answer.lower_bound_s, answer.best.makespan_s);
    }
}

TEST(Stopping, ARequestFromAnotherThreadEndsASearchUnderWay) {
    using namespace std::chrono_literals;
    const task_graph problem = hard_project(150);
    stop_request stop;
    std::jthread caller([&] {
        std::this_thread::sleep_for(100ms);
        stop.ask();
    });
    // Without the request it would take the two minutes.
    const stopwatch clock;
    const certificate answer = tightened_search{.limits = {.seconds = 120, .stop = &stop}}(problem);
    EXPECT_LT(clock.seconds(), 60);
    EXPECT_EQ(answer.status, status::budget);
    EXPECT_TRUE(verify(problem, answer.best));
}

// A thousand jobs: lists, bounds and propagation all take longer than the limit.
TEST(Stopping, AThousandJobsKeepToTheLimit) {
    const task_graph problem = hard_project(1000);
    tightened_workspace memory;
    // The first list is made whatever the limit.
    const stopwatch list_clock;
    static_cast<void>(tightened_search{.limits = {.seconds = 0}}(problem, memory));
    const double list_s = list_clock.seconds();
    for (const double seconds : {0.2, 0.6}) {
        const stopwatch clock;
        const certificate answer = tightened_search{.limits = {.seconds = seconds}}(problem, memory);
        // Twice what is allowed on a quiet machine.
        EXPECT_LT(clock.seconds(), 1.2 * seconds + 0.1 + 2 * list_s);
        EXPECT_EQ(answer.status, status::budget);
        EXPECT_TRUE(verify(problem, answer.best));
    }
}

TEST(Stopping, UnderAMemoryLimitNothingIsClaimedThatWasNotSeen) {
    random_source random(21);
    for (int round = 0; round < 40; ++round) {
        SCOPED_TRACE(round);
        const task_graph problem = test::random_project(random, 8);
        std::vector<buffer> buffers;
        for (graph::index v = 0; v < problem.task_count(); ++v) {
            const auto modes = problem.modes(v);
            if (std::any_of(modes.begin(), modes.end(), [](const mode& m) { return m.duration_s == 0; }))
                continue;
            const auto readers = problem.precedence().successors(v);
            buffers.push_back({random.integer(1, 9), v, {readers.begin(), readers.end()}, false});
        }
        const std::vector<std::int64_t> no_workspace(problem.task_count(), 0);
        const auto memory = live_memory::make(problem, no_workspace, buffers);
        ASSERT_TRUE(memory);
        const std::int64_t limit = unavoidable_bytes(*memory) + random.integer(0, 8);
        const memory_certificate whole = memory_limited{.limit_bytes = limit}(problem, *memory);
        if (whole.proof.status != status::optimal && whole.proof.status != status::infeasible) continue;
        for (const double seconds : {0.0, 1e-5, 1e-4, 1e-3}) {
            const memory_certificate cut =
                memory_limited{.limit_bytes = limit, .limits = {.seconds = seconds}}(problem, *memory);
            const bool found = !cut.proof.best.start_s.empty();
            if (cut.proof.status == status::infeasible) {
                EXPECT_EQ(whole.proof.status, status::infeasible);
            }
            if (!found) continue;
            EXPECT_TRUE(verify(problem, cut.proof.best));
            EXPECT_LE(peak_bytes(*memory, problem, cut.proof.best), limit);
            EXPECT_GE(cut.proof.best.makespan_s, whole.proof.best.makespan_s * (1 - 1e-9));
            EXPECT_LE(cut.proof.lower_bound_s, whole.proof.best.makespan_s * (1 + 1e-9));
        }
    }
}

} // namespace
} // namespace dovetail::schedule
