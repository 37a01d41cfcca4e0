#pragma once
/// \file
/// One block of tasks as variables and what must hold between them.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/bound_trail.hpp>
#include <dovetail/schedule/cumulative.hpp>
#include <dovetail/schedule/nogood_base.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/schedule/tick_scale.hpp>
#include <dovetail/schedule/useful_modes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule::detail {

/// The tasks of one block, as bounds and propagation: starts, and lengths and units that follow from a choice
/// of modes; order variables, 1 where a task must end before another starts, made when they are asked for;
/// one `cumulative` a resource. A least start that propagation leaves meets every precedence and chosen
/// order.
class block_model {
public:
    using local = std::uint32_t; ///< position in the block

    /// A task as views.
    struct task {
        view start, length;
        std::array<view, max_resources> units;
        std::vector<std::uint32_t> modes; ///< the useful ones
        std::vector<view> chosen;         ///< one entry a useful mode, where there are several; 1 for its own
    };

    /// \param horizon no task ends later
    block_model(const task_graph& problem, array_view<const graph::index> block, const tick_scale& scale,
                ticks horizon)
        : tasks_(block.size()), order_(block.size() * block.size(), nowhere) {
        if (horizon < 0) {
            sound_ = false;
            return;
        }
        zero_ = add(0, 0);
        end_ = add(0, horizon);
        for (std::size_t r = 0; r < max_resources; ++r)
            resources_.emplace_back(bounds_, problem.capacity()[r]);
        std::vector<local> position(problem.task_count());
        for (local v = 0; v < block.size(); ++v) {
            position[block[v]] = v;
            add_task(tasks_[v], problem.modes(block[v]), problem.capacity(), scale);
        }
        for (local v = 0; v < block.size(); ++v) {
            for (const graph::index w : problem.precedence().successors(block[v]))
                if (problem.block(w) == problem.block(block[v]))
                    add_sum(
                        {{tasks_[v].start, tasks_[position[w]].start ^ 1U, tasks_[v].length}, 0, {zero_, 0}});
            add_sum({{tasks_[v].start, end_ ^ 1U, tasks_[v].length}, 0, {zero_, 0}});
        }
        add_disjunctions(problem, block);
        for (std::size_t k = 0; k < sums_.size() && sound_; ++k) sound_ = propagate_sum(sums_[k]);
        stale_ = (1U << max_resources) - 1;
    }
    block_model(const block_model&) = delete; // its parts refer to one another
    block_model& operator=(const block_model&) = delete;

    [[nodiscard]] bound_trail& bounds() noexcept { return bounds_; }
    [[nodiscard]] nogood_base& nogoods() noexcept { return nogoods_; }
    [[nodiscard]] array_view<const task> tasks() const noexcept { return tasks_; }
    /// Every task ends by then.
    [[nodiscard]] view end() const noexcept { return end_; }
    [[nodiscard]] ticks capacity(std::size_t r) const { return resources_[r].capacity(); }

    /// 1 where task i must end before task j starts; `nowhere` where nobody has asked for it yet.
    [[nodiscard]] view known_order(local i, local j) const { return order_[i * tasks_.size() + j]; }
    /// The same, made if need be. 0 excludes nothing: an opposite constraint would let bounds creep along
    /// cycles whose length is a rounding error.
    view order(local i, local j) {
        if (known_order(i, j) == nowhere) {
            const view forth = add_order(i, j), back = add_order(j, i);
            add_nogood(std::array{atom{forth ^ 1U, 0}, atom{back ^ 1U, 0}});
        }
        return known_order(i, j);
    }

    /// Opens a level in which `a` holds, which is still open.
    void decide(atom a) {
        if (bounds_.level() == 0) head_ = 0;
        bounds_.open_level();
        const bool open = bounds_.tighten(a, {});
        DOVETAIL_ASSERT(open, "a decision is open");
        static_cast<void>(open);
    }
    /// Takes back all levels above `level`.
    void back_to(std::size_t level) {
        bounds_.back_to(level);
        settle(bounds_.steps().size());
    }
    /// After a contradiction: all steps below `position` are known to have been propagated.
    void settle(std::size_t position) {
        head_ = std::min(head_, position);
        stale_ = 0;
    }

    /// All that follows; false on a contradiction. Where `spent` is given and late, only a part of it.
    bool propagate(spending* spent = nullptr) {
        if (!sound_) return false;
        const auto late = [spent] { return spent != nullptr && spent->late(); };
        for (;;) {
            while (head_ < bounds_.steps().size()) {
                if (head_ % 64 == 63 && late()) return true;
                const view x = bounds_.steps()[head_++].of;
                stale_ |= resources_of_[x];
                if (!nogoods_.propagate(x)) return false;
                for (const std::uint32_t k : sums_of_[x])
                    if (!propagate_sum(sums_[k])) return false;
            }
            if (stale_ == 0 || late()) return true;
            std::size_t r = 0;
            while ((stale_ >> r & 1U) == 0) ++r;
            stale_ &= ~(1U << r);
            if (!resources_[r].propagate()) return false;
        }
    }

private:
    // Where the condition holds, the terms together are at most `bound`.
    struct sum {
        std::array<view, 3> terms;
        ticks bound;
        atom condition;
    };

    view add(ticks least, ticks most) {
        const view x = bounds_.add(least, most);
        nogoods_.grow();
        sums_of_.resize(bounds_.view_count());
        resources_of_.resize(bounds_.view_count(), 0);
        return x;
    }

    view add_order(local i, local j) {
        const view before = add(0, 1);
        order_[i * tasks_.size() + j] = before;
        add_sum({{tasks_[i].start, tasks_[j].start ^ 1U, tasks_[i].length}, 0, {before, 1}});
        return before;
    }

    void add_nogood(array_view<const atom> atoms) { sound_ = sound_ && nogoods_.add(atoms); }

    void add_sum(const sum& s) {
        for (const view x : s.terms) sums_of_[x].push_back(static_cast<std::uint32_t>(sums_.size()));
        sums_of_[s.condition.of].push_back(static_cast<std::uint32_t>(sums_.size()));
        sums_.push_back(s);
    }

    void add_task(task& t, array_view<const mode> modes, const demand& capacity, const tick_scale& scale) {
        t.modes = useful_modes(modes, capacity);
        t.start = add(0, bounds_.most(end_));
        if (t.modes.size() > 1) {
            std::vector<atom> some;
            for (std::size_t k = 0; k < t.modes.size(); ++k) {
                t.chosen.push_back(add(0, 1));
                some.push_back({t.chosen[k], 1});
            }
            add_nogood(some);
            for (std::size_t k = 0; k < t.modes.size(); ++k)
                for (std::size_t other = 0; other < k; ++other)
                    add_nogood(std::array{negated(some[k]), negated(some[other])});
        }
        t.length = add_quantity(t, [&](std::uint32_t k) { return scale.length(modes[k].duration_s); });
        for (std::size_t r = 0; r < max_resources; ++r) {
            t.units[r] = add_quantity(t, [&](std::uint32_t k) { return ticks{held_by(modes[k])[r]}; });
            if (bounds_.most(t.units[r]) == 0) continue;
            resources_[r].add({t.start, t.length, t.units[r]});
            for (const view x : {t.start, t.length, t.units[r]})
                for (const view either : {x, x ^ 1U}) resources_of_[either] |= 1U << r;
        }
    }

    // A variable that is `value` of the chosen mode.
    template <class Value>
    view add_quantity(const task& t, const Value& value) {
        ticks least = value(t.modes[0]), most = least;
        for (const std::uint32_t k : t.modes) {
            least = std::min(least, value(k));
            most = std::max(most, value(k));
        }
        const view x = add(least, most);
        if (least == most) return x;
        std::vector<atom> some;
        for (std::size_t k = 0; k < t.modes.size(); ++k) {
            const ticks own = value(t.modes[k]);
            const atom chosen{t.chosen[k], 1};
            add_nogood(std::array{negated(chosen), atom{x ^ 1U, -own}});
            if (own == least) continue;
            add_nogood(std::array{negated(chosen), atom{x, own}});
            some.assign(1, {x, own}); // or one of those with less
            for (std::size_t other = 0; other < t.modes.size(); ++other)
                if (value(t.modes[other]) < own) some.push_back({t.chosen[other], 1});
            add_nogood(some);
        }
        return x;
    }

    // Two tasks that never fit together run one after the other.
    void add_disjunctions(const task_graph& problem, array_view<const graph::index> block) {
        const auto exclude = [&](const task& a, const task& b) {
            bool together = bounds_.least(a.length) == 0 || bounds_.least(b.length) == 0;
            for (std::size_t r = 0; r < max_resources && !together; ++r)
                if (bounds_.least(a.units[r]) + bounds_.least(b.units[r]) > problem.capacity()[r])
                    return true;
            return false;
        };
        for (local i = 0; i < block.size(); ++i)
            for (local j = 0; j < i; ++j) {
                if (problem.reaches().reaches(block[i], block[j]) ||
                    problem.reaches().reaches(block[j], block[i]) || !exclude(tasks_[i], tasks_[j]))
                    continue;
                const atom one{order(i, j), 1};
                add_nogood(std::array{one, atom{order(j, i), 1}});
            }
    }

    bool propagate_sum(const sum& s) {
        std::array<ticks, 3> least{};
        for (std::size_t k = 0; k < 3; ++k) least[k] = bounds_.least(s.terms[k]);
        const ticks total = least[0] + least[1] + least[2];
        if (!bounds_.holds(s.condition)) {
            if (total <= s.bound || bounds_.fails(s.condition)) return true;
            bounds_.because({s.terms[0], least[0] - (total - s.bound - 1)});
            bounds_.because({s.terms[1], least[1]});
            bounds_.because({s.terms[2], least[2]});
            return bounds_.tighten(negated(s.condition), bounds_.written());
        }
        for (std::size_t k = 0; k < 3; ++k) {
            const atom a{s.terms[k] ^ 1U, total - least[k] - s.bound};
            if (bounds_.holds(a)) continue;
            // Of the other two, the start is what a weaker atom than `a` needs less of.
            const std::size_t source = k == 0 ? 1 : 0;
            const std::size_t rest = 3 - k - source;
            bounds_.because(s.condition);
            bounds_.because({s.terms[rest], least[rest]});
            bound_trail::reason why = bounds_.written();
            why.source = s.terms[source];
            why.offset = s.bound - least[rest];
            if (!bounds_.tighten(a, why)) return false;
        }
        return true;
    }

    bound_trail bounds_;
    nogood_base nogoods_{bounds_};
    std::vector<task> tasks_;
    std::vector<cumulative> resources_;
    std::vector<sum> sums_;
    std::vector<std::vector<std::uint32_t>> sums_of_; // by view
    std::vector<std::uint32_t> resources_of_;         // by view, a bit a resource
    std::vector<view> order_;                         // by pair of tasks
    view zero_ = 0, end_ = 0;
    std::size_t head_ = 0;    // the next step to propagate
    std::uint32_t stale_ = 0; // resources of which something has moved since they were propagated
    bool sound_ = true;       // no contradiction among what was added
};

} // namespace dovetail::schedule::detail
