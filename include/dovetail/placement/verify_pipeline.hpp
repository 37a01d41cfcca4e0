#pragma once
/// \file
/// An independent check of a plan under any schedule and plan space, from its layers and the problem alone.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/pipeline_schedule.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/plan_space.hpp>
#include <dovetail/placement/verify.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dovetail::placement {

/// Evaluates plans of a chain of layers straight from the definitions, one layer at a time.
template <pipeline_policy Policy>
class pipeline_evaluator {
public:
    pipeline_evaluator(const Policy& policy, const plan_space& space, const layer_graph& problem,
                       const width_costs& costs)
        : policy_(policy), space_(space), problem_(problem), costs_(costs) {}

    /// Computes the figures of `plan`, of which it reads stages (begin, end, repeats) and replicas.
    /// \returns the plan with every figure filled in, or why it is none.
    [[nodiscard]] result<plan> operator()(plan answer) const {
        const std::size_t stages = answer.stages.size();
        const std::size_t p = stages / policy_.chunks();
        if (stages == 0 || stages % policy_.chunks() != 0)
            return wrong("stages", "there are " + to_text(stages), "every device has as many");
        const std::int64_t d = answer.data_parallel;
        if (d < 1 || d > problem_.micro_batches)
            return wrong("data_parallel", "it is " + to_text(d), "every replica has a micro-batch");
        const std::int64_t m = (problem_.micro_batches + d - 1) / d;
        if (!policy_.admits(p, static_cast<std::size_t>(m)))
            return wrong("micro-batches", "a replica has " + to_text(m), "the schedule must admit them");

        std::int64_t replica = 0;
        for (std::size_t i = 0; i < stages; ++i) replica += answer.stages[i].devices = devices_of(answer, i);
        replica /= static_cast<std::int64_t>(policy_.chunks());
        if (replica * d > usable())
            return wrong("devices", "it takes " + to_text(replica * d), "there are " + to_text(usable()));
        const double link =
            replica * d <= space_.node.devices ? inside_bytes_per_s() : problem_.link_bytes_per_s;

        double pace = 0;
        double rest = 0;
        double tail = 0;
        double slots = 0;
        for (std::size_t i = 0; i < stages; ++i) {
            stage& s = answer.stages[i];
            const bool last = i + 1 == stages;
            if (!space_.choose_recomputation &&
                s.repeats != (problem_.recompute && !last ? recomputation::full : recomputation::none))
                return wrong("stage " + to_text(i), "it recomputes otherwise than the problem",
                             "it has no choice");
            double fw = 0, bw = 0, weight = 0, attention = 0, update = 0, reduce = 0;
            double resident = 0, activation = 0, stash = 0;
            for (std::size_t v = s.begin; v < s.end; ++v) {
                const layer& l = costs_.layers[v];
                fw += l.forward_s, bw += l.backward_s, weight += l.weight_gradient_s;
                attention += l.attention_forward_s;
                update += space_.shard_optimizer ? l.update_s / static_cast<double>(d) : l.update_s;
                reduce += l.reduce_bytes;
                resident += l.resident_bytes;
                if (space_.shard_optimizer)
                    resident -= l.optimizer_bytes - l.optimizer_bytes / static_cast<double>(d);
                activation += l.activation_bytes;
                stash += s.repeats == recomputation::full        ? 0.0
                         : s.repeats == recomputation::selective ? l.stash_bytes - l.attention_stash_bytes
                                                                 : l.stash_bytes;
            }
            const double in_bytes = i == 0 ? 0.0 : costs_.edge_bytes[s.begin - 1];
            const double out_s = last ? 0.0 : costs_.edge_bytes[s.end - 1] / link;
            if (s.repeats == recomputation::full) stash += in_bytes;
            stage_times t{in_bytes / link + fw, out_s + bw, weight};
            if (s.repeats == recomputation::selective) t.backward_s += attention;
            if (s.repeats == recomputation::full) t.backward_s = (out_s > fw ? out_s : fw) + bw;

            s.load_s = t.forward_s + t.backward_s;
            s.memory_bytes = static_cast<double>(policy_.chunks()) * resident + activation +
                             static_cast<double>(in_flight(i, stages, m) - 1) * stash;
            if (s.memory_bytes > problem_.hbm_bytes * (1 + 1e-12))
                return wrong("stage " + to_text(i), "it needs " + to_text(s.memory_bytes) + " bytes",
                             "a device has " + to_text(problem_.hbm_bytes));
            double reduction = all_reduce_s(reduce, d, s.devices);
            if (space_.overlap_reduction) reduction = reduction > bw ? reduction - bw : 0.0;
            s.tail_s = reduction + update;
            const double charged = space_.charge == objective::every_stage ? s.tail_s
                                   : i == 0                                ? reduction
                                                                           : 0.0;
            const pipeline_charge charge = policy_.charge(t, p, static_cast<std::size_t>(m));
            slots = charge.slots;
            pace = std::max(pace, charge.pace_s);
            rest = std::max(rest, charge.rest_s);
            tail = std::max(tail, static_cast<double>(policy_.chunks()) * charged);
        }
        answer.time_per_batch_s = slots * pace + rest + tail;
        return answer;
    }

private:
    [[nodiscard]] static error wrong(std::string place, std::string what, std::string expected) {
        return detail::broken_plan(std::move(place), std::move(what), std::move(expected));
    }

    [[nodiscard]] bool splits(const stage& s) const {
        for (std::size_t v = s.begin; v < s.end; ++v)
            if (costs_.layers[v].tensor_parallel) return true;
        return false;
    }
    [[nodiscard]] std::int64_t devices_of(const plan& answer, std::size_t i) const {
        if (policy_.chunks() == 1) return splits(answer.stages[i]) ? costs_.width : 1;
        for (const stage& s : answer.stages)
            if (splits(s)) return costs_.width;
        return 1;
    }
    [[nodiscard]] std::int64_t usable() const {
        bool any = false;
        for (const layer& l : costs_.layers) any = any || l.tensor_parallel;
        const std::int64_t group = any ? costs_.width : 1;
        const std::int64_t node = space_.node.devices;
        if (node == 0 || space_.node.tensor_across) return problem_.devices;
        std::int64_t devices = 0;
        for (std::int64_t left = problem_.devices; left > 0; left -= node)
            devices += std::min(left, node) / group * group;
        return devices;
    }
    [[nodiscard]] std::size_t in_flight(std::size_t i, std::size_t stages, std::int64_t m) const {
        const std::size_t p = stages / policy_.chunks();
        const std::size_t device = i % p;
        if constexpr (requires { policy_.in_flight(device, p); })
            if (!space_.count_short_batches) return policy_.in_flight(device, p);
        return policy_.in_flight(device, p, static_cast<std::size_t>(m));
    }
    [[nodiscard]] double inside_bytes_per_s() const {
        return space_.node.link_bytes_per_s > problem_.link_bytes_per_s ? space_.node.link_bytes_per_s
                                                                        : problem_.link_bytes_per_s;
    }
    [[nodiscard]] double all_reduce_s(double bytes, std::int64_t d, std::int64_t width) const {
        const auto ring = [](double b, std::int64_t n, double link) {
            return 2 * static_cast<double>(n - 1) / static_cast<double>(n) * b / link;
        };
        if (space_.node.devices == 0) return ring(bytes, d, problem_.link_bytes_per_s);
        std::int64_t inside = 1;
        while (inside < d && (inside + 1) * width <= space_.node.devices) ++inside;
        return ring(bytes, inside, inside_bytes_per_s()) + ring(bytes / static_cast<double>(inside),
                                                                (d + inside - 1) / inside,
                                                                problem_.link_bytes_per_s);
    }

    const Policy& policy_;
    const plan_space& space_;
    const layer_graph& problem_;
    const width_costs& costs_;
};

/// Checks a plan of a chain: its cut, devices, memory, and every figure within 1e-9 of its own.
/// \returns the first violation. \complexity O(layers + stages).
template <pipeline_policy Policy>
[[nodiscard]] result<void> verify(const layer_graph& problem, const plan& answer, const Policy& policy,
                                  const plan_space& space) {
    if (answer.outcome == status::infeasible) return verify(problem, answer, space.charge);
    const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                    [&](const width_costs& w) { return w.width == answer.tensor_parallel; });
    if (costs == problem.widths.end())
        return detail::broken_plan("tensor_parallel", "it is " + to_text(answer.tensor_parallel),
                                   "it is one of the problem's widths");
    if (auto lists = detail::stages_of_layers(problem, answer); !lists) return std::move(lists).problem();
    const auto found = pipeline_evaluator<Policy>(policy, space, problem, *costs)(answer);
    if (!found) return found.problem();
    using detail::nearly_equal;
    for (std::size_t i = 0; i < answer.stages.size(); ++i) {
        const stage& a = answer.stages[i];
        const stage& b = found->stages[i];
        if (a.devices != b.devices || !nearly_equal(a.load_s, b.load_s) ||
            !nearly_equal(a.memory_bytes, b.memory_bytes) || !nearly_equal(a.tail_s, b.tail_s))
            return detail::broken_plan("stage " + to_text(i),
                                       "it says " + to_text(a.load_s) + " s, " + to_text(a.memory_bytes) +
                                           " bytes, " + to_text(a.tail_s) + " s on " + to_text(a.devices),
                                       "its layers make it " + to_text(b.load_s) + " s, " +
                                           to_text(b.memory_bytes) + " bytes, " + to_text(b.tail_s) +
                                           " s on " + to_text(b.devices));
    }
    if (!nearly_equal(answer.time_per_batch_s, found->time_per_batch_s))
        return detail::broken_plan("time_per_batch_s", "it is " + to_text(answer.time_per_batch_s),
                                   "its stages make it " + to_text(found->time_per_batch_s));
    return {};
}

} // namespace dovetail::placement
