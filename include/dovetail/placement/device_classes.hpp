#pragma once
/// \file
/// What must share a device: the nodes of a device graph contracted into classes, and what classes cost.

#include <dovetail/core/sort_stably.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/disjoint_sets.hpp>
#include <dovetail/graph/order.hpp>
#include <dovetail/graph/strong_components.hpp>
#include <dovetail/placement/device_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Nodes that share a device, forward and backward, and their sums.
struct device_class {
    std::vector<graph::index> nodes{}; ///< ascending
    double cpu_s = 0.0;
    double accelerator_s = 0.0;
    double size_bytes = 0.0;
    bool supported = true; ///< every node of it is
};

/// Tensors between classes. An accelerator pays `cost_s` where it holds some of `classes`, but not all: the
/// sender and every receiver alike.
struct transfer {
    std::vector<graph::index> classes{}; ///< of the sender and of all receivers: two or more, ascending
    double cost_s = 0.0;
};

/// The contracted problem. Classes are numbered in a topological order of `order`, whose arcs are all
/// different.
struct device_classes {
    std::vector<device_class> classes{};
    graph::digraph order{};            ///< u -> v: the device of u is no later in the pipeline than that of v
    std::vector<transfer> transfers{}; ///< with different sets of classes, none of which is free
};

namespace detail {

/// The partition of the nodes of one problem as it grows coarser.
class contraction {
public:
    explicit contraction(const device_graph& problem) : problem_(problem), sets_(problem.nodes.size()) {
        join_colours();
        precede();
        join_cycles();
        join_free_leaves();
    }

    [[nodiscard]] device_classes classes() {
        device_classes result;
        const std::vector<graph::arc> arcs = arcs_between_sets();
        const std::size_t n = problem_.nodes.size();
        // Only the smallest members stand for sets; the other vertices are bare.
        const graph::digraph order(n, arcs);
        std::vector<graph::index> number(n, graph::none);
        for (const graph::index v : *graph::topological_order(order))
            if (sets_.find(v) == v) {
                number[v] = static_cast<graph::index>(result.classes.size());
                result.classes.emplace_back();
            }
        for (graph::index v = 0; v < n; ++v) {
            const device_node& node = problem_.nodes[v];
            device_class& c = result.classes[number[v] = number[sets_.find(v)]];
            c.nodes.push_back(v);
            c.cpu_s += node.cpu_s;
            c.accelerator_s += node.accelerator_s;
            c.size_bytes += node.size_bytes;
            c.supported = c.supported && node.supported;
        }
        std::vector<graph::arc> renumbered;
        for (const graph::arc& a : arcs) renumbered.push_back({number[a.source], number[a.target]});
        std::sort(renumbered.begin(), renumbered.end(), by_ends);
        result.order = graph::digraph(result.classes.size(), renumbered);
        result.transfers = transfers_between(number);
        return result;
    }

private:
    [[nodiscard]] static bool by_ends(const graph::arc& a, const graph::arc& b) {
        return std::pair(a.source, a.target) < std::pair(b.source, b.target);
    }
    [[nodiscard]] bool forward(graph::index v) const { return !problem_.nodes[v].backward; }

    void join_colours() {
        std::vector<graph::index> first(problem_.nodes.size(), graph::none);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            const graph::index colour = problem_.nodes[v].colour;
            if (colour == graph::none) continue;
            if (first[colour] == graph::none) first[colour] = v;
            sets_.unite(first[colour], v);
        }
    }

    // Forward edges order the devices. A class without a forward node is ordered by its backward edges,
    // mirrored: what it would be if the forward node that it belongs to were there.
    void precede() {
        std::vector<bool> has_forward(problem_.nodes.size(), false);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v)
            if (forward(v)) has_forward[sets_.find(v)] = true;
        for (const auto [source, target] : problem_.edges) {
            if (forward(source) && forward(target)) before_.push_back({source, target});
            if (!forward(source) && !forward(target) &&
                (!has_forward[sets_.find(source)] || !has_forward[sets_.find(target)]))
                before_.push_back({target, source});
        }
    }

    // `before_` between the sets as they are now, sorted and unique.
    [[nodiscard]] std::vector<graph::arc> arcs_between_sets() {
        std::vector<graph::arc> arcs;
        for (const auto [source, target] : before_) {
            const graph::arc a{sets_.find(source), sets_.find(target)};
            if (a.source != a.target) arcs.push_back(a);
        }
        std::sort(arcs.begin(), arcs.end(), by_ends);
        arcs.erase(std::unique(arcs.begin(), arcs.end()), arcs.end());
        return arcs;
    }

    void join_cycles() {
        const std::vector<graph::index> component =
            graph::strong_components(graph::digraph(problem_.nodes.size(), arcs_between_sets()));
        std::vector<graph::index> first(component.size(), graph::none);
        for (graph::index v = 0; v < component.size(); ++v) {
            if (first[component[v]] == graph::none) first[component[v]] = v;
            sets_.unite(first[component[v]], v);
        }
    }

    // A set that costs no time and hangs on a single other one is cheapest there. It may take memory.
    void join_free_leaves() {
        const std::size_t n = problem_.nodes.size();
        std::vector<bool> free(n, true);
        for (graph::index v = 0; v < n; ++v)
            if (problem_.nodes[v].cpu_s != 0.0 || problem_.nodes[v].accelerator_s != 0.0)
                free[sets_.find(v)] = false;
        for (const auto [source, target] : problem_.edges)
            if (forward(source) && !forward(target)) free[sets_.find(source)] = false;
        std::vector<std::vector<graph::index>> neighbours(n);
        for (const auto [source, target] : arcs_between_sets()) {
            neighbours[source].push_back(target);
            neighbours[target].push_back(source);
        }
        std::vector<graph::index> leaves;
        for (graph::index v = 0; v < n; ++v)
            if (free[v] && neighbours[v].size() == 1) leaves.push_back(v);
        while (!leaves.empty()) {
            const graph::index leaf = leaves.back();
            leaves.pop_back();
            if (neighbours[leaf].empty()) continue; // its neighbour was a leaf too, and joined it
            const graph::index stem = neighbours[leaf].front();
            sets_.unite(leaf, stem);
            neighbours[leaf].clear();
            std::erase(neighbours[stem], leaf);
            if (free[stem] && neighbours[stem].size() == 1) leaves.push_back(stem);
        }
    }

    [[nodiscard]] std::vector<transfer> transfers_between(const std::vector<graph::index>& class_of) const {
        std::vector<transfer> all;
        const graph::digraph edges(problem_.nodes.size(), problem_.edges);
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            if (problem_.nodes[v].output_s == 0.0) continue;
            transfer t{.classes = {class_of[v]}, .cost_s = problem_.nodes[v].output_s};
            for (const graph::index w : edges.successors(v)) t.classes.push_back(class_of[w]);
            std::sort(t.classes.begin(), t.classes.end());
            t.classes.erase(std::unique(t.classes.begin(), t.classes.end()), t.classes.end());
            if (t.classes.size() > 1) all.push_back(std::move(t));
        }
        sort_stably(all.begin(), all.end(),
                    [](const transfer& a, const transfer& b) { return a.classes < b.classes; });
        std::vector<transfer> merged;
        for (transfer& t : all) {
            if (!merged.empty() && merged.back().classes == t.classes)
                merged.back().cost_s += t.cost_s;
            else
                merged.push_back(std::move(t));
        }
        return merged;
    }

    const device_graph& problem_;
    graph::disjoint_sets sets_;
    std::vector<graph::arc> before_; // between nodes: the device of the source is no later
};

} // namespace detail

/// Contracts a valid problem (`validate`) as the format asks: the nodes of a colour; then, where that makes
/// cycles of forward classes, their strongly connected components; then every forward class that costs no
/// time, forward or backward, has no edge to the backward pass and a single neighbour, into that neighbour,
/// repeatedly. A backward class without a forward node is ordered by its backward edges, mirrored.
/// \complexity O((nodes + edges) log nodes) but for a leaf of a hub, which costs the hub's degree.
[[nodiscard]] inline device_classes contract(const device_graph& problem) {
    return detail::contraction(problem).classes();
}

} // namespace dovetail::placement
