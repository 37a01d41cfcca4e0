#pragma once
/// \file
/// A seeded sample of a family: the baseline that any cleverer strategy must beat.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/random.hpp>
#include <dovetail/search/strategy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::search {

/// Evaluates `options.samples` designs drawn without replacement, each under every setting.
struct random_sample {
    static constexpr std::string_view name = "random";
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(name, space, evaluate, options, observer,
                            [&](auto& run, array_view<const hardware::kept_design> designs,
                                array_view<const setting> settings) {
                                const std::vector<std::size_t> drawn = draw(designs.size());
                                std::vector<hardware::kept_design> sample;
                                for (const std::size_t i : drawn) sample.push_back(designs[i]);
                                run.expect(sample.size());
                                const findings answers = run(sample, settings);
                                findings found(designs.size());
                                for (std::size_t i = 0; i < answers.size(); ++i) found[drawn[i]] = answers[i];
                                return found;
                            });
    }

private:
    // The first entries of a Fisher-Yates shuffle.
    [[nodiscard]] std::vector<std::size_t> draw(std::size_t population) const {
        random_source random(options.seed);
        std::vector<std::size_t> drawn(population);
        std::iota(drawn.begin(), drawn.end(), std::size_t{0});
        const std::size_t count = std::min(population, static_cast<std::size_t>(options.samples));
        for (std::size_t i = 0; i < count; ++i) {
            const auto last = static_cast<std::int64_t>(population - 1);
            std::swap(drawn[i],
                      drawn[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(i), last))]);
        }
        drawn.resize(count);
        return drawn;
    }
};

} // namespace dovetail::search
