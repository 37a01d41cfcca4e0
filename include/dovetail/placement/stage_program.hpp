#pragma once
/// \file
/// The exact search over numbers of stages, cuts and data-parallel degrees, for one tensor width at a time.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/replica_shape.hpp>
#include <dovetail/placement/stage_rules.hpp>
#include <dovetail/placement/stage_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dovetail::placement::detail {

/// What a number of stages, and of single ones among them, promises at best.
struct row_promise {
    double time_s = infinity;
    double load_s = infinity;
    double tail_s = infinity; ///< on d replicas at least this times (1 - 1 / d)
    std::size_t stages = 0;
    std::size_t singles = 0;
};

/// The tables and the path of a program, kept from one problem to the next.
template <class Space, class Storage>
struct stage_program_memory {
    stage_table<Storage> loads{};
    stage_table<Storage> tails{};
    stage_table<Storage> trial{};
    typename Storage::template per_row<row_promise> promises{};
    typename Storage::template up_to_layers<double> least_times{}; ///< of plans with as many stages or more
    typename Storage::template up_to_layers<typename Space::stage_ref> path{};
};

/// Finds the best plan over the widths that it is called with, one after the other.
///
/// The tables hold no devices: a replica of s stages, q of them single, occupies a fixed number of them, and
/// only the numbers of replicas at which ceil(micro_batches / replicas) changes can be best. For a plan with
/// largest load X on d replicas ceil(N / d) >= N / d bounds its time by a line in 1 / d, which ends the
/// search over d early; and every stage still to come in front of a suffix adds devices and pipeline slots in
/// proportion to the work that it takes over, which discards cells of the table.
template <class Space, class Storage>
class stage_program {
public:
    using stage_ref = typename Space::stage_ref;

    /// \param spent where given and late, the search ends with the best so far
    constexpr stage_program(const Space& space, const basic_layer_graph<Storage>& problem, objective charge,
                            stage_program_memory<Space, Storage>& memory, basic_plan<Storage>& best,
                            spending* spent = nullptr)
        : space_(space), memory_(memory), best_(best), spent_(spent), charge_(charge),
          devices_(problem.devices), micro_batches_(problem.micro_batches), hbm_bytes_(problem.hbm_bytes),
          link_bytes_per_s_(problem.link_bytes_per_s), recompute_(problem.recompute) {
        best_.outcome = status::infeasible;
        best_.tensor_parallel = best_.data_parallel = 0;
        best_.time_per_batch_s = infinity;
        best_.stages.clear();
        best_.order.clear();
    }

    /// Improves the plan with what a width offers; the space must have been prepared for it.
    constexpr void operator()(const basic_width_costs<Storage>& costs) {
        shape_ = replica_shape::of(space_, costs.width);
        improved_ = false;
        auto& loads = memory_.loads;
        loads.start(space_.states(), shape_.max_singles);
        memory_.tails.start(space_.states(), shape_.max_singles);
        memory_.promises.clear();
        bound_times();
        for (std::size_t stages = 1; stages <= space_.max_stages() && !late(); ++stages) {
            if (memory_.least_times[stages] >= best_.time_per_batch_s) break;
            if (shape_.devices(stages, loads.max_singles(stages)) > devices_) break;
            const bool alive =
                loads.add_stage(space_, load(stages), [&](std::size_t q) { return load_limit(stages, q); });
            if (!alive) break;
            for (std::size_t q = loads.max_singles(stages) + 1; q-- > 0;)
                if (charge_ == objective::phaze)
                    cut_first_stage(stages, q);
                else
                    promise(stages, q);
        }
        keep_promises();
        if (improved_) write_plan(costs);
    }

private:
    [[nodiscard]] constexpr bool late() const { return spent_ != nullptr && spent_->late(); }

    [[nodiscard]] constexpr load_rule<Space> load(std::size_t stages) const {
        return {space_, stages - 1, hbm_bytes_};
    }

    /// For every number of stages, a bound on the time of all plans with as many or more.
    constexpr void bound_times() {
        auto& least = memory_.least_times;
        const std::size_t most = space_.max_stages();
        least.resize(most + 1, infinity);
        const double reduce_s = 2.0 * space_.least_first_reduce_bytes() / link_bytes_per_s_;
        double from = infinity;
        for (std::size_t stages = most; stages > 0; --stages) {
            const std::size_t singles = std::min(stages, shape_.max_singles);
            const std::int64_t replicas = most_replicas(stages, singles);
            // Sums carry rounding errors that must not discard a perfectly even cut.
            if (replicas > 0)
                from = std::min(from, least_time(space_.least_load_s(stages), stages, replicas, reduce_s) *
                                          (1.0 - 1e-12));
            least[stages] = from;
        }
    }

    /// Loads from which on a suffix of `stages` stages cannot be part of a better plan, by state. Let it need
    /// A devices, and r >= 1 more stages in front of it at least a devices each. Then a batch takes
    /// X (N (A + r a) / D + stages + r - 1) at least, and X r covers the work in front.
    [[nodiscard]] constexpr auto load_limit(std::size_t stages, std::size_t singles) const {
        const std::int64_t replica = shape_.devices(stages, singles);
        const double per_device = static_cast<double>(micro_batches_) / static_cast<double>(devices_);
        const auto s = static_cast<double>(stages);
        double slots = per_device * static_cast<double>(replica) + s - 1.0;
        double slots_a_stage =
            per_device * static_cast<double>(shape_.max_singles > 0 ? 1 : shape_.stage_devices) + 1.0;
        if (slots < s) { // every replica sees a micro-batch
            slots = s;
            slots_a_stage = 1.0;
        }
        const double time = replica > devices_ ? 0.0 : best_.time_per_batch_s;
        return [this, time, slots_a_stage, scale = 1.0 / slots](std::size_t state) {
            return (time - slots_a_stage * space_.work_before_s(state)) * scale;
        };
    }

    [[nodiscard]] constexpr std::int64_t most_replicas(std::size_t stages, std::size_t singles) const {
        return std::min(micro_batches_, devices_ / shape_.devices(stages, singles));
    }

    /// A bound on the time of a batch on at most `replicas` replicas whose tail is at least
    /// `tail_s * (1 - 1 / d)` on d replicas: linear in 1 / d, hence least at an end.
    [[nodiscard]] constexpr double least_time(double load_s, std::size_t stages, std::int64_t replicas,
                                              double tail_s) const {
        const double all_s = load_s * static_cast<double>(micro_batches_);
        const double d = all_s > tail_s ? static_cast<double>(replicas) : 1.0;
        return load_s * static_cast<double>(stages - 1) + tail_s + (all_s - tail_s) / d;
    }

    /// Calls `visit(d, slots)` for every number of replicas d that can be best, most replicas first, as long
    /// as `least_time` leaves room below `limit_s`, which may fall meanwhile.
    template <class Visit>
    constexpr void for_each_degree(double load_s, std::size_t stages, std::int64_t replicas, double tail_s,
                                   const double& limit_s, const Visit& visit) const {
        for (std::int64_t d = replicas; d > 0; --d) {
            if (least_time(load_s, stages, d, tail_s) >= limit_s) return;
            const std::int64_t each = ceil_div(micro_batches_, d);
            d = ceil_div(micro_batches_, each); // fewer replicas for as many micro-batches each
            visit(d, static_cast<double>(each + static_cast<std::int64_t>(stages) - 1));
        }
    }

    /// `objective::phaze`: every first stage with the best cut behind it.
    constexpr void cut_first_stage(std::size_t stages, std::size_t singles) {
        const double least_load_s = memory_.loads.whole(stages, singles);
        if (least_load_s == infinity) return;
        const std::int64_t replicas = most_replicas(stages, singles);
        if (least_time(least_load_s, stages, replicas, 0.0) >= best_.time_per_batch_s) return;
        const auto try_kind = [&](stage_kind kind, std::size_t singles_behind) {
            const table_row behind = memory_.loads.row(stages - 1, singles_behind);
            const auto limit = [&] { return best_.time_per_batch_s / static_cast<double>(stages); };
            space_.for_each_stage(load(stages), kind, 0, behind, limit, [&](stage_ref first) {
                const double load_s = std::max(load(stages).value(first), behind.cells[first.end].value);
                if (load_s == infinity) return;
                const double reduce_s = 2.0 * space_.reduce_bytes(first) / link_bytes_per_s_;
                const auto try_degree = [&](std::int64_t d, double slots) {
                    const double time = load_s * slots + reduce_s * (1.0 - 1.0 / static_cast<double>(d));
                    if (time >= best_.time_per_batch_s) return;
                    accept(time, d);
                    memory_.path.clear();
                    memory_.path.push_back(first);
                    stages_ = stages;
                    singles_behind_ = singles_behind;
                };
                for_each_degree(load_s, stages, replicas, reduce_s, best_.time_per_batch_s, try_degree);
            });
        };
        if (shape_.max_singles == 0) return try_kind(stage_kind::any, 0);
        if (singles > 0) try_kind(stage_kind::single, singles - 1);
        if (singles <= memory_.loads.max_singles(stages - 1)) try_kind(stage_kind::split, singles);
    }

    /// `objective::every_stage`: notes what a row promises. The first row of all is settled at once: any plan
    /// at all prunes the rows to come.
    constexpr void promise(std::size_t stages, std::size_t singles) {
        const double load_s = memory_.loads.whole(stages, singles);
        if (load_s == infinity) return;
        const double tail_s = least_tail(stages, singles);
        if (tail_s == infinity) return;
        row_promise row{best_.time_per_batch_s, load_s, tail_s, stages, singles};
        const auto lower = [&](std::int64_t d, double slots) {
            row.time_s = std::min(row.time_s, least_time_on(row, d, slots));
        };
        for_each_degree(load_s, stages, most_replicas(stages, singles), tail_s, row.time_s, lower);
        if (row.time_s >= best_.time_per_batch_s) return;
        if (best_.time_per_batch_s == infinity)
            settle(row);
        else
            memory_.promises.push_back(row);
    }

    /// Settles the rows by what they promise, the best first, until none promises anything better.
    constexpr void keep_promises() {
        while (true) {
            row_promise* best = nullptr;
            for (row_promise& row : memory_.promises)
                if (row.time_s < (best == nullptr ? best_.time_per_batch_s : best->time_s)) best = &row;
            if (best == nullptr || late()) return;
            settle(*best);
            best->time_s = infinity;
        }
    }

    /// Tries every degree of a row that can still lead to a better plan.
    constexpr void settle(const row_promise& row) {
        const auto try_degree = [&](std::int64_t d, double slots) {
            if (least_time_on(row, d, slots) < best_.time_per_batch_s)
                trade_load_for_tail({row.stages, row.singles, d, slots}, row.load_s, least_tail_on(row, d));
        };
        for_each_degree(row.load_s, row.stages, most_replicas(row.stages, row.singles), row.tail_s,
                        best_.time_per_batch_s, try_degree);
    }

    [[nodiscard]] static constexpr double least_tail_on(const row_promise& row, std::int64_t replicas) {
        return row.tail_s * (1.0 - 1.0 / static_cast<double>(replicas));
    }
    [[nodiscard]] static constexpr double least_time_on(const row_promise& row, std::int64_t replicas,
                                                        double slots) {
        return row.load_s * slots + least_tail_on(row, replicas);
    }

    /// A number such that the largest tail of a better plan's cut is at least that number times (1 - 1 / d).
    [[nodiscard]] constexpr double least_tail(std::size_t stages, std::size_t singles) {
        auto& tails = memory_.tails;
        while (tails.stages() < stages) {
            if (late()) return infinity;
            const std::size_t s = tails.stages() + 1;
            const tail_under_load_rule<Space> rule{load(s), 2.0 / link_bytes_per_s_, infinity};
            // A suffix that no better plan has, by its load, needs no tail.
            tails.add_stage(space_, rule, [&](std::size_t q) {
                return [loads = memory_.loads.row(s, q)](std::size_t state) {
                    return loads.cells[state].value < infinity ? infinity : 0.0;
                };
            });
        }
        return tails.whole(stages, singles);
    }

    struct trial {
        std::size_t stages;
        std::size_t singles;
        std::int64_t replicas;
        double slots;
    };

    /// Walks along the cuts that no other beats in both load and tail, from the least load on, as long as one
    /// of them can still be better than the best plan.
    constexpr void trade_load_for_tail(const trial& t, double load_s, double tail_floor_s) {
        const double per_byte = ring_all_reduce_s(1.0, t.replicas, link_bytes_per_s_);
        const auto least_tail_rule = [&](std::size_t stages) {
            return tail_under_load_rule<Space>{load(stages), per_byte, load_s};
        };
        double tail_cap_s = best_.time_per_batch_s - load_s * t.slots;
        while (true) {
            // The sums of work carry rounding errors that must not discard a perfectly even cut.
            const double tail = solve_trial(t, least_tail_rule, load_s * (1.0 + 1e-12), tail_cap_s);
            if (tail < infinity && load_s * t.slots + tail < best_.time_per_batch_s) {
                accept(load_s * t.slots + tail, t.replicas);
                record_trial(t, least_tail_rule);
            }
            tail_cap_s = std::min({tail_cap_s, tail, best_.time_per_batch_s - load_s * t.slots});
            const double load_cap_s = (best_.time_per_batch_s - tail_floor_s) / t.slots;
            const auto rule = [&](std::size_t stages) {
                return load_under_tail_rule<Space>{load(stages), per_byte, tail_cap_s};
            };
            load_s = solve_trial(t, rule, load_cap_s, load_cap_s);
            if (load_s == infinity) return;
            tail_cap_s = std::min(tail_cap_s, best_.time_per_batch_s - load_s * t.slots);
        }
    }

    /// The least largest value of a rule over the cuts with the trial's stages and no load above
    /// `load_cap_s`, if below `value_cap`.
    template <class RuleOf>
    constexpr double solve_trial(const trial& t, const RuleOf& rule_of, double load_cap_s, double value_cap) {
        auto& table = memory_.trial;
        table.start(space_.states(), shape_.max_singles);
        while (table.stages() < t.stages) {
            if (late()) return infinity;
            const std::size_t in_front = t.stages - table.stages() - 1;
            const double work_cap_s = load_cap_s * static_cast<double>(in_front);
            const auto limit = [&, in_front, work_cap_s](std::size_t q) {
                const bool useful = q <= t.singles && t.singles - q <= in_front;
                return [&, in_front, work_cap_s, useful](std::size_t state) {
                    const bool open = in_front == 0 ? state == 0 : space_.work_before_s(state) <= work_cap_s;
                    return useful && open ? value_cap : 0.0;
                };
            };
            if (!table.add_stage(space_, rule_of(table.stages() + 1), limit)) return infinity;
        }
        return table.whole(t.stages, t.singles);
    }

    template <class RuleOf>
    constexpr void record_trial(const trial& t, const RuleOf& rule_of) {
        memory_.path.clear();
        follow(memory_.trial, rule_of, t.stages, t.singles, 0);
        stages_ = t.stages;
    }

    /// Appends the best cut of all that remains from `state` to the path.
    template <class RuleOf>
    constexpr void follow(const stage_table<Storage>& table, const RuleOf& rule_of, std::size_t stages,
                          std::size_t singles, std::size_t state) {
        for (; stages > 0; --stages) {
            const stage_ref s = table.first_stage(space_, rule_of(stages), stages, singles, state);
            memory_.path.push_back(s);
            state = s.end;
        }
    }

    constexpr void accept(double time, std::int64_t replicas) {
        best_.outcome = status::optimal;
        best_.time_per_batch_s = time;
        best_.data_parallel = replicas;
        improved_ = true;
    }

    constexpr void write_plan(const basic_width_costs<Storage>& costs) {
        auto& path = memory_.path;
        if (charge_ == objective::phaze)
            follow(
                memory_.loads, [&](std::size_t stages) { return load(stages); }, stages_ - 1, singles_behind_,
                path[0].end);
        best_.tensor_parallel = costs.width;
        best_.stages.clear();
        best_.order.clear();
        const double per_byte = ring_all_reduce_s(1.0, best_.data_parallel, link_bytes_per_s_);
        double load_s = 0.0;
        double tail = 0.0;
        for (std::size_t i = 0; i < path.size(); ++i) {
            const stage_ref s = path[i];
            const std::size_t behind = path.size() - 1 - i;
            stage out{};
            out.begin = static_cast<std::uint32_t>(best_.order.size());
            space_.append_layers(s, best_.order);
            out.end = static_cast<std::uint32_t>(best_.order.size());
            out.devices = space_.single(s) ? 1 : shape_.stage_devices;
            const stage_figures figures = space_.figures(costs, s, behind);
            out.load_s = figures.load_s;
            out.memory_bytes = figures.memory_bytes;
            if (recompute_ && behind > 0) out.repeats = recomputation::full;
            out.tail_s = per_byte * figures.reduce_bytes + figures.update_s;
            best_.stages.push_back(out);
            load_s = std::max(load_s, out.load_s);
            if (charge_ == objective::every_stage)
                tail = std::max(tail, out.tail_s);
            else if (i == 0)
                tail = per_byte * figures.reduce_bytes;
        }
        best_.time_per_batch_s =
            tail + load_s * static_cast<double>(pipeline_slots(micro_batches_, best_.data_parallel,
                                                               static_cast<std::int64_t>(path.size())));
    }

    const Space& space_;
    stage_program_memory<Space, Storage>& memory_;
    basic_plan<Storage>& best_;
    spending* spent_;
    objective charge_;
    std::int64_t devices_;
    std::int64_t micro_batches_;
    double hbm_bytes_;
    double link_bytes_per_s_;
    bool recompute_;

    replica_shape shape_{};
    bool improved_ = false;
    std::size_t stages_ = 0;         // of the best plan
    std::size_t singles_behind_ = 0; // of the best plan, behind its first stage
};

} // namespace dovetail::placement::detail
