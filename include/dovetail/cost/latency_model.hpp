#pragma once
/// \file
/// How long an operator, or a fused group, takes on a chip.

#include <dovetail/core/array_view.hpp>
#include <dovetail/cost/core_mode.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/workload/work.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace dovetail::cost {

/// What an operator waits for.
enum class bound : std::uint8_t { nothing, tensor_core, vector_core, local_buffer, global_buffer, hbm };

/// The name of the bound.
[[nodiscard]] constexpr std::string_view to_string(bound b) noexcept {
    switch (b) {
    case bound::nothing:
        return "nothing";
    case bound::tensor_core:
        return "tensor core";
    case bound::vector_core:
        return "vector core";
    case bound::local_buffer:
        return "local buffer";
    case bound::global_buffer:
        return "global buffer";
    case bound::hbm:
        return "HBM";
    }
    return "unknown";
}

/// The time of an operator, and how long it keeps each part of the chip busy, in seconds.
struct estimate {
    double tensor_s = 0;
    double vector_s = 0;
    double local_s = 0;
    double global_s = 0;
    double hbm_s = 0;
    double fill_s = 0; ///< start-up that nothing overlaps

    double local_bytes = 0;  ///< read and written in the local buffers of all cores
    double global_bytes = 0; ///< read and written in the global buffer
    double hbm_bytes = 0;    ///< read and written in the HBM

    /// All parts work at the same time, double-buffered: the busiest sets the pace.
    [[nodiscard]] constexpr double latency_s() const noexcept {
        return std::max({tensor_s, vector_s, local_s, global_s, hbm_s}) + fill_s;
    }

    /// The busiest part.
    [[nodiscard]] constexpr bound bound_by() const noexcept {
        const double pace_s = latency_s() - fill_s;
        if (!(pace_s > 0)) return bound::nothing;
        if (tensor_s >= pace_s) return bound::tensor_core;
        if (vector_s >= pace_s) return bound::vector_core;
        if (hbm_s >= pace_s) return bound::hbm;
        if (global_s >= pace_s) return bound::global_buffer;
        return bound::local_buffer;
    }
};

/// The least time of several operators on one chip, whatever their order and however they overlap: the busy
/// time of the memories that all cores share.
///
/// An operator on one core is timed as if the global buffer and the HBM were its own. That is right when it
/// runs alone; when others run beside it, the schedule alone would let each of them use the whole bandwidth.
/// Every schedule needs at least the sum of what they move, so the longer of the schedule and of this sum
/// never counts a second of a shared memory twice. \param estimates  of the operators, each in the mode that
/// the schedule chose
[[nodiscard]] constexpr double shared_memory_s(array_view<const estimate> estimates) noexcept {
    double global_s = 0;
    double hbm_s = 0;
    for (const estimate& e : estimates) {
        global_s += e.global_s;
        hbm_s += e.hbm_s;
    }
    return std::max(global_s, hbm_s);
}

/// Prices the work of an operator on any chip. Laws: finite and non-negative; zero for no work; more cores,
/// lanes or buffer never slower; all cores never slower than one; never faster than the peak or than the HBM
/// allows.
template <class Model>
concept latency_model = requires(const Model& model, const workload::operator_work& work,
                                 const hardware::accelerator& chip, core_mode mode) {
    { model(work, chip, mode) } -> std::same_as<estimate>;
    { Model::element_bytes } -> std::convertible_to<double>;
};

} // namespace dovetail::cost
