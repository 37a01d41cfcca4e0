#pragma once
/// \file
/// A first plan for placement by largest load: the best one that cuts a single topological order.

#include <dovetail/core/budget.hpp>
#include <dovetail/placement/max_load_costs.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::placement::detail {

/// Cuts the order of the vertices' numbers into devices whose loads are below a limit. Fewer devices than
/// there are may be used where the table would grow large; the plan is a start, and need not be the best.
class max_load_line {
public:
    max_load_line(const max_load_costs& costs, ticks limit, spending& effort)
        : costs_(costs), limit_(limit), cpus_(std::min<std::size_t>(costs.cpus, 8)),
          accelerators_(
              std::min(costs.accelerators, std::size_t{1'000'000} / (costs.size() + 1) / (cpus_ + 1))),
          slots_((accelerators_ + 1) * (cpus_ + 1)), table_((costs.size() + 1) * slots_) {
        std::fill_n(table_.begin(), slots_, cell{0, 0, false});
        for (std::size_t begin = 0; begin < costs.size(); ++begin) extend(begin, effort);
    }

    /// The largest load of the plan; the limit where there is none.
    [[nodiscard]] ticks load() const { return std::min(table_.back().load, limit_); }

    /// The plan, in order; only where there is one.
    [[nodiscard]] std::vector<draft_share> plan() const {
        std::vector<draft_share> shares;
        std::size_t slot = slots_ - 1;
        for (std::size_t end = costs_.size(); end > 0;) {
            const cell& c = table_[end * slots_ + slot];
            draft_share share{c.cpu ? device_kind::cpu : device_kind::accelerator, {}};
            for (std::size_t v = c.begin; v < end; ++v)
                share.vertices.push_back(static_cast<graph::index>(v));
            if (!share.vertices.empty()) shares.push_back(std::move(share));
            slot -= c.cpu ? 1 : cpus_ + 1;
            end = c.begin;
        }
        std::reverse(shares.begin(), shares.end());
        return shares;
    }

private:
    // The best that ends before a vertex with up to so many devices; slot = accelerators * (cpus + 1) + cpus.
    struct cell {
        ticks load = std::numeric_limits<ticks>::max();
        std::uint32_t begin = 0; // of its last device
        bool cpu = false;
    };

    // All devices that hold vertices from `begin` on.
    void extend(std::size_t begin, spending& effort) {
        std::vector<graph::index>& seen = seen_;
        seen.assign(costs_.transfer_cost.size(), 0);
        ticks work = 0;
        ticks transfers = 0;
        ticks cpu = 0;
        double bytes = 0.0;
        bool fits = true;
        const cell* const from = &table_[begin * slots_];
        for (std::size_t v = begin; v < costs_.size() && effort.spend_node(); ++v) {
            work += costs_.accelerator[v];
            cpu += costs_.cpu[v];
            bytes += costs_.bytes[v];
            fits = fits && costs_.supported[v] != 0 && bytes <= costs_.memory_bytes;
            for (const graph::index t : costs_.transfers_of(static_cast<graph::index>(v))) {
                if (seen[t]++ == 0) transfers += costs_.transfer_cost[t];
                if (seen[t] == costs_.transfer_size[t]) transfers -= costs_.transfer_cost[t];
            }
            fits = fits && work < limit_;
            if (!fits && (cpus_ == 0 || cpu >= limit_)) return;
            cell* const to = &table_[(v + 1) * slots_];
            for (std::size_t slot = 0; slot < slots_; ++slot) {
                if (fits && slot > cpus_)
                    improve(to[slot], from[slot - cpus_ - 1].load, work + transfers, begin, false);
                if (slot % (cpus_ + 1) != 0) improve(to[slot], from[slot - 1].load, cpu, begin, true);
            }
        }
    }

    void improve(cell& c, ticks before, ticks load, std::size_t begin, bool cpu) const {
        if (load >= limit_) return;
        load = std::max(before, load);
        if (load < c.load) c = {load, static_cast<std::uint32_t>(begin), cpu};
    }

    const max_load_costs& costs_;
    ticks limit_;
    std::size_t cpus_;
    std::size_t accelerators_;
    std::size_t slots_;
    std::vector<cell> table_;
    std::vector<graph::index> seen_; // vertices of each transfer that the device holds
};

} // namespace dovetail::placement::detail
