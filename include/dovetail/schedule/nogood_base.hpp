#pragma once
/// \file
/// Statements of which one must hold, watched as the bounds move, and new ones learned from contradictions.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/schedule/bound_trail.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::schedule::detail {

/// Nogoods over the atoms of a `bound_trail`: in each, one atom at least holds. Two of them are watched
/// (Moskewicz et al., DAC 2001). A contradiction is traced back through the reasons of the trail until one
/// atom of the current level is left: the first unique implication point (Marques-Silva and Sakallah, IEEE
/// Trans. Computers 48, 1999), on bounds instead of Booleans as in lazy clause generation (Ohrimenko, Stuckey
/// and Codish, Constraints 14, 2009). Per view only the strongest atom of a trace is kept.
class nogood_base {
public:
    explicit nogood_base(bound_trail& bounds) : bounds_(bounds) {}

    /// To be called after variables were added.
    void grow() {
        watches_.resize(bounds_.view_count());
        needed_.resize(bounds_.view_count());
        position_.resize(bounds_.view_count(), nowhere);
        is_traced_.resize(bounds_.view_count(), false);
    }

    /// Adds a nogood that stays, at the root or over variables of which nothing is known yet; false when it
    /// fails.
    bool add(array_view<const atom> atoms) {
        kept_.clear();
        for (const atom& a : atoms) {
            if (bounds_.holds(a)) return true;
            if (!bounds_.fails(a)) kept_.push_back(a);
        }
        if (kept_.empty()) return false;
        if (kept_.size() == 1) return bounds_.tighten(kept_.front(), {});
        attach(store(kept_, 0));
        return true;
    }

    /// What follows from the nogoods when `x` has been raised; false on a contradiction.
    bool propagate(view x) {
        const view failing = x ^ 1U;
        std::vector<watch>& list = watches_[failing];
        const ticks most = bounds_.most(failing);
        std::size_t keep = 0;
        for (std::size_t k = 0; k < list.size(); ++k) {
            watch w = list[k];
            if (w.least <= most || bounds_.holds(w.other)) {
                list[keep++] = w;
                continue;
            }
            const array_view<atom> atoms = atoms_of(w.nogood);
            if (atoms[0].of == failing) std::swap(atoms[0], atoms[1]);
            w.other = atoms[0];
            if (bounds_.holds(atoms[0])) {
                list[keep++] = w;
                continue;
            }
            const auto next =
                std::find_if(atoms.begin() + 2, atoms.end(), [&](atom a) { return !bounds_.fails(a); });
            if (next != atoms.end()) {
                std::swap(atoms[1], *next);
                watches_[atoms[1].of].push_back({atoms[1].least, w.nogood, atoms[0]});
                continue;
            }
            list[keep++] = w;
            if (bounds_.tighten(atoms[0], {.nogood = w.nogood})) continue;
            while (++k < list.size()) list[keep++] = list[k];
            list.resize(keep);
            return false;
        }
        list.resize(keep);
        return true;
    }

    /// Learns from the contradiction that `bound_trail::tighten` met, goes back to the last level at which
    /// the new nogood has one atom left, and makes that hold. `seen` is called with every view that took
    /// part. False where the contradiction is one of the root.
    template <class Seen>
    bool learn(const Seen& seen) {
        open_ = 0;
        trace(bounds_.conflict(), nowhere, bounds_.contradicted().least);
        need(negated(bounds_.contradicted()));
        if (open_ == 0 && !go_to_contradiction()) return false;
        std::uint32_t at = static_cast<std::uint32_t>(bounds_.steps().size());
        for (;;) {
            do --at;
            while (position_[bounds_.steps()[at].of] != at);
            const bound_trail::step& s = bounds_.steps()[at];
            seen(s.of);
            if (open_ == 1) break;
            const ticks least = needed_[s.of];
            position_[s.of] = nowhere;
            --open_;
            trace(s.because, s.of, least);
        }
        const view asserting = bounds_.steps()[at].of;
        kept_.clear();
        kept_.push_back(negated({asserting, needed_[asserting]}));
        // What follows from the rest of the trace need not be said.
        std::size_t second_level = 0;
        for (const view x : traced_) {
            if (position_[x] == nowhere || x == asserting) continue;
            seen(x);
            if (follows(x)) continue;
            const std::size_t level = bounds_.level_of(position_[x]);
            kept_.push_back(negated({x, needed_[x]}));
            if (level > second_level) {
                second_level = level;
                std::swap(kept_[1], kept_.back());
            }
        }
        levels_.clear();
        for (std::size_t k = 1; k < kept_.size(); ++k)
            levels_.push_back(bounds_.level_of(position_[kept_[k].of ^ 1U]));
        std::sort(levels_.begin(), levels_.end());
        const auto distinct = std::unique(levels_.begin(), levels_.end()) - levels_.begin();
        for (const view x : traced_) {
            position_[x] = nowhere;
            is_traced_[x] = false;
        }
        traced_.clear();

        bounds_.back_to(second_level);
        if (kept_.size() == 1) {
            DOVETAIL_ASSERT(bounds_.level() == 0, "what always holds is learned at the root");
            const bool sound = bounds_.tighten(kept_[0], {});
            DOVETAIL_ASSERT(sound, "a learned atom does not fail");
            static_cast<void>(sound);
            return true;
        }
        const std::uint32_t nogood = store(kept_, static_cast<std::uint32_t>(distinct) + 1);
        attach(nogood);
        ++learned_;
        const bool sound = bounds_.tighten(kept_[0], {.nogood = nogood});
        DOVETAIL_ASSERT(sound, "a learned atom does not fail");
        static_cast<void>(sound);
        return true;
    }

    /// Adds a nogood of which all atoms fail, above the root: a contradiction to learn from.
    void contradict(array_view<const atom> atoms) {
        DOVETAIL_ASSERT(atoms.size() >= 2, "two atoms are watched");
        kept_.assign(atoms.begin(), atoms.end());
        // The atoms that failed last are watched.
        const auto failed = [&](atom a) {
            return bounds_.holds_at_root(negated(a)) ? -1 : std::int64_t{bounds_.cause(negated(a))};
        };
        std::sort(kept_.begin(), kept_.end(), [&](atom a, atom b) { return failed(a) > failed(b); });
        const std::uint32_t nogood = store(kept_, static_cast<std::uint32_t>(kept_.size()));
        attach(nogood);
        ++learned_;
        static_cast<void>(bounds_.tighten(kept_.front(), {.nogood = nogood}));
    }

    /// Nogoods learned and not yet forgotten.
    [[nodiscard]] std::size_t learned() const noexcept { return learned_; }

    /// Forgets the half of the learned nogoods that span most levels (Audemard and Simon, IJCAI 2009), of
    /// equals the older. Those that are reasons of the trail stay, and those that span no more than two
    /// levels unless they alone are more than `limit`. \complexity O(size of all nogoods).
    void forget(std::size_t limit) {
        std::vector<bool> is_reason(entries_.size(), false);
        for (const bound_trail::step& s : bounds_.steps())
            if (s.because.nogood != nowhere) is_reason[s.because.nogood] = true;
        std::vector<std::uint32_t> spans;
        for (const entry& e : entries_)
            if (e.span > 2) spans.push_back(e.span);
        std::size_t long_ones = spans.size() - spans.size() / 2; // to forget
        std::size_t short_ones = learned_ - spans.size() > limit ? learned_ - spans.size() - limit : 0;
        const auto middle = spans.begin() + static_cast<std::ptrdiff_t>(spans.size() / 2);
        if (middle != spans.end()) std::nth_element(spans.begin(), middle, spans.end());
        const std::uint32_t bar = middle != spans.end() ? *middle : nowhere;

        const std::vector<entry> old_entries = std::exchange(entries_, {});
        const std::vector<atom> old_atoms = std::exchange(atoms_, {});
        for (auto& list : watches_) list.clear();
        std::vector<std::uint32_t> moved(old_entries.size(), nowhere);
        learned_ = 0;
        for (std::size_t k = 0; k < old_entries.size(); ++k) {
            const entry& e = old_entries[k];
            std::size_t& surplus = e.span > 2 ? long_ones : short_ones;
            const bool weak = e.span > 2 ? e.span >= bar : e.span > 0;
            if (weak && surplus > 0 && !is_reason[k]) {
                --surplus;
                continue;
            }
            moved[k] = store(array_view(old_atoms).subspan(e.begin, e.end - e.begin), e.span);
            attach(moved[k]);
            learned_ += e.span > 0 ? 1 : 0;
        }
        bounds_.renumber(moved);
    }

private:
    struct entry {
        std::uint32_t begin, end;
        std::uint32_t span; // levels when it was learned; 0 for one that stays
    };
    struct watch {
        ticks least;
        std::uint32_t nogood;
        atom other; // while it holds there is nothing to do
    };

    [[nodiscard]] array_view<atom> atoms_of(std::uint32_t nogood) {
        const entry& e = entries_[nogood];
        return array_view(atoms_).subspan(e.begin, e.end - e.begin);
    }
    std::uint32_t store(array_view<const atom> atoms, std::uint32_t span) {
        const auto begin = static_cast<std::uint32_t>(atoms_.size());
        atoms_.insert(atoms_.end(), atoms.begin(), atoms.end());
        entries_.push_back({begin, static_cast<std::uint32_t>(atoms_.size()), span});
        return static_cast<std::uint32_t>(entries_.size() - 1);
    }
    void attach(std::uint32_t nogood) {
        const array_view<const atom> atoms = atoms_of(nogood);
        watches_[atoms[0].of].push_back({atoms[0].least, nogood, atoms[1]});
        watches_[atoms[1].of].push_back({atoms[1].least, nogood, atoms[0]});
    }

    // A contradiction may have been there for some levels; false when it was at the root.
    bool go_to_contradiction() {
        std::uint32_t newest = 0;
        if (traced_.empty()) return false;
        for (const view x : traced_) newest = std::max(newest, position_[x]);
        bounds_.back_to(bounds_.level_of(newest));
        for (const view x : traced_)
            if (position_[x] >= bounds_.level_begin()) ++open_;
        return true;
    }
    // Marks an atom that holds as part of the trace.
    void need(atom a) {
        if (bounds_.holds_at_root(a)) return;
        std::uint32_t& position = position_[a.of];
        if (position != nowhere && needed_[a.of] >= a.least) return;
        const std::uint32_t cause = bounds_.cause(a);
        const std::size_t current = bounds_.level_begin();
        if (cause >= current && (position == nowhere || position < current)) ++open_;
        if (!is_traced_[a.of]) traced_.push_back(a.of);
        is_traced_[a.of] = true;
        position = cause;
        needed_[a.of] = a.least;
    }
    // Marks what makes `x` at least `least`.
    void trace(const bound_trail::reason& r, view x, ticks least) {
        each(r, x, least, [&](atom a) {
            need(a);
            return true;
        });
    }
    // Calls `visit` with every atom of a reason until it returns false.
    template <class Visit>
    bool each(const bound_trail::reason& r, view x, ticks least, const Visit& visit) {
        if (r.nogood != nowhere) {
            for (const atom& a : atoms_of(r.nogood))
                if (a.of != x && !visit(negated(a))) return false;
            return true;
        }
        for (const atom& a : bounds_.stored(r))
            if (!visit(a)) return false;
        return r.source == nowhere || visit({r.source, least + r.offset});
    }
    // Whether the other atoms of the trace already imply the one of `x`.
    bool follows(view x) {
        const bound_trail::reason& r = bounds_.steps()[position_[x]].because;
        if (r.nogood == nowhere && r.begin == r.end && r.source == nowhere) return false; // a decision
        return each(r, x, needed_[x], [&](atom a) {
            return bounds_.holds_at_root(a) || (position_[a.of] < position_[x] && needed_[a.of] >= a.least);
        });
    }

    bound_trail& bounds_;
    std::vector<entry> entries_;
    std::vector<atom> atoms_;
    std::vector<std::vector<watch>> watches_; // by the view of the watched atom
    std::size_t learned_ = 0;

    std::vector<ticks> needed_;           // of a view that is traced: how much
    std::vector<std::uint32_t> position_; // the step that gives it
    std::vector<view> traced_;
    std::vector<bool> is_traced_;
    std::size_t open_ = 0; // traced steps of the current level
    std::vector<atom> kept_;
    std::vector<std::size_t> levels_;
};

} // namespace dovetail::schedule::detail
