#pragma once
/// \file
/// Who reaches whom in an acyclic graph, a bit a pair.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::graph {

/// The transitive closure of an acyclic graph as rows of bits. \complexity O(edges * vertices / 64) time,
/// vertices^2 / 8 bytes.
class reachability {
public:
    /// `order` is a topological order of `g`.
    constexpr reachability(const digraph& g, array_view<const index> order)
        : words_((g.vertex_count() + 63) / 64), bits_(words_ * g.vertex_count(), 0) {
        DOVETAIL_ASSERT(order.size() == g.vertex_count(), "the order must hold every vertex");
        for (std::size_t position = order.size(); position-- > 0;) {
            const index v = order[position];
            for (const index w : g.successors(v)) {
                std::uint64_t* const row = bits_.data() + words_ * v;
                const std::uint64_t* const below = bits_.data() + words_ * w;
                for (std::size_t k = 0; k < words_; ++k) row[k] |= below[k];
                row[w / 64] |= std::uint64_t{1} << (w % 64);
            }
        }
    }

    /// Whether a path of at least one arc leads from `from` to `to`.
    [[nodiscard]] constexpr bool reaches(index from, index to) const {
        return (bits_[words_ * from + to / 64] >> (to % 64) & 1) != 0;
    }

    /// Whether neither reaches the other; a vertex is comparable with itself.
    [[nodiscard]] constexpr bool incomparable(index a, index b) const {
        return a != b && !reaches(a, b) && !reaches(b, a);
    }

    /// The descendants of `v`, 64 vertices a word.
    [[nodiscard]] constexpr array_view<const std::uint64_t> descendants(index v) const {
        return array_view(bits_).subspan(words_ * v, words_);
    }

private:
    std::size_t words_;
    std::vector<std::uint64_t> bits_;
};

} // namespace dovetail::graph
