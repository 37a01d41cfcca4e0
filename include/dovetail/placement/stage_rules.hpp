#pragma once
/// \file
/// What a table makes small, and which stages it may use: one rule for each question that the programs ask.

#include <dovetail/placement/stage_table.hpp>

#include <cstddef>

namespace dovetail::placement::detail {

/// A rule prices a stage that has `behind` stages behind it. Where states are the cuts of a chain, `floor`
/// never falls and `fits` never comes back as a stage grows at its end, and `floor` is at most `value`.

/// Least load, within the memory of a device.
template <class Space>
struct load_rule {
    using stage_ref = typename Space::stage_ref;

    const Space& space;
    std::size_t behind;
    double hbm_bytes;

    [[nodiscard]] constexpr double value(stage_ref s) const { return space.load_s(s, behind == 0); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return space.load_floor_s(s, behind == 0); }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return space.memory_bytes(s, behind) <= hbm_bytes;
    }
};

/// Seconds of gradient reduction and update of a stage; `reduce_s_per_byte` depends on the number of
/// replicas.
template <class Space>
[[nodiscard]] constexpr double tail_s(const Space& space, typename Space::stage_ref s,
                                      double reduce_s_per_byte) {
    return reduce_s_per_byte * space.reduce_bytes(s) + space.update_s(s);
}

/// Least load among stages that fit and whose tail stays below a cap.
template <class Space>
struct load_under_tail_rule {
    using stage_ref = typename Space::stage_ref;

    load_rule<Space> load;
    double reduce_s_per_byte;
    double tail_cap_s;

    [[nodiscard]] constexpr double value(stage_ref s) const { return load.value(s); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return load.floor(s); }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return load.fits(s) && tail_s(load.space, s, reduce_s_per_byte) < tail_cap_s;
    }
};

/// Least tail among stages that fit and whose load is at most a cap.
template <class Space>
struct tail_under_load_rule {
    using stage_ref = typename Space::stage_ref;

    load_rule<Space> load;
    double reduce_s_per_byte;
    double load_cap_s;

    [[nodiscard]] constexpr double value(stage_ref s) const {
        return load.value(s) <= load_cap_s ? floor(s) : infinity;
    }
    [[nodiscard]] constexpr double floor(stage_ref s) const {
        return tail_s(load.space, s, reduce_s_per_byte);
    }
    [[nodiscard]] constexpr bool fits(stage_ref s) const {
        return load.fits(s) && load.floor(s) <= load_cap_s;
    }
};

/// Least memory.
template <class Space>
struct memory_rule {
    using stage_ref = typename Space::stage_ref;

    const Space& space;
    std::size_t behind;

    [[nodiscard]] constexpr double value(stage_ref s) const { return space.memory_bytes(s, behind); }
    [[nodiscard]] constexpr double floor(stage_ref s) const { return value(s); }
    [[nodiscard]] constexpr bool fits(stage_ref) const { return true; }
};

} // namespace dovetail::placement::detail
