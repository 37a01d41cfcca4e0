#pragma once
/// \file
/// What the search for a latency moves at once: nodes that some best plan keeps together.

#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/placement/device_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// A zero-time sink that is on the host, unless it is on the accelerator of its only producer.
struct hanging_sinks {
    double size_bytes = 0.0;
    double accelerator_s = 0.0;
    bool supported = true;
    std::vector<graph::index> nodes{};
};

/// The nodes of a problem in units. A unit takes its place in a plan as a whole: all its nodes on one
/// accelerator, or one after another on the host. Units are numbered in a topological order.
///
/// Three reductions, none of which loses every best plan:
/// 1. Nodes of one colour become a unit where each node with a producer outside reaches, inside, each node
///    with a consumer outside. A plan that keeps them apart on the host has an order of its parts in which
///    they follow one another: a way out of the unit and back would be a way from one of its nodes to itself.
///    Elsewhere the colour keeps several units, tied: an accelerator takes all of them, or none.
/// 2. A node without work on the host, without producers and with a free output stays there: it delays
///    nothing and costs nobody a transfer.
/// 3. A node without work on the host, without consumers and with one producer is there, or where its
///    producer is: anywhere else it only takes room.
class latency_units {
public:
    explicit latency_units(const device_graph& problem)
        : edges_(problem.nodes.size(), problem.edges), unit_of_(problem.nodes.size()),
          sinks_of_(problem.nodes.size(), graph::none) {
        std::iota(unit_of_.begin(), unit_of_.end(), graph::index{0});
        contract_colours(problem);
        settle_sources(problem);
        hang_sinks(problem);
        number_units(problem);
    }

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const graph::digraph& edges() const { return edges_; }
    /// The nodes of a unit, ascending.
    [[nodiscard]] const std::vector<graph::index>& nodes(std::size_t unit) const { return nodes_[unit]; }
    /// The unit of a node; `none` for those that reductions 2 and 3 settle.
    [[nodiscard]] graph::index unit_of(graph::index node) const { return unit_of_[node]; }
    /// The tied units of a unit, itself included; empty for a unit that is all of its colour.
    [[nodiscard]] const std::vector<graph::index>& tied(std::size_t unit) const { return tied_[unit]; }
    /// The sinks that hang on a node, or null.
    [[nodiscard]] const hanging_sinks* sinks_of(graph::index node) const {
        return sinks_of_[node] == graph::none ? nullptr : &sinks_[sinks_of_[node]];
    }

private:
    using index = graph::index;

    // Whether the nodes may become one unit (reduction 1).
    [[nodiscard]] bool acts_as_one(const std::vector<index>& members) const {
        const auto inside = [&](index v) { return std::binary_search(members.begin(), members.end(), v); };
        std::vector<index> exits;
        for (const index v : members) {
            const auto out = edges_.successors(v);
            if (!std::all_of(out.begin(), out.end(), inside)) exits.push_back(v);
        }
        for (const index entry : members) {
            const auto in = edges_.predecessors(entry);
            if (std::all_of(in.begin(), in.end(), inside)) continue;
            std::vector<index> reached{entry};
            for (std::size_t next = 0; next < reached.size(); ++next)
                for (const index w : edges_.successors(reached[next]))
                    if (inside(w) && std::find(reached.begin(), reached.end(), w) == reached.end())
                        reached.push_back(w);
            for (const index exit : exits)
                if (std::find(reached.begin(), reached.end(), exit) == reached.end()) return false;
        }
        return true;
    }

    void contract_colours(const device_graph& problem) {
        colours_.resize(problem.nodes.size());
        for (index v = 0; v < problem.nodes.size(); ++v)
            if (problem.nodes[v].colour != graph::none) colours_[problem.nodes[v].colour].push_back(v);
        for (const std::vector<index>& members : colours_) {
            std::vector<std::vector<index>> parts;
            if (acts_as_one(members)) {
                parts.push_back(members);
            } else {
                for (const index v : members) parts.push_back({v});
                while (merge_two(parts)) {
                }
            }
            for (const std::vector<index>& part : parts)
                for (const index v : part) unit_of_[v] = part.front();
        }
    }

    [[nodiscard]] bool merge_two(std::vector<std::vector<index>>& parts) const {
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b) {
                std::vector<index> both;
                std::merge(parts[a].begin(), parts[a].end(), parts[b].begin(), parts[b].end(),
                           std::back_inserter(both));
                if (!acts_as_one(both)) continue;
                parts[a] = std::move(both);
                parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(b));
                return true;
            }
        return false;
    }

    [[nodiscard]] bool alone(const device_graph& problem, index v) const {
        const index colour = problem.nodes[v].colour;
        return colour == graph::none || colours_[colour].size() == 1;
    }

    void settle_sources(const device_graph& problem) {
        for (index v = 0; v < problem.nodes.size(); ++v) {
            const device_node& node = problem.nodes[v];
            const auto in = edges_.predecessors(v);
            const bool settled =
                std::all_of(in.begin(), in.end(), [&](index u) { return unit_of_[u] == graph::none; });
            if (settled && alone(problem, v) && node.cpu_s == 0.0 && node.output_s == 0.0)
                unit_of_[v] = graph::none;
        }
    }

    void hang_sinks(const device_graph& problem) {
        std::vector<std::pair<index, index>> hung;
        for (index v = 0; v < problem.nodes.size(); ++v) {
            if (unit_of_[v] == graph::none || !alone(problem, v) || problem.nodes[v].cpu_s != 0.0 ||
                !edges_.successors(v).empty())
                continue;
            std::vector<index> producers;
            for (const index u : edges_.predecessors(v))
                if (unit_of_[u] != graph::none) producers.push_back(u);
            if (producers.size() == 1) hung.emplace_back(v, producers.front());
        }
        for (const auto& [v, producer] : hung) {
            unit_of_[v] = graph::none;
            if (sinks_of_[producer] == graph::none) {
                sinks_of_[producer] = static_cast<index>(sinks_.size());
                sinks_.emplace_back();
            }
            hanging_sinks& sinks = sinks_[sinks_of_[producer]];
            sinks.size_bytes += problem.nodes[v].size_bytes;
            sinks.accelerator_s += problem.nodes[v].accelerator_s;
            sinks.supported = sinks.supported && problem.nodes[v].supported;
            sinks.nodes.push_back(v);
        }
    }

    void number_units(const device_graph& problem) {
        const std::size_t n = problem.nodes.size();
        std::vector<graph::arc> between;
        for (const graph::arc& a : problem.edges) {
            const index from = unit_of_[a.source];
            const index to = unit_of_[a.target];
            if (from != graph::none && to != graph::none && from != to) between.push_back({from, to});
        }
        const auto order = graph::topological_order(graph::digraph(n, between));
        DOVETAIL_ASSERT(order.has_value(), "units form a cycle");
        std::vector<index> number(n, graph::none);
        index units = 0;
        for (const index v : *order)
            if (unit_of_[v] == v) number[v] = units++;
        nodes_.resize(units);
        tied_.resize(units);
        for (index v = 0; v < n; ++v) {
            if (unit_of_[v] == graph::none) continue;
            unit_of_[v] = number[unit_of_[v]];
            nodes_[unit_of_[v]].push_back(v);
        }
        for (const std::vector<index>& members : colours_) {
            std::vector<index> parts;
            for (const index v : members)
                if (unit_of_[v] != graph::none && nodes_[unit_of_[v]].front() == v)
                    parts.push_back(unit_of_[v]);
            if (parts.size() > 1)
                for (const index part : parts) tied_[part] = parts;
        }
    }

    graph::digraph edges_;
    std::vector<index> unit_of_, sinks_of_;
    std::vector<std::vector<index>> colours_, nodes_, tied_;
    std::vector<hanging_sinks> sinks_;
};

} // namespace dovetail::placement::detail
