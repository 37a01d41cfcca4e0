#pragma once
/// \file
/// The exact placement of operators on accelerators and CPUs that keeps the largest load small.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/placement/class_pipeline.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>
#include <dovetail/placement/max_load_search.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Finds a plan with the least largest load (Tarnawski et al., NeurIPS 2020). The nodes are contracted into
/// classes (`contract`); a plan cuts the classes along a chain of downsets of their order, and each device
/// takes what lies between two of them. The answer is exact up to a relative 1e-11, for rounding.
struct max_load_program {
    budget limits{}; ///< in sets of classes looked at, and seconds

    /// Solves a valid problem (`validate`). `outcome` is `optimal`, `infeasible`, or `budget` with the best
    /// plan so far, if any, and a proved bound.
    /// \complexity Exponential in the width of the graph at worst.
    [[nodiscard]] device_plan operator()(const device_graph& problem) const {
        const detail::class_pipeline pipeline(problem, contract(problem));
        return solve(pipeline);
    }

private:
    static constexpr double rounding = 1e-11;

    [[nodiscard]] device_plan solve(const detail::class_pipeline& pipeline) const {
        spending spent(limits);
        detail::max_load_search below(pipeline);
        device_plan best;
        best.lower_bound_s = simple_bound(pipeline);
        const auto ask = [&](double limit) {
            const auto answer = below(limit, spent);
            ++best.effort.searches;
            best.effort.downsets =
                std::max(best.effort.downsets, static_cast<std::int64_t>(below.downsets()));
            if (answer == detail::max_load_search::answer::yes) take(pipeline, below, best);
            if (answer == detail::max_load_search::answer::no)
                best.lower_bound_s = std::max(best.lower_bound_s, std::min(limit, best.max_load_s));
            return answer;
        };
        using enum detail::max_load_search::answer;
        // Guesses grow from the bound until one is met: small limits are refuted fast.
        double step = 1.0 / 128.0;
        auto answer = no;
        const double most = largest_load(pipeline);
        for (double limit = best.lower_bound_s; answer == no && limit < most; step *= 2.0) {
            limit = best.lower_bound_s * (1.0 + step);
            if (!(limit > 0.0) || step > 1e6) limit = most;
            answer = ask(std::min(limit, most));
        }
        if (answer == no) answer = ask(std::numeric_limits<double>::infinity());
        if (answer == no) {
            best.lower_bound_s = std::numeric_limits<double>::infinity();
            best.outcome = status::infeasible;
        }
        // Between the bound and the best plan: first whether the plan is optimal, else halves.
        bool halve = false;
        while (answer != budget && !best.devices.empty() &&
               best.lower_bound_s < best.max_load_s * (1.0 - rounding)) {
            const double strictly = best.max_load_s * (1.0 - rounding);
            answer = ask(halve ? std::midpoint(best.lower_bound_s, strictly) : strictly);
            halve = answer == yes;
        }
        best.effort.sets = spent.nodes();
        if (answer == budget)
            best.outcome = status::budget;
        else if (!best.devices.empty()) {
            best.outcome = status::optimal;
            best.lower_bound_s = best.max_load_s;
        }
        return best;
    }

    static void take(const detail::class_pipeline& pipeline, const detail::max_load_search& found,
                     device_plan& best) {
        std::vector<device_use> devices;
        double largest = 0.0;
        for (const auto& stage : found.stages()) {
            devices.push_back(pipeline.use(stage.kind, stage.classes));
            largest = std::max(largest, devices.back().load_s);
        }
        if (!best.devices.empty() && largest >= best.max_load_s) return;
        best.devices = std::move(devices);
        best.max_load_s = largest;
    }

    // No load exceeds this, and none is as large.
    [[nodiscard]] static double largest_load(const detail::class_pipeline& pipeline) {
        double load = std::max(pipeline.total.cpu_s, pipeline.total.work_s);
        for (const double cost : pipeline.net_cost) load += cost;
        return 2.0 * load + std::numeric_limits<double>::min();
    }

    // The least load with which the devices could share the work out, were it a powder.
    [[nodiscard]] static double simple_bound(const detail::class_pipeline& pipeline) {
        double low = 0.0;
        double high = largest_load(pipeline);
        for (const detail::class_costs& c : pipeline.classes) {
            const bool either = c.supported && pipeline.accelerators > 0 && pipeline.cpus > 0;
            const double least = either ? std::min(c.work_s, c.cpu_s) : c.supported ? c.work_s : c.cpu_s;
            low = std::max(low, pipeline.accelerators == 0 ? c.cpu_s : least);
        }
        for (int halving = 0; halving < 60 && low < high; ++halving) {
            const double middle = std::midpoint(low, high);
            const double room = static_cast<double>(pipeline.accelerators) * middle +
                                pipeline.work_for_cpus(pipeline.cpus, middle);
            (room < pipeline.total.work_s ? low : high) = middle;
        }
        return low * (1.0 - rounding);
    }
};

} // namespace dovetail::placement
