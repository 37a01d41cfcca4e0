#pragma once
/// \file
/// The bytes that tasks keep alive: buffers that live from their producer's start to their last consumer's
/// end.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/checked.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::schedule {

/// A tensor that takes memory while somebody needs it.
struct buffer {
    std::int64_t size_bytes = 0;
    graph::index producer = graph::none; ///< `graph::none` for one that is there at the start
    std::vector<graph::index> consumers; ///< those that read it; a task that reads it twice may stand twice
    bool kept = false;                   ///< whether it lives to the end of the schedule, such as a stash
};

/// The memory of a problem's tasks. A buffer lives from the start of its producer, or from time 0, until its
/// producer and all its consumers have ended; a task holds its workspace while it runs. A task that takes no
/// time in some mode makes no buffer and has no workspace: a view's readers are readers of what it views.
class live_memory {
public:
    /// \param workspace_bytes one entry a task
    /// \returns errc::out_of_range for a size below 0, a task that does not exist, a consumer that does not
    /// wait for its producer, a producer of no duration; errc::overflow when the sizes together leave the
    /// range of 64 bits.
    [[nodiscard]] static result<live_memory> make(const task_graph& problem,
                                                  array_view<const std::int64_t> workspace_bytes,
                                                  array_view<const buffer> buffers);

    /// Tasks are numbered below this.
    [[nodiscard]] std::size_t task_count() const noexcept { return tasks_.size(); }
    /// Buffers are numbered below this, in the order in which they were given.
    [[nodiscard]] std::size_t buffer_count() const noexcept { return size_bytes_.size(); }
    /// The size of a buffer.
    [[nodiscard]] std::int64_t size_bytes(std::size_t b) const { return size_bytes_[b]; }
    /// Whether a buffer lives to the end.
    [[nodiscard]] bool kept(std::size_t b) const { return kept_[b]; }
    /// The task that makes a buffer; `graph::none` for one that is there at the start.
    [[nodiscard]] graph::index producer(std::size_t b) const { return producer_[b]; }
    /// How many tasks, its producer included, must end before a buffer is freed.
    [[nodiscard]] std::uint32_t users(std::size_t b) const { return users_[b]; }

    /// What the start of a task takes: its workspace and the buffers that it makes.
    [[nodiscard]] std::int64_t taken_bytes(graph::index task) const { return tasks_[task].taken_bytes; }
    /// The workspace of a task.
    [[nodiscard]] std::int64_t workspace_bytes(graph::index task) const {
        return tasks_[task].workspace_bytes;
    }
    /// The buffers that a task makes or reads, each once.
    [[nodiscard]] array_view<const std::uint32_t> used_by(graph::index task) const {
        return tasks_[task].buffers;
    }
    /// What is live before any task has started.
    [[nodiscard]] std::int64_t initial_bytes() const noexcept { return initial_bytes_; }

private:
    struct needs {
        std::int64_t workspace_bytes = 0;
        std::int64_t taken_bytes = 0;
        std::vector<std::uint32_t> buffers;
    };

    std::vector<needs> tasks_;
    std::vector<std::int64_t> size_bytes_;
    std::vector<graph::index> producer_;
    std::vector<std::uint32_t> users_;
    std::vector<bool> kept_;
    std::int64_t initial_bytes_ = 0;
};

/// The bytes that are live while tasks start and end, each step undone by its reverse.
class memory_meter {
public:
    /// Nothing has started yet.
    explicit memory_meter(const live_memory& memory)
        : memory_(&memory), waiting_(memory.buffer_count()), live_bytes_(memory.initial_bytes()) {
        for (std::size_t b = 0; b < waiting_.size(); ++b) waiting_[b] = memory.users(b);
    }

    /// What is live now.
    [[nodiscard]] std::int64_t live_bytes() const noexcept { return live_bytes_; }
    /// What would be live once `task` has started.
    [[nodiscard]] std::int64_t live_bytes_with(graph::index task) const {
        return live_bytes_ + memory_->taken_bytes(task);
    }
    /// By how much all of `task`, run now, would change what is live.
    [[nodiscard]] std::int64_t net_bytes(graph::index task) const {
        std::int64_t net = memory_->taken_bytes(task) - memory_->workspace_bytes(task);
        for (const std::uint32_t b : memory_->used_by(task))
            if (waiting_[b] == 1 && !memory_->kept(b)) net -= memory_->size_bytes(b);
        return net;
    }

    /// `task` starts.
    void start(graph::index task) { live_bytes_ += memory_->taken_bytes(task); }
    /// `task`, which has started, ends.
    void end(graph::index task) {
        live_bytes_ -= memory_->workspace_bytes(task);
        for (const std::uint32_t b : memory_->used_by(task))
            if (--waiting_[b] == 0 && !memory_->kept(b)) live_bytes_ -= memory_->size_bytes(b);
    }
    /// Takes back `start`.
    void take_back_start(graph::index task) { live_bytes_ -= memory_->taken_bytes(task); }
    /// Takes back `end`.
    void take_back_end(graph::index task) {
        live_bytes_ += memory_->workspace_bytes(task);
        for (const std::uint32_t b : memory_->used_by(task))
            if (waiting_[b]++ == 0 && !memory_->kept(b)) live_bytes_ += memory_->size_bytes(b);
    }

private:
    const live_memory* memory_;
    std::vector<std::uint32_t> waiting_; // of every buffer: users that have not ended
    std::int64_t live_bytes_;
};

/// The most that is live while tasks run one after another. \param order a topological order of the tasks
/// \complexity O(uses of buffers).
[[nodiscard]] inline std::int64_t peak_bytes(const live_memory& memory,
                                             array_view<const graph::index> order) {
    DOVETAIL_ASSERT(order.size() == memory.task_count(), "the order must hold every task");
    memory_meter meter(memory);
    std::int64_t peak = meter.live_bytes();
    for (const graph::index v : order) {
        meter.start(v);
        peak = std::max(peak, meter.live_bytes());
        meter.end(v);
    }
    return peak;
}

/// The most that is live at any time of a schedule of `problem`. \complexity O(tasks log tasks + uses of
/// buffers).
[[nodiscard]] inline std::int64_t peak_bytes(const live_memory& memory, const task_graph& problem,
                                             const schedule& plan) {
    const std::size_t n = memory.task_count();
    DOVETAIL_ASSERT(plan.start_s.size() == n && problem.task_count() == n, "a schedule of another problem");
    struct event {
        double time_s;
        bool starts; // at one time, what ends goes first
        graph::index task;
    };
    std::vector<event> events;
    events.reserve(2 * n);
    for (graph::index v = 0; v < n; ++v) {
        events.push_back({plan.start_s[v], true, v});
        events.push_back({plan.start_s[v] + problem.modes(v)[plan.mode[v]].duration_s, false, v});
    }
    std::sort(events.begin(), events.end(), [](const event& a, const event& b) {
        return std::pair(a.time_s, a.starts) < std::pair(b.time_s, b.starts);
    });
    memory_meter meter(memory);
    std::int64_t peak = meter.live_bytes();
    for (const event& e : events) {
        if (e.starts)
            meter.start(e.task);
        else
            meter.end(e.task);
        peak = std::max(peak, meter.live_bytes());
    }
    return peak;
}

inline result<live_memory> live_memory::make(const task_graph& problem,
                                             array_view<const std::int64_t> workspace_bytes,
                                             array_view<const buffer> buffers) {
    const auto bad = [](std::string place, std::string wrong, std::string expected) {
        return error{errc::out_of_range, "memory: " + std::move(place), std::move(wrong),
                     std::move(expected)};
    };
    const std::size_t n = problem.task_count();
    if (workspace_bytes.size() != n)
        return bad("workspaces", "they are given for " + to_text(workspace_bytes.size()) + " tasks",
                   "the problem has " + to_text(n));
    const auto takes_time = [&](graph::index v) {
        const array_view<const mode> modes = problem.modes(v);
        return std::all_of(modes.begin(), modes.end(), [](const mode& m) { return m.duration_s > 0.0; });
    };
    live_memory made;
    made.tasks_.resize(n);
    std::optional<std::int64_t> total = 0;
    const auto take = [&](std::int64_t bytes) {
        if (total) total = checked_add(*total, bytes);
    };
    for (graph::index v = 0; v < n; ++v) {
        const std::int64_t bytes = workspace_bytes[v];
        if (bytes < 0)
            return bad("task " + to_text(v), "its workspace is " + to_text(bytes) + " bytes",
                       "a size is at least 0");
        if (bytes > 0 && !takes_time(v))
            return bad("task " + to_text(v), "it has a workspace but a mode that takes no time",
                       "a task that takes no time needs no memory");
        made.tasks_[v].workspace_bytes = made.tasks_[v].taken_bytes = bytes;
        take(bytes);
    }
    for (std::uint32_t b = 0; b < buffers.size(); ++b) {
        const buffer& given = buffers[b];
        const std::string place = "buffer " + to_text(b);
        if (given.size_bytes < 0)
            return bad(place, "its size is " + to_text(given.size_bytes) + " bytes", "a size is at least 0");
        take(given.size_bytes);
        std::vector<graph::index> users = given.consumers;
        const bool produced = given.producer != graph::none;
        if (produced) users.push_back(given.producer);
        std::sort(users.begin(), users.end());
        users.erase(std::unique(users.begin(), users.end()), users.end());
        for (const graph::index v : users) {
            if (v >= n)
                return bad(place, "it names task " + to_text(v), "tasks are numbered below " + to_text(n));
            if (produced && v != given.producer && !problem.reaches().reaches(given.producer, v))
                return bad(place,
                           "task " + to_text(v) + " reads it and does not wait for its producer " +
                               to_text(given.producer),
                           "a reader comes after the producer");
            made.tasks_[v].buffers.push_back(b);
        }
        if (produced && !takes_time(given.producer))
            return bad(place, "its producer " + to_text(given.producer) + " has a mode that takes no time",
                       "the readers of a view are readers of what it views");
        made.size_bytes_.push_back(given.size_bytes);
        made.producer_.push_back(given.producer);
        made.kept_.push_back(given.kept);
        made.users_.push_back(static_cast<std::uint32_t>(users.size()));
        const bool unused = users.empty() && !given.kept;
        if (!total || unused) continue;
        if (produced)
            made.tasks_[given.producer].taken_bytes += given.size_bytes;
        else
            made.initial_bytes_ += given.size_bytes;
    }
    if (!total)
        return error{errc::overflow, "memory", "the sizes of all buffers leave the range of 64 bits",
                     "their sum is below 2^63 bytes"};
    return made;
}

} // namespace dovetail::schedule
