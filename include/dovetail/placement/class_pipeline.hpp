#pragma once
/// \file
/// Classes as the search for the largest load walks them: flat rows, numbered by the work that depends on
/// them.

#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

// The costs of one class. `work_s` is what an accelerator computes, 0 where it must be left to a CPU.
struct class_costs {
    double work_s = 0.0;
    double cpu_s = 0.0;
    double size_bytes = 0.0;
    double depending_s = 0.0; // work of the class and of all that need it
    bool supported = true;
};

// What a set of classes adds up to.
struct class_sums {
    double work_s = 0.0;
    double cpu_s = 0.0;
    double size_bytes = 0.0;
    double stranded_s = 0.0; // CPU time of what no accelerator supports

    constexpr void add(const class_costs& c) {
        work_s += c.work_s;
        cpu_s += c.cpu_s;
        size_bytes += c.size_bytes;
        if (!c.supported) stranded_s += c.cpu_s;
    }
};

// A contracted problem whose numbering is topological and descends in `depending_s`: leaving out a class of
// low number leaves the least behind it.
class class_pipeline {
public:
    struct incidence {
        graph::index net;
        double cost_s;
    };

    class_pipeline(const device_graph& problem, device_classes contracted)
        : contracted_(std::move(contracted)), memory_bytes(problem.memory_bytes) {
        const std::size_t n = contracted_.classes.size();
        accelerators = std::min<std::int64_t>(problem.accelerators, static_cast<std::int64_t>(n));
        cpus = std::min<std::int64_t>(problem.cpus, static_cast<std::int64_t>(n));
        const std::vector<double> depending = depending_work();
        original_.resize(n);
        std::iota(original_.begin(), original_.end(), graph::index{0});
        std::stable_sort(original_.begin(), original_.end(),
                         [&](graph::index a, graph::index b) { return depending[a] > depending[b]; });
        std::vector<graph::index> number(n);
        for (graph::index v = 0; v < n; ++v) number[original_[v]] = v;
        for (const graph::index c : original_) {
            const device_class& from = contracted_.classes[c];
            classes.push_back({.work_s = from.supported ? from.accelerator_s : 0.0,
                               .cpu_s = from.cpu_s,
                               .size_bytes = from.size_bytes,
                               .depending_s = depending[c],
                               .supported = from.supported});
            total.add(classes.back());
        }
        std::vector<graph::arc> arcs;
        for (const graph::arc& a : contracted_.order.arcs())
            arcs.push_back({number[a.source], number[a.target]});
        std::sort(arcs.begin(), arcs.end(), [](const graph::arc& a, const graph::arc& b) {
            return std::pair(a.source, a.target) < std::pair(b.source, b.target);
        });
        order = graph::digraph(n, arcs);
        std::vector<std::vector<incidence>> rows(n);
        for (const transfer& t : contracted_.transfers) {
            for (const graph::index c : t.classes)
                rows[number[c]].push_back({static_cast<graph::index>(net_size.size()), t.cost_s});
            net_cost.push_back(t.cost_s);
            net_size.push_back(static_cast<graph::index>(t.classes.size()));
        }
        net_begin_.push_back(0);
        for (const auto& row : rows) {
            nets_.insert(nets_.end(), row.begin(), row.end());
            net_begin_.push_back(static_cast<graph::index>(nets_.size()));
        }
        memory_binds = total.size_bytes > memory_bytes;
    }

    [[nodiscard]] std::size_t size() const noexcept { return classes.size(); }

    [[nodiscard]] std::span<const incidence> nets(graph::index v) const {
        return std::span(nets_).subspan(net_begin_[v], net_begin_[v + 1] - net_begin_[v]);
    }

    // A device that holds `members`, its load added up from scratch.
    [[nodiscard]] device_use use(device_kind kind, std::span<const graph::index> members) const {
        device_use u{.kind = kind, .nodes = {}, .load_s = 0.0};
        std::vector<graph::index> inside(net_size.size(), 0);
        for (const graph::index v : members) {
            const auto& nodes = contracted_.classes[original_[v]].nodes;
            u.nodes.insert(u.nodes.end(), nodes.begin(), nodes.end());
            u.load_s += kind == device_kind::cpu ? classes[v].cpu_s : classes[v].work_s;
            for (const incidence& i : nets(v)) ++inside[i.net];
        }
        if (kind == device_kind::accelerator)
            for (std::size_t h = 0; h < inside.size(); ++h)
                if (inside[h] != 0 && inside[h] != net_size[h]) u.load_s += contracted_.transfers[h].cost_s;
        std::sort(u.nodes.begin(), u.nodes.end());
        return u;
    }

    // The most work that `devices` CPUs can take over while each stays below `load`: the fractional knapsack.
    [[nodiscard]] double work_for_cpus(std::int64_t devices, double load) const {
        std::vector<const class_costs*> items;
        for (const class_costs& c : classes)
            if (c.work_s > 0.0 && c.cpu_s < load) items.push_back(&c);
        std::sort(items.begin(), items.end(), [](const class_costs* a, const class_costs* b) {
            return a->work_s * b->cpu_s > b->work_s * a->cpu_s;
        });
        double left = static_cast<double>(devices) * load;
        double work = 0.0;
        if (devices == 0) return work;
        for (const class_costs* c : items) {
            const double part = c->cpu_s <= left ? 1.0 : left / c->cpu_s;
            work += part * c->work_s;
            left -= part * c->cpu_s;
            if (part < 1.0) break;
        }
        return work;
    }

private:
    device_classes contracted_;
    std::vector<graph::index> original_; // the number in `contracted_`
    std::vector<incidence> nets_;
    std::vector<graph::index> net_begin_;

public:
    std::vector<class_costs> classes;
    std::vector<graph::index> net_size; // classes that a transfer joins
    std::vector<double> net_cost;
    graph::digraph order;
    class_sums total;
    std::int64_t accelerators = 0;
    std::int64_t cpus = 0;
    double memory_bytes = std::numeric_limits<double>::infinity();
    bool memory_binds = false; // not everything fits on one accelerator

private:
    // Sums over supersets in the same order are never smaller, rounding included: the numbering that they
    // give is topological, as ties keep theirs.
    [[nodiscard]] std::vector<double> depending_work() const {
        const std::size_t n = contracted_.classes.size();
        std::vector<graph::index> identity(n);
        std::iota(identity.begin(), identity.end(), graph::index{0});
        const graph::reachability reach(contracted_.order, identity);
        std::vector<double> depending(n, 0.0);
        for (graph::index v = 0; v < n; ++v)
            for (graph::index w = v; w < n; ++w)
                if ((w == v || reach.reaches(v, w)) && contracted_.classes[w].supported)
                    depending[v] += contracted_.classes[w].accelerator_s;
        return depending;
    }
};

} // namespace dovetail::placement::detail
