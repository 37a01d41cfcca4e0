#pragma once
/// \file
/// Search over the beginnings of schedules, one task longer at every level.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/budget.hpp>
#include <dovetail/schedule/noticed.hpp>
#include <dovetail/schedule/outlook.hpp>
#include <dovetail/schedule/partial_schedule.hpp>
#include <dovetail/schedule/small_block.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dovetail::schedule::detail {

/// Dynamic programming over the sets of tasks that have started. Every schedule starts its tasks in some
/// order, each as soon as the order, its predecessors and the resources allow; so level k holds partial
/// schedules of k tasks, and of those with the same tasks only such as no other dominates (see `noticed`). A
/// partial schedule is left where its `outlook` is too long, and it is not extended
///   - by a task that starts no earlier than another could have ended: that one goes first, without loss;
///   - by a task where another may stand in for it (`small_block::task::stand_ins`);
///   - by any other than a harmless one (`outlook::harmless`), where there is such.
/// A layer has many operators and few sets of them that begin a schedule. A level that is wider than `width`
/// keeps those with the least bounds. The memory is kept from one use to the next.
class cutset_search {
public:
    /// The best schedule found, and what no schedule beats.
    struct outcome {
        ticks makespan; ///< `small_block::never` where none was found
        ticks bound;    ///< no other schedule is shorter, or it is longer than the limit
    };

    /// Looks for the shortest schedule of at most `limit`. Every partial schedule that is extended is a node.
    /// \complexity O(nodes * tasks^2 * resources), and as much memory as the two widest levels.
    outcome operator()(const small_block& block, ticks limit, std::size_t width, spending& spent) {
        steps_.clear();
        bound_ = limit + 1;
        now_.assign(1, {.started = 0, .front = 0, .bound = outlook_(block, {}, limit)});
        running_.clear();
        for (std::size_t level = 0; level < block.size() && !now_.empty(); ++level) {
            narrow(width);
            next_.clear();
            next_running_.clear();
            for (std::uint32_t k = 0; k < now_.size(); ++k) {
                if (spent.spend_node())
                    extend(block, k);
                else
                    bound_ = std::min(bound_, now_[k].bound);
            }
            keep_best(block, limit, spent);
        }
        outcome found{small_block::never, bound_};
        for (std::uint32_t k = 0; k < now_.size(); ++k) {
            const ticks end = begun(now_[k], running_).last_end();
            if (end >= found.makespan) continue;
            found.makespan = end;
            trace_back(block, now_[k].origin);
        }
        found.bound = std::min(found.bound, found.makespan);
        return found;
    }

    /// Of the schedule found: when every task starts.
    [[nodiscard]] array_view<const ticks> start() const noexcept { return start_; }
    /// Of the schedule found: the mode of every task in the problem.
    [[nodiscard]] array_view<const std::uint32_t> mode() const noexcept { return mode_; }

private:
    // A partial schedule of a level.
    struct label {
        task_set started;
        ticks front;
        ticks bound; // of the completions
        std::uint32_t first_running = 0, running_count = 0;
        std::uint32_t way = outlook::no_way;      // of the last start
        std::uint32_t harmless = outlook::no_way; // a way to go on, the only one that is needed
        std::uint32_t origin = no_step;           // the last start, or of the next level the one before
    };
    // A start of a task: the last one of a partial schedule, and the one before it.
    struct step {
        std::uint32_t before;
        std::uint32_t way;
        ticks start;
    };
    struct choice {
        ticks start, end;
        std::uint32_t way;
    };
    // Where a label stands in the next level: behind those with the same tasks that may dominate it.
    struct place {
        task_set started;
        ticks front;
        std::uint32_t number;

        // NOLINTNEXTLINE(modernize-use-nullptr): the 0 that the comparison is made with
        auto operator<=>(const place&) const = default;
    };
    static constexpr std::uint32_t no_step = std::numeric_limits<std::uint32_t>::max();

    [[nodiscard]] static partial_schedule begun(const label& l, const std::vector<running_task>& running) {
        return {l.started, l.front, array_view(running).subspan(l.first_running, l.running_count)};
    }

    // Leaves those of least bound.
    void narrow(std::size_t width) {
        if (now_.size() <= width) return;
        const auto end = now_.begin() + static_cast<std::ptrdiff_t>(width);
        std::nth_element(now_.begin(), end, now_.end(), [](const label& a, const label& b) {
            return a.bound < b.bound || (a.bound == b.bound && a.origin < b.origin);
        });
        for (auto l = end; l != now_.end(); ++l) bound_ = std::min(bound_, l->bound);
        now_.erase(end, now_.end());
    }

    void extend(const small_block& block, std::uint32_t number) {
        const partial_schedule from = begun(now_[number], running_);
        const std::uint32_t harmless = now_[number].harmless;
        if (harmless != outlook::no_way) {
            const ticks length = block.ways(harmless).length;
            add(block, from, number, {from.front, from.front + length, harmless});
            return;
        }
        const room free(block, from);
        choices_.clear();
        ticks first_end = small_block::never;
        task_set eligible = 0;
        for_each(block.all() & ~from.started, [&](std::size_t v) {
            if ((block[v].before & ~from.started) != 0) return;
            eligible |= task_set{1} << v;
            ready_[v] = ready_at(block, from, v);
            for (std::uint32_t k = block[v].first_way; k < block[v].way_end; ++k) {
                const ticks start = std::max(ready_[v], free.fits_from(block.ways(k).use));
                const ticks end = start + block.ways(k).length;
                choices_.push_back({start, end, k});
                first_end = std::min(first_end, end);
            }
        });
        for (const choice& c : choices_) {
            if (c.start >= first_end && c.end > first_end) continue;
            bool replaced = false;
            for_each(block[block.ways(c.way).task].stand_ins & eligible,
                     [&](std::size_t u) { replaced |= ready_[u] <= c.start; });
            if (!replaced) add(block, from, number, c);
        }
    }

    // Adds `from` and one more start to the next level.
    void add(const small_block& block, const partial_schedule& from, std::uint32_t number, const choice& c) {
        const std::uint8_t v = block.ways(c.way).task;
        label l{.started = from.started | task_set{1} << v,
                .front = c.start,
                .bound = now_[number].bound,
                .first_running = static_cast<std::uint32_t>(next_running_.size()),
                .way = c.way,
                .origin = now_[number].origin};
        bool placed = c.end <= c.start;
        for (const running_task& t : from.running) {
            if (t.end <= c.start) continue;
            if (!placed && t.end > c.end) {
                next_running_.push_back({c.end, c.way});
                placed = true;
            }
            next_running_.push_back(t);
        }
        if (!placed) next_running_.push_back({c.end, c.way});
        l.running_count = static_cast<std::uint32_t>(next_running_.size()) - l.first_running;
        next_.push_back(l);
    }

    // Makes the next level this one, without what is dominated or too long; when the seconds are over,
    // without what has not been looked at.
    void keep_best(const small_block& block, ticks limit, spending& spent) {
        places_.clear();
        for (std::uint32_t k = 0; k < next_.size(); ++k)
            places_.push_back({next_[k].started, next_[k].front, k});
        std::sort(places_.begin(), places_.end());
        now_.clear();
        running_.swap(next_running_);
        task_set started = 0;
        bool late = false;
        for (std::size_t k = 0; k < places_.size(); ++k) {
            const place& p = places_[k];
            late = late || (k % 1024 == 1023 && spent.late());
            if (late) {
                bound_ = std::min(bound_, next_[p.number].bound);
                continue;
            }
            if (p.started != started) {
                started = p.started;
                noticed_.assign(block, started);
                numbers_.clear();
            }
            label& l = next_[p.number];
            const partial_schedule b = begun(l, running_);
            const std::size_t kept = numbers_.size();
            noticed_.append(b, numbers_);
            if (!is_dominated(kept)) {
                l.bound = std::max(l.bound, outlook_(block, b, limit));
                if (l.bound <= limit) {
                    steps_.push_back({l.origin, l.way, l.front});
                    l.origin = static_cast<std::uint32_t>(steps_.size() - 1);
                    l.harmless = outlook_.harmless(block, b, l.bound);
                    now_.push_back(l);
                    continue;
                }
            }
            numbers_.resize(kept);
        }
    }

    // Whether the numbers from `last` on are all at least those of one partial schedule before them.
    [[nodiscard]] bool is_dominated(std::size_t last) const {
        const ticks* const own = numbers_.data() + last;
        const std::size_t count = noticed_.count();
        for (const ticks* other = numbers_.data(); other != own; other += count) {
            std::size_t k = 0;
            while (k < count && other[k] <= own[k]) ++k;
            if (k == count) return true;
        }
        return false;
    }

    void trace_back(const small_block& block, std::uint32_t last) {
        start_.assign(block.size(), 0);
        mode_.assign(block.size(), 0);
        for (; last != no_step; last = steps_[last].before) {
            const small_block::way& w = block.ways(steps_[last].way);
            start_[w.task] = steps_[last].start;
            mode_[w.task] = w.mode;
        }
    }

    outlook outlook_;
    noticed noticed_;
    ticks bound_ = 0; // of all that was left for want of room or time
    std::vector<label> now_, next_;
    std::vector<running_task> running_, next_running_;
    std::vector<step> steps_;
    std::vector<choice> choices_;
    std::vector<place> places_;
    std::vector<ticks> numbers_; // of the partial schedules kept so far that have started the same tasks
    std::array<ticks, small_block::most_tasks> ready_{};
    std::vector<ticks> start_;
    std::vector<std::uint32_t> mode_;
};

} // namespace dovetail::schedule::detail
