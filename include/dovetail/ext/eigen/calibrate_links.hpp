#pragma once
/// \file
/// The numbers of a network, fitted to measured collectives.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/ext/eigen/calibrate.hpp>
#include <dovetail/ext/eigen/least_squares.hpp>
#include <dovetail/hardware/network.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::eigen {

/// A collective of ranks that are neighbours, and the seconds that it took.
struct measured_collective {
    cost::collective kind = cost::collective::all_reduce;
    std::int64_t ranks = 2;
    double bytes = 0.0; ///< of the whole vector on one rank
    double time_s = 0.0;
};

/// A network with fitted numbers, and how well they fit.
struct calibrated_links {
    hardware::network links;
    calibration_report report;
};

namespace detail {

/// What is fitted of a network. The steps of the quickest protocol, and those between nodes, stay as they
/// are; between nodes, all protocols reach the same part of their rates.
inline constexpr std::array<std::string_view, 8> link_numbers{
    "start_s",           "exposed_chunks",   "quickest_efficiency",  "middle_step_s",
    "middle_efficiency", "efficient_step_s", "efficient_efficiency", "nodes_efficiency"};

[[nodiscard]] inline hardware::network with_numbers(const hardware::network& base,
                                                    array_view<const double> values) {
    hardware::network links = base;
    links.start_s = values[0];
    links.exposed_chunks = values[1];
    auto& [quickest, middle, efficient] = links.levels[0].protocols;
    quickest.efficiency = values[2];
    middle = {.step_s = values[3], .efficiency = values[4]};
    efficient = {.step_s = values[5], .efficiency = values[6]};
    for (std::size_t l = 1; l < links.depth; ++l)
        for (hardware::wire_protocol& wire : links.levels[l].protocols)
            wire.efficiency *= values[7] / base.levels[1].protocols.back().efficiency;
    return links;
}

} // namespace detail

/// Fits the latencies and efficiencies of `base` to `collectives`. What is known before: those of `base`, the
/// times within a factor of e, the efficiencies within a half.
/// \returns errc::out_of_range for a collective of fewer than 2 ranks or more than the network has, and what
///          `calibrate` refuses.
[[nodiscard]] inline result<calibrated_links>
calibrate_links(const hardware::network& base, array_view<const measured_collective> collectives,
                const cost::collective_model& model = {}, const calibration_options& options = {}) {
    std::vector<double> measured_s;
    for (const measured_collective& one : collectives) {
        if (one.ranks < 2 || one.ranks > base.devices())
            return error{errc::out_of_range, "calibration",
                         "a collective has " + to_text(one.ranks) + " ranks",
                         "the network has 2 to " + to_text(base.devices())};
        measured_s.push_back(one.time_s);
    }
    const auto& [quickest, middle, efficient] = base.levels[0].protocols;
    // A logarithm has no zero: a network without exposed chunks begins with half of one.
    const double chunks = base.exposed_chunks > 0 ? base.exposed_chunks : 0.5;
    std::vector<double> known{base.start_s,      chunks,           quickest.efficiency, middle.step_s,
                              middle.efficiency, efficient.step_s, efficient.efficiency};
    if (base.depth > 1) known.push_back(base.levels[1].protocols.back().efficiency);
    std::vector<unknown> unknowns;
    for (std::size_t i = 0; i < known.size(); ++i) {
        const std::string_view name = detail::link_numbers[i];
        const bool part = name.ends_with("efficiency");
        unknowns.push_back({.name = name, .expected = known[i], .log_spread = part ? 0.5 : 1.0});
        if (part) unknowns.back().highest = 1.0;
    }
    auto report = calibrate(
        std::move(unknowns), measured_s,
        [&](array_view<const double> values, std::size_t i) {
            const measured_collective& one = collectives[i];
            const hardware::network links = detail::with_numbers(base, values);
            return model(links, hardware::spread(links, one.ranks), one.kind, one.bytes);
        },
        options);
    if (!report) return std::move(report).problem();
    hardware::network links = detail::with_numbers(base, report->found.values());
    return calibrated_links{links, *std::move(report)};
}

} // namespace dovetail::ext::eigen
