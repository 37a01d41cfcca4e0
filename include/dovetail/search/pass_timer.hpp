#pragma once
/// \file
/// Costs become tasks: how long a chip takes for one pass through a layer.

#include <dovetail/core/assert.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/search/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dovetail::search {

/// The resources of a chip, in the order in which a schedule numbers them.
enum class resource : std::uint8_t { tensor_core, vector_core, link };

/// So many units of every resource.
[[nodiscard]] constexpr schedule::demand units(std::int64_t tensor_cores, std::int64_t vector_cores,
                                               std::int64_t links) {
    schedule::demand d{};
    d[static_cast<std::size_t>(resource::tensor_core)] = static_cast<std::int32_t>(tensor_cores);
    d[static_cast<std::size_t>(resource::vector_core)] = static_cast<std::int32_t>(vector_cores);
    d[static_cast<std::size_t>(resource::link)] = static_cast<std::int32_t>(links);
    return d;
}

/// What the devices that share a layer are, besides their chips.
struct tensor_group {
    std::int64_t width = 1;
    double link_bytes_per_s = 1;
};

/// The time of one pass, and what is proved about its schedule.
struct pass_time {
    double latency_s = 0;       ///< the longer of the schedule and the busy time of the shared memories
    double makespan_s = 0;      ///< of the schedule
    double lower_bound_s = 0;   ///< no schedule of these tasks is shorter
    double shared_memory_s = 0; ///< busy time of the HBM or of the global buffer, whichever is longer
};

/// Times one pass through a layer on any number of chips; the order of its tasks is prepared once. One a
/// thread.
class pass_timer {
public:
    explicit pass_timer(const pass_profile& pass) : pass_(&pass) {
        schedule::mode_table table;
        for (std::size_t i = 0; i < pass.groups.size(); ++i) table.add_task(schedule::mode{});
        auto tasks = schedule::make_task_graph(pass.precedence, units(1, 1, 1), std::move(table));
        DOVETAIL_ASSERT(tasks, "the groups of a layer are acyclic");
        tasks_ = std::move(tasks).value();
    }

    /// Schedules the pass on `chip`: a group takes one core of each type that it needs, or all of them; a
    /// collective takes the link. \complexity that of the list scheduler; allocates nothing once warm.
    template <cost::latency_model Model, hardware::accelerator_like Chip>
    pass_time operator()(const Model& model, const Chip& chip, const tensor_group& group,
                         schedule::workspace& memory) {
        table_.clear();
        busy_.clear();
        for (const workload::operator_work& work : pass_->groups) add_task(model, work, chip, group);
        const auto filled = tasks_.refill(units(chip.num_tc, chip.num_vc, 1), table_);
        DOVETAIL_ASSERT(filled, "a latency model gives finite durations");
        const schedule::certificate& found = schedule::list_scheduler{}(tasks_, memory);

        double hbm_s = 0;
        double global_s = 0;
        for (graph::index v = 0; v < pass_->groups.size(); ++v) {
            const shared_busy& b = busy_[2 * v + found.best.mode[v]];
            hbm_s += b.hbm_s;
            global_s += b.global_s;
        }
        pass_time time{.makespan_s = found.best.makespan_s,
                       .lower_bound_s = found.lower_bound_s,
                       .shared_memory_s = std::max(hbm_s, global_s)};
        time.latency_s = std::max(time.makespan_s, time.shared_memory_s);
        return time;
    }

    /// The problem that was solved last.
    [[nodiscard]] const schedule::task_graph& tasks() const noexcept { return tasks_; }

private:
    struct shared_busy {
        double hbm_s = 0;
        double global_s = 0;
    };

    template <class Model, class Chip>
    void add_task(const Model& model, const workload::operator_work& work, const Chip& chip,
                  const tensor_group& group) {
        table_.add_task();
        shared_busy one_core;
        shared_busy all_cores;
        if (work.uses_link()) {
            const double bytes = work.reduced_elements * Model::element_bytes;
            table_.add_mode(
                {cost::ring_all_reduce_s(bytes, group.width, group.link_bytes_per_s), units(0, 0, 1)});
        } else if (work.empty()) {
            table_.add_mode({});
        } else {
            const auto tensor = static_cast<std::int64_t>(work.uses_tensor_core());
            const auto vector = static_cast<std::int64_t>(work.uses_vector_core());
            const cost::estimate one = model(work, chip, cost::core_mode::one_core);
            table_.add_mode({one.latency_s(), units(tensor, vector, 0)});
            one_core = {one.hbm_s, one.global_s};
            if (tensor * chip.num_tc > 1 || vector * chip.num_vc > 1) {
                const cost::estimate all = model(work, chip, cost::core_mode::all_cores);
                table_.add_mode({all.latency_s(), units(tensor * chip.num_tc, vector * chip.num_vc, 0)});
                all_cores = {all.hbm_s, all.global_s};
            }
        }
        busy_.push_back(one_core);
        busy_.push_back(all_cores);
    }

    const pass_profile* pass_;
    schedule::task_graph tasks_;
    schedule::mode_table table_;
    std::vector<shared_busy> busy_; // two a group: by mode
};

} // namespace dovetail::search
