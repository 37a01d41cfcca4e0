#include <dovetail/placement/max_load_program.hpp>

#include "max_load_oracle.hpp"

#include <dovetail/placement/downset_lattice.hpp>
#include <dovetail/placement/smallest_device_memory.hpp>
#include <dovetail/placement/verify_device_plan.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::placement;

constexpr double infinite = std::numeric_limits<double>::infinity();

void expect_solved(const device_graph& problem, double expected_s) {
    ASSERT_TRUE(validate(problem));
    const device_plan plan = max_load_program{}(problem);
    if (std::isinf(expected_s)) {
        EXPECT_EQ(plan.outcome, status::infeasible);
        EXPECT_TRUE(plan.devices.empty());
        return;
    }
    ASSERT_EQ(plan.outcome, status::optimal);
    EXPECT_EQ(plan.max_load_s, expected_s);
    EXPECT_EQ(plan.lower_bound_s, expected_s);
    const auto verified = verify(problem, plan);
    EXPECT_TRUE(verified) << verified.problem().line();
}

TEST(max_load_program, agrees_with_all_assignments) {
    random_source random(1);
    int infeasible = 0;
    int bound_by_memory = 0;
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE(round);
        device_graph problem = test::random_device_graph(random, 6);
        const double expected_s = test::assignments(problem).best_s();
        expect_solved(problem, expected_s);
        if (std::isinf(expected_s)) ++infeasible;
        problem.memory_bytes = infinite;
        if (max_load_program{}(problem).max_load_s < expected_s) ++bound_by_memory;
        if (HasFailure()) return;
    }
    EXPECT_GT(infeasible, 50);
    EXPECT_GT(bound_by_memory, 50);
}

TEST(max_load_program, agrees_with_the_textbook) {
    random_source random(2);
    for (int round = 0; round < 150; ++round) {
        SCOPED_TRACE(round);
        const device_graph problem = test::random_device_graph(random, 10);
        expect_solved(problem, test::textbook_max_load(problem));
        if (HasFailure()) return;
    }
}

TEST(max_load_program, scales_with_the_costs) {
    random_source random(3);
    for (int round = 0; round < 200; ++round) {
        device_graph problem = test::random_device_graph(random, 10);
        const device_plan plan = max_load_program{}(problem);
        for (const double scale : {std::ldexp(1.0, -900), std::ldexp(1.0, 900)}) {
            device_graph scaled = problem;
            for (device_node& node : scaled.nodes) {
                node.cpu_s *= scale;
                node.accelerator_s *= scale;
                node.output_s *= scale;
            }
            EXPECT_EQ(max_load_program{}(scaled).max_load_s, plan.max_load_s * scale);
        }
    }
}

TEST(max_load_program, a_budget_leaves_a_plan_and_a_bound) {
    random_source random(4);
    int stopped = 0;
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE(round);
        const device_graph problem = test::random_device_graph(random, 14);
        const device_plan best = max_load_program{}(problem);
        for (const auto& program :
             {max_load_program{.limits = {.nodes = 60}}, max_load_program{.limits = {.nodes = 1}},
              max_load_program{.downset_limit = 2}}) {
            const device_plan plan = program(problem);
            if (plan.outcome != status::budget) {
                EXPECT_EQ(plan.outcome, best.outcome);
                EXPECT_EQ(plan.max_load_s, best.max_load_s);
                continue;
            }
            ++stopped;
            if (best.outcome == status::optimal) {
                EXPECT_LE(plan.lower_bound_s, best.max_load_s);
            }
            if (plan.devices.empty()) continue;
            EXPECT_GE(plan.max_load_s, best.max_load_s);
            EXPECT_TRUE(verify(problem, plan));
        }
    }
    EXPECT_GT(stopped, 200);
}

TEST(max_load_program, the_smallest_memory_fits_and_no_less_does) {
    random_source random(5);
    int checked = 0;
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE(round);
        device_graph problem = test::random_device_graph(random, 9);
        problem.cpus = 0;
        for (device_node& node : problem.nodes) node.supported = true;
        const device_plan need = smallest_device_memory(problem);
        if (problem.accelerators == 0) {
            EXPECT_EQ(need.outcome, status::infeasible);
            continue;
        }
        ASSERT_EQ(need.outcome, status::optimal);
        problem.memory_bytes = need.max_load_s;
        EXPECT_EQ(max_load_program{}(problem).outcome, status::optimal);
        if (need.max_load_s == 0.0) continue;
        problem.memory_bytes = need.max_load_s - 1.0;
        EXPECT_EQ(max_load_program{}(problem).outcome, status::infeasible);
        ++checked;
    }
    EXPECT_GT(checked, 500);
}

TEST(downset_lattice, has_every_downset_once_after_its_subsets) {
    random_source random(6);
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE(round);
        const auto n = static_cast<graph::index>(random.integer(1, 9));
        std::vector<graph::arc> arcs;
        for (graph::index u = 0; u < n; ++u)
            for (graph::index v = u + 1; v < n; ++v)
                if (random.real() < 0.25) arcs.push_back({u, v});
        const graph::digraph g(n, arcs);
        std::set<std::uint32_t> expected;
        for (std::uint32_t set = 0; set < std::uint32_t{1} << n; ++set) {
            bool closed = true;
            for (const auto [u, v] : arcs)
                if ((set >> v & 1) != 0 && (set >> u & 1) == 0) closed = false;
            if (closed) expected.insert(set);
        }
        spending effort{budget{}};
        const auto lattice = placement::detail::downset_lattice::make(g, expected.size(), effort);
        ASSERT_TRUE(lattice.has_value());
        EXPECT_FALSE(placement::detail::downset_lattice::make(g, expected.size() - 1, effort).has_value());
        std::vector<std::uint32_t> sets{0};
        for (graph::index s = 1; s < lattice->size(); ++s)
            sets.push_back(sets[lattice->parent(s)] | std::uint32_t{1} << lattice->highest(s));
        EXPECT_EQ(std::set<std::uint32_t>(sets.begin(), sets.end()), expected);
        EXPECT_EQ(sets.size(), expected.size());
        EXPECT_EQ(sets[lattice->whole()], (std::uint32_t{1} << n) - 1);
        for (graph::index s = 0; s < sets.size(); ++s) {
            for (graph::index t = 0; t < s; ++t) EXPECT_NE(sets[t] & sets[s], sets[s]);
            std::size_t ways = 0;
            for (graph::index v = 0; v < n; ++v)
                ways +=
                    (sets[s] >> v & 1) == 0 && expected.contains(sets[s] | std::uint32_t{1} << v) ? 1U : 0U;
            ASSERT_EQ(lattice->steps(s).size(), ways);
            for (const auto& step : lattice->steps(s))
                EXPECT_EQ(sets[step.downset], sets[s] | std::uint32_t{1} << step.vertex);
        }
    }
}

TEST(verify_device_plan, finds_every_kind_of_fault) {
    device_graph problem{.accelerators = 2, .cpus = 1, .memory_bytes = 5};
    problem.nodes = {{.cpu_s = 9, .accelerator_s = 2, .size_bytes = 3, .output_s = 1},
                     {.cpu_s = 9, .accelerator_s = 3, .size_bytes = 3, .output_s = 1, .colour = 0},
                     {.cpu_s = 1, .accelerator_s = 1, .output_s = 1, .supported = false},
                     {.accelerator_s = 2, .backward = true, .colour = 0}};
    problem.edges = {{0, 1}, {1, 2}, {2, 3}};
    const device_plan sound = max_load_program{}(problem);
    ASSERT_EQ(sound.outcome, status::optimal);
    ASSERT_EQ(sound.devices.size(), 3u);
    ASSERT_TRUE(verify(problem, sound));
    const std::function<void(device_plan&)> faults[] = {
        [](device_plan& p) { p.devices.pop_back(); },
        [](device_plan& p) { p.devices[0].nodes.push_back(0); },
        [](device_plan& p) { p.devices[0].nodes.push_back(77); },
        [](device_plan& p) { p.devices[0].kind = device_kind::cpu; },
        [](device_plan& p) { p.devices[2].kind = device_kind::accelerator; },
        [](device_plan& p) { std::swap(p.devices[0], p.devices[1]); },
        [](device_plan& p) { p.devices[1].load_s += 1e-6; },
        [](device_plan& p) { p.devices[1].memory_bytes += 1; },
        [](device_plan& p) { p.max_load_s *= 2; },
        [](device_plan& p) { p.lower_bound_s = p.max_load_s * 2; },
        [](device_plan& p) {
            p.devices[1].nodes = {1};
            p.devices[2].nodes = {2, 3};
        },
        [](device_plan& p) {
            p.devices[0].nodes = {0, 1, 3};
            p.devices.erase(p.devices.begin() + 1);
        },
        [](device_plan& p) { p.devices.emplace_back(); },
    };
    for (const auto& fault : faults) {
        device_plan broken = sound;
        fault(broken);
        EXPECT_FALSE(verify(problem, broken)) << &fault - faults;
    }
}

} // namespace
