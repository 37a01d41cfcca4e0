#pragma once
/// \file
/// What a stage costs in a pipeline of a given shape, under any schedule and plan space.

#include <dovetail/placement/chain_stages.hpp>
#include <dovetail/placement/pipeline_schedule.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/plan_space.hpp>
#include <dovetail/placement/stage_sums.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::placement::detail {

/// What one stage costs with one way to recompute.
struct stage_price {
    stage_times times{};
    double pace_s = 0.0;    ///< counts once for every slot of the schedule
    double rest_s = 0.0;    ///< counts once
    double charged_s = 0.0; ///< counts once: of the tail, what the objective charges to this stage
    double tail_s = 0.0;
    double memory_bytes = 0.0;
};

/// A pipeline of `devices` devices, each with `policy.chunks()` stages, on `replicas` replicas.
template <pipeline_policy Policy>
struct stage_pricing {
    Policy policy{};
    plan_space space{};
    bool recompute = false; ///< the problem's
    std::size_t devices = 1;
    std::int64_t replicas = 1;
    std::size_t micro_batches = 1;  ///< of one replica
    std::int64_t stage_devices = 1; ///< of a stage that is not single
    double stage_link_bytes_per_s = 0.0;
    double reduce_link_bytes_per_s = 0.0;

    [[nodiscard]] constexpr std::size_t stages() const { return devices * policy.chunks(); }
    [[nodiscard]] constexpr double slots() const { return policy.charge({}, devices, micro_batches).slots; }

    /// Stages that share devices take as many as the widest of them.
    [[nodiscard]] constexpr std::int64_t devices_of(bool single) const {
        return single && policy.chunks() == 1 ? 1 : stage_devices;
    }

    /// Whether a stage with `behind` stages behind it may recompute so.
    [[nodiscard]] constexpr bool allows(recomputation repeats, std::size_t behind) const {
        if (space.choose_recomputation) return true;
        return repeats == (recompute && behind > 0 ? recomputation::full : recomputation::none);
    }

    /// Stages' worth of activations that the stage's device holds besides those being computed.
    [[nodiscard]] constexpr std::size_t further(std::size_t behind) const {
        const std::size_t device = devices - 1 - behind % devices;
        if constexpr (requires { policy.in_flight(device, devices); })
            if (!space.count_short_batches) return policy.in_flight(device, devices) - 1;
        return policy.in_flight(device, devices, micro_batches) - 1;
    }

    /// Memory of a device whose stages are all like this one, `further` more activations held.
    [[nodiscard]] constexpr double memory_bytes(const stage_sum& s, std::size_t further,
                                                recomputation repeats) const {
        double stash = s.total.stash_bytes;
        if (repeats == recomputation::selective) stash -= s.total.attention_stash_bytes;
        if (repeats == recomputation::full) stash = s.entering_bytes;
        double resident = s.total.resident_bytes;
        if (space.shard_optimizer)
            resident -= s.total.optimizer_bytes * (1.0 - 1.0 / static_cast<double>(replicas));
        return static_cast<double>(policy.chunks()) * resident + s.total.activation_bytes +
               static_cast<double>(further) * stash;
    }

    [[nodiscard]] constexpr stage_times times(const stage_sum& s, recomputation repeats) const {
        const double leaving = s.leaving_bytes / stage_link_bytes_per_s;
        stage_times t{s.entering_bytes / stage_link_bytes_per_s + s.total.forward_s,
                      leaving + s.total.backward_s, s.total.weight_gradient_s};
        if (repeats == recomputation::selective) t.backward_s += s.total.attention_forward_s;
        // Gradients arrive while the forward pass is being repeated.
        if (repeats == recomputation::full)
            t.backward_s = std::max(s.total.forward_s, leaving) + s.total.backward_s;
        return t;
    }

    /// What the batch is charged for the stage after its last micro-batch, given its reduction.
    [[nodiscard]] constexpr double charged_s(const stage_sum& s, double reduce_s, std::size_t behind) const {
        const double all = static_cast<double>(policy.chunks());
        if (space.charge == objective::every_stage) return all * (reduce_s + update_s(s));
        return behind + 1 == stages() ? all * reduce_s : 0.0;
    }

    [[nodiscard]] constexpr stage_price price(const stage_sum& s, std::size_t behind, bool single,
                                              recomputation repeats) const {
        stage_price p;
        p.times = times(s, repeats);
        const pipeline_charge charge = policy.charge(p.times, devices, micro_batches);
        const double reduce = reduce_s(s, single);
        p.tail_s = reduce + update_s(s);
        p.pace_s = charge.pace_s;
        p.rest_s = charge.rest_s;
        p.charged_s = charged_s(s, reduce, behind);
        p.memory_bytes = memory_bytes(s, further(behind), repeats);
        return p;
    }

    /// Bounds that never fall when a stage grows at its end: no transfer behind it, nothing repeated, no
    /// reduction that the backward pass may hide.
    [[nodiscard]] constexpr stage_price floor(const stage_sum& s, std::size_t behind, bool single) const {
        const pipeline_charge charge = policy.charge(
            {s.entering_bytes / stage_link_bytes_per_s + s.total.forward_s, s.total.backward_s, 0.0}, devices,
            micro_batches);
        return {.pace_s = charge.pace_s,
                .rest_s = Policy::rest_grows ? charge.rest_s : 0.0,
                .charged_s = charged_s(s, space.overlap_reduction ? 0.0 : reduce_s(s, single), behind)};
    }

private:
    [[nodiscard]] constexpr double reduce_s(const stage_sum& s, bool single) const {
        const double all = reduction_s(s.total.reduce_bytes, replicas, devices_of(single),
                                       reduce_link_bytes_per_s, space.node);
        return space.overlap_reduction ? std::max(0.0, all - s.total.backward_s) : all;
    }
    [[nodiscard]] constexpr double update_s(const stage_sum& s) const {
        return space.shard_optimizer ? s.total.update_s / static_cast<double>(replicas) : s.total.update_s;
    }
};

/// The part of a price that a table makes small.
using price_part = double stage_price::*;

/// A number that a part of a price may not pass, or, if strict, not even reach.
struct price_cap {
    double value = infinity;
    bool strict = false;

    [[nodiscard]] constexpr bool admits(double x) const { return strict ? x < value : x <= value; }
};

/// A cap on every part that counts.
struct price_caps {
    price_cap pace{};
    price_cap rest{};
    price_cap charged{};

    [[nodiscard]] constexpr bool admit(const stage_price& p) const {
        return pace.admits(p.pace_s) && rest.admits(p.rest_s) && charged.admits(p.charged_s);
    }
};

/// A rule of `stage_table`: the least of one part of a stage's price, over all ways to recompute that fit and
/// keep to the caps.
template <class Policy, class Storage>
struct pricing_rule {
    using stage_ref = typename chain_stages<Storage>::stage_ref;

    const stage_pricing<Policy>& pricing;
    const chain_stages<Storage>& chain;
    const stage_sums<Storage>& sums;
    double hbm_bytes;
    std::size_t behind;
    std::size_t further;
    price_part part;
    price_caps caps;

    /// Calls `visit(repeats, price)` for every such way.
    template <class Visit>
    constexpr void for_each_way(stage_ref ref, const Visit& visit) const {
        const stage_sum s = sums.of(ref.begin, ref.end);
        for (const auto repeats : every_recomputation) {
            if (!fits(s, repeats)) continue;
            const stage_price price = pricing.price(s, behind, chain.single(ref), repeats);
            if (caps.admit(price)) visit(repeats, price);
        }
    }

    [[nodiscard]] constexpr double value(stage_ref ref) const {
        double least = infinity;
        for_each_way(ref, [&](recomputation, const stage_price& p) { least = std::min(least, p.*part); });
        return least;
    }
    [[nodiscard]] constexpr double floor(stage_ref ref) const { return floor_of(ref).*part; }
    [[nodiscard]] constexpr bool fits(stage_ref ref) const {
        if (!caps.admit(floor_of(ref))) return false;
        const stage_sum s = sums.of(ref.begin, ref.end);
        return std::any_of(every_recomputation.begin(), every_recomputation.end(),
                           [&](recomputation repeats) { return fits(s, repeats); });
    }

private:
    [[nodiscard]] constexpr stage_price floor_of(stage_ref ref) const {
        return pricing.floor(sums.of(ref.begin, ref.end), behind, chain.single(ref));
    }
    [[nodiscard]] constexpr bool fits(const stage_sum& s, recomputation repeats) const {
        return pricing.allows(repeats, behind) && pricing.memory_bytes(s, further, repeats) <= hbm_bytes;
    }
};

/// A rule of `stage_table`: the fewest bytes to reduce, among the stages that another rule lets fit.
template <class Policy, class Storage>
struct reduction_rule {
    using stage_ref = typename chain_stages<Storage>::stage_ref;

    const pricing_rule<Policy, Storage>& within;

    [[nodiscard]] constexpr double value(stage_ref ref) const { return floor(ref); }
    [[nodiscard]] constexpr double floor(stage_ref ref) const {
        return within.sums.of(ref.begin, ref.end).total.reduce_bytes;
    }
    [[nodiscard]] constexpr bool fits(stage_ref ref) const { return within.fits(ref); }
};

} // namespace dovetail::placement::detail
