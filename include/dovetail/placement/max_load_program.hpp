#pragma once
/// \file
/// The exact placement on accelerators and CPUs by the least largest load.

#include <dovetail/core/budget.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>
#include <dovetail/placement/device_share.hpp>
#include <dovetail/placement/downset_lattice.hpp>
#include <dovetail/placement/max_load_costs.hpp>
#include <dovetail/placement/max_load_line.hpp>
#include <dovetail/placement/max_load_search.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::placement {

namespace detail {

/// What is known of one problem: a plan, if any, and how far from the best it can be.
class max_load_bracket {
public:
    max_load_bracket(const device_graph& problem, spending& effort)
        : problem_(problem), contracted_(contract(problem)), costs_(problem, contracted_), effort_(effort) {
        lower_ = work_bound();
        // Low limits first: they leave little to try.
        for (ticks limit = std::max({2 * lower_, costs_.unlimited >> 12, ticks{1}}); shares_.empty();
             limit = 2 * limit) {
            limit = std::min(limit, costs_.unlimited);
            const max_load_line line(costs_, limit, effort_);
            upper_ = line.load();
            if (upper_ < limit) shares_ = line.plan();
            if (limit == costs_.unlimited) break;
            if (!shares_.empty() || !effort_.late()) continue;
            upper_ = costs_.unlimited;
            break;
        }
        lower_ = std::min(lower_, upper_);
    }

    /// Asks for plans below the best and below the middle of what is open by turns, until nothing is open.
    /// False where downsets or the budget run out first.
    [[nodiscard]] bool close(std::size_t downset_limit) {
        if (closed()) return true;
        const auto lattice = downset_lattice::make(costs_.order, downset_limit, effort_);
        if (!lattice) return false;
        max_load_search search(costs_, *lattice, effort_);
        for (bool middle = false; !closed(); middle = !middle) {
            const ticks limit = middle ? upper_ - (upper_ - lower_) / 2 : upper_;
            const auto verdict = search(limit);
            if (verdict == max_load_search::verdict::stopped) return false;
            if (verdict == max_load_search::verdict::none) {
                lower_ = limit;
                continue;
            }
            shares_ = search.plan();
            upper_ = 0;
            for (const draft_share& share : shares_) upper_ = std::max(upper_, load(share));
        }
        return true;
    }

    /// The plan, with its figures from the nodes themselves.
    [[nodiscard]] device_plan plan() const {
        device_plan best;
        for (const draft_share& share : shares_) best.devices.push_back(measured(share));
        for (const device_share& device : best.devices)
            best.max_load_s = std::max(best.max_load_s, device.load_s);
        best.lower_bound_s = costs_.to_seconds(lower_);
        if (closed() && !shares_.empty()) best.lower_bound_s = best.max_load_s;
        if (!shares_.empty()) best.lower_bound_s = std::min(best.lower_bound_s, best.max_load_s);
        return best;
    }

private:
    [[nodiscard]] bool closed() const { return lower_ >= upper_; }

    // All work shared out evenly, and the cheapest device for the dearest class.
    [[nodiscard]] ticks work_bound() const {
        const double capacity =
            static_cast<double>(costs_.accelerators) +
            (costs_.cpus == 0 ? 0.0 : static_cast<double>(costs_.cpus) * costs_.work_per_cpu);
        ticks bound = 0;
        if (capacity > 0.0)
            bound = static_cast<ticks>(static_cast<double>(costs_.work) / capacity * (1.0 - 1e-12));
        for (std::size_t v = 0; v < costs_.size(); ++v) {
            ticks cheapest = costs_.unlimited;
            if (costs_.cpus > 0) cheapest = costs_.cpu[v];
            if (costs_.accelerators > 0 && costs_.supported[v] != 0 && costs_.bytes[v] <= costs_.memory_bytes)
                cheapest = std::min(cheapest, costs_.accelerator[v]);
            bound = std::max(bound, cheapest);
        }
        return bound;
    }

    [[nodiscard]] ticks load(const draft_share& share) const {
        ticks sum = 0;
        std::vector<graph::index> held(costs_.transfer_cost.size());
        for (const graph::index v : share.vertices) {
            sum += share.kind == device_kind::cpu ? costs_.cpu[v] : costs_.accelerator[v];
            for (const graph::index t : costs_.transfers_of(v)) ++held[t];
        }
        for (std::size_t t = 0; t < held.size() && share.kind == device_kind::accelerator; ++t)
            if (held[t] > 0 && held[t] < costs_.transfer_size[t]) sum += costs_.transfer_cost[t];
        return sum;
    }

    [[nodiscard]] device_share measured(const draft_share& share) const {
        std::vector<graph::index> nodes;
        for (const graph::index v : share.vertices) {
            const std::vector<graph::index>& of_class = contracted_.classes[costs_.class_of[v]].nodes;
            nodes.insert(nodes.end(), of_class.begin(), of_class.end());
        }
        return share_of(problem_, share.kind, std::move(nodes));
    }

    const device_graph& problem_;
    device_classes contracted_;
    max_load_costs costs_;
    spending& effort_;
    std::vector<draft_share> shares_; // empty: no plan is known
    ticks upper_ = 0;                 // its load; above any where there is none
    ticks lower_ = 0;                 // every plan has at least this load
};

} // namespace detail

/// Finds a plan with the least largest load among all that keep colours and the contractions together, fit,
/// and let forward edges lead to the same or a later device (`contract` says which backward edges count,
/// mirrored). Loads are compared after rounding every cost to 2^-60 of the sum of all.
struct max_load_program {
    budget limits{};                       ///< nodes are steps of any part of the search
    std::size_t downset_limit = 2'000'000; ///< of the contracted graph; each takes 100 to 400 bytes

    /// Solves a valid problem (`validate`). The outcome is `budget`, with the best plan so far, if any, where
    /// time or nodes end or there are more downsets than the limit.
    /// \complexity At worst O(pairs of nested downsets * degree) a decision; in practice a small part of it.
    [[nodiscard]] device_plan operator()(const device_graph& problem) const {
        spending effort(limits);
        detail::max_load_bracket bracket(problem, effort);
        const bool proved = bracket.close(downset_limit);
        device_plan best = bracket.plan();
        best.outcome = !proved ? status::budget : best.devices.empty() ? status::infeasible : status::optimal;
        return best;
    }
};

} // namespace dovetail::placement
