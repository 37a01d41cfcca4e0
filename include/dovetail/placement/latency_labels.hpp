#pragma once
/// \file
/// The search for a plan of least latency: partial plans by downset, bounded by their tails.

#include <dovetail/core/budget.hpp>
#include <dovetail/placement/latency_downsets.hpp>
#include <dovetail/placement/latency_tails.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::placement::detail {

/// A pass over the downsets. A label is a plan of the nodes of a downset: the accelerators that it uses and
/// when the nodes of the frontier are done. Of two labels of a downset, one that uses no more accelerators
/// and is nowhere later beats the other: whatever completes the other completes it, no later.
class latency_labels {
public:
    latency_labels(const latency_downsets& space, const latency_tails& tails, std::size_t accelerators)
        : space_(space), tails_(tails), accelerators_(accelerators) {}

    /// Looks for plans that take less than `limit_s`, keeping at most `width` labels for each downset and
    /// number of accelerators: those that promise most.
    /// \returns false when the budget ended first; then nothing is found.
    [[nodiscard]] bool run(std::size_t width, double limit_s, spending& spent) {
        pools_.assign(space_.size(), {});
        dropped_s_ = best_s_ = std::numeric_limits<double>::infinity();
        width_ = width;
        limit_s_ = limit_s;
        done_.resize(space_.problem().nodes.size() + 1);
        times_.assign(space_.frontier(0).size(), 0.0);
        insert({tails_.latency_s(), 0, 0, 0}, 0);
        for (std::size_t d = 0; d + 1 < space_.size(); ++d)
            if (!pools_[d].labels.empty() && !extend(d, spent)) return false;
        for (const label& l : pools_.back().labels) best_s_ = std::min(best_s_, l.floor_s);
        return true;
    }

    /// The best latency found; infinite where nothing was.
    [[nodiscard]] double best_s() const { return best_s_; }
    /// No plan that fell to `width` takes less.
    [[nodiscard]] double dropped_s() const { return dropped_s_; }

    /// By node: its accelerator, in the best plan found.
    [[nodiscard]] std::vector<graph::index> device() const {
        std::vector<graph::index> device(space_.problem().nodes.size(), graph::none);
        const auto& last = pools_.back().labels;
        const label* l = &*std::min_element(
            last.begin(), last.end(), [](const label& a, const label& b) { return a.floor_s < b.floor_s; });
        for (std::size_t d = space_.size() - 1; d != 0;) {
            const label& parent = pools_[l->parent].labels[l->parent_label];
            if (l->used != parent.used) {
                for (std::size_t u = 0; u < space_.units().size(); ++u)
                    if (space_.holds(d, u) && !space_.holds(l->parent, u))
                        for (const graph::index v : space_.units().nodes(u)) device[v] = parent.used;
                for (const graph::index v : space_.sinks(l->parent, d)) device[v] = parent.used;
            }
            d = l->parent;
            l = &parent;
        }
        return device;
    }

private:
    struct label {
        double floor_s = 0.0; ///< no plan that begins like this ends earlier
        graph::index parent = 0;
        graph::index parent_label = 0;
        graph::index used = 0; ///< accelerators
    };
    struct pool {
        std::vector<label> labels;
        std::vector<double> times; // by label: of the frontier
    };

    [[nodiscard]] bool extend(std::size_t d, spending& spent) {
        for (const auto& s : space_.steps(d))
            if (!extend_host(d, s, spent)) return false;
        const auto& labels = pools_[d].labels;
        if (std::none_of(labels.begin(), labels.end(),
                         [&](const label& l) { return l.used < accelerators_; }))
            return true;
        space_.begin_groups(d, group_);
        bool in_time = true;
        space_.for_each_group(d, stack_, [&](std::size_t e) {
            space_.measure(e, group_);
            return in_time = extend_group(d, e, spent);
        });
        return in_time;
    }

    [[nodiscard]] bool extend_host(std::size_t d, const latency_downsets::step& s, spending& spent) {
        const auto before = space_.frontier(d);
        const auto after = space_.frontier(s.target);
        times_.resize(after.size());
        for (std::size_t l = 0; l < pools_[d].labels.size(); ++l) {
            if (!spent.spend_node()) return false;
            for (std::size_t i = 0; i < before.size(); ++i)
                done_[before[i]] = pools_[d].times[l * before.size() + i];
            const label& from = pools_[d].labels[l];
            double floor_s = from.floor_s;
            for (const graph::index v : space_.units().nodes(s.unit)) {
                double start = 0.0;
                for (const graph::index p : space_.producers(v)) start = std::max(start, done_[p]);
                done_[v] = start + space_.problem().nodes[v].cpu_s;
                floor_s = std::max(floor_s, done_[v]);
            }
            for (std::size_t k = 0; k < after.size(); ++k) times_[k] = done_[after[k]];
            insert({floor_s, static_cast<graph::index>(d), static_cast<graph::index>(l), from.used},
                   s.target);
        }
        return true;
    }

    [[nodiscard]] bool extend_group(std::size_t d, std::size_t e, spending& spent) {
        const std::size_t n = group_.consumed.size();
        times_.resize(group_.from.size());
        for (std::size_t l = 0; l < pools_[d].labels.size(); ++l) {
            const label& from = pools_[d].labels[l];
            if (from.used == accelerators_) continue;
            if (!spent.spend_node()) return false;
            const double* const now = pools_[d].times.data() + l * n;
            double start = 0.0;
            for (std::size_t i = 0; i < n; ++i)
                if (group_.consumed[i]) start = std::max(start, now[i]);
            const double end = start + group_.load_s;
            for (std::size_t k = 0; k < times_.size(); ++k)
                times_[k] = group_.from[k] == graph::none ? end : now[group_.from[k]];
            insert({std::max(from.floor_s, end), static_cast<graph::index>(d), static_cast<graph::index>(l),
                    from.used + 1},
                   e);
        }
        return true;
    }

    // Adds a label of downset `e` whose times are `times_`, unless it is of no use.
    void insert(label l, std::size_t e) {
        const std::size_t n = times_.size();
        for (std::size_t k = 0; k < n; ++k)
            l.floor_s = std::max(l.floor_s, times_[k] + tails_(e, k, accelerators_ - l.used));
        if (l.floor_s >= limit_s_) return;
        pool& at = pools_[e];
        std::size_t same = 0;
        std::size_t worst = 0;
        for (std::size_t i = 0; i < at.labels.size();) {
            const label& other = at.labels[i];
            const double* const t = at.times.data() + i * n;
            const auto no_later = [](double a, double b) { return a <= b; };
            if (other.used <= l.used && other.floor_s <= l.floor_s &&
                std::equal(t, t + n, times_.begin(), no_later))
                return;
            if (other.used >= l.used && other.floor_s >= l.floor_s &&
                std::equal(times_.begin(), times_.end(), t, no_later)) {
                remove(at, i, n);
                continue;
            }
            if (other.used == l.used) {
                if (same == 0 || at.labels[worst].floor_s < other.floor_s) worst = i;
                ++same;
            }
            ++i;
        }
        if (same >= width_) {
            if (at.labels[worst].floor_s <= l.floor_s) {
                dropped_s_ = std::min(dropped_s_, l.floor_s);
                return;
            }
            dropped_s_ = std::min(dropped_s_, at.labels[worst].floor_s);
            remove(at, worst, n);
        }
        at.labels.push_back(l);
        at.times.insert(at.times.end(), times_.begin(), times_.end());
    }

    // The last label takes the place of label `i`.
    static void remove(pool& at, std::size_t i, std::size_t n) {
        at.labels[i] = at.labels.back();
        std::copy_n(at.times.end() - static_cast<std::ptrdiff_t>(n), n,
                    at.times.begin() + static_cast<std::ptrdiff_t>(i * n));
        at.labels.pop_back();
        at.times.resize(at.times.size() - n);
    }

    const latency_downsets& space_;
    const latency_tails& tails_;
    std::size_t accelerators_;
    std::size_t width_ = 1;
    double limit_s_ = 0.0;
    double dropped_s_ = 0.0;
    double best_s_ = 0.0;
    std::vector<pool> pools_; // by downset; complete before its first label is extended
    std::vector<latency_downsets::visit_state> stack_;
    latency_downsets::group group_;
    std::vector<double> done_;  // by node
    std::vector<double> times_; // of the label that is about to be inserted
};

} // namespace dovetail::placement::detail
