// What bounds rule out, and the exact scheduler that begins with them.
#include <dovetail/schedule/tightened_search.hpp>

#include "schedule/problems.hpp"

#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

constexpr double infinity = std::numeric_limits<double>::infinity();

// The bound by trying every set of tasks that share: the rest alone, and the longest chain or the work of the
// set beside.
struct tried {
    double least_s = infinity;
    std::vector<double> where_shared_s;

    tried(const std::vector<resource_need>& needs, const graph::reachability& reach)
        : where_shared_s(needs.size(), infinity) {
        for (std::uint32_t set = 0; set < 1U << needs.size(); ++set) {
            double alone_s = 0.0, work_s = 0.0;
            std::vector<double> chain_s(needs.size(), 0.0);
            for (graph::index v = 0; v < needs.size(); ++v) {
                if ((set >> v & 1) == 0) {
                    alone_s += needs[v].full_s;
                    continue;
                }
                work_s += needs[v].least_s;
                for (graph::index u = 0; u < v; ++u)
                    if ((set >> u & 1) != 0 && reach.reaches(u, v))
                        chain_s[v] = std::max(chain_s[v], chain_s[u]);
                chain_s[v] += needs[v].part_s;
            }
            const double set_s =
                alone_s + std::max(work_s, *std::max_element(chain_s.begin(), chain_s.end()));
            least_s = std::min(least_s, set_s);
            for (graph::index v = 0; v < needs.size(); ++v)
                if ((set >> v & 1) != 0) where_shared_s[v] = std::min(where_shared_s[v], set_s);
        }
    }
};

TEST(occupancy, is_a_bound_on_every_way_to_share_and_chains_tighten_it) {
    random_source random(51);
    int tighter = 0, exact = 0;
    for (int instance = 0; instance < 400; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 8));
        const graph::digraph order = test::random_order(random, n, random.real(0.0, 0.7));
        const graph::reachability reach(order, graph::topological_order(order).value());
        std::vector<resource_need> needs;
        std::vector<std::uint32_t> by_part;
        for (std::uint32_t v = 0; v < n; ++v) {
            resource_need need;
            const auto kind = random.integer(0, 5);
            if (kind != 0) need.full_s = static_cast<double>(random.integer(1, 9));
            if (kind != 1) need.part_s = static_cast<double>(random.integer(1, 20));
            need.least_s = std::min(need.full_s, need.part_s / 3.0);
            needs.push_back(need);
            by_part.push_back(v);
        }
        std::sort(by_part.begin(), by_part.end(),
                  [&](auto a, auto b) { return needs[a].part_s < needs[b].part_s; });
        occupancy set;
        // Each task goes behind any chain that it waits for.
        std::vector<std::uint32_t> last, chain;
        for (graph::index v = 0; v < n; ++v) {
            std::uint32_t c = 0;
            while (c < last.size() && !reach.reaches(last[c], v)) ++c;
            if (c == last.size()) last.push_back(v);
            last[c] = v;
            chain.push_back(c);
        }
        for (const std::uint32_t v : by_part) set.add({v, needs[v], chain[v]});
        const tried all(needs, reach);
        const double longest_s = set.by_longest();
        EXPECT_LE(longest_s, all.least_s * (1 + 1e-12)) << instance;
        const double chains_s = set.by_chains();
        EXPECT_LE(chains_s, all.least_s * (1 + 1e-12)) << instance;
        EXPECT_GE(chains_s, longest_s);
        for (std::size_t k = 0; k < n; ++k) {
            const std::uint32_t v = set.members()[k].task;
            if (needs[v].part_s < infinity) {
                EXPECT_LE(set.where_shared_s(k), all.where_shared_s[v] * (1 + 1e-12)) << instance << ' ' << v;
            }
        }
        tighter += chains_s > longest_s ? 1 : 0;
        exact += chains_s >= all.least_s * (1 - 1e-12) ? 1 : 0;
    }
    EXPECT_GT(tighter, 30);
    EXPECT_GT(exact, 200);
}

// Restricts every task of an optimal schedule to what the optimum leaves: a mode ruled out below
// `optimum_s` + 1 must not be needed for a schedule of `optimum_s`.
void expect_sound(const task_graph& problem, double optimum_s, int& closed, int& ruled_out) {
    tightening left;
    for (std::size_t block = 0, begin = 0; block < problem.block_ends().size(); ++block) {
        const std::size_t end = problem.block_ends()[block];
        if (end - begin == problem.task_count()) {
            // A schedule of the optimum exists, so nothing may prove that there is none shorter than more.
            ASSERT_TRUE(left(problem, problem.order(), optimum_s + 0.5));
            mode_table table;
            std::vector<graph::index> position(problem.task_count());
            for (graph::index k = 0; k < problem.task_count(); ++k) position[problem.order()[k]] = k;
            for (graph::index v = 0; v < problem.task_count(); ++v) {
                table.add_task();
                for (std::size_t m = 0; m < problem.modes(v).size(); ++m) {
                    if (left.allows(position[v], m))
                        table.add_mode(problem.modes(v)[m]);
                    else
                        ++ruled_out;
                }
            }
            task_graph rest = problem;
            ASSERT_TRUE(rest.refill(problem.capacity(), table));
            EXPECT_EQ(test::brute_force(rest).makespan_s(), optimum_s);
            closed += left(problem, problem.order(), optimum_s) ? 0 : 1;
        }
        begin = end;
    }
}

TEST(tightening, rules_out_no_mode_of_every_shorter_schedule) {
    random_source random(52);
    int closed = 0, ruled_out = 0;
    for (int instance = 0; instance < 150; ++instance) {
        const task_graph problem = test::random_layer(random, static_cast<std::size_t>(random.integer(2, 6)));
        expect_sound(problem, test::brute_force(problem).makespan_s(), closed, ruled_out);
    }
    EXPECT_GT(closed, 50);
    EXPECT_GT(ruled_out, 50);
    for (int instance = 0; instance < 150; ++instance) {
        const task_graph problem =
            test::random_project(random, static_cast<std::size_t>(random.integer(2, 5)));
        expect_sound(problem, test::brute_force(problem).makespan_s(), closed, ruled_out);
    }
}

TEST(tightened_search, agrees_with_brute_force) {
    random_source random(53);
    int by_bounds = 0, more_than_the_list = 0;
    for (int instance = 0; instance < 300; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 6));
        const task_graph problem =
            instance % 2 == 0 ? test::random_layer(random, n) : test::random_project(random, n);
        const double optimum_s = test::brute_force(problem).makespan_s();
        const certificate found = tightened_search{}(problem);
        ASSERT_EQ(found.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(found.best.makespan_s, optimum_s) << instance;
        EXPECT_EQ(found.lower_bound_s, optimum_s);
        ASSERT_TRUE(verify(problem, found.best)) << instance;
        by_bounds += found.nodes == 0 ? 1 : 0;
        more_than_the_list += found.nodes == 0 && !list_scheduler{}(problem).proved_optimal() ? 1 : 0;
    }
    EXPECT_GT(by_bounds, 150);
    EXPECT_GT(more_than_the_list, 20);
}

TEST(tightened_search, keeps_its_bound_when_the_budget_ends) {
    random_source random(54);
    int ended = 0;
    for (int instance = 0; instance < 20; ++instance) {
        const task_graph problem = test::random_layer(random, 24);
        const certificate listed = list_scheduler{}(problem);
        const certificate found = tightened_search{.limits = {.nodes = 20}}(problem);
        ASSERT_TRUE(verify(problem, found.best)) << instance;
        EXPECT_LE(found.best.makespan_s, listed.best.makespan_s * (1 + 1e-12));
        EXPECT_GE(found.lower_bound_s, listed.lower_bound_s * (1 - 1e-12));
        EXPECT_LE(found.lower_bound_s, found.best.makespan_s * (1 + 1e-12));
        const certificate proved = branch_and_bound{.limits = {.nodes = 2'000}}(problem);
        EXPECT_LE(found.lower_bound_s, proved.best.makespan_s * (1 + 1e-12));
        if (proved.proved_optimal() && found.proved_optimal()) {
            EXPECT_DOUBLE_EQ(found.best.makespan_s, proved.best.makespan_s);
        }
        ended += found.status == dovetail::status::budget ? 1 : 0;
    }
    EXPECT_GT(ended, 3);
}

} // namespace
