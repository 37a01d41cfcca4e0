#pragma once
/// \file
/// The search behind the exact scheduler: one block of tasks, with nogoods learned from contradictions.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/block_model.hpp>
#include <dovetail/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// The k-th number, from 1, of 1 1 2 1 1 2 4 … (Luby, Sinclair and Zuckerman, Information Processing Letters
/// 47, 1993).
[[nodiscard]] constexpr std::int64_t luby(std::int64_t k) noexcept {
    for (;;) {
        std::int64_t power = 1;
        while (power <= k) power *= 2;
        if (power == k + 1) return power / 2;
        k -= power / 2 - 1;
    }
}

/// Branch and bound by conflict: the least starts that propagation leaves are a schedule, unless a resource
/// is overloaded. The first overload is decided upon, a contradiction is learned from, and a schedule that
/// was found makes every later one shorter. Restarts keep the nogoods.
class learning_search {
public:
    using local = block_model::local;

    /// Looks for schedules of the tasks `block`, all of one block of `problem`, shorter than `incumbent_s`.
    /// \param modes of every task of the problem, to be tried first
    learning_search(const task_graph& problem, array_view<const graph::index> block,
                    array_view<const std::uint32_t> modes, double incumbent_s, std::size_t nogood_limit,
                    spending& spent)
        : scale_(scale_of(problem, block)), model_(problem, block, scale_, scale_.shorter_than(incumbent_s)),
          nogood_limit_(nogood_limit), spent_(spent), best_s_(incumbent_s) {
        for (const graph::index v : block) first_mode_.push_back(modes[v]);
    }

    /// Whether the search came to its end: no schedule is shorter than the best.
    bool run() {
        if (!spent_.spend_node()) return false; // the root
        std::int64_t restarts = 1;
        std::int64_t conflicts_left = conflicts_a_run;
        std::size_t soft_limit = 4000;
        for (;;) {
            bool sound = model_.propagate(&spent_);
            if (sound && conflicts_left <= 0) {
                conflicts_left = conflicts_a_run * luby(++restarts);
                if (model_.nogoods().learned() > soft_limit) {
                    model_.nogoods().forget(nogood_limit_);
                    soft_limit += 500;
                }
                model_.back_to(0);
            }
            if (sound) {
                if (!spent_.spend_node()) return false;
                activity_.resize(model_.bounds().view_count() / 2, 0.0);
                const overload where = first_overload();
                if (choose_mode(where.time)) continue;
                if (where.time == never) {
                    if (!keep()) return true;
                    continue;
                }
                sound = separate(where);
            }
            if (sound) continue;
            --conflicts_left;
            if (model_.bounds().level() == 0) return true;
            if (!model_.nogoods().learn([&](view x) { bump(x); })) return true;
            model_.settle(model_.bounds().steps().size() - 1);
            increment_ /= 0.95;
            if (model_.nogoods().learned() > nogood_limit_) model_.nogoods().forget(nogood_limit_);
        }
    }

    /// What the best schedule takes at least; when `run` came to its end, no schedule is shorter.
    [[nodiscard]] double best_s() const { return best_s_; }
    /// Starts, in whole numbers of some unit, and modes of the tasks, in the order of the block; empty when
    /// nothing beats the incumbent.
    [[nodiscard]] array_view<const ticks> best_start() const noexcept { return best_start_; }
    [[nodiscard]] array_view<const std::uint32_t> best_mode() const noexcept { return best_mode_; }

private:
    static constexpr ticks never = std::numeric_limits<ticks>::max();
    static constexpr std::int64_t conflicts_a_run = 100;
    /// Up to this horizon a start is decided upon; its opposite is the next instant. Beyond, instants are too
    /// many to be tried one after another, and an order is decided upon.
    static constexpr ticks most_instants = 4096;

    struct overload {
        ticks time;
        std::size_t resource;
    };

    [[nodiscard]] ticks start(local v) { return model_.bounds().least(model_.tasks()[v].start); }
    [[nodiscard]] ticks units(local v, std::size_t r) {
        return model_.bounds().least(model_.tasks()[v].units[r]);
    }
    [[nodiscard]] bool runs_at(local v, ticks time) {
        return start(v) <= time && time < start(v) + model_.bounds().least(model_.tasks()[v].length);
    }

    // Of the least starts, lengths and units.
    [[nodiscard]] overload first_overload() {
        const auto n = static_cast<local>(model_.tasks().size());
        overload first{never, 0};
        for (std::size_t r = 0; r < max_resources; ++r)
            for (local v = 0; v < n; ++v) {
                if (start(v) >= first.time || units(v, r) == 0) continue;
                ticks used = 0;
                for (local w = 0; w < n; ++w)
                    if (runs_at(w, start(v))) used += units(w, r);
                if (used > model_.capacity(r)) first = {start(v), r};
            }
        return first;
    }

    // Decides on the mode of the first task that starts before `time` and has none; false when all have one.
    bool choose_mode(ticks time) {
        bound_trail& bounds = model_.bounds();
        const auto open = [&](const block_model::task& t) {
            return std::none_of(t.chosen.begin(), t.chosen.end(),
                                [&](view chosen) { return bounds.least(chosen) == 1; });
        };
        local first = nowhere;
        for (local v = 0; v < model_.tasks().size(); ++v) {
            const block_model::task& t = model_.tasks()[v];
            if (t.chosen.empty() || start(v) >= time || !open(t)) continue;
            time = start(v);
            first = v;
        }
        if (first == nowhere) return false;
        const block_model::task& t = model_.tasks()[first];
        view choice = nowhere;
        for (std::size_t k = 0; k < t.chosen.size(); ++k)
            if (bounds.most(t.chosen[k]) == 1 && (choice == nowhere || t.modes[k] == first_mode_[first]))
                choice = t.chosen[k];
        model_.decide({choice, 1});
        return true;
    }

    // Decides that a task of an overload starts as early as it can, or that one ends before another starts;
    // false when all of that is excluded: a contradiction.
    bool separate(const overload& where) {
        bound_trail& bounds = model_.bounds();
        crowd_.clear();
        ticks used = 0;
        for (local v = 0; v < model_.tasks().size(); ++v) {
            if (units(v, where.resource) == 0 || !runs_at(v, where.time)) continue;
            crowd_.push_back(v);
            used += units(v, where.resource);
        }
        view fixed = nowhere;
        if (bounds.most(model_.end()) <= most_instants)
            for (const local v : crowd_) {
                const view x = model_.tasks()[v].start;
                if (bounds.least(x) < bounds.most(x) && (fixed == nowhere || activity(x) > activity(fixed)))
                    fixed = x;
            }
        if (fixed != nowhere) {
            model_.decide({fixed ^ 1U, -bounds.least(fixed)});
            return true;
        }
        if (choose_order()) return true;
        contradict(where.resource, used);
        return false;
    }

    // Of the orders that are open in the crowd, the most active one, of equals the one that leaves most time.
    bool choose_order() {
        bound_trail& bounds = model_.bounds();
        double best_activity = -1.0;
        ticks best_slack = 0;
        local first = 0, second = 0;
        for (const local i : crowd_)
            for (const local j : crowd_) {
                const view order = model_.known_order(i, j);
                if (i == j || (order != nowhere && bounds.most(order) == 0)) continue;
                const double active = order == nowhere ? 0.0 : activity(order);
                const block_model::task &a = model_.tasks()[i], &b = model_.tasks()[j];
                const ticks slack = bounds.most(b.start) - bounds.least(a.start) - bounds.least(a.length);
                if (active < best_activity || (active == best_activity && slack <= best_slack)) continue;
                best_activity = active;
                best_slack = slack;
                first = i;
                second = j;
            }
        if (best_activity < 0.0) return false;
        model_.decide({model_.order(first, second), 1});
        return true;
    }

    // Of tasks that do not fit together, one must end before another starts.
    void contradict(std::size_t r, ticks used) {
        std::sort(crowd_.begin(), crowd_.end(), [&](local a, local b) {
            return units(a, r) < units(b, r) || (units(a, r) == units(b, r) && a < b);
        });
        ticks surplus = used - model_.capacity(r) - 1;
        std::erase_if(crowd_, [&](local v) {
            if (units(v, r) > surplus) return false;
            surplus -= units(v, r);
            return true;
        });
        std::vector<atom> some;
        for (const local i : crowd_) {
            some.push_back(negated({model_.tasks()[i].units[r], units(i, r)}));
            for (const local j : crowd_)
                if (i != j) some.push_back({model_.known_order(i, j), 1});
        }
        model_.nogoods().contradict(some);
    }

    // Keeps the schedule of the least starts and asks for a shorter one; false when there can be none.
    bool keep() {
        bound_trail& bounds = model_.bounds();
        best_start_.clear();
        best_mode_.clear();
        for (const block_model::task& t : model_.tasks()) {
            best_start_.push_back(bounds.least(t.start));
            std::size_t k = 0;
            while (!t.chosen.empty() && bounds.least(t.chosen[k]) == 0) ++k;
            best_mode_.push_back(t.modes[k]);
        }
        first_mode_ = best_mode_;
        const ticks end = bounds.least(model_.end());
        best_s_ = std::min(best_s_, scale_.at_least_s(end));
        model_.back_to(0);
        return bounds.tighten({model_.end() ^ 1U, -scale_.shorter_than(end)}, {});
    }

    [[nodiscard]] double activity(view x) const { return activity_[x / 2]; }
    // The views of recent contradictions count most (Moskewicz et al., DAC 2001).
    void bump(view x) {
        if (x / 2 >= activity_.size() || (activity_[x / 2] += increment_) < 1e100) return;
        for (double& a : activity_) a *= 1e-100;
        increment_ *= 1e-100;
    }

    tick_scale scale_;
    block_model model_;
    std::size_t nogood_limit_;
    spending& spent_;
    double best_s_;
    std::vector<local> crowd_; // the tasks of an overload
    std::vector<double> activity_;
    double increment_ = 1.0;
    std::vector<std::uint32_t> first_mode_, best_mode_;
    std::vector<ticks> best_start_;
};

} // namespace dovetail::schedule::detail
