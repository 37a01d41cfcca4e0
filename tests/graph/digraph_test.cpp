#include <dovetail/graph/digraph.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/graph/longest_path.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/graph/reachability.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace dovetail::graph {
namespace {

/// A random acyclic graph whose numbering is not topological.
digraph random_dag(dovetail::random_source& random, std::size_t n, double density) {
    std::vector<index> name(n);
    for (index v = 0; v < n; ++v) name[v] = v;
    std::shuffle(name.begin(), name.end(), random);
    std::vector<arc> arcs;
    for (std::size_t u = 0; u < n; ++u)
        for (std::size_t v = u + 1; v < n; ++v)
            if (random.real() < density) arcs.push_back({name[u], name[v]});
    std::shuffle(arcs.begin(), arcs.end(), random);
    return digraph(n, arcs);
}

constexpr bool constant_expressions_work() {
    const std::array<arc, 4> arcs{{{0, 1}, {0, 2}, {1, 3}, {2, 3}}};
    const digraph diamond(4, arcs);
    const auto order = topological_order(diamond).value();
    const std::array<double, 4> weight{1, 5, 2, 1};
    return longest_path(diamond, order, weight) == 7 && reachability(diamond, order).incomparable(1, 2);
}
static_assert(constant_expressions_work());

TEST(Digraph, KeepsEveryArcBothWays) {
    dovetail::random_source random(1);
    const digraph g = random_dag(random, 30, 0.2);
    std::size_t out = 0;
    for (index v = 0; v < g.vertex_count(); ++v) {
        ASSERT_EQ(g.successors(v).size(), g.out_edges(v).size());
        for (std::size_t k = 0; k < g.successors(v).size(); ++k)
            EXPECT_EQ(g.arcs()[g.out_edges(v)[k]], (arc{v, g.successors(v)[k]}));
        for (std::size_t k = 0; k < g.predecessors(v).size(); ++k)
            EXPECT_EQ(g.arcs()[g.in_edges(v)[k]], (arc{g.predecessors(v)[k], v}));
        out += g.successors(v).size();
    }
    EXPECT_EQ(out, g.edge_count());
}

TEST(Digraph, RefusesArcsThatLeaveIt) {
    const std::array<arc, 2> arcs{{{0, 1}, {1, 5}}};
    const auto g = make_digraph(2, arcs);
    ASSERT_FALSE(g);
    EXPECT_EQ(g.problem().line(), "edge 1: it joins vertices 1 and 5; vertices are numbered below 2");
}

TEST(Order, PutsEveryTailFirst) {
    dovetail::random_source random(2);
    for (int round = 0; round < 50; ++round) {
        const digraph g = random_dag(random, 25, 0.15);
        const auto order = topological_order(g).value();
        std::vector<std::size_t> position(25);
        for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
        for (const arc& a : g.arcs()) EXPECT_LT(position[a.source], position[a.target]);
    }
}

TEST(Order, SpellsTheCycleOut) {
    const std::array<arc, 5> arcs{{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}}};
    const digraph g(5, arcs);
    const auto order = topological_order(g);
    ASSERT_FALSE(order);
    EXPECT_EQ(order.problem().code, dovetail::errc::cycle);
    EXPECT_EQ(order.problem().line(), "graph: it has a cycle: 1 -> 2 -> 3 -> 1; the graph must be acyclic");
}

TEST(Order, ACycleIsFoundWheneverThereIsOne) {
    dovetail::random_source random(3);
    for (int round = 0; round < 200; ++round) {
        const auto n = static_cast<std::size_t>(random.integer(1, 12));
        std::vector<arc> arcs;
        for (int e = 0; e < random.integer(0, 14); ++e)
            arcs.push_back({static_cast<index>(random.integer(0, static_cast<int>(n) - 1)),
                            static_cast<index>(random.integer(0, static_cast<int>(n) - 1))});
        const digraph g(n, arcs);
        const auto cycle = find_cycle(g);
        EXPECT_EQ(cycle.empty(), topological_order(g).has_value());
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const arc step{cycle[i], cycle[(i + 1) % cycle.size()]};
            EXPECT_NE(std::find(arcs.begin(), arcs.end(), step), arcs.end());
        }
    }
}

TEST(Reachability, EqualsFloydWarshall) {
    dovetail::random_source random(4);
    for (int round = 0; round < 20; ++round) {
        const std::size_t n = 70; // more than one word a row
        const digraph g = random_dag(random, n, 0.05);
        std::vector<std::vector<bool>> closure(n, std::vector<bool>(n, false));
        for (const arc& a : g.arcs()) closure[a.source][a.target] = true;
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t u = 0; u < n; ++u)
                for (std::size_t v = 0; v < n; ++v)
                    if (closure[u][k] && closure[k][v]) closure[u][v] = true;
        const reachability reach(g, topological_order(g).value());
        for (index u = 0; u < n; ++u)
            for (index v = 0; v < n; ++v) EXPECT_EQ(reach.reaches(u, v), closure[u][v]);
    }
}

TEST(LongestPath, EqualsEnumerationOfPaths) {
    dovetail::random_source random(5);
    for (int round = 0; round < 50; ++round) {
        const digraph g = random_dag(random, 9, 0.3);
        std::vector<double> weight(9);
        for (double& w : weight) w = random.real(0, 10);
        const auto order = topological_order(g).value();
        const auto head = heads(g, order, weight);
        const auto tail = tails(g, order, weight);
        const auto from = [&](const auto& self, index v) -> double {
            double longest = 0;
            for (const index w : g.successors(v)) longest = std::max(longest, weight[w] + self(self, w));
            return longest;
        };
        double longest = 0;
        for (index v = 0; v < 9; ++v) {
            EXPECT_DOUBLE_EQ(tail[v], from(from, v));
            longest = std::max(longest, weight[v] + tail[v]);
            EXPECT_LE(head[v] + weight[v] + tail[v], longest_path(g, order, weight) + 1e-9);
        }
        EXPECT_NEAR(longest_path(g, order, weight), longest, 1e-9);
    }
}

} // namespace
} // namespace dovetail::graph
