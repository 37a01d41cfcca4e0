#pragma once
/// \file
/// How long a set of tasks keeps a resource at least, when each takes all of it or shares it with others.

#include <dovetail/core/array_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule {

/// What a task asks of one resource, over the modes that it may take; infinite where it has none of the kind.
struct resource_need {
    double full_s = std::numeric_limits<double>::infinity(); ///< of its shortest mode that takes all units
    double part_s = std::numeric_limits<double>::infinity(); ///< of its shortest other mode
    /// Work over capacity, of the mode of least work.
    double least_s = std::numeric_limits<double>::infinity();
    bool always = true; ///< whether every mode takes some

    /// One more mode.
    void add(double duration_s, std::int32_t units, std::int32_t capacity) {
        if (units == 0 || duration_s == 0.0) {
            always = false;
            return;
        }
        double& kind_s = units == capacity ? full_s : part_s;
        kind_s = std::min(kind_s, duration_s);
        least_s = std::min(least_s, duration_s * units / capacity);
    }
};

/// A bound on the time in which a set of tasks runs that all need one resource.
///
/// A task that takes all units, for f_i seconds, overlaps with no other of the set. The rest, the set P, take
/// fewer, for o_i seconds. At least one of them runs during theta(P), the length of the union of their
/// intervals, which no other task shares. So the set takes at least min over P of (sum over i not in P of
/// f_i) + theta(P). theta(P) is at least the longest o_i, and the work of P over the capacity; and since
/// tasks of which one waits for the other do not overlap, at least the sum of the o_i on every chain of P.
///
/// `by_longest` uses the first two. `by_chains` uses all, with given chains that cover the set: for every
/// theta it finds on each chain which tasks that fit in theta save most, a knapsack of few items.
class occupancy {
public:
    /// One task of the set.
    struct member {
        std::uint32_t task;
        resource_need need;
        std::uint32_t chain; ///< tasks of one chain never overlap, whatever their modes
    };

    /// Empties the set. Keeps the memory.
    void clear() { members_.clear(); }
    /// Adds a task, the part_s of which is no shorter than of those before. Chains are numbered from 0.
    void add(const member& m) { members_.push_back(m); }
    /// The set, in the order in which it was added.
    [[nodiscard]] array_view<const member> members() const noexcept { return members_; }

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

    /// The bound from the chains, and that of `by_longest`, whichever is larger for every theta. A chain with
    /// more than `points_a_chain` ways to save counts as several. \complexity O(tasks * points + points log
    /// points).
    double by_chains();

    /// The bound where the member at `position` shares: so all ways with a theta of at least its part_s. Of
    /// the call before.
    [[nodiscard]] double where_shared_s(std::size_t position) const { return at_least_s_[position]; }

private:
    static constexpr std::size_t points_a_chain = 48;
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    // On one chain, or along theta: so much time of sharing saves so much of running alone.
    struct saving {
        double shared_s;
        double saved_s;
    };
    using savings = std::vector<saving>; // rising in both

    void fill_chains(double useless_s);
    bool put_in(savings& chain, const resource_need& need, double useless_s);

    std::vector<member> members_;
    std::vector<double> beside_s_, at_least_s_, from_s_;
    std::vector<savings> chains_;    // the first `used_chains_` count
    std::vector<std::size_t> place_; // of every chain, among them
    std::size_t used_chains_ = 0;
    savings points_, along_;
};

inline double occupancy::by_chains() {
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
    fill_chains(useless_s);

    // Along theta: what is saved, and so the bound.
    points_.clear();
    double base_s = 0.0;
    for (std::size_t c = 0; c < used_chains_; ++c) {
        const savings& points = chains_[c];
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

inline void occupancy::fill_chains(double useless_s) {
    used_chains_ = 0;
    place_.clear();
    for (const member& m : members_) {
        if (m.need.part_s == std::numeric_limits<double>::infinity()) continue;
        if (place_.size() <= m.chain) place_.resize(m.chain + std::size_t{1}, none);
        std::size_t& at = place_[m.chain];
        if (at != none && put_in(chains_[at], m.need, useless_s)) continue;
        at = used_chains_++;
        if (chains_.size() == at) chains_.emplace_back();
        chains_[at].assign(1, {0.0, 0.0});
        put_in(chains_[at], m.need, useless_s);
    }
}

// Adds a task to the knapsack of a chain; false, and nothing done, where that makes too many points.
inline bool occupancy::put_in(savings& chain, const resource_need& need, double useless_s) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (need.full_s == infinity) { // it has no choice
        for (saving& p : chain) p.shared_s += need.part_s;
        return true;
    }
    // Both lists rise: merge them, without what shares for longer and saves no more.
    points_.clear();
    std::size_t without = 0, with = 0;
    while (with < chain.size()) {
        const double apart_s = without < chain.size() ? chain[without].shared_s : infinity;
        const double shared_s = chain[with].shared_s + need.part_s;
        const saving next =
            apart_s <= shared_s ? chain[without++] : saving{shared_s, chain[with++].saved_s + need.full_s};
        if (!points_.empty() && (next.shared_s >= useless_s || next.saved_s <= points_.back().saved_s))
            continue;
        points_.push_back(next);
    }
    if (points_.size() > points_a_chain) return false;
    chain.swap(points_);
    return true;
}

} // namespace dovetail::schedule
