#pragma once
/// \file
/// A lower bound on what must still follow a node, by downset and accelerators left.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/parallel.hpp>
#include <dovetail/placement/latency_downsets.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
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
    /// \param counted false grants every plan as many accelerators as it likes: a table of one column, which
    /// bounds less tightly where accelerators are few
    latency_tails(const latency_downsets& space, std::size_t accelerators, bool counted = true)
        : space_(space), accelerators_(accelerators), columns_(counted ? accelerators + 1 : 1),
          step_(counted ? 1 : 0),
          tails_(space.frontier_total() * columns_, std::numeric_limits<double>::infinity()) {}

    /// Fills the table. \returns false when the budget ended first.
    /// \complexity O(groups * frontier * (consumers + accelerators)).
    [[nodiscard]] bool run(std::size_t threads, spending& spent) {
        std::vector<worker> workers(std::max<std::size_t>(threads, 1));
        // Downsets of one size do not lead to one another.
        for (std::size_t end = space_.size() - 1; end > 0;) {
            std::size_t begin = end - 1;
            while (begin > 0 && space_.units_in(begin - 1) == space_.units_in(begin)) --begin;
            begin = std::max(begin, end > chunk ? end - chunk : 0); // the clock is read after each chunk
            parallel_for(end - begin, threads, 4,
                         [&](std::size_t w, std::size_t i) { fill(begin + i, workers[w], spent); });
            if (spent.late()) return false;
            for (worker& w : workers)
                for (; w.visited > 0; --w.visited)
                    if (!spent.spend_node()) return false;
            end = begin;
        }
        return true;
    }

    /// The tail of a node of the frontier of `d` when `left` accelerators are.
    [[nodiscard]] double operator()(std::size_t d, std::size_t place, std::size_t left) const {
        return row(d, place)[step_ * left];
    }

    /// The bound on the whole: nothing is placed yet.
    [[nodiscard]] double latency_s() const { return space_.size() == 1 ? 0.0 : row(0, 0)[columns_ - 1]; }

private:
    static constexpr std::size_t chunk = 64;

    struct worker {
        std::vector<latency_downsets::visit_state> stack;
        latency_downsets::group group;
        std::vector<double> inner, after;
        std::vector<double> open; // by place in the frontier: its tails after a group
        std::size_t visited = 0;
    };

    // The table is of no use where the time ends meanwhile.
    void fill(std::size_t d, worker& w, const spending& spent) {
        w.inner.resize(space_.problem().nodes.size());
        for (const auto& s : space_.steps(d)) follow_host(d, s, w.inner);
        ++w.visited;
        if (accelerators_ == 0) return;
        space_.begin_groups(d, w.group);
        space_.for_each_group(d, w.stack, [&](std::size_t e) {
            space_.measure(e, w.group);
            follow_group(d, e, w.group, w);
            return ++w.visited % 64 != 0 || !spent.is_over();
        });
    }

    // By column.
    [[nodiscard]] const double* row(std::size_t d, std::size_t place) const {
        return tails_.data() + (space_.frontier_begin(d) + place) * columns_;
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

    void follow_group(std::size_t d, std::size_t e, const latency_downsets::group& g, worker& w) {
        const std::size_t n = g.consumed.size();
        const double* tail = row(e, 0);
        if (columns_ == 1) {
            // As below, in fewer steps: the largest graphs spend their time here.
            double after = 0.0;
            w.open.assign(n, 0.0);
            for (const graph::index place : g.from) {
                if (place != graph::none)
                    w.open[place] = *tail++;
                else
                    after = std::max(after, *tail++);
            }
            double* const cell = cells(d, 0);
            for (std::size_t i = 0; i < n; ++i)
                cell[i] = std::min(cell[i], std::max(g.consumed[i] ? g.load_s + after : 0.0, w.open[i]));
            return;
        }
        w.after.assign(columns_, 0.0);
        w.open.assign(n * columns_, 0.0);
        for (const graph::index place : g.from) {
            if (place != graph::none)
                std::copy_n(tail, columns_, w.open.begin() + static_cast<std::ptrdiff_t>(place * columns_));
            else
                for (std::size_t a = 0; a < columns_; ++a) w.after[a] = std::max(w.after[a], tail[a]);
            tail += columns_;
        }
        double* cell = cells(d, 0);
        for (std::size_t i = 0; i < n; ++i, cell += columns_)
            for (std::size_t a = 1; a < columns_; ++a) {
                const double longest = g.consumed[i] ? g.load_s + w.after[a - 1] : 0.0;
                cell[a] = std::min(cell[a], std::max(longest, w.open[i * columns_ + a - 1]));
            }
    }

    const latency_downsets& space_;
    std::size_t accelerators_;
    std::size_t columns_;
    std::size_t step_; // from a group's column to that of what follows
    std::vector<double> tails_;
};

} // namespace dovetail::placement::detail
