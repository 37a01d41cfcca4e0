#include <dovetail/search/pass_timer.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/search/pass_order.hpp>
#include <dovetail/search/winner.hpp>
#include <search/support.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace dovetail::search {
namespace {

using test::branching_pass;

TEST(PassTimer, LiesBetweenItsBoundAndTheSumOfAllCoresTimes) {
    const test::model model;
    const pass_profile pass = branching_pass(512, 512);
    pass_timer timer(pass);
    schedule::workspace memory;
    for (const auto& design : hardware::kept_designs(test::small_space()).value()) {
        const pass_time time = timer(model, design.chip, {}, memory);
        double sum = 0;
        double hbm_s = 0;
        for (const auto& work : pass.groups) {
            sum += model(work, design.chip, cost::core_mode::all_cores).latency_s();
            hbm_s += std::min(model(work, design.chip, cost::core_mode::all_cores).hbm_s,
                              model(work, design.chip, cost::core_mode::one_core).hbm_s);
        }
        EXPECT_LE(time.makespan_s, sum * (1 + 1e-9));
        EXPECT_GE(time.makespan_s, time.lower_bound_s * (1 - 1e-9));
        EXPECT_GE(time.latency_s, hbm_s * (1 - 1e-9)) << "the HBM serves one operator at a time";
        EXPECT_EQ(time.latency_s, std::max(time.makespan_s, time.shared_memory_s));
    }
}

TEST(PassTimer, ACollectiveTakesTheLinkForItsRing) {
    const test::model model;
    workload::operator_work reduce;
    reduce.reduced_elements = 1e6;
    const pass_profile pass{{reduce}, {"all-reduce"}, graph::digraph(1, {})};
    pass_timer timer(pass);
    schedule::workspace memory;
    const pass_time time = timer(model, hardware::tpuv4_like, {.width = 4, .link_bytes_per_s = 1e9}, memory);
    EXPECT_DOUBLE_EQ(time.latency_s, 2.0 * 3 / 4 * 2e6 / 1e9);
}

TEST(PassTimer, TwiceTheRowsTakeAboutTwiceAsLong) {
    const test::model model;
    schedule::workspace memory;
    const pass_profile small = branching_pass(4096, 1024);
    const pass_profile large = branching_pass(8192, 1024);
    const double ratio = pass_timer(large)(model, hardware::tpuv4_like, {}, memory).latency_s /
                         pass_timer(small)(model, hardware::tpuv4_like, {}, memory).latency_s;
    EXPECT_GT(ratio, 1.8);
    EXPECT_LT(ratio, 2.2);
}

TEST(SchedulePass, GivesEveryGroupItsCoresAndSharesNone) {
    const test::model model;
    const hardware::accelerator chip{4, 2, 32, 32, 32, 2 * mebibyte};
    const scheduled_pass scheduled = schedule_pass(branching_pass(256, 512), model, chip, {});
    ASSERT_EQ(scheduled.table.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const auto& a = scheduled.table[i];
            const auto& b = scheduled.table[j];
            const bool overlap = a.start_s < b.end_s - 1e-15 && b.start_s < a.end_s - 1e-15;
            for (std::size_t r = 0; r < a.units.size(); ++r)
                for (const std::int32_t unit : a.units[r])
                    EXPECT_FALSE(overlap && std::count(b.units[r].begin(), b.units[r].end(), unit) > 0);
        }
}

TEST(CanonicalOrder, IsTheSameForEveryNumbering) {
    random_source random(5);
    const pass_profile pass = in_canonical_order(branching_pass(256, 512));
    for (int round = 0; round < 50; ++round) {
        std::vector<graph::index> place(pass.groups.size());
        std::iota(place.begin(), place.end(), graph::index{0});
        std::shuffle(place.begin(), place.end(), random);
        pass_profile shuffled = pass;
        std::vector<graph::arc> arcs;
        for (std::size_t i = 0; i < place.size(); ++i) {
            shuffled.groups[place[i]] = pass.groups[i];
            shuffled.names[place[i]] = pass.names[i];
        }
        for (const graph::arc& a : pass.precedence.arcs()) arcs.push_back({place[a.source], place[a.target]});
        shuffled.precedence = graph::digraph(place.size(), arcs);
        const pass_profile again = in_canonical_order(shuffled);
        EXPECT_EQ(again.groups, pass.groups);
        EXPECT_TRUE(std::equal(again.precedence.arcs().begin(), again.precedence.arcs().end(),
                               pass.precedence.arcs().begin(), pass.precedence.arcs().end()));
    }
}

} // namespace
} // namespace dovetail::search
