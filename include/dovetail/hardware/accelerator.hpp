#pragma once
/// \file
/// One design: the cores, the global buffer, and nothing else.

#include <concepts>
#include <cstdint>

namespace dovetail::hardware {

/// A point of a parameter space, with its values known at run time.
///
/// `num_tc` tensor cores are arrays of `depth` x `width` multiply-accumulate units: the reduction runs along
/// the depth, the columns of the result along the width. `num_vc` vector cores have `width_vc` lanes each.
/// All of them share one global buffer.
struct accelerator {
    std::int64_t num_tc = 0;
    std::int64_t num_vc = 0;
    std::int64_t width = 0;
    std::int64_t depth = 0;
    std::int64_t width_vc = 0;
    std::int64_t glb_bytes = 0;

    friend constexpr bool operator==(const accelerator&, const accelerator&) = default;
};

/// Anything with the six axes, as data or as static constants: cost kernels take every model of it.
template <class Chip>
concept accelerator_like = requires(const Chip& chip) {
    { chip.num_tc } -> std::convertible_to<std::int64_t>;
    { chip.num_vc } -> std::convertible_to<std::int64_t>;
    { chip.width } -> std::convertible_to<std::int64_t>;
    { chip.depth } -> std::convertible_to<std::int64_t>;
    { chip.width_vc } -> std::convertible_to<std::int64_t>;
    { chip.glb_bytes } -> std::convertible_to<std::int64_t>;
};

/// A design whose axes are constants of its type, so that kernels fold them into their code.
template <std::int64_t NumTc, std::int64_t NumVc, std::int64_t Width, std::int64_t Depth,
          std::int64_t WidthVc, std::int64_t GlbBytes>
struct fixed_accelerator {
    static constexpr std::int64_t num_tc = NumTc;
    static constexpr std::int64_t num_vc = NumVc;
    static constexpr std::int64_t width = Width;
    static constexpr std::int64_t depth = Depth;
    static constexpr std::int64_t width_vc = WidthVc;
    static constexpr std::int64_t glb_bytes = GlbBytes;
};

/// The design `Point` with its axes as constants of the type.
template <accelerator Point>
using fix =
    fixed_accelerator<Point.num_tc, Point.num_vc, Point.width, Point.depth, Point.width_vc, Point.glb_bytes>;

/// The same design with its axes as data.
template <accelerator_like Chip>
[[nodiscard]] constexpr accelerator as_point(const Chip& chip) noexcept {
    return {.num_tc = chip.num_tc,
            .num_vc = chip.num_vc,
            .width = chip.width,
            .depth = chip.depth,
            .width_vc = chip.width_vc,
            .glb_bytes = chip.glb_bytes};
}

/// Multiply-accumulate units of all tensor cores.
template <accelerator_like Chip>
[[nodiscard]] constexpr std::int64_t tensor_macs(const Chip& chip) noexcept {
    return chip.num_tc * chip.width * chip.depth;
}

/// Lanes of all vector cores.
template <accelerator_like Chip>
[[nodiscard]] constexpr std::int64_t vector_lanes(const Chip& chip) noexcept {
    return chip.num_vc * chip.width_vc;
}

} // namespace dovetail::hardware
