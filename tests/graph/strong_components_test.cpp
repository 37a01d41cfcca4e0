#include <dovetail/graph/strong_components.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/graph/disjoint_sets.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace dovetail::graph {
namespace {

TEST(strong_components, are_those_of_the_closure_in_reverse_order) {
    random_source random(1);
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE(round);
        const auto n = static_cast<index>(random.integer(1, 12));
        const double density = random.real(0.0, 0.4);
        std::vector<arc> arcs;
        std::vector<std::vector<bool>> reaches(n, std::vector<bool>(n));
        for (index u = 0; u < n; ++u) {
            reaches[u][u] = true;
            for (index v = 0; v < n; ++v)
                if (random.real() < density) {
                    arcs.push_back({u, v});
                    reaches[u][v] = true;
                }
        }
        for (index k = 0; k < n; ++k)
            for (index u = 0; u < n; ++u)
                for (index v = 0; v < n; ++v)
                    if (reaches[u][k] && reaches[k][v]) reaches[u][v] = true;
        const std::vector<index> component = strong_components(digraph(n, arcs));
        for (index u = 0; u < n; ++u)
            for (index v = 0; v < n; ++v) {
                EXPECT_EQ(component[u] == component[v], reaches[u][v] && reaches[v][u]);
                if (reaches[u][v]) {
                    EXPECT_GE(component[u], component[v]);
                }
            }
    }
}

TEST(strong_components, a_long_path_needs_no_deep_stack) {
    constexpr index n = 1'000'000;
    std::vector<arc> arcs;
    for (index v = 1; v < n; ++v) arcs.push_back({v - 1, v});
    const std::vector<index> component = strong_components(digraph(n, arcs));
    EXPECT_EQ(component.front(), n - 1);
    EXPECT_EQ(component.back(), 0u);
}

TEST(disjoint_sets, are_called_by_their_smallest_member) {
    disjoint_sets sets(6);
    sets.unite(5, 3);
    sets.unite(4, 2);
    sets.unite(3, 4);
    EXPECT_EQ(sets.find(5), 2u);
    EXPECT_EQ(sets.find(4), 2u);
    EXPECT_EQ(sets.find(1), 1u);
    sets.unite(0, 5);
    EXPECT_EQ(sets.find(3), 0u);
}

} // namespace
} // namespace dovetail::graph
