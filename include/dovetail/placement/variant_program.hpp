#pragma once
/// \file
/// The exact placement of layers with variants: a search for the least time that a pipeline can keep to.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/placement/upset_lattice.hpp>
#include <dovetail/placement/variant_graph.hpp>
#include <dovetail/placement/variant_labels.hpp>
#include <dovetail/placement/variant_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dovetail::placement {

/// Finds the pipeline whose slowest stage is fastest. It asks whether limits on the time can be kept to: near
/// the lower bound first, where the answer is a quick "no", then by bisection between that bound and the best
/// pipeline found, and ends when nothing beats that pipeline.
struct variant_program {
    double seconds = std::numeric_limits<double>::infinity(); ///< after which the best so far is the answer
    std::size_t downset_limit = 1U << 16;                     ///< its memory grows in proportion
    const stop_request* stop = nullptr;                       ///< ends it as if the seconds were over

    /// Solves a valid problem. The outcome is `optimal`, `infeasible`, or `budget` with the best pipeline, if
    /// there is one yet, and what is proved: also where a choice of variants is too hard for its memory.
    /// \returns errc::unsupported for more downsets than the limit. \complexity A few dozen questions to
    /// `variant_labels`.
    [[nodiscard]] result<variant_plan> operator()(const variant_graph& problem) const {
        spending spent(budget{.seconds = seconds, .stop = stop});
        variant_plan best;
        best.lower_bound_s = 0.0;
        const auto ended = [&] {
            best.outcome = status::budget;
            return best;
        };
        const auto lattice = detail::upset_lattice::make(problem, downset_limit, spent);
        if (spent.exhausted()) return ended();
        if (!lattice) return lattice.problem();
        detail::variant_labels labels(problem, *lattice, spent);
        if (spent.exhausted()) return ended();
        best.lower_bound_s = labels.work_s() / static_cast<double>(problem.devices);
        search improve{problem, labels, spent, best};
        switch (improve.below(std::numeric_limits<double>::infinity())) {
        case verdict::no:
            best.lower_bound_s = std::numeric_limits<double>::infinity();
            return best;
        case verdict::unknown:
            return ended();
        case verdict::yes:
            break;
        }
        best.outcome = improve() ? status::optimal : status::budget;
        if (best.outcome == status::optimal) best.lower_bound_s = best.time_s;
        return best;
    }

private:
    using verdict = detail::variant_labels::verdict;

    struct search {
        const variant_graph& problem;
        detail::variant_labels& labels;
        spending& spent;
        variant_plan& best;

        // Whether some pipeline takes less than `time_s`; the best is then one of those.
        [[nodiscard]] verdict below(double time_s) const {
            const verdict answer = labels({.time_s = time_s,
                                           .below = true,
                                           .hbm_bytes = problem.hbm_bytes,
                                           .light = false,
                                           .devices = problem.devices},
                                          spent);
            if (answer == verdict::yes) {
                std::vector<variant_stage> stages = labels.stages();
                double slowest_s = 0.0;
                for (const variant_stage& s : stages) slowest_s = std::max(slowest_s, s.time_s);
                if (slowest_s < best.time_s) {
                    best.time_s = slowest_s;
                    best.stages = std::move(stages);
                } else if (labels.gave_up()) {
                    return verdict::unknown; // the pipeline may have a faster choice of variants
                }
            } else if (answer == verdict::no) {
                best.lower_bound_s = std::max(best.lower_bound_s, time_s);
            }
            return answer;
        }

        // Whether the best is proved to be that; false where the budget ended first.
        [[nodiscard]] bool operator()() const {
            double step = 1e-3;
            bool found = false;
            while (best.lower_bound_s < best.time_s) {
                const double middle = 0.5 * (best.lower_bound_s + best.time_s);
                const double near = std::max(best.lower_bound_s, 1e-6 * best.time_s) * (1.0 + step);
                step *= 2.0;
                const double limit_s = found ? middle : std::min(near, middle);
                const verdict answer = below(limit_s);
                if (answer == verdict::unknown) return false;
                if (answer == verdict::yes) {
                    found = true;
                    continue;
                }
                if (!found && limit_s < middle) continue;
                // The last pipeline found is often the best already.
                const double last_s = best.time_s;
                const verdict any = below(last_s);
                if (any == verdict::unknown) return false;
                // What is less by rounding alone is not less.
                if (any == verdict::no || best.time_s >= last_s) return true;
                found = true;
            }
            return true;
        }
    };
};

} // namespace dovetail::placement
