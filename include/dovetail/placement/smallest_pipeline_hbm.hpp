#pragma once
/// \file
/// The smallest memory of a device with which a chain fits, under any schedule and plan space.

#include <dovetail/placement/pipeline_program.hpp>
#include <dovetail/placement/smallest_hbm.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::placement {

namespace detail {

/// A rule of `stage_table`: the least memory of a stage, over all ways to recompute.
template <class Policy>
struct pipeline_memory_rule {
    using stage_ref = typename chain_stages<dynamic_storage>::stage_ref;

    const stage_pricing<Policy>& pricing;
    const stage_sums<dynamic_storage>& sums;
    std::size_t behind;

    [[nodiscard]] constexpr double value(stage_ref ref) const {
        double least = infinity;
        for (const auto repeats : every_recomputation)
            if (pricing.allows(repeats, behind))
                least = std::min(least, pricing.memory_bytes(sums.of(ref.begin, ref.end),
                                                             pricing.further(behind), repeats));
        return least;
    }
    [[nodiscard]] constexpr double floor(stage_ref ref) const { return value(ref); }
    [[nodiscard]] constexpr bool fits(stage_ref) const { return true; }
};

} // namespace detail

/// Finds the smallest memory of a device with which a valid chain, otherwise unchanged, has a plan.
/// Where the program's time is over it is not proved.
/// \complexity O(widths * layers * stages^2), times the number of unsplit stages that save devices.
template <pipeline_policy Policy>
[[nodiscard]] hbm_need smallest_hbm(const layer_graph& problem, const pipeline_program<Policy>& program) {
    hbm_need need;
    pipeline_workspace memory;
    for (const width_costs& costs : problem.widths) {
        memory.chain.prepare(problem, costs);
        memory.sums.prepare(costs);
        const detail::pipeline_shapes shapes(program.schedule, program.space, problem, memory.chain,
                                             costs.width);
        const std::size_t max_singles = shapes.shape.max_singles;
        const std::int64_t fewest = shapes.shape.stage_devices;
        need.fewest_devices = need.fewest_devices == 0 ? fewest : std::min(need.fewest_devices, fewest);
        for (std::size_t stages = program.schedule.chunks(); stages <= problem.layer_count();
             stages += program.schedule.chunks())
            for (std::size_t singles = 0; singles <= std::min(stages, max_singles); ++singles) {
                // More replicas have fewer micro-batches each and share out more: the first needs least.
                std::int64_t replicas = 0;
                shapes.for_each_degree(stages, singles,
                                       [&](std::int64_t d) { replicas = std::max(replicas, d); });
                if (replicas == 0) continue;
                const auto pricing = shapes.priced(stages, replicas, singles);
                const auto rule = [&](std::size_t behind) {
                    return detail::pipeline_memory_rule<Policy>{pricing, memory.sums, behind};
                };
                auto& table = memory.trial;
                table.start(memory.chain.states(), max_singles);
                const auto limit = [&](std::size_t) { return [&](std::size_t) { return need.bytes; }; };
                bool alive = true;
                while (alive && table.stages() < stages) {
                    if (program.spent != nullptr && program.spent->late()) {
                        need.proved = false;
                        return need;
                    }
                    alive = table.add_stage(memory.chain, rule(table.stages()), limit);
                }
                if (!alive || !(table.whole(stages, singles) < need.bytes)) continue;
                need = {table.whole(stages, singles), costs.width, stages, 0,
                        need.fewest_devices,          need.proved};
                std::size_t state = 0;
                std::size_t left_singles = singles;
                for (std::size_t left = stages; left > 0; --left) {
                    const auto s = table.first_stage(memory.chain, rule(left - 1), left, left_singles, state);
                    if (rule(left - 1).value(s) >= need.bytes) {
                        need.stage = stages - left;
                        break;
                    }
                    state = s.end;
                }
            }
    }
    return need;
}

} // namespace dovetail::placement
