#pragma once
// What `dovetail schedule` solves: a pass through a layer of a model on a chip, or a project of PSPLIB.

#include "model.hpp"

#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/report/lanes.hpp>
#include <dovetail/report/schedule_chart.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace cli {

/// The problem, and what its parts are called.
struct schedule_problem {
    dovetail::schedule::task_graph tasks;
    std::vector<std::string> names; ///< of the tasks
    dovetail::report::resource_names resources;
    dovetail::report::time_unit unit;
    std::string title, subtitle;
};

/// The flags that choose a problem.
struct schedule_request {
    std::string format = "model";
    model_options model;
    std::string layer, pass = "forward", family = "phaze", cost_model = "sound", point;
    std::int64_t micro_batch = 1;
    std::int64_t tensor_width = 1;
    double link_gib_per_s = 4;

    void add_to(CLI::App& command);

    static constexpr auto table() {
        using o = schedule_request;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"micro-batch", "samples in a micro-batch", &o::micro_batch, 1,
                                              1 << 20},
            dovetail::option<o, std::int64_t>{"tensor-width", "devices that share the layer",
                                              &o::tensor_width, 1, 1 << 20},
            dovetail::option<o, double>{"link-gib", "bandwidth of a device's link [GiB/s]",
                                        &o::link_gib_per_s, 1e-6, 1e9},
        };
    }
};

/// Reads what the flags choose. Errors name the file or the flag.
[[nodiscard]] dovetail::result<schedule_problem> load(const schedule_request& request);

} // namespace cli
