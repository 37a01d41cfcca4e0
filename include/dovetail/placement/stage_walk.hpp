#pragma once
/// \file
/// All stages that a device may take after a downset, but for those that a larger one makes needless.

#include <dovetail/core/budget.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/placement/class_pipeline.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace dovetail::placement::detail {

// Walks the downsets J that contain a given one, I, and whose stage J \ I loads a device below a limit.
//
// The load of an accelerator is the work of its stage plus the cut f of the stage: the cost of the transfers
// that have classes inside and outside. f is symmetric and submodular. Three rules follow.
// - Let v be free to join J, with f(J + v) - f(J) <= work(v). In any plan that continues from J, moving v
//   into the stage just made changes one other load, by at most f(J + v) - f(J) - work(v). So J is needless
//   if the stage can take v as well; v is called welcome.
// - What v adds to the load shrinks as J grows, and a welcome v stays welcome. So where v is welcome and
//   adds nothing, all sets without it are needless.
// - Transfers that reach into I, or to a class that is left out for good, stay cut.
class stage_walk {
public:
    explicit stage_walk(const class_pipeline& problem)
        : problem_(problem), before_(problem.net_size.size(), 0), inside_(problem.net_size.size(), 0),
          left_out_(problem.net_size.size(), 0), waits_for_(problem.size(), 0) {}

    // \param sink called as sink(added, sums, cut): the classes of J \ I, the sums of J, f(J)
    // \param needed_work J is worthless unless it holds this much work
    // \returns false when the budget ended first
    template <device_kind Kind, class Sink>
    [[nodiscard]] bool run(std::span<const std::uint64_t> from, double limit, double needed_work,
                           spending& spent, const Sink& sink) {
        limit_ = limit;
        needed_ = needed_work - 1e-9 * (1.0 + problem_.total.work_s);
        enter(from);
        if (!open<Kind>(spent, sink)) return false;
        while (!frames_.empty()) {
            frame& f = frames_.back();
            if (f.next == f.stop) {
                leave();
                continue;
            }
            const candidate k = candidates_[f.next++];
            if (k.banned) continue;
            if (worth<Kind>(f, k)) {
                take(k);
                if (!open<Kind>(spent, sink)) return false;
            } else {
                leave_out(f);
            }
        }
        return true;
    }

private:
    struct candidate {
        graph::index v;
        bool banned;   // left out for good
        double load_s; // of the stage with v
        double cut_s;  // f(J + v)
    };
    struct frame {
        std::size_t first = 0; // its candidates: the classes that are free to join, banned ones included
        std::size_t next = 0;
        std::size_t stop = 0;
        std::size_t bans = 0; // how many were banned before
        double load_s = 0.0;
        double kept_s = 0.0; // transfers of the stage that stay cut, whatever joins
        double cut_s = 0.0;
        double size_bytes = 0.0; // of the stage
        class_sums sums{};       // of J
    };

    void enter(std::span<const std::uint64_t> from) {
        std::fill(before_.begin(), before_.end(), 0);
        std::fill(inside_.begin(), inside_.end(), 0);
        std::fill(left_out_.begin(), left_out_.end(), 0);
        frames_.clear();
        candidates_.clear();
        bans_.clear();
        added_.clear();
        const auto holds = [&](graph::index v) { return (from[v / 64] >> (v % 64) & 1) != 0; };
        frame root;
        for (graph::index v = 0; v < problem_.size(); ++v) {
            if (holds(v)) {
                root.sums.add(problem_.classes[v]);
                for (const auto& i : problem_.nets(v)) ++before_[i.net];
                continue;
            }
            waits_for_[v] = 0;
            for (const graph::index u : problem_.order.predecessors(v)) waits_for_[v] += holds(u) ? 0U : 1U;
            if (waits_for_[v] == 0) candidates_.push_back({v, false, 0.0, 0.0});
        }
        for (graph::index h = 0; h < before_.size(); ++h)
            if (before_[h] != 0 && before_[h] != problem_.net_size[h]) root.cut_s += problem_.net_cost[h];
        start_work_ = root.sums.work_s;
        frames_.push_back(root);
    }

    // Looks at all candidates of the last frame, reports its set unless it is needless, and finds what it may
    // branch on. \returns false when the budget ended.
    template <device_kind Kind, class Sink>
    [[nodiscard]] bool open(spending& spent, const Sink& sink) {
        if (!spent.spend_node()) return false;
        frame& f = frames_.back();
        f.next = f.first;
        f.stop = candidates_.size();
        bool needless = false;
        for (std::size_t c = f.first; c < candidates_.size(); ++c) {
            candidate& k = candidates_[c];
            const class_costs& costs = problem_.classes[k.v];
            const auto [more_cut, more_load] = marginal<Kind>(k.v);
            k.cut_s = f.cut_s + more_cut;
            const bool takes = Kind == device_kind::cpu ||
                               (costs.supported && f.size_bytes + costs.size_bytes <= problem_.memory_bytes);
            k.load_s = takes ? f.load_s + more_load : std::numeric_limits<double>::infinity();
            // What no accelerator supports loads a CPU in any case.
            const bool welcome = takes && (more_cut <= costs.work_s || !costs.supported);
            if (!welcome) continue;
            needless = needless || k.load_s < limit_;
            const bool takes_no_room =
                Kind == device_kind::cpu || !problem_.memory_binds || costs.size_bytes == 0.0;
            if (more_load > 0.0 || !takes_no_room) continue;
            // v belongs to whatever follows: where it is banned, nothing does.
            f.next = c;
            f.stop = k.banned ? c : c + 1;
            break;
        }
        if (!needless && f.load_s < limit_ && !added_.empty())
            sink(std::span<const graph::index>(added_), f.sums, f.cut_s);
        return true;
    }

    struct margins {
        double cut_s;
        double load_s;
    };

    // What `v` adds to f(J) and to the load.
    template <device_kind Kind>
    [[nodiscard]] margins marginal(graph::index v) const {
        margins m{0.0, Kind == device_kind::cpu ? problem_.classes[v].cpu_s : problem_.classes[v].work_s};
        for (const auto& i : problem_.nets(v)) {
            const graph::index in = inside_[i.net];
            const graph::index all = before_[i.net] + in;
            const graph::index size = problem_.net_size[i.net];
            if (all == 0) m.cut_s += i.cost_s;
            if (all + 1 == size) m.cut_s -= i.cost_s;
            if constexpr (Kind == device_kind::accelerator) {
                if (in == 0) m.load_s += i.cost_s;
                if (in + 1 == size) m.load_s -= i.cost_s;
            }
        }
        return m;
    }

    // Whether any set with the candidate can be of use.
    template <device_kind Kind>
    [[nodiscard]] bool worth(const frame& f, const candidate& k) const {
        if constexpr (Kind == device_kind::cpu) return k.load_s < limit_;
        if (k.load_s == std::numeric_limits<double>::infinity()) return false;
        const double kept = kept_with(f, k.v);
        const double work = f.sums.work_s + problem_.classes[k.v].work_s - start_work_;
        return work + kept < limit_ && start_work_ + limit_ - kept > needed_;
    }

    [[nodiscard]] double kept_with(const frame& f, graph::index v) const {
        double kept = f.kept_s;
        for (const auto& i : problem_.nets(v))
            if (inside_[i.net] == 0 && (before_[i.net] != 0 || left_out_[i.net] != 0)) kept += i.cost_s;
        return kept;
    }

    void take(const candidate& k) {
        const frame& f = frames_.back();
        frame next;
        next.first = candidates_.size();
        next.bans = bans_.size();
        next.load_s = k.load_s;
        next.kept_s = kept_with(f, k.v);
        next.cut_s = k.cut_s;
        next.size_bytes = f.size_bytes + problem_.classes[k.v].size_bytes;
        next.sums = f.sums;
        next.sums.add(problem_.classes[k.v]);
        // The candidates stay in the order of their numbers.
        auto copy = [&, c = f.first](graph::index bound) mutable {
            for (; c < next.first && candidates_[c].v < bound; ++c)
                if (candidates_[c].v != k.v) candidates_.push_back(candidates_[c]);
        };
        for (const graph::index w : problem_.order.successors(k.v))
            if (--waits_for_[w] == 0) {
                copy(w);
                candidates_.push_back({w, false, 0.0, 0.0});
            }
        copy(graph::none);
        for (const auto& i : problem_.nets(k.v)) ++inside_[i.net];
        added_.push_back(k.v);
        frames_.push_back(next);
    }

    // Ends the last frame; what it added is left out of the sets that follow.
    void leave() {
        candidates_.resize(frames_.back().first);
        unban(frames_.back().bans);
        frames_.pop_back();
        if (frames_.empty()) return;
        const graph::index v = added_.back();
        added_.pop_back();
        for (const graph::index w : problem_.order.successors(v)) ++waits_for_[w];
        for (const auto& i : problem_.nets(v)) --inside_[i.net];
        leave_out(frames_.back());
    }

    void leave_out(frame& f) {
        candidate& k = candidates_[f.next - 1];
        k.banned = true;
        bans_.push_back(k.v);
        for (const auto& i : problem_.nets(k.v))
            if (left_out_[i.net]++ == 0 && before_[i.net] == 0 && inside_[i.net] != 0) f.kept_s += i.cost_s;
        const bool enough_left = problem_.total.work_s - problem_.classes[k.v].depending_s >= needed_;
        if (!enough_left) f.next = f.stop;
    }

    void unban(std::size_t keep) {
        for (; bans_.size() > keep; bans_.pop_back())
            for (const auto& i : problem_.nets(bans_.back())) --left_out_[i.net];
    }

    const class_pipeline& problem_;
    std::vector<graph::index> before_;    // classes of a transfer that lie in I
    std::vector<graph::index> inside_;    // in J \ I
    std::vector<graph::index> left_out_;  // banned
    std::vector<graph::index> waits_for_; // predecessors outside J
    std::vector<frame> frames_;
    std::vector<candidate> candidates_;
    std::vector<graph::index> bans_;
    std::vector<graph::index> added_;
    double limit_ = 0.0;
    double needed_ = 0.0;
    double start_work_ = 0.0;
};

} // namespace dovetail::placement::detail
