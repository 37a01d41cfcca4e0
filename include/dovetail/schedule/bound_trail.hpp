#pragma once
/// \file
/// Bounds of whole numbers that remember why they hold, and can be taken back.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// Time in whole units of a `tick_scale`, and every other quantity of the search.
using ticks = std::int64_t;

/// A variable x or its negative -x, so that every bound is a lower one: 2k is the k-th variable, 2k + 1 its
/// negative.
using view = std::uint32_t;

inline constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

/// The statement that a view is at least a number.
struct atom {
    view of{};
    ticks least{};

    friend constexpr bool operator==(const atom&, const atom&) = default;
};

/// Its opposite: not x >= 5 is -x >= -4.
[[nodiscard]] constexpr atom negated(atom a) noexcept { return {a.of ^ 1U, 1 - a.least}; }

/// The lower bounds of all views as a stack of steps in levels. A step names the statements that it follows
/// from: a nogood, or a list of atoms and one more whose number follows from the one that is asked for.
class bound_trail {
public:
    struct reason {
        std::uint32_t nogood = nowhere;   ///< all others of its atoms fail
        std::uint32_t begin = 0, end = 0; ///< in `stored`
        view source = nowhere;            ///< together with `source >= least + offset`, where `least` is
        ticks offset = 0;                 ///< what the step is asked to explain
    };
    struct step {
        view of;
        std::uint32_t previous; // of the same view
        ticks before;           // its bound until then
        reason because;
    };

    /// Makes a variable in [least, most] and returns its view. Only at the root.
    view add(ticks least, ticks most) {
        const auto x = static_cast<view>(least_.size());
        least_.insert(least_.end(), {least, -most});
        root_.insert(root_.end(), {least, -most});
        last_.insert(last_.end(), {nowhere, nowhere});
        return x;
    }

    [[nodiscard]] std::size_t view_count() const noexcept { return least_.size(); }
    [[nodiscard]] ticks least(view x) const { return least_[x]; }
    [[nodiscard]] ticks most(view x) const { return -least_[x ^ 1U]; }
    [[nodiscard]] bool holds(atom a) const { return least_[a.of] >= a.least; }
    [[nodiscard]] bool fails(atom a) const { return -least_[a.of ^ 1U] < a.least; }
    [[nodiscard]] bool holds_at_root(atom a) const { return root_[a.of] >= a.least; }

    [[nodiscard]] array_view<const step> steps() const noexcept { return steps_; }
    [[nodiscard]] std::size_t level() const noexcept { return levels_.size(); }
    /// The first step of the current level.
    [[nodiscard]] std::size_t level_begin() const { return levels_.empty() ? 0 : levels_.back().step; }
    /// The level of a step: 1 is the first above the root.
    [[nodiscard]] std::size_t level_of(std::size_t position) const {
        std::size_t low = 0, high = levels_.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (levels_[middle].step <= position)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
    [[nodiscard]] array_view<const atom> stored(const reason& r) const {
        return array_view(stored_).subspan(r.begin, r.end - r.begin);
    }
    /// The step that made `a` hold, which it does, but not yet at the root.
    [[nodiscard]] std::uint32_t cause(atom a) const {
        std::uint32_t position = last_[a.of];
        while (steps_[position].before >= a.least) position = steps_[position].previous;
        return position;
    }

    /// Adds `a` to the reason that is being written, unless it always holds.
    void because(atom a) {
        DOVETAIL_ASSERT(holds(a), "a reason holds");
        if (!holds_at_root(a)) stored_.push_back(a);
    }
    /// The reason written since the last step.
    [[nodiscard]] reason written() {
        const reason r{nowhere, written_, static_cast<std::uint32_t>(stored_.size()), nowhere, 0};
        written_ = r.end;
        return r;
    }

    /// Raises the bound of `a.of`, which does not hold yet; false when that contradicts the bound of its
    /// negative: `conflict` then tells why.
    bool tighten(atom a, const reason& r) {
        if (fails(a)) {
            conflict_ = r;
            contradicted_ = a;
            return false;
        }
        if (levels_.empty()) root_[a.of] = a.least;
        steps_.push_back({a.of, last_[a.of], least_[a.of], r});
        last_[a.of] = static_cast<std::uint32_t>(steps_.size() - 1);
        least_[a.of] = a.least;
        return true;
    }
    /// What `tighten` failed to make hold, and the reason for it.
    [[nodiscard]] atom contradicted() const noexcept { return contradicted_; }
    [[nodiscard]] const reason& conflict() const noexcept { return conflict_; }

    /// Gives the nogoods of all reasons their new numbers.
    void renumber(array_view<const std::uint32_t> moved) {
        for (step& s : steps_)
            if (s.because.nogood != nowhere) s.because.nogood = moved[s.because.nogood];
    }

    /// Opens a level; what held before the first one is the root, which is never taken back or explained.
    void open_level() {
        if (levels_.empty()) {
            for (const step& s : steps_) last_[s.of] = nowhere;
            steps_.clear();
            stored_.clear();
            written_ = 0;
        }
        levels_.push_back({steps_.size(), stored_.size()});
    }
    /// Takes back all levels above `level`.
    void back_to(std::size_t level) {
        if (level >= levels_.size()) return;
        const mark m = levels_[level];
        while (steps_.size() > m.step) {
            const step& s = steps_.back();
            least_[s.of] = s.before;
            last_[s.of] = s.previous;
            steps_.pop_back();
        }
        stored_.resize(m.stored);
        written_ = static_cast<std::uint32_t>(m.stored);
        levels_.resize(level);
    }

private:
    struct mark {
        std::size_t step, stored;
    };

    std::vector<ticks> least_, root_;
    std::vector<std::uint32_t> last_;
    std::vector<step> steps_;
    std::vector<mark> levels_;
    std::vector<atom> stored_;
    std::uint32_t written_ = 0;
    atom contradicted_{};
    reason conflict_{};
};

} // namespace dovetail::schedule::detail
