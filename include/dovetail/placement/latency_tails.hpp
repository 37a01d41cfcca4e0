#pragma once
#include <iterator>
#include <limits>
/// \file
/// A lower bound on what must still follow a node, by downset and accelerators left.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/parallel.hpp>
#include <dovetail/placement/latency_downsets.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace dovetail::placement::detail {

/// tail(d, i, a): no plan whose nodes outside downset `d` use `a` accelerators ends earlier than this after
/// the i-th node of the frontier of `d`. The minimum over the plans is taken for every node of the frontier
/// by itself, so that the bound on the whole is exact where frontiers hold one node and optimistic where they
/// hold more.
///
/// It is a dynamic program from the full downset down. A plan of the rest begins with a unit on the host or
/// with a group on an accelerator, which leads to a larger downset e; node i then waits for what follows in
/// e, for the step that consumes it and what follows its outputs in e, whichever is longer.
class latency_tails {
public:
    latency_tails(const latency_downsets& space, std::size_t accelerators)
        : space_(space), columns_(accelerators + 1),
          tails_(space.frontier_total() * columns_, std::numeric_limits<double>::infinity()) {}

    /// Fills the table. \returns false when the budget ended first.
    /// \complexity O(groups * frontier * (consumers + accelerators)).
    [[nodiscard]] bool run(std::size_t threads, spending& spent) {
        std::vector<worker> workers(std::max<std::size_t>(threads, 1));
        for (worker& w : workers) w.seen.assign(space_.size(), 0);
        // Downsets of one size do not lead to one another.
        for (std::size_t end = space_.size() - 1; end > 0;) {
            std::size_t begin = end - 1;
            while (begin > 0 && space_.units_in(begin - 1) == space_.units_in(begin)) --begin;
            parallel_for(end - begin, threads, 4,
                         [&](std::size_t w, std::size_t i) { fill(begin + i, workers[w]); });
            for (worker& w : workers)
                for (; w.visited > 0; --w.visited)
                    if (!spent.spend_node()) return false;
            end = begin;
        }
        return true;
    }

    /// The row of a frontier's node: its tail for 0, 1, … accelerators.
    [[nodiscard]] std::span<const double> row(std::size_t d, std::size_t place) const {
        return std::span(tails_).subspan((space_.frontier_begin(d) + place) * columns_, columns_);
    }

    /// The bound on the whole: nothing is placed yet.
    [[nodiscard]] double latency_s() const { return space_.size() == 1 ? 0.0 : row(0, 0).back(); }

private:
    struct worker {
        std::vector<graph::index> seen, stack;
        latency_downsets::group group;
        std::vector<double> inner, after;
        std::size_t visited = 0;
    };

    void fill(std::size_t d, worker& w) {
        w.inner.resize(space_.problem().nodes.size());
        w.after.resize(columns_);
        for (const auto& s : space_.steps(d)) follow_host(d, s, w.inner);
        ++w.visited;
        if (columns_ == 1) return;
        space_.begin_groups(d, w.group);
        space_.for_each_group(d, w.seen, w.stack, [&](std::size_t e) {
            space_.measure(d, e, w.group);
            follow_group(d, e, w.group, w.after);
            ++w.visited;
        });
    }

    [[nodiscard]] double* cells(std::size_t d, std::size_t place) {
        return tails_.data() + (space_.frontier_begin(d) + place) * columns_;
    }

    // After a unit on the host.
    void follow_host(std::size_t d, const latency_downsets::step& s, std::vector<double>& inner) {
        const auto before = space_.frontier(d);
        const auto after = space_.frontier(s.target);
        const auto& nodes = space_.units().nodes(s.unit);
        for (std::size_t a = 0; a < columns_; ++a) {
            // inner[v]: from the start of v on.
            for (const graph::index v : nodes) inner[v] = 0.0;
            for (std::size_t k = 0; k < after.size(); ++k)
                if (after[k] != space_.start() && space_.units().unit_of(after[k]) == s.unit)
                    inner[after[k]] = row(s.target, k)[a];
            for (auto v = nodes.rbegin(); v != nodes.rend(); ++v) {
                inner[*v] += space_.problem().nodes[*v].cpu_s;
                for (const graph::index p : space_.producers(*v))
                    if (p != space_.start() && space_.units().unit_of(p) == s.unit)
                        inner[p] = std::max(inner[p], inner[*v]);
            }
            std::size_t k = 0;
            for (std::size_t i = 0; i < before.size(); ++i) {
                double longest = 0.0;
                for (const graph::index v : nodes) {
                    const auto in = space_.producers(v);
                    if (std::find(in.begin(), in.end(), before[i]) != in.end())
                        longest = std::max(longest, inner[v]);
                }
                while (k < after.size() && space_.ahead(after[k], before[i])) ++k;
                if (k < after.size() && after[k] == before[i])
                    longest = std::max(longest, row(s.target, k)[a]);
                double& cell = cells(d, i)[a];
                cell = std::min(cell, longest);
            }
        }
    }

    void follow_group(std::size_t d, std::size_t e, const latency_downsets::group& g,
                      std::vector<double>& after) {
        std::fill(after.begin(), after.end(), 0.0);
        for (std::size_t k = 0; k < g.from.size(); ++k) {
            if (g.from[k] != graph::none) continue;
            const auto tail = row(e, k);
            for (std::size_t a = 0; a + 1 < columns_; ++a) after[a] = std::max(after[a], tail[a]);
        }
        std::size_t k = 0;
        for (std::size_t i = 0; i < g.consumed.size(); ++i) {
            double* const cell = cells(d, i);
            while (k < g.from.size() && (g.from[k] == graph::none || g.from[k] < i)) ++k;
            const bool open = k < g.from.size() && g.from[k] == i;
            const double* const tail = open ? row(e, k).data() : nullptr;
            for (std::size_t a = 1; a < columns_; ++a) {
                double longest = g.consumed[i] ? g.load_s + after[a - 1] : 0.0;
                if (open) longest = std::max(longest, tail[a - 1]);
                cell[a] = std::min(cell[a], longest);
            }
        }
    }

    const latency_downsets& space_;
    std::size_t columns_;
    std::vector<double> tails_;
};

} // namespace dovetail::placement::detail
