#pragma once
/// \file
/// What the certain use of a resource says of starts and units, with reasons.

#include <dovetail/schedule/bound_trail.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dovetail::schedule::detail {

/// Timetable propagation of one resource: an activity certainly runs from its latest start to its earliest
/// end, and where those parts leave too little, another cannot run. Reasons name one instant, as narrow as
/// possible (Schutt, Feydy, Stuckey and Wallace, Constraints 16, 2011). Lengths and units may be variables:
/// the least of them counts.
class cumulative {
public:
    struct activity {
        view start, length, units;
    };

    cumulative(bound_trail& bounds, ticks capacity) : bounds_(bounds), capacity_(capacity) {}

    void add(const activity& a) { activities_.push_back(a); }

    [[nodiscard]] ticks capacity() const noexcept { return capacity_; }

    /// False on a contradiction. \complexity O(activities * segments).
    bool propagate() {
        do {
            build_profile();
            changed_ = false;
            for (std::uint32_t j = 0; j < activities_.size(); ++j) {
                const activity& a = activities_[j];
                if (bounds_.least(a.length) == 0) continue;
                if (bounds_.least(a.units) > 0 && !(push_right(j) && push_left(j))) return false;
                if (bounds_.most(a.units) > bounds_.least(a.units) && !limit_units(j)) return false;
            }
        } while (changed_);
        return true;
    }

private:
    struct segment {
        ticks from, to, used;
    };
    struct event {
        ticks time, change;
    };

    [[nodiscard]] ticks end(const activity& a) const {
        return bounds_.least(a.start) + bounds_.least(a.length);
    }

    void build_profile() {
        events_.clear();
        own_.resize(activities_.size());
        for (std::uint32_t j = 0; j < activities_.size(); ++j) {
            const activity& a = activities_[j];
            const ticks from = bounds_.most(a.start);
            const ticks to = end(a);
            own_[j] = {from, to, from < to ? bounds_.least(a.units) : 0};
            if (own_[j].used == 0) continue;
            events_.push_back({from, own_[j].used});
            events_.push_back({to, -own_[j].used});
        }
        std::sort(events_.begin(), events_.end(),
                  [](const event& a, const event& b) { return a.time < b.time; });
        profile_.clear();
        ticks used = 0;
        for (std::size_t k = 0; k < events_.size(); ++k) {
            used += events_[k].change;
            if (k + 1 < events_.size() && events_[k + 1].time > events_[k].time && used > 0)
                profile_.push_back({events_[k].time, events_[k + 1].time, used});
        }
    }

    // Units in a segment of the profile, which is built with j's part as it was then, without that part.
    [[nodiscard]] ticks others(std::uint32_t j, const segment& s) const {
        return s.used - (own_[j].from <= s.from && s.to <= own_[j].to ? own_[j].used : 0);
    }

    // Names activities other than j that run all through [from, to), all but some that hold `surplus` units.
    void name_others(std::uint32_t j, ticks from, ticks to, ticks surplus) {
        for (std::uint32_t i = 0; i < activities_.size(); ++i) {
            const segment& part = own_[i];
            if (i == j || part.used == 0 || part.from > from || part.to < to) continue;
            if (part.used <= surplus) {
                surplus -= part.used;
                continue;
            }
            const activity& a = activities_[i];
            const ticks length = bounds_.least(a.length);
            bounds_.because({a.start ^ 1U, -from});
            bounds_.because({a.start, to - length});
            bounds_.because({a.length, length});
            bounds_.because({a.units, part.used});
        }
    }

    bool push_right(std::uint32_t j) {
        const activity& a = activities_[j];
        const ticks length = bounds_.least(a.length);
        const ticks units = bounds_.least(a.units);
        ticks start = bounds_.least(a.start);
        auto s = std::upper_bound(profile_.begin(), profile_.end(), start,
                                  [](ticks time, const segment& part) { return time < part.to; });
        while (s != profile_.end() && s->from < start + length) {
            const ticks surplus = others(j, *s) + units - capacity_ - 1;
            if (surplus < 0 || s->to <= start) {
                ++s;
                continue;
            }
            // One instant as late as possible, but no long walk through a long segment in short steps.
            const ticks last = std::min(s->to, start + length) - 1;
            const ticks to = s->to - start > 8 * length ? s->to : last + 1;
            bounds_.because({a.start, last + 1 - length});
            bounds_.because({a.length, length});
            bounds_.because({a.units, units});
            name_others(j, last, to, surplus);
            if (!bounds_.tighten({a.start, to}, bounds_.written())) return false;
            changed_ = true;
            start = to;
        }
        return true;
    }

    bool push_left(std::uint32_t j) {
        const activity& a = activities_[j];
        const ticks length = bounds_.least(a.length);
        const ticks units = bounds_.least(a.units);
        ticks start = bounds_.most(a.start);
        auto s = std::lower_bound(profile_.begin(), profile_.end(), start + length,
                                  [](const segment& part, ticks time) { return part.from < time; });
        while (s != profile_.begin() && (s - 1)->to > start) {
            const segment& part = *(s - 1);
            const ticks surplus = others(j, part) + units - capacity_ - 1;
            if (surplus < 0 || part.from >= start + length) {
                --s;
                continue;
            }
            const ticks first = std::max(part.from, start);
            const ticks from = start + length - part.from > 8 * length ? part.from : first;
            bounds_.because({a.start ^ 1U, -first});
            bounds_.because({a.length, length});
            bounds_.because({a.units, units});
            name_others(j, from, first + 1, surplus);
            if (!bounds_.tighten({a.start ^ 1U, length - from}, bounds_.written())) return false;
            changed_ = true;
            start = from - length;
        }
        return true;
    }

    // What others hold while j certainly runs is not there for j.
    bool limit_units(std::uint32_t j) {
        const activity& a = activities_[j];
        const ticks from = bounds_.most(a.start);
        const ticks to = end(a);
        for (const segment& s : profile_) {
            if (from >= to || s.to <= from || s.from >= to) continue;
            const ticks free = capacity_ - others(j, s);
            if (bounds_.most(a.units) <= free) continue;
            const ticks length = bounds_.least(a.length);
            const ticks instant = std::max(from, s.from);
            bounds_.because({a.start ^ 1U, -instant});
            bounds_.because({a.start, instant + 1 - length});
            bounds_.because({a.length, length});
            name_others(j, instant, instant + 1, 0);
            if (!bounds_.tighten({a.units ^ 1U, -free}, bounds_.written())) return false;
            changed_ = true;
        }
        return true;
    }

    bound_trail& bounds_;
    ticks capacity_;
    std::vector<activity> activities_;
    std::vector<segment> profile_, own_;
    std::vector<event> events_;
    bool changed_ = false;
};

} // namespace dovetail::schedule::detail
