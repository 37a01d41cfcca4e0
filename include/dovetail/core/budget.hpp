#pragma once
/// \file
/// What a search may spend, nodes and seconds, and how it is asked to end sooner.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace dovetail {

/// A request to searches to end soon with their best so far. It may be made from another thread, from an
/// observer of the search, or from a signal handler, and is not taken back.
class stop_request {
public:
    void ask() noexcept { asked_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool asked() const noexcept { return asked_.load(std::memory_order_relaxed); }

private:
    // Without a lock, or a signal handler could not set it.
    static_assert(std::atomic<bool>::is_always_lock_free);
    std::atomic<bool> asked_{false};
};

/// Limits of a search; the defaults do not limit.
struct budget {
    std::int64_t nodes = std::numeric_limits<std::int64_t>::max();
    double seconds = std::numeric_limits<double>::infinity(); ///< 0 is no time at all
    const stop_request* stop = nullptr; ///< ends the search as if the seconds were over; outlives it

    /// Whether it can end a search that takes few nodes.
    [[nodiscard]] constexpr bool is_timed() const noexcept {
        return seconds < std::numeric_limits<double>::infinity() || stop != nullptr;
    }
    /// Whether the seconds are over after `spent_s` of them, or an end was asked for.
    [[nodiscard]] bool is_over(double spent_s) const noexcept {
        return spent_s >= seconds || (stop != nullptr && stop->asked());
    }
    /// What is left of it for the next part of a search, after so many seconds and nodes.
    [[nodiscard]] constexpr budget after(double spent_s, std::int64_t spent_nodes = 0) const noexcept {
        return {nodes - spent_nodes, std::max(0.0, seconds - spent_s), stop};
    }
};

/// Seconds since its construction, on a clock that never goes back.
class stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Counts what a search spends against its `budget`. Where that is timed, the clock is read, and a request to
/// stop noticed, at the first node and then about every millisecond, or at every node that takes longer.
class spending {
public:
    explicit spending(const budget& limits) noexcept : limits_(limits), is_timed_(limits.is_timed()) {}

    /// Counts one node; false once the budget is exhausted, and from then on.
    [[nodiscard]] bool spend_node() {
        if (exhausted_) return false;
        exhausted_ = ++nodes_ > limits_.nodes || (is_timed_ && --until_look_ <= 0 && look());
        return !exhausted_;
    }

    /// Reads the clock, for work between nodes that takes long; whether the budget is exhausted.
    [[nodiscard]] bool late() { return exhausted_ = is_over(); }

    /// Whether the time is over, without taking note of it: several threads may ask at once.
    [[nodiscard]] bool is_over() const {
        return exhausted_ || (is_timed_ && limits_.is_over(clock_.seconds()));
    }

    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    [[nodiscard]] std::int64_t nodes() const noexcept { return nodes_; }
    [[nodiscard]] double seconds() const { return clock_.seconds(); }

private:
    static constexpr int most_nodes_unseen = 64;
    static constexpr double quick_s = 5e-4, slow_s = 1e-3;

    bool look() {
        const double now_s = clock_.seconds();
        const double passed_s = now_s - looked_s_;
        looked_s_ = now_s;
        if (passed_s < quick_s)
            unseen_ = std::min(2 * unseen_, most_nodes_unseen);
        else if (passed_s > slow_s)
            unseen_ = std::max(unseen_ / 4, 1);
        until_look_ = unseen_;
        return limits_.is_over(now_s);
    }

    budget limits_;
    bool is_timed_;
    stopwatch clock_;
    std::int64_t nodes_ = 0;
    int unseen_ = 1; // nodes from one look at the clock to the next
    int until_look_ = 1;
    double looked_s_ = 0.0;
    bool exhausted_ = false;
};

} // namespace dovetail
