#pragma once
/// \file
/// What a joint search may choose from, and how long it may take.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/hardware/thermal.hpp>

#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

namespace dovetail::search {

/// The choices of a training plan besides the chip. Defaults are those of PHAZE's published search
/// (Wang et al., ICML 2024).
struct plan_options {
    std::vector<std::int64_t> micro_batches{1, 2, 4, 8};
    std::vector<double> hbm_gib{32, 64, 80};
    std::vector<int> recompute{0, 1};
    std::vector<std::int64_t> tensor_widths{1, 2, 4, 8};
    std::int64_t devices = 1024;
    std::int64_t global_batch = 4096;
    double link_gib_per_s = 4;

    static constexpr auto table() {
        using o = plan_options;
        return std::tuple{
            option<o, std::vector<std::int64_t>>{"micro-batches", "samples in a micro-batch",
                                                 &o::micro_batches, 1, 1 << 20},
            option<o, std::vector<double>>{"hbm-gib", "memory of a device [GiB]", &o::hbm_gib, 1e-3, 1e6},
            option<o, std::vector<int>>{"recompute", "0 keeps activations, 1 recomputes them", &o::recompute,
                                        0, 1},
            option<o, std::vector<std::int64_t>>{"tensor-widths",
                                                 "devices that share a layer, where the heads divide",
                                                 &o::tensor_widths, 1, 1 << 20},
            option<o, std::int64_t>{"devices", "devices in the cluster", &o::devices, 1, 1e9},
            option<o, std::int64_t>{"global-batch", "samples in a batch", &o::global_batch, 1, 1e12},
            option<o, double>{"link-gib", "bandwidth of a device's link [GiB/s]", &o::link_gib_per_s, 1e-6,
                              1e9},
        };
    }
};

/// How a space of designs is walked.
struct space_options {
    double max_area_mm2 = std::numeric_limits<double>::infinity();
    double max_tdp_w = std::numeric_limits<double>::infinity();
    double max_junction_c = std::numeric_limits<double>::infinity();
    hardware::cooling cooling = hardware::air_cooling; ///< that `max_junction_c` is meant for
    int hysteresis = 5;
    std::int64_t samples = 1000;
    double time_limit_s = std::numeric_limits<double>::infinity();
    std::uint64_t seed = 1;
    std::int64_t threads = 0;
    const stop_request* stop = nullptr; ///< ends the search as if the seconds were over

    static constexpr auto table() {
        using o = space_options;
        return std::tuple{
            option<o, double>{"max-area", "largest area of a chip [mm^2]", &o::max_area_mm2, 0},
            option<o, double>{"max-tdp", "largest TDP of a chip with its memory [W]", &o::max_tdp_w, 1e-3},
            option<o, double>{"max-junction", "highest junction temperature at the TDP [C]",
                              &o::max_junction_c, 1e-3},
            option<o, int>{"hysteresis", "area-ordered: buckets without a gain before it stops",
                           &o::hysteresis, 1, 1e9},
            option<o, std::int64_t>{"samples", "random: designs to draw", &o::samples, 1, 1e12},
            option<o, double>{"time-limit", "seconds before the best so far is returned; 0 is no time at all",
                              &o::time_limit_s, 0},
            option<o, std::uint64_t>{"seed", "of every random choice", &o::seed, 0},
            option<o, std::int64_t>{"threads", "worker threads; 0 takes all", &o::threads, 0, 4096},
        };
    }
};

} // namespace dovetail::search
