#pragma once
/// \file
/// The activations of a pass become the memory of its tasks.

#include <dovetail/core/result.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/search/profile.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::search {

/// What the tasks of a pass make, read and leave behind, as buffers of a schedule: see `schedule::buffer`.
[[nodiscard]] inline std::vector<schedule::buffer> buffers_of(const pass_profile& pass,
                                                              std::int64_t element_bytes) {
    std::vector<schedule::buffer> buffers;
    for (const workload::pass_buffer& b : pass.buffers)
        buffers.push_back({static_cast<std::int64_t>(b.volume.size_bytes(static_cast<double>(element_bytes))),
                           b.producer, b.consumers, b.kept});
    return buffers;
}

/// The memory of the tasks of a pass. \param tasks as `pass_timer` made them for some chip
/// \returns the error of `schedule::live_memory::make`, where a buffer's producer takes no time.
[[nodiscard]] inline result<schedule::live_memory>
memory_of(const pass_profile& pass, const schedule::task_graph& tasks, std::int64_t element_bytes) {
    const std::vector<std::int64_t> no_workspace(tasks.task_count(), 0);
    return schedule::live_memory::make(tasks, no_workspace, buffers_of(pass, element_bytes));
}

} // namespace dovetail::search
