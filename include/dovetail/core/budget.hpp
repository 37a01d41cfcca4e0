#pragma once
/// \file
/// What a search may spend: nodes and seconds.

#include <chrono>
#include <cstdint>
#include <limits>

namespace dovetail {

/// Limits of a search; the defaults do not limit.
struct budget {
    std::int64_t nodes = std::numeric_limits<std::int64_t>::max();
    double seconds = std::numeric_limits<double>::infinity();
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

/// Counts what a search spends against its `budget`. The clock is read once in 256 nodes.
class spending {
public:
    explicit spending(const budget& limits) noexcept : limits_(limits) {}

    /// Counts one node; false once the budget is exhausted, and from then on.
    [[nodiscard]] bool spend_node() {
        if (exhausted_) return false;
        exhausted_ = ++nodes_ > limits_.nodes || ((nodes_ & 255) == 0 && clock_.seconds() > limits_.seconds);
        return !exhausted_;
    }

    /// Reads the clock, for work between nodes that takes long; whether the budget is exhausted.
    [[nodiscard]] bool late() {
        exhausted_ = exhausted_ || clock_.seconds() > limits_.seconds;
        return exhausted_;
    }

    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    [[nodiscard]] std::int64_t nodes() const noexcept { return nodes_; }
    [[nodiscard]] double seconds() const { return clock_.seconds(); }

private:
    budget limits_;
    stopwatch clock_;
    std::int64_t nodes_ = 0;
    bool exhausted_ = false;
};

} // namespace dovetail
