#pragma once
/// \file
/// What all strategies share: evaluating a list of chips on all threads, and turning the best into an
/// outcome.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/parallel.hpp>
#include <dovetail/hardware/parameter_space.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/observer.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/outcome.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::search {

/// What is known of every chip of a list: its best evaluation, or nothing where there was none.
using findings = std::vector<std::optional<evaluation>>;

/// One search under way. Chips are evaluated in batches; within a batch the threads only take turns, so that
/// the answer does not depend on their number.
template <class Evaluator, class Observer>
class campaign {
public:
    campaign(const Evaluator& evaluate, const space_options& options, Observer& observer)
        : evaluate_(&evaluate), limits_{.seconds = options.time_limit_s, .stop = options.stop},
          observer_(&observer) {
        const std::size_t threads =
            options.threads > 0 ? static_cast<std::size_t>(options.threads) : hardware_threads();
        workers_.reserve(threads);
        for (std::size_t t = 0; t < threads; ++t) workers_.emplace_back(evaluate);
    }

    /// How many designs the strategy will evaluate, where it knows.
    void expect(std::size_t designs) { total_ = designs; }

    /// Evaluates `chips` under `settings`; one answer a chip, nothing for those that the time limit or a
    /// request to stop came before. Both are looked at before every chip.
    [[nodiscard]] findings operator()(array_view<const hardware::kept_design> chips,
                                      array_view<const setting> settings) {
        constexpr std::size_t batch = 256;
        findings answers(chips.size());
        for (std::size_t begin = 0; begin < chips.size() && !is_cut_short_; begin += batch) {
            const std::size_t end = std::min(begin + batch, chips.size());
            parallel_for(end - begin, workers_.size(), 4, [&](std::size_t worker, std::size_t i) {
                if (!is_over())
                    answers[begin + i] = (*evaluate_)(chips[begin + i].chip, settings, workers_[worker]);
            });
            for (std::size_t i = begin; i < end; ++i) count(chips[i], answers[i], settings.size());
            notify(*observer_, progress{done_, total_, clock_.seconds(), best_});
        }
        return answers;
    }

    /// Whether an evaluation that was asked for was not made for want of time.
    [[nodiscard]] bool is_cut_short() const { return is_cut_short_; }
    /// Evaluations so far, each of one chip under one setting.
    [[nodiscard]] std::size_t evaluations() const { return evaluations_; }
    [[nodiscard]] double seconds() const { return clock_.seconds(); }

    /// The whole answer for one chip and one setting.
    [[nodiscard]] solution solve(const hardware::kept_design& design, const setting& s) {
        typename Evaluator::memory& m = workers_.front();
        solution found{.chip = design.chip,
                       .area_um2 = design.area_um2,
                       .throughput_samples_per_s = 0,
                       .setting = s,
                       .micro_batch = evaluate_->profile().micro_batches[s.micro_batch],
                       .problem = {},
                       .plan = (*evaluate_)(design.chip, s, m),
                       .power = {}};
        found.problem = m.problem();
        if (found.plan.outcome == status::optimal)
            found.throughput_samples_per_s =
                static_cast<double>(evaluate_->options().global_batch) / found.plan.time_per_batch_s;
        return found;
    }

    /// A chip with its best plan over `settings`; without one, the first setting's problem.
    [[nodiscard]] solution solve_best(const hardware::kept_design& design,
                                      array_view<const setting> settings) {
        const evaluation best = (*evaluate_)(design.chip, settings, workers_.front());
        return solve(design, settings[best.setting]);
    }

private:
    [[nodiscard]] bool is_over() const { return limits_.is_over(clock_.seconds()); }

    void count(const hardware::kept_design& design, const std::optional<evaluation>& answer,
               std::size_t settings) {
        if (!answer) {
            is_cut_short_ = true;
            return;
        }
        best_ = std::max(best_, answer->throughput_samples_per_s);
        evaluations_ += settings;
        if (is_known_.size() <= design.position) is_known_.resize(design.position + 1, false);
        if (!is_known_[design.position]) ++done_;
        is_known_[design.position] = true;
    }

    const Evaluator* evaluate_;
    std::vector<typename Evaluator::memory> workers_;
    stopwatch clock_;
    budget limits_;
    Observer* observer_;
    std::size_t total_ = 0;
    std::size_t done_ = 0; // designs
    std::size_t evaluations_ = 0;
    std::vector<bool> is_known_; // by position in the grid: evaluated before
    double best_ = 0;
    bool is_cut_short_ = false;
};

/// The better of two evaluated chips: more samples a second, then less area, then earlier in the grid.
[[nodiscard]] constexpr bool better(const evaluated_design& a, const evaluated_design& b) noexcept {
    if (a.throughput_samples_per_s != b.throughput_samples_per_s)
        return a.throughput_samples_per_s > b.throughput_samples_per_s;
    if (a.area_um2 != b.area_um2) return a.area_um2 < b.area_um2;
    return a.position < b.position;
}

} // namespace dovetail::search
