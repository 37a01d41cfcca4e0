#pragma once
/// \file
/// A partition that only grows coarser.

#include <dovetail/graph/digraph.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dovetail::graph {

/// Disjoint sets over 0 … n-1, each called by its smallest member.
class disjoint_sets {
public:
    constexpr explicit disjoint_sets(std::size_t n) : parent_(n) {
        for (std::size_t v = 0; v < n; ++v) parent_[v] = static_cast<index>(v);
    }

    /// The smallest member of the set of `v`. \complexity O(log n) amortised.
    [[nodiscard]] constexpr index find(index v) {
        while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
        return v;
    }

    /// Makes one set of the sets of `a` and `b`.
    constexpr void unite(index a, index b) {
        a = find(a);
        b = find(b);
        parent_[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<index> parent_;
};

} // namespace dovetail::graph
