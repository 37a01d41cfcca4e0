#pragma once
/// \file
/// How many devices a replica of a pipeline takes.

#include <cstddef>
#include <cstdint>

namespace dovetail::placement::detail {

/// How many devices a replica takes, by its number of stages and how many of them hold no split layer.
struct replica_shape {
    std::int64_t stage_devices = 1; ///< of a stage with a split layer
    std::size_t max_singles = 0;    ///< stages on one device are counted only where that saves devices

    template <class Space>
    [[nodiscard]] static constexpr replica_shape of(const Space& space, std::int64_t width) {
        if (space.split_layers() == 0 || width == 1) return {};
        return {width, space.single_layers()};
    }
    [[nodiscard]] constexpr std::int64_t devices(std::size_t stages, std::size_t singles) const {
        return stage_devices * static_cast<std::int64_t>(stages - singles) +
               static_cast<std::int64_t>(singles);
    }
};

} // namespace dovetail::placement::detail
