#pragma once
/// \file
/// From evaluated chips to an outcome: the part of every strategy that is not its own.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/search/admitted.hpp>
#include <dovetail/search/campaign.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/infeasible.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/outcome.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::search {

/// What a strategy found out about every candidate: its best evaluation, or nothing where it was left out.
using findings = std::vector<std::optional<evaluation>>;

/// Merges an evaluation of one setting into what is known of a chip; `setting` is its position among all.
inline void keep_best(std::optional<evaluation>& known, evaluation found, std::size_t setting) {
    found.setting = setting;
    if (!known || found.throughput_samples_per_s > known->throughput_samples_per_s) known = found;
}

/// Runs `explore(campaign, candidates, settings)`, which gives `findings`, and draws the conclusions: the
/// best chip, the reference chip with its own best plan, and what is proved. \returns errc::empty_space when
/// the family keeps no design, or the first option outside its range.
template <hardware::parameter_space Space, class Evaluator, class Observer, class Explore>
[[nodiscard]] result<outcome> run_strategy(std::string_view name, const Space& space,
                                           const Evaluator& evaluate, const space_options& options,
                                           Observer& observer, const Explore& explore) {
    if (auto valid = validate(options); !valid) return std::move(valid).problem();
    auto kept = hardware::kept_designs(space);
    if (!kept) return std::move(kept).problem();
    auto within_limits = admit(space, *kept, options);
    if (!within_limits) return std::move(within_limits).problem();
    const std::vector<hardware::kept_design>& candidates = within_limits->designs;
    const std::vector<setting> settings = settings_of(evaluate.options());
    campaign<Evaluator, Observer> run(evaluate, options, candidates.size(), observer);

    outcome answer;
    answer.search.strategy = name;
    const auto reference_area = hardware::area_um2(space, space.reference());
    answer.baseline = run.solve_best({0, space.reference(), reference_area.value_or(0)}, settings);
    if (candidates.empty()) {
        answer.binding = std::move(within_limits->binding);
        answer.search.complete = true;
        answer.search.seconds = run.seconds();
        return answer;
    }
    if (answer.baseline.plan.outcome == status::infeasible) {
        // Memory does not depend on the chip: where no plan fits on one, none fits on any. The smallest
        // micro-batch needs least of it.
        const auto& sizes = evaluate.profile().micro_batches;
        const auto leanest =
            std::min_element(settings.begin(), settings.end(), [&](const auto& a, const auto& b) {
                return sizes[a.micro_batch] < sizes[b.micro_batch];
            });
        const solution closest = run.solve({0, space.reference(), answer.baseline.area_um2}, *leanest);
        answer.binding = binding_constraint(closest.problem, settings);
        answer.search.pruned = candidates.size();
        answer.search.complete = true;
        answer.search.seconds = run.seconds();
        return answer;
    }

    const findings found = explore(run, array_view<const hardware::kept_design>(candidates),
                                   array_view<const setting>(settings));
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!found[i]) continue;
        answer.designs.push_back(
            {candidates[i].position, candidates[i].area_um2, found[i]->throughput_samples_per_s});
        if (found[i]->feasible() &&
            (!best || better(answer.designs.back(), {candidates[*best].position, candidates[*best].area_um2,
                                                     found[*best]->throughput_samples_per_s})))
            best = i;
    }
    answer.search.evaluated = answer.designs.size();
    answer.search.pruned = candidates.size() - answer.designs.size();
    answer.search.complete = answer.search.pruned == 0;
    if (best) {
        answer.best = run.solve(candidates[*best], settings[found[*best]->setting]);
        answer.status = answer.search.complete ? status::optimal
                        : run.out_of_time()    ? status::budget
                                               : status::feasible;
    } else {
        answer.status = answer.search.complete ? status::infeasible : status::budget;
    }
    answer.search.seconds = run.seconds();
    return answer;
}

} // namespace dovetail::search
