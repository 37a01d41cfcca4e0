#pragma once
/// \file
/// One self-contained page about a joint search: no script, no font, no file beside it.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/figures.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/origin.hpp>
#include <dovetail/report/style.hpp>
#include <dovetail/report/svg.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/search/winner.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace dovetail::report {

namespace detail {

[[nodiscard]] inline std::string row(std::string_view name, const std::string& best,
                                     const std::string& baseline) {
    return "<tr><td>" + escaped(name) + "</td><td>" + escaped(best) + "</td><td>" + escaped(baseline) +
           "</td></tr>\n";
}

[[nodiscard]] inline std::string chip_text(const hardware::accelerator& c) {
    return readable(c.num_tc) + " TC " + readable(c.width) + "×" + readable(c.depth) + ", " +
           readable(c.num_vc) + " VC ×" + readable(c.width_vc) + ", " + readable(c.glb_bytes / mebibyte) +
           " MiB";
}

[[nodiscard]] inline std::string plan_text(const search::solution& s) {
    return readable(s.plan.data_parallel) + " × " + readable(s.plan.stages.size()) + " × " +
           readable(s.plan.tensor_parallel);
}

/// Rows of the comparison; a column without a plan stays empty.
[[nodiscard]] inline std::string comparison(const search::outcome& outcome) {
    const search::solution& best = outcome.best;
    const search::solution& reference = outcome.baseline;
    std::string table = "<table><tr><th></th><th>best</th><th>" + reference_name(outcome) + "</th></tr>\n";
    const auto add = [&](std::string_view name, auto text) {
        table += row(name, best.feasible() ? text(best) : "–", reference.feasible() ? text(reference) : "–");
    };
    const auto milliseconds = [](double seconds) { return readable(seconds * 1e3, 4) + " ms"; };
    add("chip", [](const auto& s) { return chip_text(s.chip); });
    add("area", [](const auto& s) { return readable(s.area_um2 / um2_per_mm2, 4) + " mm²"; });
    add("data × pipeline × tensor", [](const auto& s) { return plan_text(s); });
    add("micro-batch", [](const auto& s) { return readable(s.micro_batch); });
    add("recomputation", [](const auto& s) { return std::string(s.setting.recompute ? "on" : "off"); });
    add("HBM", [](const auto& s) {
        return readable(s.setting.hbm_bytes / static_cast<double>(gibibyte), 4) + " GiB";
    });
    add("throughput", [](const auto& s) { return readable(s.throughput_samples_per_s, 4) + " samples/s"; });
    if (reference.feasible())
        add("ratio to " + reference_name(outcome), [&](const auto& s) {
            return readable(s.throughput_samples_per_s / reference.throughput_samples_per_s, 3);
        });
    add("time per batch", [&](const auto& s) { return milliseconds(s.plan.time_per_batch_s); });
    const auto part = [&](std::string_view name, double search::batch_breakdown::*member) {
        add(name, [&](const auto& s) {
            const double seconds = search::break_down(s.problem, s.plan).*member;
            return milliseconds(seconds) + ", " +
                   to_text(std::round(100 * seconds / s.plan.time_per_batch_s)) + " %";
        });
    };
    part("· forward", &search::batch_breakdown::forward_s);
    part("· backward", &search::batch_breakdown::backward_s);
    part("· recomputation", &search::batch_breakdown::recompute_s);
    part("· transfers between stages", &search::batch_breakdown::transfer_s);
    part("· pipeline bubble", &search::batch_breakdown::bubble_s);
    part("· gradient reduction", &search::batch_breakdown::reduction_s);
    part("· optimizer step", &search::batch_breakdown::update_s);
    return table + "</table>\n";
}

/// How long a pass takes, and how close that is to proved best.
[[nodiscard]] inline std::string pass_caption(std::string_view pass,
                                              const search::scheduled_pass& scheduled) {
    const search::pass_time& time = scheduled.time;
    std::string words = std::string(pass) + ": " + readable(time.makespan_s * 1e6, 4) + " µs, ";
    if (time.makespan_s <= time.lower_bound_s * (1 + 1e-9))
        words += "proved shortest";
    else
        words += "no schedule is below " + readable(time.lower_bound_s * 1e6, 4) + " µs";
    if (time.shared_memory_s > time.makespan_s)
        words += "; the shared memories are busy for " + readable(time.shared_memory_s * 1e6, 4) +
                 " µs, which counts";
    return "<p>" + escaped(words) + "</p>\n";
}

} // namespace detail

/// The page of a search that found a plan. `forward` and `backward` are the schedules of the winner's
/// heaviest layer, `layer` its name, `held` what the figures rest on; `from` is told at the end.
[[nodiscard]] inline std::string to_html(const search::outcome& outcome,
                                         const search::workload_profile& profile, std::string_view layer,
                                         const search::scheduled_pass& forward,
                                         const search::scheduled_pass& backward,
                                         array_view<const assumption> held = {}, const origin& from = {}) {
    const search::search_record& record = outcome.search;
    std::string page = page_head("Dovetail: " + profile.model);
    page += "<h1>" + escaped(profile.model) + "</h1>\n<p>" + readable(record.evaluated) +
            " chips evaluated, " + readable(record.pruned) + " left out, in " + readable(record.seconds, 3) +
            " s (" + escaped(record.strategy) + "; " +
            std::string(record.complete ? "complete" : "not complete") + "). " + escaped(record.proof) +
            "</p>\n";
    page += detail::comparison(outcome) + assumption_section(held);
    page += "<h2>Throughput against area</h2>\n<p>Every dot is a chip with its own best plan; the line is "
            "the best that a chip of that area or less reaches.</p>\n" +
            throughput_against_area(outcome);
    page += "<h2>The pipeline</h2>\n<p>One forward, one backward, with flush." + key("forward", "forward") +
            key("backward", "backward, recomputation included") + "</p>\n" + pipeline_timeline(outcome.best);
    page += "<h2>Memory</h2>\n<p>" + key("resident", "weights, gradients, optimizer state") +
            key("activation", "activations") + key("unused", "free") + "</p>\n" +
            memory_by_stage(outcome.best);
    const std::string name(layer);
    page += "<h2>Operators of " + escaped(layer) +
            "</h2>\n<p>By core; cores that run the same share a row; outlined is the critical chain." +
            key("tensor", "tensor cores") + key("vector", "vector cores") + key("link", "link") + "</p>\n" +
            detail::pass_caption("Forward", forward) + operator_schedule("Forward pass of " + name, forward) +
            detail::pass_caption("Backward", backward) +
            operator_schedule("Backward pass of " + name, backward);
    return page + origin_section(from) + "</body></html>\n";
}

} // namespace dovetail::report
