#pragma once
/// \file
/// The downsets of a problem's units, the steps between them, and what an accelerator between two of them
/// costs.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/core/hash.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/latency_units.hpp>
#include <dovetail/placement/small_knapsack.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::placement::detail {

/// Which downsets to look at: all, or, where `order` lists the units in a topological order, those that lack
/// no unit `breadth` places or more before one that they hold. A breadth of 1 leaves the prefixes of the
/// order.
struct downset_family {
    std::vector<graph::index> order{};
    std::size_t breadth = 1;
};

/// The downsets of the units: sets that hold the producers of what they hold. Downsets are numbered by
/// ascending size, 0 is empty and the last one is full.
///
/// The frontier of a downset lists its nodes with consumers outside, ascending. Where a unit outside has no
/// producer the frontier begins with `start`, which is done at time 0 and costs no transfer: so every node
/// outside has a producer in the frontier or outside.
class latency_downsets {
public:
    using index = graph::index;

    struct step {
        index unit = 0;
        index target = 0; ///< the downset with the unit
    };

    /// Enumerates the downsets of a family. \returns errc::unsupported for more than `limit`, or than there
    /// is time for where `spent` is given.
    /// \complexity O(downsets * units / 64 + steps * frontier).
    [[nodiscard]] static result<latency_downsets> make(const device_graph& problem,
                                                       const latency_units& units, std::size_t limit,
                                                       const downset_family& family = {},
                                                       spending* spent = nullptr) {
        latency_downsets space(problem, units);
        space.restrict(family);
        if (!space.enumerate(limit, spent))
            return error{errc::unsupported, "device graph",
                         "it has more than " + to_text(limit) + " downsets",
                         "the limit on downsets must be raised, or the graph be closer to a chain"};
        return space;
    }

    [[nodiscard]] std::size_t size() const { return facts_.size() - 1; }
    [[nodiscard]] std::size_t units_in(std::size_t d) const { return units_in_[d]; }
    [[nodiscard]] index start() const { return start_; }
    [[nodiscard]] const latency_units& units() const { return *units_; }
    [[nodiscard]] const device_graph& problem() const { return *problem_; }

    [[nodiscard]] array_view<const step> steps(std::size_t d) const {
        return array_view(steps_).subspan(facts_[d].step, facts_[d + 1].step - facts_[d].step);
    }
    [[nodiscard]] array_view<const index> frontier(std::size_t d) const {
        return array_view(frontier_).subspan(facts_[d].frontier, facts_[d + 1].frontier - facts_[d].frontier);
    }
    [[nodiscard]] std::size_t frontier_begin(std::size_t d) const { return facts_[d].frontier; }
    [[nodiscard]] std::size_t frontier_total() const { return frontier_.size(); }

    [[nodiscard]] bool holds(std::size_t d, std::size_t unit) const {
        return (bits_[d * words_ + unit / 64] >> (unit % 64) & 1) != 0;
    }

    /// Whether a node stands before another in frontiers.
    [[nodiscard]] bool ahead(index a, index b) const {
        return a != b && (a == start_ || (b != start_ && a < b));
    }

    /// The producers of a node that are not settled; `start` for a node without a unit that must wait.
    [[nodiscard]] array_view<const index> producers(index node) const { return producers_[node]; }
    /// The units that consume a node's output, without its own; not those of settled nodes.
    [[nodiscard]] array_view<const index> consumers(index node) const { return consumers_[node]; }

    /// A downset on the way from one to another, and the place in the order of the last unit added.
    struct visit_state {
        index downset = 0;
        index rank = 0;
    };

    /// Calls `visit(target)` for every downset that one accelerator reaches from `d`: each once, its units
    /// added in their order. Ends where it returns false.
    /// \param stack scratch
    template <class Visit>
    void for_each_group(std::size_t d, std::vector<visit_state>& stack, const Visit& visit) const {
        stack.assign(1, {static_cast<index>(d), 0});
        while (!stack.empty()) {
            const visit_state from = stack.back();
            stack.pop_back();
            if (from.downset != d && keeps_ties(d, from.downset) && !visit(from.downset)) return;
            const auto all = steps(from.downset); // by the order of their units
            for (auto s = all.rbegin(); s != all.rend() && rank_[s->unit] >= from.rank; ++s)
                if (supported_[s->unit] &&
                    facts_[s->target].size_bytes - facts_[d].size_bytes <= problem_->memory_bytes)
                    stack.push_back({s->target, rank_[s->unit] + 1});
        }
    }

    /// An accelerator that takes a downset to a larger one.
    struct group {
        double load_s = 0.0;
        std::vector<char> consumed; ///< by the frontier it starts from: the group needs it
        std::vector<index> from; ///< by the frontier it ends at: the place in the other, `none`: in the group
        std::vector<index>
            waiting; ///< the consumers outside of the frontier it starts from, one after another
        std::vector<index> first_waiting;
        std::vector<index> place;     ///< by node: in the frontier it starts from
        std::vector<double> charge_s; ///< by node: what its output costs where the group makes it
        std::size_t start = 0;        ///< the downset it starts from
    };

    /// Prepares `g` for groups from `d` on.
    void begin_groups(std::size_t d, group& g) const {
        if (g.place.empty()) {
            g.place.assign(outputs_s_.size(), graph::none);
            g.charge_s = outputs_s_;
        }
        for (const index v : frontier(g.start)) {
            g.place[v] = graph::none;
            g.charge_s[v] = outputs_s_[v];
        }
        g.start = d;
        g.waiting.clear();
        g.first_waiting.assign(1, 0);
        index place = 0;
        for (const index v : frontier(d)) {
            g.place[v] = place++;
            g.charge_s[v] = 0.0;
            for (const index unit : consumers_[v])
                if (!holds(d, unit)) g.waiting.push_back(unit);
            g.first_waiting.push_back(static_cast<index>(g.waiting.size()));
        }
        g.consumed.resize(frontier(d).size());
    }

    /// What the group from `d` to `target` costs. \complexity O(frontiers + waiting consumers).
    void measure(std::size_t target, group& g) const {
        const std::size_t d = g.start;
        const auto before = frontier(d);
        const auto after = frontier(target);
        const word* const bits = bits_.data() + target * words_;
        // Without branches: which way they would go is hard to tell.
        double load_s = facts_[target].accelerator_s - facts_[d].accelerator_s;
        index w = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            word consumed = 0;
            for (; w < g.first_waiting[i + 1]; ++w)
                consumed |= bits[g.waiting[w] / 64] >> (g.waiting[w] % 64);
            g.consumed[i] = static_cast<char>(consumed & 1);
            load_s += outputs_s_[before[i]] * static_cast<double>(consumed & 1);
        }
        g.from.resize(after.size());
        for (std::size_t k = 0; k < after.size(); ++k) {
            g.from[k] = g.place[after[k]];
            load_s += g.charge_s[after[k]];
        }
        g.load_s = load_s;
        if (!hooks_.empty()) g.load_s += charge_sinks(d, target, nullptr);
    }

    /// The hanging sinks that the group from `d` to `target` takes along.
    [[nodiscard]] std::vector<index> sinks(std::size_t d, std::size_t target) const {
        std::vector<index> taken;
        if (!hooks_.empty()) (void)charge_sinks(d, target, &taken);
        return taken;
    }

private:
    using word = std::uint64_t;

    // What a walk over groups asks of a downset, side by side: it hops from one to another.
    struct facts {
        double size_bytes = 0.0;    // of all it holds
        double accelerator_s = 0.0; // likewise
        std::size_t step = 0;       // where its steps begin
        std::size_t frontier = 0;   // where its frontier begins
    };

    latency_downsets(const device_graph& problem, const latency_units& units)
        : problem_(&problem), units_(&units), start_(static_cast<index>(problem.nodes.size())),
          words_(std::max<std::size_t>(1, (units.size() + 63) / 64)),
          outputs_s_(problem.nodes.size() + 1, 0.0), producers_(problem.nodes.size()),
          consumers_(problem.nodes.size() + 1), supported_(units.size(), 1) {
        for (index v = 0; v < start_; ++v) outputs_s_[v] = problem.nodes[v].output_s;
        const auto settled = [&](index v) { return units.unit_of(v) == graph::none; };
        for (std::size_t u = 0; u < units.size(); ++u) {
            std::vector<index> needed;
            for (const index v : units.nodes(u)) {
                if (!problem.nodes[v].supported) supported_[u] = 0;
                for (const index p : units.edges().predecessors(v)) {
                    if (settled(p)) continue;
                    producers_[v].push_back(p);
                    if (units.unit_of(p) != u) needed.push_back(units.unit_of(p));
                }
                for (const index w : units.edges().successors(v))
                    if (!settled(w) && units.unit_of(w) != u) consumers_[v].push_back(units.unit_of(w));
                sort_unique(consumers_[v]);
                if (units.sinks_of(v) != nullptr) hooks_.push_back(v);
            }
            if (!units.tied(u).empty()) tied_.push_back(static_cast<index>(u));
            sort_unique(needed);
            if (needed.empty()) consumers_[start_].push_back(static_cast<index>(u));
            needed_.push_back(std::move(needed));
        }
        for (std::size_t u = 0; u < units.size(); ++u)
            for (const index v : units.nodes(u))
                if (producers_[v].empty() && needed_[u].empty()) producers_[v].push_back(start_);
    }

    // Has units wait for others beyond their producers.
    void restrict(const downset_family& family) {
        for (std::size_t i = family.breadth; i < family.order.size(); ++i)
            needed_[family.order[i]].push_back(family.order[i - family.breadth]);
        rank_.resize(needed_.size());
        std::iota(rank_.begin(), rank_.end(), index{0});
        for (std::size_t i = 0; i < family.order.size(); ++i) rank_[family.order[i]] = static_cast<index>(i);
        wanted_by_.resize(needed_.size());
        for (std::size_t u = 0; u < needed_.size(); ++u) {
            sort_unique(needed_[u]);
            for (const index p : needed_[u]) wanted_by_[p].push_back(static_cast<index>(u));
        }
    }

    static void sort_unique(std::vector<index>& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }

    [[nodiscard]] array_view<const word> row(std::size_t d) const {
        return array_view(bits_).subspan(d * words_, words_);
    }

    [[nodiscard]] bool enumerate(std::size_t limit, spending* spent) {
        std::unordered_multimap<word, index> known;
        const auto hash = [&](array_view<const word> set) {
            word h = 0;
            for (const word w : set) h = hash_append(h, w);
            return h;
        };
        std::vector<std::vector<index>> ready(1);
        bits_.assign(words_, 0);
        for (std::size_t u = 0; u < needed_.size(); ++u)
            if (needed_[u].empty()) ready[0].push_back(static_cast<index>(u));
        known.emplace(hash(row(0)), index{0});
        units_in_.push_back(0);
        facts_.push_back({});
        std::vector<word> set(words_);
        for (std::size_t d = 0; d < ready.size(); ++d) {
            if (spent != nullptr && spent->late()) return false;
            append_frontier(d);
            facts_[d].step = steps_.size();
            std::vector<index> free = std::move(ready[d]);
            std::sort(free.begin(), free.end(), [&](index a, index b) { return rank_[a] < rank_[b]; });
            for (const index unit : free) {
                std::copy_n(row(d).begin(), words_, set.begin());
                set[unit / 64] |= word{1} << (unit % 64);
                const word h = hash(set);
                index target = graph::none;
                for (auto [it, end] = known.equal_range(h); it != end; ++it)
                    if (std::equal(set.begin(), set.end(), row(it->second).begin())) target = it->second;
                if (target == graph::none) {
                    if (ready.size() >= limit) return false;
                    target = static_cast<index>(ready.size());
                    known.emplace(h, target);
                    bits_.insert(bits_.end(), set.begin(), set.end());
                    ready.emplace_back();
                    for (const index other : free)
                        if (other != unit) ready.back().push_back(other);
                    for (const index other : wanted_by_[unit])
                        if (std::all_of(needed_[other].begin(), needed_[other].end(),
                                        [&](index p) { return holds(target, p); }))
                            ready.back().push_back(other);
                    units_in_.push_back(units_in_[d] + 1);
                    facts sum = facts_[d];
                    for (const index v : units_->nodes(unit)) {
                        sum.size_bytes += problem_->nodes[v].size_bytes;
                        sum.accelerator_s += problem_->nodes[v].accelerator_s;
                    }
                    facts_.push_back(sum);
                }
                steps_.push_back({unit, target});
            }
        }
        facts_.push_back({0.0, 0.0, steps_.size(), frontier_.size()});
        return true;
    }

    void append_frontier(std::size_t d) {
        facts_[d].frontier = frontier_.size();
        const auto open = [&](index v) {
            return std::any_of(consumers_[v].begin(), consumers_[v].end(),
                               [&](index unit) { return !holds(d, unit); });
        };
        if (open(start_)) frontier_.push_back(start_);
        for (std::size_t u = 0; u < units_->size(); ++u)
            if (holds(d, u))
                for (const index v : units_->nodes(u))
                    if (open(v)) frontier_.push_back(v);
        std::sort(frontier_.begin() + static_cast<std::ptrdiff_t>(facts_[d].frontier), frontier_.end(),
                  [&](index a, index b) { return ahead(a, b); });
    }

    // A group that takes one of several tied units takes them all.
    [[nodiscard]] bool keeps_ties(std::size_t d, std::size_t target) const {
        for (const index u : tied_) {
            if (holds(d, u) || !holds(target, u)) continue;
            for (const index other : units_->tied(u))
                if (holds(d, other) || !holds(target, other)) return false;
        }
        return true;
    }

    // Nodes whose only consumers outside a group are hanging sinks either pay for their output or take the
    // sinks along: a knapsack, over what memory is left.
    [[nodiscard]] double charge_sinks(std::size_t d, std::size_t target, std::vector<index>* taken) const {
        std::vector<knapsack_item> items;
        double charged_s = 0.0;
        for (const index v : hooks_) {
            const index unit = units_->unit_of(v);
            if (holds(d, unit) || !holds(target, unit)) continue;
            if (std::any_of(consumers_[v].begin(), consumers_[v].end(),
                            [&](index other) { return !holds(target, other); }))
                continue; // in the frontier, and charged there
            charged_s += outputs_s_[v];
            const hanging_sinks& s = *units_->sinks_of(v);
            if (s.supported && outputs_s_[v] > s.accelerator_s)
                items.push_back({outputs_s_[v] - s.accelerator_s, s.size_bytes, v});
        }
        const double room = problem_->memory_bytes - (facts_[target].size_bytes - facts_[d].size_bytes);
        const small_knapsack packed(std::move(items), room);
        if (taken != nullptr)
            for (const std::size_t v : packed.ids()) {
                const std::vector<index>& nodes = units_->sinks_of(static_cast<index>(v))->nodes;
                taken->insert(taken->end(), nodes.begin(), nodes.end());
            }
        return charged_s - packed.value();
    }

    const device_graph* problem_;
    const latency_units* units_;
    index start_;
    std::size_t words_;
    std::vector<double> outputs_s_; // by node
    std::vector<std::vector<index>> producers_, consumers_;
    std::vector<char> supported_;
    std::vector<std::vector<index>> needed_, wanted_by_; // by unit: those before it, and after
    std::vector<index> rank_;                            // by unit: its place in the order
    std::vector<index> hooks_;                           // nodes with hanging sinks
    std::vector<index> tied_;                            // units that a colour ties to others
    std::vector<word> bits_;
    std::vector<index> units_in_;
    std::vector<facts> facts_; // by downset, and one that ends the last one's lists
    std::vector<step> steps_;
    std::vector<index> frontier_;
};

} // namespace dovetail::placement::detail
