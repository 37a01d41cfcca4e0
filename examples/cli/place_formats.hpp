#pragma once
// What `dovetail place` asks of every published planner's format, and what each answers.

#include "interruption.hpp"
#include "solve_effort.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/report/assumptions.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace cli {

/// What `--format phaze` may choose beyond PHAZE's own problem.
struct schedule_options {
    std::string schedule = "1f1b";
    std::int64_t stages_per_device = 2; ///< of the interleaved schedule
    bool every_stage = false;
    bool choose_recomputation = false;
    bool shard_optimizer = false;
    bool overlap_reduction = false;
    std::int64_t node_devices = 0;
    double node_gb_per_s = 0.0;
    bool tensor_across = false;

    static constexpr auto table() {
        using o = schedule_options;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"stages-per-device", "of the interleaved schedule",
                                              &o::stages_per_device, 2, 1024},
            dovetail::option<o, std::int64_t>{"node-devices", "devices that share a faster network; 0: none",
                                              &o::node_devices, 0, 1'000'000},
            dovetail::option<o, double>{"node-gb-per-s", "of that network, 10^9 bytes a second a device",
                                        &o::node_gb_per_s, 0},
        };
    }

    friend bool operator==(const schedule_options&, const schedule_options&) = default;
};

struct place_request {
    std::string file;
    schedule_options options;
    time_limit limit;
    bool has_time_limit = false; ///< else the format has its own default
    std::int64_t threads = 0;    ///< 0 takes all
    std::uint64_t seed = 1;
    bool repeat = false; ///< solve again until the clock can tell the seconds
};

/// Writes members into the JSON object that is open, or nothing.
using json_members = std::function<void(dovetail::json_writer&)>;

/// The answer of any format; without an objective there is no plan.
struct placement_answer {
    dovetail::status outcome = dovetail::status::infeasible;
    std::optional<double> objective;   ///< in the format's own unit
    std::optional<double> lower_bound; ///< proved; the objective itself where it is optimal
    std::string summary;               ///< the plan in half a line, for people
    std::string binding;               ///< what keeps the plan from being better, or from being at all
    json_members plan;                 ///< the members of the object `plan`
    json_members more;                 ///< further members of the answer
    std::string comparison;            ///< a further line for people, or nothing
    solve_effort effort;
    dovetail::report::answer_basis basis; ///< what its figures rest on
};

/// The formats, by the name that `--format` takes. Errors name the file.
[[nodiscard]] dovetail::result<placement_answer> place_phaze(const place_request& request);
[[nodiscard]] dovetail::result<placement_answer> place_max_load(const place_request& request);
[[nodiscard]] dovetail::result<placement_answer> place_latency(const place_request& request);
[[nodiscard]] dovetail::result<placement_answer> place_piper(const place_request& request);

} // namespace cli
