#pragma once
/// \file
/// The ways to run each task: how long it takes and how many units of every resource it holds meanwhile.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/graph/digraph.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace dovetail::schedule {

/// Kinds of resource that a task may need; a problem with fewer leaves the last capacities at 0.
inline constexpr std::size_t max_resources = 4;

/// Units of every resource: what a mode holds, or what there is.
using demand = std::array<std::int32_t, max_resources>;

/// Whether `use` is at most `available` in every resource.
[[nodiscard]] constexpr bool fits(const demand& use, const demand& available) noexcept {
    bool within = true;
    for (std::size_t r = 0; r < max_resources; ++r) within &= use[r] <= available[r];
    return within;
}

/// One way to run a task: it holds `use` from its start until `duration_s` later, without interruption. A
/// mode of no duration holds nothing.
struct mode {
    double duration_s = 0.0; ///< seconds from start to end
    demand use{};            ///< units held meanwhile

    friend constexpr bool operator==(const mode&, const mode&) = default;
};

/// The modes of tasks 0, 1, 2 … in compressed rows. Clearing keeps the memory, so that one table serves many
/// fillings of the same graph.
class mode_table {
public:
    constexpr mode_table() = default;

    /// One list of modes a task.
    constexpr mode_table(std::initializer_list<std::initializer_list<mode>> tasks) {
        for (const auto& modes : tasks) {
            add_task();
            for (const mode& m : modes) add_mode(m);
        }
    }

    /// Forgets all tasks.
    constexpr void clear() noexcept {
        end_.clear();
        modes_.clear();
    }

    /// Opens the next task, which has no mode yet.
    constexpr void add_task() { end_.push_back(static_cast<std::uint32_t>(modes_.size())); }

    /// Adds a mode to the task that was opened last.
    constexpr void add_mode(const mode& m) {
        DOVETAIL_ASSERT(!end_.empty(), "a mode belongs to a task");
        modes_.push_back(m);
        ++end_.back();
    }

    /// Opens the next task with one mode.
    constexpr void add_task(const mode& only) {
        add_task();
        add_mode(only);
    }

    /// Tasks opened so far.
    [[nodiscard]] constexpr std::size_t task_count() const noexcept { return end_.size(); }
    /// Modes of all tasks together.
    [[nodiscard]] constexpr std::size_t mode_count() const noexcept { return modes_.size(); }

    /// The modes of one task, in the order in which they were added.
    [[nodiscard]] constexpr array_view<const mode> modes(graph::index task) const {
        DOVETAIL_ASSERT(task < end_.size(), "no such task");
        const std::uint32_t begin = task == 0 ? 0 : end_[task - 1];
        return array_view(modes_).subspan(begin, end_[task] - begin);
    }

private:
    std::vector<std::uint32_t> end_;
    std::vector<mode> modes_;
};

} // namespace dovetail::schedule
