#pragma once
/// \file
/// The exact placement of a chain of layers under any pipeline schedule, over the whole plan space.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/placement/chain_stages.hpp>
#include <dovetail/placement/pipeline_shapes.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/stage_pricing.hpp>
#include <dovetail/placement/stage_sums.hpp>
#include <dovetail/placement/stage_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace dovetail::placement {

namespace detail {

/// A number of stages, and of single ones among them, by the least time that it promises.
struct shape_promise {
    double time_s = infinity;
    double pace_s = infinity;
    double reduce_bytes = 0.0; ///< of some stage at least
    std::size_t stages = 0;
    std::size_t singles = 0;
};

/// A stage of the best plan.
template <class StageRef>
struct chosen_stage {
    StageRef ref;
    recomputation repeats;
};

} // namespace detail

/// The memory of a `pipeline_program`, to be kept from call to call. One a thread.
template <class Storage>
struct basic_pipeline_workspace {
    using stage_ref = typename detail::chain_stages<Storage>::stage_ref;

    basic_plan<Storage> plan{}; ///< the answer of the last call
    detail::chain_stages<Storage> chain{};
    detail::stage_sums<Storage> sums{};
    detail::stage_table<Storage> paces{};
    detail::stage_table<Storage> reductions{};
    detail::stage_table<Storage> trial{};
    typename Storage::template per_row<detail::shape_promise> promises{};
    typename Storage::template up_to_layers<detail::chosen_stage<stage_ref>> path{};
};

using pipeline_workspace = basic_pipeline_workspace<dynamic_storage>;

namespace detail {

/// The search for one tensor width: every shape by what it promises, the best first; in each, every number of
/// replicas that can still win; for each, the cuts that no other beats in pace, rest and tail.
template <class Policy, class Storage>
class pipeline_search {
public:
    constexpr pipeline_search(const Policy& policy, const plan_space& space,
                              const basic_layer_graph<Storage>& problem,
                              const basic_width_costs<Storage>& costs,
                              basic_pipeline_workspace<Storage>& memory, spending* spent)
        : policy_(policy), space_(space), problem_(problem), costs_(costs), spent_(spent),
          memory_(prepared(memory, problem, costs)), best_(memory.plan),
          shapes_(policy, space, problem, memory.chain, costs.width) {}

    constexpr void operator()() {
        promise_shapes();
        while (true) {
            shape_promise* first = nullptr;
            for (shape_promise& p : memory_.promises)
                if (p.time_s < (first == nullptr ? best_.time_per_batch_s : first->time_s)) first = &p;
            if (first == nullptr || late()) break;
            shapes_.for_each_degree(first->stages, first->singles, [&](std::int64_t replicas) {
                const auto pricing = shapes_.priced(first->stages, replicas, first->singles);
                const least_time least = least_time_of(*first, pricing);
                if (least.total_s() < best_.time_per_batch_s) settle(*first, pricing, least);
            });
            first->time_s = infinity;
        }
        if (improved_) write_plan();
    }

private:
    using stage_ref = typename chain_stages<Storage>::stage_ref;
    using rule = pricing_rule<Policy, Storage>;

    [[nodiscard]] constexpr bool late() const { return spent_ != nullptr && spent_->late(); }

    static constexpr auto& prepared(basic_pipeline_workspace<Storage>& memory,
                                    const basic_layer_graph<Storage>& problem,
                                    const basic_width_costs<Storage>& costs) {
        memory.chain.prepare(problem, costs);
        memory.sums.prepare(costs);
        return memory;
    }

    /// What no plan of a shape on so many replicas falls below.
    struct least_time {
        double paced_s = 0.0; ///< all slots together
        double rest_s = 0.0;
        double tail_s = 0.0;

        [[nodiscard]] constexpr double total_s() const { return paced_s + rest_s + tail_s; }
    };

    /// No pace is below the relaxed one, no reduction below the least that some stage must have, and nothing
    /// below what an even share of all work costs.
    [[nodiscard]] constexpr least_time least_time_of(const shape_promise& shape,
                                                     const stage_pricing<Policy>& pricing) const {
        const auto stages = static_cast<double>(shape.stages);
        const layer all = memory_.sums.of(0, memory_.chain.max_stages()).total;
        const stage_times share{all.forward_s / stages, all.backward_s / stages, 0.0};
        const pipeline_charge charge = policy_.charge(share, pricing.devices, pricing.micro_batches);
        least_time least{.paced_s = charge.slots * std::max(shape.pace_s, charge.pace_s)};
        if (Policy::rest_grows) least.rest_s = charge.rest_s;
        if (space_.charge == objective::every_stage) {
            // Running beside the backward passes hides no more than all of them take.
            const double hidden_s = space_.overlap_reduction ? share.backward_s : 0.0;
            const double bytes = space_.overlap_reduction ? all.reduce_bytes / stages : shape.reduce_bytes;
            const double reduce_s =
                reduction_s(bytes, pricing.replicas, 1, problem_.link_bytes_per_s, space_.node) - hidden_s;
            least.tail_s = std::max(0.0, static_cast<double>(policy_.chunks()) * reduce_s);
        }
        // Sums carry rounding errors that must not discard a perfectly even cut.
        for (double least_time::*part : {&least_time::paced_s, &least_time::rest_s, &least_time::tail_s})
            least.*part *= 1.0 - 1e-12;
        return least;
    }

    /// One table each for paces and reductions serves all shapes: with the least memory that any of them can
    /// ask for.
    constexpr void promise_shapes() {
        memory_.promises.clear();
        auto& table = memory_.paces;
        table.start(memory_.chain.states(), shapes_.shape.max_singles);
        memory_.reductions.start(memory_.chain.states(), shapes_.shape.max_singles);
        stage_pricing<Policy> lenient = shapes_.priced(policy_.chunks(), 1, 0);
        lenient.replicas = problem_.micro_batches;
        if (space_.node.devices > 0)
            lenient.stage_link_bytes_per_s =
                std::max(problem_.link_bytes_per_s, space_.node.link_bytes_per_s);
        for (std::size_t stages = 1; stages <= memory_.chain.max_stages() && !late(); ++stages) {
            if (shapes_.replica_devices(stages, table.max_singles(stages)) > shapes_.usable) break;
            const std::size_t behind = stages - 1;
            const std::size_t held =
                space_.count_short_batches ? policy_.chunks() : policy_.least_in_flight(behind);
            const rule paced{lenient, memory_.chain, memory_.sums,         problem_.hbm_bytes,
                             behind,  held - 1,      &stage_price::pace_s, {}};
            const auto no_limit = [](std::size_t) { return [](std::size_t) { return infinity; }; };
            if (!table.add_stage(memory_.chain, paced, no_limit)) break;
            memory_.reductions.add_stage(memory_.chain, reduction_rule<Policy, Storage>{paced}, no_limit);
            if (stages % policy_.chunks() != 0) continue;
            for (std::size_t q = 0; q <= table.max_singles(stages); ++q) {
                shape_promise shape{infinity, table.whole(stages, q), memory_.reductions.whole(stages, q),
                                    stages, q};
                if (shape.pace_s == infinity) continue;
                shapes_.for_each_degree(stages, q, [&](std::int64_t replicas) {
                    shape.time_s = std::min(
                        shape.time_s, least_time_of(shape, shapes_.priced(stages, replicas, q)).total_s());
                });
                if (shape.time_s < best_.time_per_batch_s) memory_.promises.push_back(shape);
            }
        }
    }

    /// The best of the cuts of a shape, if it beats the best plan. Shorter and shorter tails are asked for,
    /// as long as what they leave of pace and rest can still win.
    constexpr void settle(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                          const least_time& least) {
        price_caps caps{.charged = {best_.time_per_batch_s - least.paced_s - least.rest_s, true}};
        while (true) {
            const paced_cut cut = least_pace_and_rest(shape, pricing, caps, least);
            if (cut.pace_s == infinity) return;
            const double time = pricing.slots() * cut.pace_s + cut.rest_s;
            const double room = best_.time_per_batch_s - time;
            if (!(room > 0.0)) return;
            const price_caps kept{{cut.pace_s}, {cut.rest_s}, {std::min(caps.charged.value, room), true}};
            const double tail = solve(shape, pricing, &stage_price::charged_s, kept);
            if (tail < infinity) accept(shape, pricing, kept, time + tail);
            caps.charged.value = std::min(kept.charged.value, tail);
        }
    }

    struct paced_cut {
        double pace_s = infinity;
        double rest_s = infinity;
    };

    /// The least time but for the tail over the cuts of a shape that keep to a cap on tails, where it leaves
    /// room for the least tail: walks along the cuts that no other beats in both pace and rest.
    constexpr paced_cut least_pace_and_rest(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                                            price_caps caps, const least_time& least) {
        const double slots = pricing.slots();
        double limit = best_.time_per_batch_s - least.tail_s;
        paced_cut best;
        caps.rest = {limit - least.paced_s, true};
        while (true) {
            caps.pace = {(limit - least.rest_s) / slots, false};
            const double pace = solve(shape, pricing, &stage_price::pace_s, caps);
            if (pace == infinity) return best;
            if (!Policy::has_rest) return {pace, 0.0};
            price_caps paced = caps;
            paced.pace = {pace, false};
            paced.rest.value = std::min(caps.rest.value, limit - pace * slots);
            const double rest = solve(shape, pricing, &stage_price::rest_s, paced);
            if (pace * slots + rest < limit) {
                best = {pace, rest};
                limit = pace * slots + rest;
            }
            caps.rest.value = std::min(paced.rest.value, rest);
        }
    }

    /// The least largest part of a price over the cuts of a shape whose stages all keep to the caps.
    constexpr double solve(const shape_promise& shape, const stage_pricing<Policy>& pricing, price_part part,
                           const price_caps& caps) {
        auto& table = memory_.trial;
        table.start(memory_.chain.states(), shapes_.shape.max_singles);
        while (table.stages() < shape.stages) {
            if (late()) return infinity;
            const std::size_t in_front = shape.stages - table.stages() - 1;
            // No stage passes the cap on paces, which bounds the work in front of any stage.
            const double work_cap_s =
                in_front == 0 ? infinity : caps.pace.value * static_cast<double>(in_front) * (1.0 + 1e-12);
            const auto limit = [&, in_front, work_cap_s](std::size_t q) {
                const bool useful = q <= shape.singles && shape.singles - q <= in_front;
                return [&, in_front, work_cap_s, useful](std::size_t state) {
                    const bool open =
                        in_front == 0 ? state == 0 : pace_before_s(pricing, state) <= work_cap_s;
                    return useful && open ? infinity : 0.0;
                };
            };
            if (!table.add_stage(memory_.chain, rule_for(pricing, table.stages(), part, caps), limit))
                return infinity;
        }
        return table.whole(shape.stages, shape.singles);
    }

    [[nodiscard]] constexpr double pace_before_s(const stage_pricing<Policy>& pricing,
                                                 std::size_t state) const {
        const layer& before = memory_.sums.of(0, state).total;
        return policy_.charge({before.forward_s, before.backward_s, 0.0}, 1, pricing.micro_batches).pace_s;
    }

    [[nodiscard]] constexpr rule rule_for(const stage_pricing<Policy>& pricing, std::size_t behind,
                                          price_part part, const price_caps& caps) const {
        return {pricing, memory_.chain,           memory_.sums, problem_.hbm_bytes,
                behind,  pricing.further(behind), part,         caps};
    }

    /// Takes over the plan that the trial table holds: of the least tail under the caps.
    constexpr void accept(const shape_promise& shape, const stage_pricing<Policy>& pricing,
                          const price_caps& caps, double time) {
        if (!(time < best_.time_per_batch_s)) return;
        best_.outcome = status::optimal;
        best_.time_per_batch_s = time;
        best_.data_parallel = pricing.replicas;
        improved_ = true;
        pricing_ = pricing;
        memory_.path.clear();
        std::size_t singles = shape.singles;
        std::size_t state = 0;
        for (std::size_t stages = shape.stages; stages > 0; --stages) {
            const rule least_tail = rule_for(pricing, stages - 1, &stage_price::charged_s, caps);
            const stage_ref ref =
                memory_.trial.first_stage(memory_.chain, least_tail, stages, singles, state);
            chosen_stage<stage_ref> chosen{ref, recomputation::none};
            double least = infinity;
            least_tail.for_each_way(ref, [&](recomputation repeats, const stage_price& price) {
                if (price.charged_s >= least) return;
                least = price.charged_s;
                chosen.repeats = repeats;
            });
            memory_.path.push_back(chosen);
            state = ref.end;
        }
    }

    constexpr void write_plan() {
        best_.tensor_parallel = costs_.width;
        best_.stages_per_device = policy_.chunks();
        best_.stages.clear();
        best_.order.clear();
        stage_price largest;
        std::size_t behind = memory_.path.size();
        for (const auto& [ref, repeats] : memory_.path) {
            --behind;
            const bool single = memory_.chain.single(ref);
            const stage_price price =
                pricing_.price(add_up(costs_, ref.begin, ref.end), behind, single, repeats);
            best_.stages.push_back({.begin = static_cast<std::uint32_t>(ref.begin),
                                    .end = static_cast<std::uint32_t>(ref.end),
                                    .devices = pricing_.devices_of(single),
                                    .load_s = price.times.total_s(),
                                    .memory_bytes = price.memory_bytes,
                                    .tail_s = price.tail_s,
                                    .repeats = repeats});
            memory_.chain.append_layers(ref, best_.order);
            for (const price_part part :
                 {&stage_price::pace_s, &stage_price::rest_s, &stage_price::charged_s})
                largest.*part = std::max(largest.*part, price.*part);
        }
        best_.time_per_batch_s = pricing_.slots() * largest.pace_s + largest.rest_s + largest.charged_s;
    }

    const Policy& policy_;
    const plan_space& space_;
    const basic_layer_graph<Storage>& problem_;
    const basic_width_costs<Storage>& costs_;
    spending* spent_;
    basic_pipeline_workspace<Storage>& memory_;
    basic_plan<Storage>& best_;
    pipeline_shapes<Policy, Storage> shapes_;
    bool improved_ = false;
    stage_pricing<Policy> pricing_{}; // of the best plan
};

} // namespace detail

/// Finds a plan with the least time per batch for a chain, over all tensor widths, cuts, data-parallel
/// degrees and what the plan space offers, as the schedule's `charge` counts it. Exact whatever the costs.
///
/// With `one_forward_one_backward` and a default `space` the problem is PHAZE's, and the answer that of
/// `chain_program`, which is faster by far. Interleaved stages that share devices are charged as if each were
/// as heavy as the heaviest, in memory and reduction.
///
/// \complexity A table of O(layers * stages) cells, mostly O(1) each, for every shape and number of replicas
/// whose bound does not rule it out, times the cuts that trade pace for rest or tail.
template <pipeline_policy Policy = one_forward_one_backward>
struct pipeline_program {
    Policy schedule{};
    plan_space space{};
    spending* spent = nullptr; ///< where given and late, the outcome is `budget`, with the best plan so far

    /// Solves a valid problem whose edges form a chain; `space` must be valid.
    template <class Storage>
    [[nodiscard]] constexpr basic_plan<Storage> operator()(const basic_layer_graph<Storage>& problem) const {
        basic_pipeline_workspace<Storage> workspace{};
        (*this)(problem, workspace);
        return std::move(workspace.plan);
    }

    /// The same in memory that is kept; the answer lives in the workspace until the next call.
    template <class Storage>
    constexpr const basic_plan<Storage>& operator()(const basic_layer_graph<Storage>& problem,
                                                    basic_pipeline_workspace<Storage>& workspace) const {
        DOVETAIL_ASSERT(is_chain(problem), "the edges must form the chain 0 -> 1 -> ...");
        workspace.plan = {};
        for (const auto& costs : problem.widths)
            detail::pipeline_search<Policy, Storage>(schedule, space, problem, costs, workspace, spent)();
        if (spent != nullptr && spent->exhausted()) workspace.plan.outcome = status::budget;
        return workspace.plan;
    }
};

} // namespace dovetail::placement
