#pragma once
/// \file
/// One numbering for the groups of a pass, so that equal layers have equal profiles.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::search {

namespace detail {

[[nodiscard]] inline std::uint64_t hash_work(const workload::operator_work& work) {
    std::uint64_t hash = 0;
    for (const std::int64_t extent :
         {work.product.batch, work.product.rows, work.product.reduction, work.product.columns})
        hash = hash_append(hash, static_cast<std::uint64_t>(extent));
    for (const double amount : {work.lane_cycles, work.product_operand_elements, work.product_result_elements,
                                work.read_elements, work.written_elements, work.reduced_elements})
        hash = hash_append(hash, std::bit_cast<std::uint64_t>(amount));
    if (work.read_discrete_bytes + work.written_discrete_bytes > 0) // few have any
        for (const double amount : {work.read_discrete_bytes, work.written_discrete_bytes})
            hash = hash_append(hash, std::bit_cast<std::uint64_t>(amount));
    return hash;
}

/// Colours every vertex by its own colour and those of all that lead to it, whatever their order.
template <class Before>
[[nodiscard]] std::vector<std::uint64_t> refine(array_view<const graph::index> order,
                                                const std::vector<std::uint64_t>& own, const Before& before) {
    std::vector<std::uint64_t> colour = own;
    std::vector<std::uint64_t> around;
    for (const graph::index v : order) {
        around.clear();
        for (const graph::index u : before(v)) around.push_back(colour[u]);
        std::sort(around.begin(), around.end());
        for (const std::uint64_t c : around) colour[v] = hash_append(colour[v], c);
    }
    return colour;
}

} // namespace detail

/// Numbers the groups by their depth and then by what they ask and what surrounds them. Groups that this
/// leaves equal are interchangeable, so that layers of equal structure get equal profiles however their
/// operations were numbered. \complexity O(arcs log arcs).
[[nodiscard]] inline pass_profile in_canonical_order(const pass_profile& pass) {
    const std::size_t n = pass.groups.size();
    const graph::digraph& g = pass.precedence;
    const auto sorted = graph::topological_order(g);
    DOVETAIL_ASSERT(sorted, "the groups of a pass are acyclic");
    const std::vector<graph::index>& order = *sorted;
    const std::vector<graph::index> reversed(order.rbegin(), order.rend());
    std::vector<std::uint64_t> own;
    for (const workload::operator_work& work : pass.groups) own.push_back(detail::hash_work(work));
    const auto above = detail::refine(order, own, [&](graph::index v) { return g.predecessors(v); });
    const auto below = detail::refine(reversed, above, [&](graph::index v) { return g.successors(v); });
    std::vector<graph::index> depth(n, 0);
    for (const graph::index v : order)
        for (const graph::index w : g.successors(v)) depth[w] = std::max(depth[w], depth[v] + 1);

    // Level by level, so that groups which look alike follow the order of those that they wait for.
    std::vector<std::vector<graph::index>> levels(n);
    for (graph::index v = 0; v < n; ++v) levels[depth[v]].push_back(v);
    std::vector<graph::index> rank(n);
    std::vector<std::vector<graph::index>> ranks_before(n);
    pass_profile ordered;
    for (std::vector<graph::index>& level : levels) {
        for (const graph::index v : level) {
            for (const graph::index u : g.predecessors(v)) ranks_before[v].push_back(rank[u]);
            std::sort(ranks_before[v].begin(), ranks_before[v].end());
        }
        std::sort(level.begin(), level.end(), [&](graph::index a, graph::index b) {
            return std::tie(below[a], ranks_before[a], a) < std::tie(below[b], ranks_before[b], b);
        });
        for (const graph::index v : level) {
            rank[v] = static_cast<graph::index>(ordered.groups.size());
            ordered.groups.push_back(pass.groups[v]);
            ordered.names.push_back(pass.names[v]);
        }
    }
    std::vector<graph::arc> arcs;
    for (const graph::arc& a : g.arcs()) arcs.push_back({rank[a.source], rank[a.target]});
    std::sort(arcs.begin(), arcs.end(), [](const graph::arc& a, const graph::arc& b) {
        return std::tuple(a.source, a.target) < std::tuple(b.source, b.target);
    });
    ordered.precedence = graph::digraph(n, arcs);
    ordered.buffers = pass.buffers;
    for (workload::pass_buffer& b : ordered.buffers) {
        if (b.producer != graph::none) b.producer = rank[b.producer];
        for (graph::index& v : b.consumers) v = rank[v];
        std::sort(b.consumers.begin(), b.consumers.end());
    }
    return ordered;
}

} // namespace dovetail::search
