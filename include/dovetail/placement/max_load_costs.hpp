#pragma once
/// \file
/// The contracted problem of placement by largest load, in whole numbers.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/graph/reachability.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// Seconds as whole multiples of a power of two of a second: sums are exact in any order, and so a load is
/// the same number however it is reached. The unit is so small that all costs together stay below 2^61;
/// rounding to it moves a cost by less than 2^-60 of their sum.
using ticks = std::int64_t;

/// Classes in a topological order that puts much work ahead first, with costs in ticks.
struct max_load_costs {
    std::vector<graph::index> class_of{}; ///< by vertex: its number in `device_classes`
    graph::digraph order{};               ///< arcs lead to higher vertices
    std::vector<ticks> accelerator{};     ///< 0 where not supported
    std::vector<ticks> cpu{};
    std::vector<double> bytes{};
    std::vector<std::uint8_t> supported{};
    std::vector<ticks> transfer_cost{};
    std::vector<graph::index> transfer_size{}; ///< vertices of each
    std::vector<std::size_t> first_transfer{};
    std::vector<graph::index> transfers{}; ///< those of vertex v begin at `first_transfer[v]`
    std::vector<ticks> work_from{};        ///< accelerator work of a vertex and all that it precedes
    ticks work = 0;                        ///< accelerator work of all
    ticks unlimited = 1;                   ///< above any load
    std::size_t accelerators = 0;          ///< no more than there are classes
    std::size_t cpus = 0;
    double memory_bytes = 0.0;
    bool memory_binds = false; ///< an accelerator cannot hold everything
    double work_per_cpu = 0.0; ///< the most accelerator work that a CPU can take over in a tick
    int exponent = 0;          ///< a second has 2^exponent ticks

    max_load_costs(const device_graph& problem, const device_classes& contracted) {
        const std::vector<device_class>& classes = contracted.classes;
        accelerators = fewer(problem.accelerators, classes.size());
        cpus = fewer(problem.cpus, classes.size());
        memory_bytes = problem.memory_bytes;
        choose_exponent(contracted);
        number_classes(contracted);
        double all_bytes = 0.0;
        for (std::size_t v = 0; v < classes.size(); ++v) {
            const device_class& c = classes[class_of[v]];
            accelerator.push_back(c.supported ? to_ticks(c.accelerator_s) : 0);
            cpu.push_back(to_ticks(c.cpu_s));
            bytes.push_back(c.size_bytes);
            supported.push_back(c.supported ? 1 : 0);
            work += accelerator[v];
            unlimited += accelerator[v] + cpu[v];
            all_bytes += c.size_bytes;
            if (accelerator[v] > 0)
                work_per_cpu =
                    std::max(work_per_cpu, static_cast<double>(accelerator[v]) / static_cast<double>(cpu[v]));
        }
        memory_binds = all_bytes > memory_bytes;
        list_transfers(contracted);
        const graph::reachability below(order, identity(classes.size()));
        for (graph::index v = 0; v < classes.size(); ++v)
            work_from.push_back(accelerator[v] + sum_of(below, v));
    }

    [[nodiscard]] std::size_t size() const { return class_of.size(); }
    [[nodiscard]] double to_seconds(ticks t) const { return std::ldexp(static_cast<double>(t), -exponent); }
    [[nodiscard]] array_view<const graph::index> transfers_of(graph::index v) const {
        return array_view(transfers).subspan(first_transfer[v], first_transfer[v + 1] - first_transfer[v]);
    }

    /// What has to be done once `free_accelerators` and `free_cpus` are left, for loads below `limit`, at
    /// least; negative where even transfers can be afforded. A little less than exact arithmetic has it.
    [[nodiscard]] ticks least_done(std::size_t free_accelerators, std::size_t free_cpus, ticks limit) const {
        const double capacity = static_cast<double>(limit) *
                                (static_cast<double>(free_accelerators) +
                                 (free_cpus == 0 ? 0.0 : static_cast<double>(free_cpus) * work_per_cpu));
        const double least = static_cast<double>(work) * (1.0 - 1e-12) - capacity * (1.0 + 1e-12);
        return static_cast<ticks>(std::max(least, -static_cast<double>(unlimited))) - 1;
    }

private:
    [[nodiscard]] static std::size_t fewer(std::int64_t devices, std::size_t classes) {
        return static_cast<std::size_t>(std::min(devices, static_cast<std::int64_t>(classes)));
    }
    [[nodiscard]] static std::vector<graph::index> identity(std::size_t n) {
        std::vector<graph::index> numbers(n);
        std::iota(numbers.begin(), numbers.end(), graph::index{0});
        return numbers;
    }
    [[nodiscard]] ticks to_ticks(double seconds) const {
        return static_cast<ticks>(std::llround(std::ldexp(seconds, exponent)));
    }

    void choose_exponent(const device_classes& contracted) {
        const std::size_t costs = 2 * contracted.classes.size() + contracted.transfers.size();
        const int shift = static_cast<int>(std::bit_width(costs)); // so that the sum is finite
        double sum = 0.0;
        for (const device_class& c : contracted.classes)
            sum += std::ldexp(c.cpu_s, -shift) + (c.supported ? std::ldexp(c.accelerator_s, -shift) : 0.0);
        for (const transfer& t : contracted.transfers) sum += std::ldexp(t.cost_s, -shift);
        if (sum > 0.0) exponent = 59 - std::ilogb(sum) - shift;
    }

    // By falling work of all that follows: a topological order, as ties keep theirs, and one in which leaving
    // out an early vertex leaves little to add.
    void number_classes(const device_classes& contracted) {
        const std::size_t n = contracted.classes.size();
        const graph::reachability below(contracted.order, identity(n));
        class_of = identity(n);
        for (const device_class& c : contracted.classes)
            accelerator.push_back(c.supported ? to_ticks(c.accelerator_s) : 0);
        std::vector<ticks> ahead(n);
        for (graph::index v = 0; v < n; ++v) ahead[v] = accelerator[v] + sum_of(below, v);
        accelerator.clear();
        sort_stably(class_of.begin(), class_of.end(),
                    [&](graph::index a, graph::index b) { return ahead[a] > ahead[b]; });
        std::vector<graph::index> number(n);
        for (graph::index v = 0; v < n; ++v) number[class_of[v]] = v;
        std::vector<graph::arc> arcs;
        for (const auto [source, target] : contracted.order.arcs())
            arcs.push_back({number[source], number[target]});
        std::sort(arcs.begin(), arcs.end(), [](const graph::arc& a, const graph::arc& b) {
            return std::pair(a.source, a.target) < std::pair(b.source, b.target);
        });
        order = graph::digraph(n, arcs);
    }

    void list_transfers(const device_classes& contracted) {
        const std::size_t n = size();
        std::vector<graph::index> number(n);
        for (graph::index v = 0; v < n; ++v) number[class_of[v]] = v;
        std::vector<std::vector<graph::index>> of(n);
        for (const transfer& t : contracted.transfers) {
            for (const graph::index c : t.classes)
                of[number[c]].push_back(static_cast<graph::index>(transfer_cost.size()));
            transfer_cost.push_back(to_ticks(t.cost_s));
            transfer_size.push_back(static_cast<graph::index>(t.classes.size()));
            unlimited += transfer_cost.back();
        }
        for (const std::vector<graph::index>& row : of) {
            first_transfer.push_back(transfers.size());
            transfers.insert(transfers.end(), row.begin(), row.end());
        }
        first_transfer.push_back(transfers.size());
    }

    [[nodiscard]] ticks sum_of(const graph::reachability& below, graph::index v) const {
        ticks sum = 0;
        const array_view<const std::uint64_t> words = below.descendants(v);
        for (std::size_t k = 0; k < words.size(); ++k)
            for (std::uint64_t bits = words[k]; bits != 0; bits &= bits - 1)
                sum += accelerator[64 * k + static_cast<std::size_t>(std::countr_zero(bits))];
        return sum;
    }
};

/// A part of a plan before its figures are known.
struct draft_share {
    device_kind kind = device_kind::accelerator;
    std::vector<graph::index> vertices{}; ///< of `max_load_costs`
};

} // namespace dovetail::placement::detail
