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

/// One search under way. Chips are evaluated in batches; within a batch the threads only take turns, so that
/// the answer does not depend on their number.
template <class Evaluator, class Observer>
class campaign {
public:
    campaign(const Evaluator& evaluate, const space_options& options, std::size_t total, Observer& observer)
        : evaluate_(&evaluate), time_limit_s_(options.time_limit_s), total_(total), observer_(&observer) {
        const std::size_t threads =
            options.threads > 0 ? static_cast<std::size_t>(options.threads) : hardware_threads();
        workers_.reserve(threads);
        for (std::size_t t = 0; t < threads; ++t) workers_.emplace_back(evaluate);
    }

    /// Evaluates `chips` under `settings`; one answer a chip. Fewer when the time limit ends it: then every
    /// chip of the answer is evaluated, and those behind it are not.
    [[nodiscard]] std::vector<evaluation> operator()(array_view<const hardware::kept_design> chips,
                                                     array_view<const setting> settings) {
        constexpr std::size_t batch = 256;
        std::vector<evaluation> answers;
        answers.reserve(chips.size());
        while (answers.size() < chips.size() && !out_of_time()) {
            const std::size_t begin = answers.size();
            const std::size_t count = std::min(batch, chips.size() - begin);
            answers.resize(begin + count);
            parallel_for(count, workers_.size(), 4, [&](std::size_t worker, std::size_t i) {
                answers[begin + i] = (*evaluate_)(chips[begin + i].chip, settings, workers_[worker]);
            });
            for (std::size_t i = begin; i < answers.size(); ++i)
                best_ = std::max(best_, answers[i].throughput_samples_per_s);
            done_ += count;
            notify(*observer_, progress{done_, total_, clock_.seconds(), best_});
        }
        return answers;
    }

    [[nodiscard]] bool out_of_time() const { return clock_.seconds() > time_limit_s_; }
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
    const Evaluator* evaluate_;
    std::vector<typename Evaluator::memory> workers_;
    stopwatch clock_;
    double time_limit_s_;
    std::size_t total_;
    Observer* observer_;
    std::size_t done_ = 0;
    double best_ = 0;
};

/// The better of two evaluated chips: more samples a second, then less area, then earlier in the grid.
[[nodiscard]] constexpr bool better(const evaluated_design& a, const evaluated_design& b) noexcept {
    if (a.throughput_samples_per_s != b.throughput_samples_per_s)
        return a.throughput_samples_per_s > b.throughput_samples_per_s;
    if (a.area_um2 != b.area_um2) return a.area_um2 < b.area_um2;
    return a.position < b.position;
}

} // namespace dovetail::search
