#pragma once
/// \file
/// How long a set of tasks keeps a resource at least, when each takes all of it or shares it with others.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace dovetail::schedule {

/// What a task asks of one resource, over the modes that it may take; infinite where it has none of the kind.
struct resource_need {
    double full_s = std::numeric_limits<double>::infinity(); ///< of its shortest mode that takes all units
    double part_s = std::numeric_limits<double>::infinity(); ///< of its shortest other mode
    double least_s =
        std::numeric_limits<double>::infinity(); ///< work over capacity, of the mode of least work
    bool always = true;                          ///< whether every mode takes some
};

/// A bound on the time in which a set of tasks runs that all need one resource.
///
/// A task that takes all units, for f_i seconds, overlaps with no other of the set. The rest, the set P, take
/// fewer, for o_i seconds. At least one of them runs during theta(P), the length of the union of their
/// intervals, which no other task shares. So the set takes at least min over P of (sum over i not in P of
/// f_i) + theta(P). theta(P) is at least the longest o_i, and the work of P over the capacity; and since
/// tasks of which one waits for the other do not overlap, at least the sum of the o_i on every chain of P.
///
/// `by_longest` uses the first two. `by_chains` covers the set by chains, and for every theta finds on each
/// chain which tasks that fit in theta save most: a knapsack of few items.
class occupancy {
public:
    /// One task of the set: its number, and what it needs.
    struct member {
        std::uint32_t task;
        resource_need need;
    };

    /// Empties the set. Keeps the memory.
    void clear() { members_.clear(); }
    /// Adds a task, the part_s of which is no shorter than of those before.
    void add(std::uint32_t task, const resource_need& need) { members_.push_back({task, need}); }
    [[nodiscard]] std::span<const member> members() const noexcept { return members_; }

    /// The bound from the longest task and the work. \complexity O(tasks).
    double by_longest() {
        const std::size_t n = members_.size();
        beside_s_.resize(n);
        at_least_s_.resize(n);
        double beside_s = 0.0;
        for (std::size_t k = 0; k < n; ++k) beside_s_[k] = beside_s += members_[k].need.least_s;
        double alone_s = 0.0; // of those that last longer
        double least_s = std::numeric_limits<double>::infinity();
        for (std::size_t k = n; k-- > 0;) {
            const resource_need& need = members_[k].need;
            at_least_s_[k] = least_s = std::min(least_s, alone_s + std::max(need.part_s, beside_s_[k]));
            alone_s += need.full_s;
        }
        return std::min(least_s, alone_s);
    }

    /// The bound from a cover by chains, and that of `by_longest`, whichever is larger for every theta.
    /// \param precedes whether one task must end before another starts \complexity O(tasks^2 + points log
    /// points), where a chain has at most `points_a_chain` points.
    template <class Precedes>
    double by_chains(const Precedes& precedes);

    /// The bound where the member at `position` shares: so all ways with a theta of at least its part_s. Of
    /// the call before.
    [[nodiscard]] double where_shared_s(std::size_t position) const { return at_least_s_[position]; }

private:
    static constexpr std::size_t points_a_chain = 48;

    // On one chain, or along theta: so much time of sharing saves so much of running alone.
    struct saving {
        double shared_s;
        double saved_s;
    };
    struct chain {
        std::uint32_t last = 0;
        std::vector<saving> points; // rising in both
    };

    template <class Precedes>
    void cover(const Precedes& precedes, double useless_s);
    bool put_in(chain& to, const resource_need& need, double useless_s);

    std::vector<member> members_, order_;
    std::vector<double> beside_s_, at_least_s_, from_s_;
    std::vector<chain> chains_; // the first `used_chains_` count
    std::size_t used_chains_ = 0;
    std::vector<saving> points_, along_;
};

template <class Precedes>
double occupancy::by_chains(const Precedes& precedes) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double longest_bound_s = by_longest();
    double alone_s = 0.0; // all that can be alone are
    double useless_s = 0.0;
    for (const member& m : members_) {
        if (m.need.full_s < infinity)
            alone_s += m.need.full_s;
        else
            useless_s += m.need.part_s;
    }
    useless_s += alone_s; // whoever shares for longer takes longer than without any choice to share
    cover(precedes, useless_s);

    // Along theta: what is saved, and so the bound.
    points_.clear();
    double base_s = 0.0;
    for (std::size_t c = 0; c < used_chains_; ++c) {
        const std::vector<saving>& points = chains_[c].points;
        base_s = std::max(base_s, points.front().shared_s);
        for (std::size_t p = 1; p < points.size(); ++p)
            points_.push_back({points[p].shared_s, points[p].saved_s - points[p - 1].saved_s});
    }
    std::sort(points_.begin(), points_.end(),
              [](const saving& a, const saving& b) { return a.shared_s < b.shared_s; });
    along_.assign(1, {base_s, 0.0});
    for (const saving& p : points_) {
        if (p.shared_s > along_.back().shared_s) along_.push_back({p.shared_s, along_.back().saved_s});
        along_.back().saved_s += p.saved_s;
    }
    from_s_.resize(along_.size());
    double least_s = infinity;
    for (std::size_t k = along_.size(); k-- > 0;)
        from_s_[k] = least_s = std::min(least_s, alone_s - along_[k].saved_s + along_[k].shared_s);

    for (std::size_t k = 0; k < members_.size(); ++k) {
        const double part_s = members_[k].need.part_s;
        const auto next =
            std::lower_bound(along_.begin(), along_.end(), part_s,
                             [](const saving& a, double theta_s) { return a.shared_s < theta_s; });
        if (next == along_.end()) continue; // beyond what is useful
        double shared_s = std::min(useless_s, from_s_[static_cast<std::size_t>(next - along_.begin())]);
        if (next != along_.begin()) shared_s = std::min(shared_s, alone_s - (next - 1)->saved_s + part_s);
        at_least_s_[k] = std::max(at_least_s_[k], shared_s);
    }
    return std::max(longest_bound_s, least_s);
}

// Greedily: each task goes behind the latest one that precedes it and whose knapsack has room.
template <class Precedes>
void occupancy::cover(const Precedes& precedes, double useless_s) {
    order_.clear();
    for (const member& m : members_)
        if (m.need.part_s < std::numeric_limits<double>::infinity()) order_.push_back(m);
    std::sort(order_.begin(), order_.end(), [](const member& a, const member& b) { return a.task < b.task; });
    used_chains_ = 0;
    for (const member& m : order_) {
        std::size_t chosen = used_chains_;
        for (std::uint32_t below = m.task;;) {
            chosen = used_chains_;
            for (std::size_t c = 0; c < used_chains_; ++c)
                if (chains_[c].last < below && precedes(chains_[c].last, m.task) &&
                    (chosen == used_chains_ || chains_[c].last > chains_[chosen].last))
                    chosen = c;
            if (chosen == used_chains_ || put_in(chains_[chosen], m.need, useless_s)) break;
            below = chains_[chosen].last;
        }
        if (chosen == used_chains_) {
            if (chains_.size() == used_chains_) chains_.emplace_back();
            chains_[chosen].points.assign(1, {0.0, 0.0});
            put_in(chains_[chosen], m.need, useless_s);
            ++used_chains_;
        }
        chains_[chosen].last = m.task;
    }
}

// Adds a task to the knapsack of a chain; false, and nothing done, where that makes too many points.
inline bool occupancy::put_in(chain& to, const resource_need& need, double useless_s) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (need.full_s == infinity) { // it has no choice
        for (saving& p : to.points) p.shared_s += need.part_s;
        return true;
    }
    // Both lists rise: merge them, without what shares for longer and saves no more.
    points_.clear();
    std::size_t without = 0, with = 0;
    while (with < to.points.size()) {
        const double apart_s = without < to.points.size() ? to.points[without].shared_s : infinity;
        const double shared_s = to.points[with].shared_s + need.part_s;
        const saving next = apart_s <= shared_s ? to.points[without++]
                                                : saving{shared_s, to.points[with++].saved_s + need.full_s};
        if (!points_.empty() && (next.shared_s >= useless_s || next.saved_s <= points_.back().saved_s))
            continue;
        points_.push_back(next);
    }
    if (points_.size() > points_a_chain) return false;
    to.points.swap(points_);
    return true;
}

} // namespace dovetail::schedule
