#pragma once
/// \file
/// Why nothing fits: the smallest memory of a device that would do, and the stage that needs it.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/placement/chain_stages.hpp>
#include <dovetail/placement/downset_stages.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/stage_program.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace dovetail::placement {

/// What stands in the way of any plan at all.
enum class constraint : std::uint8_t {
    memory,  ///< there are enough devices for a replica, but each has too little memory
    devices, ///< a single replica, cut in whatever way, takes more devices than there are
};

/// The name of the constraint.
[[nodiscard]] constexpr std::string_view to_string(constraint c) noexcept {
    switch (c) {
    case constraint::memory:
        return "memory";
    case constraint::devices:
        return "devices";
    }
    return "unknown";
}

/// The least memory of a device with which the problem has a plan, and the plan's shape.
struct hbm_need {
    double bytes = std::numeric_limits<double>::infinity(); ///< infinite where the devices do not suffice
    std::int64_t tensor_parallel = 0;
    std::size_t stages = 0;          ///< the fewest that make do with so little
    std::size_t stage = 0;           ///< the one that needs it, counted from the first
    std::int64_t fewest_devices = 0; ///< of a replica, over all plans
    bool proved = true;              ///< false where the time was over first: it may be less

    [[nodiscard]] constexpr constraint binding() const {
        return tensor_parallel == 0 ? constraint::devices : constraint::memory;
    }
};

namespace detail {

template <class Space>
void lower_hbm_need(const Space& space, std::int64_t width, std::int64_t devices,
                    stage_program_memory<Space, dynamic_storage>& memory, hbm_need& need, spending* spent) {
    const replica_shape shape = replica_shape::of(space, width);
    // Any cut that holds a split layer takes the width, and a single stage takes no more.
    const std::int64_t fewest = shape.stage_devices;
    need.fewest_devices = need.fewest_devices == 0 ? fewest : std::min(need.fewest_devices, fewest);
    const auto rule = [&](std::size_t stages) { return memory_rule<Space>{space, stages - 1}; };
    auto& table = memory.loads;
    table.start(space.states(), shape.max_singles);
    std::size_t best_singles = 0;
    bool improved = false;
    for (std::size_t stages = 1; stages <= space.max_stages(); ++stages) {
        const auto limit = [&](std::size_t singles) {
            const double cap = shape.devices(stages, singles) <= devices ? need.bytes : -infinity;
            return [cap](std::size_t) { return cap; };
        };
        if (spent != nullptr && spent->late()) {
            need.proved = false;
            break;
        }
        if (!table.add_stage(space, rule(stages), limit)) break;
        for (std::size_t singles = 0; singles <= table.max_singles(stages); ++singles) {
            if (!(table.whole(stages, singles) < need.bytes)) continue;
            need = {table.whole(stages, singles), width, stages, 0, need.fewest_devices, need.proved};
            best_singles = singles;
            improved = true;
        }
    }
    if (!improved) return;
    double most = -infinity;
    std::size_t state = 0;
    for (std::size_t left = need.stages; left > 0; --left) {
        const auto s = table.first_stage(space, rule(left), left, best_singles, state);
        if (const double bytes = space.memory_bytes(s, left - 1); bytes > most) {
            most = bytes;
            need.stage = need.stages - left;
        }
        state = s.end;
    }
}

} // namespace detail

/// Finds the smallest memory of a device with which a valid problem, otherwise unchanged, has a plan: exactly
/// what its layers add up to, so that a problem given that much is feasible and given less is not.
/// \returns errc::unsupported for a graph that is no chain and has more downsets than the limit.
/// \param spent where given and late, the answer is not proved \complexity As `exact_program`.
[[nodiscard]] inline result<hbm_need>
smallest_hbm(const layer_graph& problem, std::size_t downset_limit = 2048, spending* spent = nullptr) {
    hbm_need need;
    const auto over_widths = [&](auto& space) {
        detail::stage_program_memory<std::remove_reference_t<decltype(space)>, dynamic_storage> memory;
        for (const width_costs& costs : problem.widths) {
            space.prepare(problem, costs);
            detail::lower_hbm_need(space, costs.width, problem.devices, memory, need, spent);
        }
    };
    if (is_chain(problem)) {
        detail::chain_stages<dynamic_storage> space;
        over_widths(space);
        return need;
    }
    auto space = detail::downset_stages::make(problem, downset_limit);
    if (!space) return space.problem();
    over_widths(*space);
    return need;
}

} // namespace dovetail::placement
