#pragma once
// Small problems for devices, and what their answers are by the definitions alone.

#include <dovetail/core/random.hpp>
#include <dovetail/placement/device_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace dovetail::test {

using placement::device_graph;
using placement::device_node;

/// Which nodes share a device, and which of two must not come later in the pipeline.
struct oracle_classes {
    std::vector<std::size_t> label;                     ///< by node; nodes of one label share a device
    std::set<std::pair<std::size_t, std::size_t>> arcs; ///< between labels
};

/// The contractions of the format, each as its sentence says, with closures instead of algorithms.
inline oracle_classes contract_by_definition(const device_graph& problem) {
    const std::size_t n = problem.nodes.size();
    oracle_classes c;
    for (std::size_t v = 0; v < n; ++v) c.label.push_back(v);
    const auto merge = [&](std::size_t from, std::size_t to) {
        std::replace(c.label.begin(), c.label.end(), from, to);
    };
    for (std::size_t v = 0; v < n; ++v)
        for (std::size_t w = 0; w < v; ++w)
            if (problem.nodes[v].colour != graph::none && problem.nodes[v].colour == problem.nodes[w].colour)
                merge(c.label[v], c.label[w]);
    const auto orphan = [&, label = c.label](std::size_t v) {
        for (std::size_t w = 0; w < n; ++w)
            if (label[w] == label[v] && !problem.nodes[w].backward) return false;
        return true;
    };
    std::vector<std::pair<std::size_t, std::size_t>> before;
    for (const auto [u, v] : problem.edges) {
        if (!problem.nodes[u].backward && !problem.nodes[v].backward) before.emplace_back(u, v);
        if (problem.nodes[u].backward && problem.nodes[v].backward && (orphan(u) || orphan(v)))
            before.emplace_back(v, u);
    }
    std::vector<std::vector<bool>> reaches(n, std::vector<bool>(n));
    for (std::size_t u = 0; u < n; ++u)
        for (std::size_t v = 0; v < n; ++v) reaches[u][v] = c.label[u] == c.label[v];
    for (const auto& [u, v] : before) reaches[u][v] = true;
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t u = 0; u < n; ++u)
            for (std::size_t v = 0; v < n; ++v)
                if (reaches[u][k] && reaches[k][v]) reaches[u][v] = true;
    for (std::size_t u = 0; u < n; ++u)
        for (std::size_t v = 0; v < u; ++v)
            if (reaches[u][v] && reaches[v][u] && c.label[u] != c.label[v]) merge(c.label[u], c.label[v]);
    for (bool merged = true; merged;) {
        merged = false;
        for (std::size_t leaf = 0; leaf < n && !merged; ++leaf) {
            std::set<std::size_t> neighbours;
            bool free = true;
            for (std::size_t v = 0; v < n; ++v)
                if (c.label[v] == leaf && (problem.nodes[v].cpu_s > 0 || problem.nodes[v].accelerator_s > 0))
                    free = false;
            for (const auto [u, v] : problem.edges)
                if (c.label[u] == leaf && !problem.nodes[u].backward && problem.nodes[v].backward)
                    free = false;
            for (const auto& [u, v] : before) {
                if (c.label[u] == leaf) neighbours.insert(c.label[v]);
                if (c.label[v] == leaf) neighbours.insert(c.label[u]);
            }
            neighbours.erase(leaf);
            if (!free || neighbours.size() != 1) continue;
            merge(leaf, *neighbours.begin());
            merged = true;
        }
    }
    for (const auto& [u, v] : before)
        if (c.label[u] != c.label[v]) c.arcs.emplace(c.label[u], c.label[v]);
    return c;
}

/// Seconds of a device that holds the nodes with `held`; infinite where it must not hold them.
inline double load_by_definition(const device_graph& problem, const std::vector<bool>& held,
                                 bool accelerator) {
    double load_s = 0.0;
    double bytes = 0.0;
    for (std::size_t v = 0; v < held.size(); ++v) {
        const device_node& node = problem.nodes[v];
        if (held[v]) {
            if (accelerator && !node.supported) return std::numeric_limits<double>::infinity();
            load_s += accelerator ? node.accelerator_s : node.cpu_s;
            bytes += node.size_bytes;
        }
        bool crosses = false;
        for (const auto [source, target] : problem.edges)
            if (source == v && held[target] != held[v]) crosses = true;
        if (accelerator && crosses) load_s += node.output_s;
    }
    return accelerator && bytes > problem.memory_bytes ? std::numeric_limits<double>::infinity() : load_s;
}

/// The least largest load over all assignments of classes to devices whose devices can be put in order.
class assignments {
public:
    explicit assignments(const device_graph& problem)
        : problem_(problem), classes_(contract_by_definition(problem)),
          devices_(static_cast<std::size_t>(problem.accelerators + problem.cpus)),
          device_of_(problem.nodes.size(), devices_) {
        for (const std::size_t label : classes_.label)
            if (std::find(labels_.begin(), labels_.end(), label) == labels_.end()) labels_.push_back(label);
        assign(0);
    }

    /// Infinite where there is none.
    [[nodiscard]] double best_s() const { return best_s_; }

private:
    void assign(std::size_t k) {
        if (k == labels_.size()) {
            if (in_order()) best_s_ = std::min(best_s_, largest_load_s());
            return;
        }
        for (std::size_t d = 0; d < devices_; ++d) {
            device_of_[labels_[k]] = d;
            assign(k + 1);
        }
    }
    [[nodiscard]] bool in_order() const {
        std::vector<bool> later(devices_ * devices_);
        for (const auto& [u, v] : classes_.arcs)
            if (device_of_[u] != device_of_[v]) later[device_of_[u] * devices_ + device_of_[v]] = true;
        for (std::size_t k = 0; k < devices_; ++k)
            for (std::size_t a = 0; a < devices_; ++a)
                for (std::size_t b = 0; b < devices_; ++b)
                    if (later[a * devices_ + k] && later[k * devices_ + b]) later[a * devices_ + b] = true;
        for (std::size_t d = 0; d < devices_; ++d)
            if (later[d * devices_ + d]) return false;
        return true;
    }
    [[nodiscard]] double largest_load_s() const {
        double largest_s = 0.0;
        for (std::size_t d = 0; d < devices_; ++d) {
            std::vector<bool> held;
            for (const std::size_t label : classes_.label) held.push_back(device_of_[label] == d);
            largest_s =
                std::max(largest_s, load_by_definition(problem_, held,
                                                       d < static_cast<std::size_t>(problem_.accelerators)));
        }
        return largest_s;
    }

    const device_graph& problem_;
    oracle_classes classes_;
    std::size_t devices_;
    std::vector<std::size_t> labels_;
    std::vector<std::size_t> device_of_; // by label
    double best_s_ = std::numeric_limits<double>::infinity();
};

/// The program as textbooks have it: every downset, every pair of nested ones, every number of devices.
inline double textbook_max_load(const device_graph& problem) {
    const oracle_classes c = contract_by_definition(problem);
    const std::size_t n = problem.nodes.size();
    std::vector<std::vector<bool>> downsets{std::vector<bool>(n)}; // over nodes, smallest first
    std::map<std::vector<bool>, std::size_t> known{{downsets[0], 0}};
    for (std::size_t i = 0; i < downsets.size(); ++i)
        for (std::size_t label = 0; label < n; ++label) {
            std::vector<bool> larger = downsets[i];
            bool allowed = true;
            for (std::size_t v = 0; v < n; ++v)
                if (c.label[v] == label) larger[v] = true;
            for (const auto& [u, v] : c.arcs)
                if (v == label && !downsets[i][u]) allowed = false;
            if (allowed && known.emplace(larger, downsets.size()).second) downsets.push_back(larger);
        }
    const auto accelerators = static_cast<std::size_t>(problem.accelerators);
    const auto cpus = static_cast<std::size_t>(problem.cpus);
    const auto slot = [&](std::size_t a, std::size_t b) { return a * (cpus + 1) + b; };
    const std::size_t slots = slot(accelerators, cpus) + 1;
    std::vector<std::vector<double>> best(
        downsets.size(), std::vector<double>(slots, std::numeric_limits<double>::infinity()));
    best[0].assign(slots, 0.0);
    for (std::size_t j = 1; j < downsets.size(); ++j)
        for (std::size_t i = 0; i < downsets.size(); ++i) {
            std::vector<bool> held(n);
            bool nested = i != j;
            for (std::size_t v = 0; v < n; ++v) {
                if (downsets[i][v] && !downsets[j][v]) nested = false;
                held[v] = downsets[j][v] && !downsets[i][v];
            }
            if (!nested) continue;
            const double accelerator_s = load_by_definition(problem, held, true);
            const double cpu_s = load_by_definition(problem, held, false);
            for (std::size_t a = 0; a <= accelerators; ++a)
                for (std::size_t b = 0; b <= cpus; ++b) {
                    double& here = best[j][slot(a, b)];
                    if (a > 0) here = std::min(here, std::max(best[i][slot(a - 1, b)], accelerator_s));
                    if (b > 0) here = std::min(here, std::max(best[i][slot(a, b - 1)], cpu_s));
                }
        }
    return best[known.at(std::vector<bool>(n, true))][slots - 1];
}

/// A random problem in which everything occurs: a backward pass or none, colours, nodes that are free or that
/// no accelerator can run, limits on memory, and no device of a kind.
inline device_graph random_device_graph(random_source& random, std::int64_t most_nodes) {
    device_graph problem;
    const auto n = static_cast<std::size_t>(random.integer(1, most_nodes));
    const std::size_t forward =
        random.integer(0, 1) == 0 ? n
                                  : static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(n)));
    const bool small = random.integer(0, 1) == 0;
    const double density = random.real(0.05, 0.6);
    const double coloured = random.integer(0, 2) == 0 ? 0.0 : 0.6;
    const double free = random.real(0.0, 0.5);
    problem.accelerators = random.integer(0, 3);
    problem.cpus = random.integer(0, 2);
    for (std::size_t v = 0; v < n; ++v) {
        device_node node;
        const bool zero = random.real() < free;
        node.cpu_s = zero ? 0.0 : static_cast<double>(random.integer(0, small ? 6 : 1000));
        node.accelerator_s = zero ? 0.0 : static_cast<double>(random.integer(0, small ? 4 : 700));
        node.output_s = static_cast<double>(random.integer(0, small ? 3 : 300));
        node.size_bytes = static_cast<double>(random.integer(0, 4));
        node.supported = random.integer(0, 9) != 0;
        node.backward = v >= forward;
        if (random.real() < coloured)
            node.colour = static_cast<graph::index>(random.integer(0, static_cast<std::int64_t>(n) - 1));
        problem.nodes.push_back(node);
    }
    for (graph::index u = 0; u < n; ++u)
        for (graph::index v = u + 1; v < n; ++v)
            if (random.real() < density) problem.edges.push_back({u, v});
    if (random.integer(0, 1) == 0) problem.memory_bytes = static_cast<double>(random.integer(2, 14));
    return problem;
}

} // namespace dovetail::test
