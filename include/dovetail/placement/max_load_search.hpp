#pragma once
/// \file
/// Whether a plan keeps every load below a limit: the decision behind the least largest load.

#include <dovetail/core/budget.hpp>
#include <dovetail/placement/downset_lattice.hpp>
#include <dovetail/placement/max_load_costs.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::placement::detail {

/// Fills devices one after the other along the pipeline. What the devices so far hold is a downset, and of
/// the ways to one only the numbers of devices count, so a downset keeps the pairs of numbers that are not
/// dominated. From each, the next device grows vertex by vertex, in ascending order so that no set comes
/// twice, and its load changes by what touches the new vertex.
///
/// It stops growing once its work and the transfers that no vertex can undo reach the limit, or once it has
/// passed over so much that the devices left could not do the rest.
///
/// It does not end where one more vertex v still fits and is safe: v's transfers, were it to leave the rest,
/// cost no more than its work. For whichever later device holds v then is no busier without it. Loads are
/// submodular in the set held, so where v does not raise the load either, it never will, whatever joins
/// first, and v is taken at once.
class max_load_search {
public:
    enum class verdict : std::uint8_t { found, none, stopped };

    max_load_search(const max_load_costs& costs, const downset_lattice& lattice, spending& effort)
        : costs_(costs), lattice_(lattice), effort_(effort), whole_(lattice.whole()),
          held_before_(costs.transfer_cost.size()), held_(costs.transfer_cost.size()) {
        measure();
    }

    /// Looks for a plan whose loads are all below `limit`.
    [[nodiscard]] verdict operator()(ticks limit) {
        limit_ = limit;
        ways_.clear();
        first_way_.assign(lattice_.size(), none);
        path_.clear();
        std::fill(held_before_.begin(), held_before_.end(), graph::index{0});
        way_of_plan_ = none;
        record(0, {});
        for (graph::index set = 0; set < whole_; ++set) {
            if (set != 0) {
                return_to_parent(set);
                step_into(set);
            }
            if (first_way_[set] == none) continue;
            choose_ways(set);
            begin_ = set;
            if (can_add_accelerator_ && !grow_accelerator(set, 0, -cut_[set], 0, 0)) break;
            if (can_add_cpu_ && !grow_cpu(set, 0, 0)) break;
        }
        if (way_of_plan_ != none) return verdict::found;
        return effort_.exhausted() ? verdict::stopped : verdict::none;
    }

    /// The plan that was found.
    [[nodiscard]] std::vector<draft_share> plan() const {
        std::vector<draft_share> shares;
        std::vector<std::uint8_t> before(costs_.size());
        for (std::uint32_t way = way_of_plan_; ways_[way].from != none; way = ways_[way].from) {
            const way_here& end = ways_[way];
            const way_here& start = ways_[end.from];
            std::fill(before.begin(), before.end(), std::uint8_t{0});
            for (graph::index s = start.set; s != 0; s = lattice_.parent(s)) before[lattice_.highest(s)] = 1;
            draft_share share{end.cpus > start.cpus ? device_kind::cpu : device_kind::accelerator, {}};
            for (graph::index s = end.set; s != 0; s = lattice_.parent(s))
                if (before[lattice_.highest(s)] == 0) share.vertices.push_back(lattice_.highest(s));
            shares.push_back(std::move(share));
        }
        std::reverse(shares.begin(), shares.end());
        return shares;
    }

private:
    static constexpr std::uint32_t none = graph::none;

    // How many devices reach a downset, and from where.
    struct way_here {
        std::uint32_t from = none;
        std::uint32_t next = none; // another way to the same downset
        std::uint32_t accelerators = 0;
        std::uint32_t cpus = 0;
        graph::index set = 0;
    };
    struct growth {
        ticks base; // transfers that cross the limits of the device, less those that cross the downset's
        ticks lasting;
        ticks load;
        bool fits;
    };

    // Work, bytes and crossing transfers of every downset.
    void measure() {
        const std::size_t n = lattice_.size();
        work_.resize(n);
        cut_.resize(n);
        bytes_.resize(n);
        for (graph::index set = 1; set < n; ++set) {
            if (set % 1024 == 0 && effort_.late()) return; // then nothing is searched
            return_to_parent(set);
            const graph::index parent = lattice_.parent(set);
            const graph::index v = lattice_.highest(set);
            work_[set] = work_[parent] + costs_.accelerator[v];
            bytes_[set] = bytes_[parent] + costs_.bytes[v];
            cut_[set] = cut_[parent];
            for (const graph::index t : costs_.transfers_of(v)) {
                if (held_before_[t] == 0) cut_[set] += costs_.transfer_cost[t];
                if (held_before_[t] + 1 == costs_.transfer_size[t]) cut_[set] -= costs_.transfer_cost[t];
            }
            step_into(set);
        }
    }

    // Two halves of the walk over all downsets by number, in which `held_before_` keeps up.
    void return_to_parent(graph::index set) {
        for (; !path_.empty() && path_.back() != lattice_.parent(set); path_.pop_back())
            for (const graph::index t : costs_.transfers_of(lattice_.highest(path_.back())))
                --held_before_[t];
    }
    void step_into(graph::index set) {
        for (const graph::index t : costs_.transfers_of(lattice_.highest(set))) ++held_before_[t];
        path_.push_back(set);
    }

    [[nodiscard]] static bool dominates(const way_here& a, const way_here& b) {
        return a.accelerators <= b.accelerators && a.cpus <= b.cpus;
    }

    // Keeps a way to `set` unless it is dominated or leaves too much. False once a plan is complete.
    bool record(graph::index set, way_here way) {
        const std::size_t accelerators = costs_.accelerators - way.accelerators;
        const std::size_t cpus = costs_.cpus - way.cpus;
        // Without a CPU left, some accelerator still pays for every transfer that crosses the downset.
        const ticks paid = cpus == 0 ? cut_[set] : 0;
        if (work_[set] - paid < costs_.least_done(accelerators, cpus, limit_)) return true;
        for (std::uint32_t w = first_way_[set]; w != none; w = ways_[w].next)
            if (dominates(ways_[w], way)) return true;
        way.next = first_way_[set];
        way.set = set;
        first_way_[set] = static_cast<std::uint32_t>(ways_.size());
        ways_.push_back(way);
        if (set == whole_) way_of_plan_ = first_way_[set];
        return set != whole_;
    }

    // The ways to `set` that no other dominates, and what must be done once they have one device less.
    void choose_ways(graph::index set) {
        chosen_.clear();
        can_add_accelerator_ = can_add_cpu_ = false;
        need_ = costs_.work;
        for (std::uint32_t w = first_way_[set]; w != none; w = ways_[w].next) {
            const way_here& way = ways_[w];
            bool dominated = false;
            for (std::uint32_t o = first_way_[set]; o != none; o = ways_[o].next)
                dominated = dominated || (o != w && dominates(ways_[o], way));
            if (dominated) continue;
            chosen_.push_back(w);
            const std::size_t accelerators = costs_.accelerators - way.accelerators;
            const std::size_t cpus = costs_.cpus - way.cpus;
            if (accelerators > 0) {
                can_add_accelerator_ = true;
                need_ = std::min(need_, costs_.least_done(accelerators - 1, cpus, limit_));
            }
            if (cpus > 0) {
                can_add_cpu_ = true;
                need_ = std::min(need_, costs_.least_done(accelerators, cpus - 1, limit_));
            }
        }
    }

    bool end_device(graph::index set, device_kind kind) {
        for (const std::uint32_t w : chosen_) {
            way_here way = ways_[w];
            way.from = w;
            std::uint32_t& used = kind == device_kind::cpu ? way.cpus : way.accelerators;
            if (used == (kind == device_kind::cpu ? costs_.cpus : costs_.accelerators)) continue;
            ++used;
            if (!record(set, way)) return false;
        }
        return true;
    }

    // Whether a later device that holds `v` is no busier when `v` leaves it for the device that ends at
    // `set`.
    [[nodiscard]] bool safe(graph::index set, const downset_lattice::step& s) const {
        return costs_.supported[s.vertex] == 0 || cut_[s.downset] - cut_[set] <= costs_.accelerator[s.vertex];
    }

    [[nodiscard]] growth grown(const downset_lattice::step& s, ticks base, ticks lasting) const {
        growth g{base, lasting, 0, false};
        for (const graph::index t : costs_.transfers_of(s.vertex)) {
            if (held_before_[t] == 0) continue;
            if (held_[t] == 0) {
                g.base += costs_.transfer_cost[t];
                g.lasting += costs_.transfer_cost[t];
            }
            if (held_before_[t] + held_[t] + 1 == costs_.transfer_size[t]) g.base += costs_.transfer_cost[t];
        }
        const ticks work = work_[s.downset] - work_[begin_];
        g.load = work + g.base + cut_[s.downset];
        g.fits = costs_.supported[s.vertex] != 0 &&
                 bytes_[s.downset] - bytes_[begin_] <= costs_.memory_bytes && work + g.lasting < limit_ &&
                 need_ - work_[begin_] + g.lasting < limit_;
        return g;
    }

    // Continues the accelerator that began at `begin_` and now ends at `set`, with vertices above `last`.
    // \returns false when the search is over
    bool grow_accelerator(graph::index set, graph::index last, ticks base, ticks lasting, ticks load) {
        if (!effort_.spend_node()) return false;
        const auto steps = lattice_.steps(set);
        const std::size_t first = growths_.size();
        std::size_t from = 0;
        std::size_t to = steps.size();
        bool may_end = load < limit_ && set != begin_;
        bool taken = false;
        for (std::size_t k = 0; k < steps.size() && !taken; ++k) {
            const growth g = grown(steps[k], base, lasting);
            growths_.push_back(g);
            if (!g.fits || g.load >= limit_ || !safe(set, steps[k])) continue;
            may_end = false;
            if (g.load > load || (costs_.memory_binds && costs_.bytes[steps[k].vertex] > 0.0)) continue;
            taken = true;
            from = k;
            to = k + 1;
        }
        // A vertex to take at once that was passed over before: every set from here on lacks it.
        if (taken && steps[from].vertex < last) {
            growths_.resize(first);
            return true;
        }
        bool more = !may_end || end_device(set, device_kind::accelerator);
        for (std::size_t k = from; k < to && more; ++k) {
            const graph::index v = steps[k].vertex;
            if (v < last) continue;
            const growth g = growths_[first + k];
            if (g.fits) {
                for (const graph::index t : costs_.transfers_of(v)) ++held_[t];
                more = grow_accelerator(steps[k].downset, taken ? last : v, g.base, g.lasting, g.load);
                for (const graph::index t : costs_.transfers_of(v)) --held_[t];
            }
            // From here on `v` and all that it precedes stay out.
            if (!taken && costs_.work - costs_.work_from[v] < need_) break;
        }
        growths_.resize(first);
        return more;
    }

    // The same for a CPU, whose load is a sum.
    bool grow_cpu(graph::index set, graph::index last, ticks load) {
        if (!effort_.spend_node()) return false;
        const auto steps = lattice_.steps(set);
        bool may_end = set != begin_;
        std::size_t from = 0;
        std::size_t to = steps.size();
        bool taken = false;
        for (std::size_t k = 0; k < steps.size() && !taken; ++k) {
            const ticks cost = costs_.cpu[steps[k].vertex];
            if (load + cost >= limit_ || !safe(set, steps[k])) continue;
            may_end = false;
            if (cost > 0) continue;
            taken = true;
            from = k;
            to = k + 1;
        }
        if (taken && steps[from].vertex < last) return true;
        if (may_end && !end_device(set, device_kind::cpu)) return false;
        for (std::size_t k = from; k < to; ++k) {
            const graph::index v = steps[k].vertex;
            if (v < last) continue;
            const ticks grown = load + costs_.cpu[v];
            if (grown < limit_ && !grow_cpu(steps[k].downset, taken ? last : v, grown)) return false;
            if (!taken && costs_.work - costs_.work_from[v] < need_) break;
        }
        return true;
    }

    const max_load_costs& costs_;
    const downset_lattice& lattice_;
    spending& effort_;
    graph::index whole_;
    std::vector<ticks> work_; // by downset, as are the next two
    std::vector<ticks> cut_;  // transfers with vertices on both sides
    std::vector<double> bytes_;
    std::vector<graph::index> path_; // of the walk: downsets, each the parent of the next
    std::vector<graph::index>
        held_before_;                // vertices of each transfer in the downset where the device begins
    std::vector<graph::index> held_; // and in the device
    ticks limit_ = 0;
    std::vector<way_here> ways_;
    std::vector<std::uint32_t> first_way_; // by downset
    std::uint32_t way_of_plan_ = none;
    graph::index begin_ = 0;
    std::vector<std::uint32_t> chosen_;
    bool can_add_accelerator_ = false;
    bool can_add_cpu_ = false;
    ticks need_ = 0;              // accelerator work of a downset where the next device may end, at least
    std::vector<growth> growths_; // of the steps tried, a stack
};

} // namespace dovetail::placement::detail
