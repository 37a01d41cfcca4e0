#pragma once
/// \file
/// The placement of a device graph for the least latency of one sample.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/latency_downsets.hpp>
#include <dovetail/placement/latency_fill.hpp>
#include <dovetail/placement/latency_labels.hpp>
#include <dovetail/placement/latency_plan.hpp>
#include <dovetail/placement/latency_tails.hpp>
#include <dovetail/placement/latency_units.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::placement {

namespace detail {

/// What bounds a search.
struct latency_effort {
    budget limits{};
    std::size_t max_downsets = 0;
    std::size_t threads = 1;
    std::uint64_t seed = 1;
};

class latency_search {
public:
    latency_search(const device_graph& problem, const latency_effort& effort)
        : problem_(problem), effort_(effort), units_(problem), spent_(effort.limits),
          accelerators_(static_cast<std::size_t>(
              std::min(problem.accelerators, static_cast<std::int64_t>(units_.size())))) {}

    [[nodiscard]] latency_plan operator()() {
        random_source random(effort_.seed);
        std::vector<downset_family> families(orders);
        const latency_fill fill(problem_, units_);
        for (downset_family& family : families) {
            family.order = depth_first_order(units_, random);
            for (const std::size_t accelerators : {std::size_t{0}, accelerators_})
                keep(fill(family.order, accelerators));
        }
        raise(critical_path_s());
        // Everything at once where that is little work. Else along orders first, then everything with as many
        // accelerators as it takes, then along ever broader orders.
        if (open() && !explore({}, small_space, true)) {
            for (downset_family& family : families) explore(family, large_space, true);
            if (open()) explore({}, large_space, false);
            for (std::size_t breadth = 2; breadth < units_.size() && open(); breadth *= 2)
                for (downset_family& family : families) {
                    family.breadth = breadth;
                    explore(family, large_space, true);
                }
            if (open()) explore({}, large_space, true);
        }
        best_.outcome = closed() ? status::optimal : status::budget;
        if (closed()) best_.lower_bound_s = best_.latency_s;
        return std::move(best_);
    }

private:
    static constexpr std::size_t orders = 4;
    static constexpr double small_space = 5e6; ///< groups
    static constexpr double large_space = 1e12;
    static constexpr double rounding = 1e-12;
    static constexpr double first_excess = 1e-3;
    static constexpr std::size_t first_width = 64;

    [[nodiscard]] bool closed() const {
        return best_.latency_s - best_.lower_bound_s <= rounding * best_.latency_s;
    }
    [[nodiscard]] bool open() const { return !closed() && !spent_.exhausted(); }
    void keep(timed_placement found) {
        if (found.latency_s >= best_.latency_s) return;
        best_.latency_s = found.latency_s;
        best_.device = std::move(found.device);
    }
    void raise(double bound_s) { best_.lower_bound_s = std::max(best_.lower_bound_s, bound_s); }

    // Every way through the graph takes its nodes' shorter times at least.
    [[nodiscard]] double critical_path_s() const {
        std::vector<double> done_s(problem_.nodes.size(), 0.0);
        double longest_s = 0.0;
        for (graph::index v = 0; v < problem_.nodes.size(); ++v) {
            const device_node& node = problem_.nodes[v];
            const bool choice =
                node.supported && accelerators_ > 0 && node.size_bytes <= problem_.memory_bytes;
            for (const graph::index u : units_.edges().predecessors(v))
                done_s[v] = std::max(done_s[v], done_s[u]);
            done_s[v] += choice ? std::min(node.cpu_s, node.accelerator_s) : node.cpu_s;
            longest_s = std::max(longest_s, done_s[v]);
        }
        return longest_s;
    }

    // Searches the plans whose partial plans are downsets of a family, unless they are too many. Returns
    // whether it has. Without `counted` the bound on them ignores how many accelerators there are.
    bool explore(const downset_family& family, double max_groups, bool counted) {
        const auto space = latency_downsets::make(problem_, units_, effort_.max_downsets, family, &spent_);
        if (!space || groups(*space) > max_groups || spent_.late()) return false;
        latency_tails tails(*space, accelerators_, counted);
        if (!tails.run(effort_.threads, spent_)) return false;
        const bool all = family.order.empty();
        if (all) raise(tails.latency_s());
        latency_labels labels(*space, tails, accelerators_);
        // Plans of little more than the bound are few; the limit rises until there is one.
        std::size_t width = first_width;
        double floor_s = tails.latency_s();
        double excess = rounding;
        while (open() && floor_s < best_.latency_s * (1 - rounding)) {
            const double limit_s = std::min(best_.latency_s, tails.latency_s() * (1 + excess) + rounding);
            if (!labels.run(width, limit_s, spent_)) return false;
            const double proved_s = std::min({limit_s, labels.best_s(), labels.dropped_s()});
            floor_s = std::max(floor_s, proved_s);
            if (all) raise(floor_s);
            if (labels.best_s() < best_.latency_s) keep({labels.best_s(), labels.device()});
            if (proved_s >= limit_s) {
                excess = std::max(first_excess, 2 * excess);
            } else if (labels.dropped_s() < labels.best_s()) {
                if (!all || !counted) return true; // there is a better way to go on
                width *= 4;
            }
        }
        return true;
    }

    // About how many groups a space has: those of a few downsets, for all. Fewer where the time ends.
    [[nodiscard]] double groups(const latency_downsets& space) {
        constexpr std::size_t samples = 64;
        const std::size_t stride = std::max<std::size_t>(1, space.size() / samples);
        std::vector<latency_downsets::visit_state> stack;
        std::size_t count = 0;
        for (std::size_t d = 0; d < space.size(); d += stride)
            space.for_each_group(d, stack,
                                 [&](std::size_t) { return ++count % 1024 != 0 || !spent_.late(); });
        return static_cast<double>(count) * static_cast<double>(stride);
    }

    const device_graph& problem_;
    const latency_effort& effort_;
    latency_units units_;
    spending spent_;
    std::size_t accelerators_;
    latency_plan best_;
};

} // namespace detail

/// Finds a placement of least latency.
struct latency_program {
    budget limits{};                    ///< of the search, in labels and groups; the rest is short
    std::size_t max_downsets = 200'000; ///< to look at, of the whole graph
    std::size_t threads = 1;
    std::uint64_t seed = 1; ///< of the orders to search along where the whole is too large

    /// \returns what `validate` finds wrong; else the best plan and bound within the limits, which is exact
    /// (`status::optimal`) where bound and plan meet up to rounding.
    [[nodiscard]] result<latency_plan> operator()(const device_graph& problem) const {
        if (auto valid = validate(problem); !valid) return std::move(valid).problem();
        const detail::latency_effort effort{limits, max_downsets, threads, seed};
        return detail::latency_search(problem, effort)();
    }
};

} // namespace dovetail::placement
