#pragma once
/// \file
/// Every design of a family.

#include <dovetail/core/array_view.hpp>
#include <dovetail/search/strategy.hpp>

#include <cstddef>
#include <string_view>

namespace dovetail::search {

/// Evaluates all designs that the family keeps, each under every setting. Optimal when it is not cut short.
struct exhaustive {
    static constexpr std::string_view name = "exhaustive";
    space_options options = {};

    /// \returns as `run_strategy`.
    template <hardware::parameter_space Space, class Evaluator, class Observer = silent>
    [[nodiscard]] result<outcome> operator()(const Space& space, const Evaluator& evaluate,
                                             Observer&& observer = {}) const {
        return run_strategy(name, space, evaluate, options, observer,
                            [](auto& run, array_view<const hardware::kept_design> designs,
                               array_view<const setting> settings) {
                                run.expect(designs.size());
                                return run(designs, settings);
                            });
    }
};

} // namespace dovetail::search
