#include <dovetail/core/budget.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

namespace dovetail {
namespace {

constexpr std::int64_t plenty = 1'000'000;

std::int64_t nodes_until_exhausted(spending& spent) {
    std::int64_t nodes = 0;
    while (nodes < plenty && spent.spend_node()) ++nodes;
    return nodes;
}

TEST(Budget, NoTimeAtAllIsNotOneNode) {
    spending none(budget{.seconds = 0});
    EXPECT_FALSE(none.spend_node());
    spending asked(budget{.seconds = 0});
    EXPECT_TRUE(asked.late());
    EXPECT_FALSE(asked.spend_node());
}

TEST(Budget, WithoutLimitsNothingEnds) {
    spending spent(budget{});
    EXPECT_EQ(nodes_until_exhausted(spent), plenty);
    EXPECT_FALSE(spent.late());
}

TEST(Budget, ARequestToStopEndsASearchWithinFewNodes) {
    stop_request stop;
    spending spent(budget{.stop = &stop});
    for (int node = 0; node < 10'000; ++node) ASSERT_TRUE(spent.spend_node());
    EXPECT_FALSE(spent.late());
    stop.ask();
    EXPECT_TRUE(spent.is_over());
    EXPECT_LE(nodes_until_exhausted(spent), 64);
    EXPECT_TRUE(spent.exhausted());
    spending later(budget{.stop = &stop});
    EXPECT_FALSE(later.spend_node()) << "a request is not taken back";
}

TEST(Budget, ARequestThatIsNotMadeChangesNoCount) {
    const stop_request stop;
    spending spent(budget{.nodes = 1000, .stop = &stop});
    EXPECT_EQ(nodes_until_exhausted(spent), 1000);
}

// However long a node takes, the time between two looks at the clock is little more than one of them.
TEST(Budget, SlowNodesDoNotOverrunTheLimit) {
    using namespace std::chrono_literals;
    spending spent(budget{.seconds = 0.05});
    int slow = 0;
    while (slow < 100 && spent.spend_node()) {
        std::this_thread::sleep_for(5ms);
        ++slow;
    }
    EXPECT_LE(slow, 11) << "each of at least 5 ms";
    // Quick nodes first: the clock is read rarely by then.
    spending mixed(budget{.seconds = 0.05});
    for (int node = 0; node < 1000; ++node) static_cast<void>(mixed.spend_node());
    slow = 0;
    while (slow < 1000 && mixed.spend_node()) {
        std::this_thread::sleep_for(1ms);
        ++slow;
    }
    EXPECT_LE(slow, 64 + 50);
}

TEST(Budget, TheRestIsWhatHasNotBeenSpent) {
    const stop_request stop;
    const budget whole{.nodes = 10, .seconds = 4, .stop = &stop};
    const budget rest = whole.after(1, 3);
    EXPECT_EQ(rest.nodes, 7);
    EXPECT_EQ(rest.seconds, 3);
    EXPECT_EQ(rest.stop, &stop);
    EXPECT_EQ(whole.after(5).seconds, 0);
    EXPECT_EQ(budget{}.after(1e9).seconds, std::numeric_limits<double>::infinity());
}

} // namespace
} // namespace dovetail
