#pragma once
/// \file
/// The prices of an operator on all designs of a family whose axes are constants.

#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/tensor_core.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/axes.hpp>
#include <dovetail/hardware/parameter_space.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace dovetail::cost {

/// A family whose grid is a constant of its type: described with ext/hana, or written by hand.
template <class Family>
concept fixed_grid = hardware::parameter_space<Family> && requires {
    { Family::axes } -> std::convertible_to<hardware::grid_axes>;
    typename std::integral_constant<std::size_t, Family::axes.size()>;
};

/// `sound_model` on every design of `Family`, with each part priced once for the axes that it depends on: the
/// product for every shape and number of tensor cores, what is fetched again for every global buffer. A
/// family that is only seen point by point has to price every point anew.
///
/// The answers are those of the model, to the last bit. The size of an object is known to the compiler, some
/// 40 KiB for 832 combinations of shape and number; nothing is allocated.
template <fixed_grid Family>
class grid_prices {
    static constexpr const hardware::grid_axes& axes = Family::axes;
    using model = sound_model<typename Family::platform>;

public:
    /// Where a design stands on each axis.
    struct place {
        std::size_t num_tc, num_vc, width, depth, glb;
    };

    /// \complexity O(widths * depths * numbers of tensor cores).
    constexpr explicit grid_prices(const workload::operator_work& work) : work_(work) {
        for (std::size_t w = 0; w < axes.width.size(); ++w)
            for (std::size_t d = 0; d < axes.depth.size(); ++d) {
                const hardware::accelerator core{.width = axes.width[w], .depth = axes.depth[d]};
                const std::size_t shape = w * axes.depth.size() + d;
                one_core_[shape] = model::product_part(work, core, 1);
                for (std::size_t n = 0; n < axes.num_tc.size(); ++n)
                    all_cores_[shape * axes.num_tc.size() + n] =
                        model::product_part(work, core, axes.num_tc[n]);
            }
        for (std::size_t g = 0; g < axes.glb_bytes.size(); ++g)
            refetched_[g] = model::refetched_part(work, axes.glb_bytes[g]);
    }

    /// The place of the design at `position` < `Family::size()`. \complexity O(axes).
    [[nodiscard]] static constexpr place at(std::size_t position) {
        const auto next = [&position](std::size_t values) {
            const std::size_t digit = position % values;
            position /= values;
            return digit;
        };
        place p{};
        p.glb = next(axes.glb_bytes.size());
        p.depth = next(axes.depth.size());
        p.width = next(axes.width.size());
        p.num_vc = next(axes.num_vc.size());
        p.num_tc = next(axes.num_tc.size());
        return p;
    }

    /// What the model says of the design at `p`. \complexity O(1).
    [[nodiscard]] constexpr estimate operator()(const place& p, core_mode mode) const {
        const bool all = mode == core_mode::all_cores;
        const std::size_t shape = p.width * axes.depth.size() + p.depth;
        const std::int64_t vector_cores = all ? axes.num_vc[p.num_vc] : 1;
        return model::put_together(work_,
                                   all ? all_cores_[shape * axes.num_tc.size() + p.num_tc] : one_core_[shape],
                                   refetched_[p.glb], vector_cores * axes.width[p.width], vector_cores);
    }

private:
    static constexpr std::size_t shapes = axes.width.size() * axes.depth.size();

    workload::operator_work work_;
    std::array<product_cost, shapes> one_core_{};
    std::array<product_cost, shapes * axes.num_tc.size()> all_cores_{};
    std::array<double, axes.glb_bytes.size()> refetched_{};
};

} // namespace dovetail::cost
