#pragma once
/// \file
/// From evaluated chips to an outcome: the part of every strategy that is not its own.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/readable.hpp>
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
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::search {

/// Merges an evaluation of one setting into what is known of a chip; `setting` is its position among all.
inline void keep_best(std::optional<evaluation>& known, evaluation found, std::size_t setting) {
    found.setting = setting;
    if (!known || found.throughput_samples_per_s > known->throughput_samples_per_s) known = found;
}

/// Why a search ended that was not complete, and what that leaves open.
[[nodiscard]] inline std::string open_question(std::string_view name, const search_record& record,
                                               bool cut_short) {
    const std::string part =
        readable(record.evaluated) + " of " + readable(record.evaluated + record.pruned) + " designs";
    const std::string left = record.pruned > 0 ? "a design that it left out may be better"
                                               : "not each under every setting: another plan may be better";
    if (cut_short) return "ended early, after " + part + "; " + left;
    return std::string(name) + " stopped after " + part + " by its own rule, which proves nothing: " + left;
}

/// Runs `explore(campaign, candidates, settings)`, which gives `findings`, one a candidate, and draws the
/// conclusions: the best chip, the reference chip with its own best plan, and what is proved. \returns
/// errc::empty_space when the family keeps no design, or the first option outside its range.
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
    campaign<Evaluator, Observer> run(evaluate, options, observer);

    outcome answer;
    answer.search.strategy = name;
    const auto reference_area = hardware::area_um2(space, space.reference());
    answer.baseline = run.solve_best({0, space.reference(), reference_area.value_or(0)}, settings);
    if (candidates.empty()) {
        answer.binding = std::move(within_limits->binding);
        answer.search.complete = true;
        answer.search.proof = "no design keeps to the limits";
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
        answer.binding = binding_constraint(closest.problem, settings, sizes[leanest->micro_batch]);
        answer.search.pruned = candidates.size();
        answer.search.complete = true;
        answer.search.proof = "no plan fits any design: its memory is the same for all";
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
    // A design that was seen under some settings only may have a better plan under another.
    answer.search.complete = run.evaluations() == candidates.size() * settings.size();
    answer.search.proof = answer.search.complete
                              ? "every design was evaluated under every setting: none is better"
                              : open_question(name, answer.search, run.is_cut_short());
    if (best) {
        answer.best = run.solve(candidates[*best], settings[found[*best]->setting]);
        answer.status = answer.search.complete ? status::optimal
                        : run.is_cut_short()   ? status::budget
                                               : status::feasible;
    } else {
        answer.status = answer.search.complete ? status::infeasible : status::budget;
    }
    answer.search.seconds = run.seconds();
    return answer;
}

} // namespace dovetail::search
