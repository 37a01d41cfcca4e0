#pragma once
/// \file
/// A directed graph in compressed rows, both ways: the one graph type of the library.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::graph {

/// A vertex or edge number.
using index = std::uint32_t;

/// "No vertex", "no edge".
inline constexpr index none = std::numeric_limits<index>::max();

/// An edge of a digraph.
struct arc {
    index source{};
    index target{};

    friend constexpr bool operator==(const arc&, const arc&) = default;
};

/// An immutable directed multigraph over vertices 0 … n-1. Edges keep the numbers of the list that they came
/// from; within a row they stand in that order.
class digraph {
public:
    constexpr digraph() = default;

    /// Builds the graph in O(vertices + arcs). The arcs' ends must be below `vertex_count`: see
    /// `make_digraph` for input that nobody has checked.
    constexpr digraph(std::size_t vertex_count, array_view<const arc> arcs)
        : arcs_(arcs.begin(), arcs.end()), out_begin_(vertex_count + 1, 0), in_begin_(vertex_count + 1, 0),
          out_edges_(arcs.size(), 0), in_edges_(arcs.size(), 0), targets_(arcs.size(), 0),
          sources_(arcs.size(), 0) {
        for (const arc& a : arcs_) {
            DOVETAIL_ASSERT(a.source < vertex_count && a.target < vertex_count, "an arc leaves the graph");
            ++out_begin_[a.source + 1];
            ++in_begin_[a.target + 1];
        }
        for (std::size_t v = 0; v < vertex_count; ++v) {
            out_begin_[v + 1] += out_begin_[v];
            in_begin_[v + 1] += in_begin_[v];
        }
        std::vector<index> out_next(out_begin_.begin(), out_begin_.end());
        std::vector<index> in_next(in_begin_.begin(), in_begin_.end());
        for (index e = 0; e < arcs_.size(); ++e) {
            const index out = out_next[arcs_[e].source]++;
            const index in = in_next[arcs_[e].target]++;
            out_edges_[out] = e;
            targets_[out] = arcs_[e].target;
            in_edges_[in] = e;
            sources_[in] = arcs_[e].source;
        }
    }

    [[nodiscard]] constexpr std::size_t vertex_count() const noexcept {
        return out_begin_.empty() ? 0 : out_begin_.size() - 1;
    }
    [[nodiscard]] constexpr std::size_t edge_count() const noexcept { return arcs_.size(); }
    [[nodiscard]] constexpr array_view<const arc> arcs() const noexcept { return arcs_; }

    /// The heads of the edges out of `v`, aligned with `out_edges(v)`.
    [[nodiscard]] constexpr array_view<const index> successors(index v) const {
        return row(targets_, out_begin_, v);
    }
    /// The tails of the edges into `v`, aligned with `in_edges(v)`.
    [[nodiscard]] constexpr array_view<const index> predecessors(index v) const {
        return row(sources_, in_begin_, v);
    }
    [[nodiscard]] constexpr array_view<const index> out_edges(index v) const {
        return row(out_edges_, out_begin_, v);
    }
    [[nodiscard]] constexpr array_view<const index> in_edges(index v) const {
        return row(in_edges_, in_begin_, v);
    }

private:
    [[nodiscard]] static constexpr array_view<const index> row(const std::vector<index>& values,
                                                               const std::vector<index>& begin, index v) {
        DOVETAIL_ASSERT(v + std::size_t{1} < begin.size(), "no such vertex");
        return array_view(values).subspan(begin[v], begin[v + 1] - begin[v]);
    }

    std::vector<arc> arcs_;
    std::vector<index> out_begin_, in_begin_;
    std::vector<index> out_edges_, in_edges_;
    std::vector<index> targets_, sources_;
};

/// Builds a digraph from arcs that nobody has checked.
/// \returns errc::out_of_range when an arc names a vertex that does not exist.
[[nodiscard]] constexpr result<digraph> make_digraph(std::size_t vertex_count, array_view<const arc> arcs) {
    for (std::size_t e = 0; e < arcs.size(); ++e)
        if (arcs[e].source >= vertex_count || arcs[e].target >= vertex_count)
            return error{errc::out_of_range, "edge " + to_text(e),
                         "it joins vertices " + to_text(arcs[e].source) + " and " + to_text(arcs[e].target),
                         "vertices are numbered below " + to_text(vertex_count)};
    return digraph(vertex_count, arcs);
}

} // namespace dovetail::graph
