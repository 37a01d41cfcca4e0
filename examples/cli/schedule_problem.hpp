#pragma once
// What `dovetail schedule` solves: a pass through a layer of a model on a chip, or a project of PSPLIB.

#include "command_syntax.hpp"
#include "layer_choice.hpp"

#include <dovetail/core/result.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/report/schedule_chart.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cli {

/// The problem, and what its parts are called.
struct schedule_problem {
    dovetail::schedule::task_graph tasks;
    std::optional<dovetail::schedule::live_memory> memory; ///< of a layer's activations
    std::vector<std::string> names;                        ///< of the tasks
    dovetail::report::resource_names resources;
    dovetail::report::time_unit unit;
    std::string title, subtitle;
    dovetail::report::answer_basis basis; ///< what the durations rest on
};

/// The flags that choose a problem.
struct schedule_request {
    std::string format = "model";
    layer_request layer;
    std::string cost_model = "sound";

    void add_to(command_syntax command);
};

/// Reads what the flags choose. Errors name the file or the flag.
[[nodiscard]] dovetail::result<schedule_problem> load(const schedule_request& request);

} // namespace cli
