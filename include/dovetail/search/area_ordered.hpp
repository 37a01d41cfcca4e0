#pragma once
/// \file
/// PHAZE's search: designs from large to small, until throughput no longer grows.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/search/strategy.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

namespace dovetail::search {

/// For each setting by itself, walks over buckets of 10,000 um^2 from the largest and stops once the best
/// throughputs of the last `hysteresis` buckets do not rise from one to the next (Wang et al., ICML 2024).
/// Fast, and without any proof: near the area cap most buckets hold a single design. The outcome is
/// `feasible`, unless the rule happens to leave no design out under any setting.
struct area_ordered {
    static constexpr std::string_view name = "area-ordered";
    static constexpr double bucket_um2 = 10'000;
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(name, space, evaluate, options, observer,
                            [&](auto& run, array_view<const hardware::kept_design> designs,
                                array_view<const setting> settings) {
                                findings found(designs.size());
                                const std::vector<std::size_t> order = from_large_to_small(designs);
                                for (std::size_t s = 0; s < settings.size() && !run.is_cut_short(); ++s)
                                    walk(run, designs, order, settings.subspan(s, 1), s, found);
                                return found;
                            });
    }

private:
    [[nodiscard]] static std::int64_t bucket(const hardware::kept_design& design) {
        return static_cast<std::int64_t>(std::floor(design.area_um2 / bucket_um2));
    }

    [[nodiscard]] static std::vector<std::size_t>
    from_large_to_small(array_view<const hardware::kept_design> designs) {
        std::vector<std::size_t> order(designs.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        sort_stably(order.begin(), order.end(),
                    [&](std::size_t a, std::size_t b) { return bucket(designs[a]) > bucket(designs[b]); });
        return order;
    }

    template <class Campaign>
    void walk(Campaign& run, array_view<const hardware::kept_design> designs,
              array_view<const std::size_t> order, array_view<const setting> only, std::size_t position,
              findings& found) const {
        constexpr double infeasible = -1;
        std::vector<double> bests;
        std::vector<hardware::kept_design> members;
        for (std::size_t begin = 0; begin < order.size();) {
            std::size_t end = begin;
            members.clear();
            while (end < order.size() && bucket(designs[order[end]]) == bucket(designs[order[begin]]))
                members.push_back(designs[order[end++]]);
            const findings answers = run(members, only);
            double best = infeasible;
            for (std::size_t i = 0; i < answers.size(); ++i) {
                if (!answers[i]) continue;
                keep_best(found[order[begin + i]], *answers[i], position);
                if (answers[i]->feasible()) best = std::max(best, answers[i]->throughput_samples_per_s);
            }
            if (run.is_cut_short()) return;
            bests.push_back(best);
            if (stopped_rising(bests)) return;
            begin = end;
        }
    }

    [[nodiscard]] bool stopped_rising(array_view<const double> bests) const {
        const auto window = static_cast<std::size_t>(options.hysteresis);
        if (bests.size() < window) return false;
        const auto last = bests.last(window);
        return std::is_sorted(last.rbegin(), last.rend());
    }
};

} // namespace dovetail::search
