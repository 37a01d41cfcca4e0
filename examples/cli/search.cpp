// dovetail search: the best chip of a family and its training plan.

#include "command.hpp"
#include "inputs.hpp"
#include "interruption.hpp"
#include "model.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/remembered_phaze_model.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/hardware/n7_family.hpp>
#include <dovetail/hardware/phaze_family.hpp>
#include <dovetail/hardware/thermal.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/outcome_json.hpp>
#include <dovetail/report/page.hpp>
#include <dovetail/search/area_ordered.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/exhaustive.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/search/random_sample.hpp>
#include <dovetail/search/step_energy.hpp>
#include <dovetail/search/winner.hpp>
#include <dovetail/workload/recognise.hpp>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <memory>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace search = dovetail::search;
using sound_platform = dovetail::hardware::phaze_platform;
using sound_evaluator = search::evaluator<dovetail::cost::sound_model<sound_platform>, sound_platform>;
using phaze_evaluator =
    search::evaluator<dovetail::cost::remembered_phaze_model<>, dovetail::cost::published_platform>;
using dovetail::to_text;
using dovetail::report::readable;

/// A line on the terminal that tells how far the search is and how long it will take.
class progress_line {
public:
    explicit progress_line(bool wanted) : visible_(wanted && isatty(STDERR_FILENO) != 0) {}
    ~progress_line() {
        if (shown_) std::fputs("\r\x1b[K", stderr);
    }
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void on_progress(const search::progress& p) {
        if (!visible_ || p.done == 0) return;
        std::string line = readable(p.done);
        if (p.total > 0) line += " of " + readable(p.total);
        line += " chips, best " + readable(p.best_throughput_samples_per_s, 5) + " samples/s";
        if (p.total > 0) {
            const double left_s =
                p.seconds / static_cast<double>(p.done) * static_cast<double>(p.total - p.done);
            line += ", about " + readable(std::ceil(left_s), 3) + " s left";
        }
        std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
        std::fflush(stderr);
        shown_ = true;
    }

private:
    bool visible_;
    bool shown_ = false;
};

struct search_command {
    common_options common;
    model_options model;
    search::plan_options plan;
    search::space_options space;
    time_limit limit;
    std::string family = "phaze";
    std::string strategy = "exhaustive";
    std::string optimizer = "adam";
    std::string objective = "every-stage";
    std::string cost_model = "sound";
    std::string cooling = "air";
    bool power = false;
    output html;

    exit_status run() {
        if (auto begun = common.begin(sources_of_model(model.model)); !begun)
            return complain(begun.problem());
        const dovetail::stopwatch clock;
        const auto cooling_kind = dovetail::hardware::find_cooling(cooling);
        if (!cooling_kind) return complain(cooling_kind.problem());
        space.cooling = *cooling_kind;
        const auto optimizer_kind = dovetail::cost::find_optimizer(optimizer);
        if (!optimizer_kind) return complain(optimizer_kind.problem());
        const auto graph = model.load();
        if (!graph) return complain(graph.problem());
        const dovetail::budget limits = limit.begin();
        dovetail::spending preparing(limits);
        const auto profile =
            search::profile_workload(dovetail::workload::recognise(*graph), plan, &preparing);
        if (!profile) return complain(profile.problem());
        if (preparing.exhausted()) return tell_unprepared(*profile, clock.seconds());
        space.time_limit_s = limits.after(preparing.seconds()).seconds;
        space.stop = limits.stop;
        const auto charge = objective == "phaze" ? dovetail::placement::objective::phaze
                                                 : dovetail::placement::objective::every_stage;
        if (cost_model == "phaze") {
            // PHAZE's model moves nothing for vector operators, and is bound to PHAZE's platform.
            if (power || family != "phaze")
                return complain({dovetail::errc::unsupported, "option --cost-model",
                                 "phaze has no energies, and prices the family phaze only",
                                 "give sound, or leave out --power and --family"});
            return answer<dovetail::hardware::phaze_family>(
                phaze_evaluator(*profile, plan, *optimizer_kind, charge), clock.seconds());
        }
        const sound_evaluator evaluate(*profile, plan, *optimizer_kind, charge);
        if (family == "n7") return answer<dovetail::hardware::n7_family>(evaluate, clock.seconds());
        return answer<dovetail::hardware::phaze_family>(evaluate, clock.seconds());
    }

    /// The time was over before there was anything to search.
    exit_status tell_unprepared(const search::workload_profile& profile, double preparation_s) {
        search::outcome nothing;
        nothing.status = dovetail::status::budget;
        nothing.search.strategy = strategy;
        nothing.search.proof = "ended early, while the model was prepared: no design was evaluated";
        return tell(nothing, profile, preparation_s, [](const auto&) { return std::string(); });
    }

    template <class Family, class Evaluator>
    exit_status answer(const Evaluator& evaluate, double preparation_s) {
        auto outcome = explore(Family{}, evaluate);
        if (!outcome) return complain(outcome.problem());
        return tell(*outcome, evaluate.profile(), preparation_s,
                    [&](const auto& held) { return page(*outcome, evaluate, held); });
    }

    /// \param draw gives the page, where there is a plan
    template <class Draw>
    exit_status tell(const search::outcome& outcome, const search::workload_profile& profile,
                     double preparation_s, const Draw& draw) {
        const auto held = dovetail::report::assumptions_of(basis(profile));
        common.put_json([&](dovetail::json_writer& json) {
            dovetail::report::write_outcome(json, outcome, profile, held);
        });
        if (html.wanted() && outcome.best.feasible()) common.put(html, draw(held));
        print(common.people(), outcome, preparation_s, held);
        if (html.wanted() && !outcome.best.feasible())
            common.people() << html.path() << " is not written: there is no plan to draw\n";
        return common.finish(exit_of(outcome.status));
    }

    template <class Family, class Evaluator>
    dovetail::result<search::outcome> explore(const Family& designs, const Evaluator& evaluate) const {
        progress_line progress(!common.quiet);
        auto outcome = walk(designs, evaluate, progress);
        if constexpr (std::is_same_v<Evaluator, sound_evaluator>) {
            if (outcome && power)
                for (search::solution* found : {&outcome->best, &outcome->baseline})
                    if (found->feasible())
                        found->power = search::power_of<typename Family::technology>(evaluate, *found);
        }
        return outcome;
    }

    template <class Family, class Evaluator>
    dovetail::result<search::outcome> walk(const Family& designs, const Evaluator& evaluate,
                                           progress_line& progress) const {
        if (strategy == "area-ordered") return search::area_ordered{space}(designs, evaluate, progress);
        if (strategy == "random") return search::random_sample{space}(designs, evaluate, progress);
        return search::exhaustive{space}(designs, evaluate, progress);
    }

    template <class Evaluator>
    std::string page(const search::outcome& outcome, const Evaluator& evaluate,
                     std::span<const dovetail::report::assumption> held) const {
        const search::solution& best = outcome.best;
        const search::slice_profile& slice = search::slice_of(evaluate.profile(), best);
        const auto structure = search::heaviest_structure(slice, search::costs_of(best.problem, best.plan));
        const search::layer_profile& layer = slice.structures[structure];
        const search::tensor_group group{best.plan.tensor_parallel, evaluate.link_bytes_per_s()};
        std::size_t first = 0;
        while (slice.chain[first] != structure) ++first;
        return dovetail::report::to_html(
            outcome, evaluate.profile(), "layer " + evaluate.profile().layer_names[first],
            search::schedule_pass(layer.forward, evaluate.model(), best.chip, group),
            search::schedule_pass(layer.backward, evaluate.model(), best.chip, group), held, common.origin());
    }

    /// What the figures of a search of `profile` rest on.
    [[nodiscard]] dovetail::report::answer_basis basis(const search::workload_profile& profile) const {
        using dovetail::report::pricing;
        using technology = dovetail::report::shown_technology;
        const auto of_family = family == "n7" ? technology::n7 : technology::phaze;
        const bool energies = power || std::isfinite(space.max_tdp_w) || std::isfinite(space.max_junction_c);
        const bool exchanges = plan.devices > 1;
        return {.prices = cost_model == "phaze" ? pricing::phaze : pricing::sound,
                .attention = profile.has_attention(),
                .flat_network = exchanges,
                .exposed_transfers = exchanges,
                .exposed_reductions = exchanges,
                .even_pipeline = exchanges,
                .first_stage_reduces = exchanges && objective == "phaze",
                .list_schedules = true,
                .planned_memory = true,
                .areas = of_family,
                .energies = energies ? of_family : technology::none,
                .temperatures = std::isfinite(space.max_junction_c)};
    }

    static void print(std::ostream& out, const search::outcome& outcome, double preparation_s,
                      std::span<const dovetail::report::assumption> held) {
        const auto row = [&](std::string_view name, const std::string& best, const std::string& reference) {
            out << std::left << std::setw(26) << name << std::right << std::setw(34) << best << std::setw(34)
                << reference << '\n';
        };
        const search::solution& best = outcome.best;
        const search::solution& reference = outcome.baseline;
        const auto both = [&](std::string_view name, auto text) {
            row(name, best.feasible() ? text(best) : "-", reference.feasible() ? text(reference) : "-");
        };
        if (!outcome.binding.empty()) out << to_string(outcome.status) << ": " << outcome.binding << '\n';
        if (best.feasible()) {
            row("", "best", "TPUv4-like");
            both("chip", [](const auto& s) {
                const auto& c = s.chip;
                return readable(c.num_tc) + " TC " + readable(c.width) + "x" + readable(c.depth) + ", " +
                       readable(c.num_vc) + " VC " + readable(c.width_vc) + ", " +
                       readable(c.glb_bytes / dovetail::mebibyte) + " MiB";
            });
            both("area",
                 [](const auto& s) { return readable(s.area_um2 / dovetail::um2_per_mm2, 5) + " mm^2"; });
            both("data x pipeline x tensor", [](const auto& s) {
                return readable(s.plan.data_parallel) + " x " + readable(s.plan.stages.size()) + " x " +
                       readable(s.plan.tensor_parallel);
            });
            both("micro-batch", [](const auto& s) { return readable(s.micro_batch); });
            both("recomputation",
                 [](const auto& s) { return std::string(s.setting.recompute ? "on" : "off"); });
            both("HBM", [](const auto& s) {
                return readable(s.setting.hbm_bytes / static_cast<double>(dovetail::gibibyte), 4) + " GiB";
            });
            both("throughput",
                 [](const auto& s) { return readable(s.throughput_samples_per_s, 5) + " samples/s"; });
            if (reference.feasible())
                both("ratio to TPUv4-like", [&](const auto& s) {
                    return readable(s.throughput_samples_per_s / reference.throughput_samples_per_s, 4);
                });
            if (best.power) {
                both("TDP", [](const auto& s) {
                    return s.power ? readable(s.power->tdp_w, 4) + " W" : std::string("-");
                });
                both("energy of a step", [](const auto& s) {
                    return s.power ? readable(s.power->step.total_j(), 4) + " J" : std::string("-");
                });
            }
            both("time per batch", [](const auto& s) { return milliseconds(s.plan.time_per_batch_s); });
            const auto part = [&](std::string_view name, double search::batch_breakdown::*member) {
                both(name, [&](const auto& s) {
                    const double seconds = search::break_down(s.problem, s.plan).*member;
                    return milliseconds(seconds) + " " +
                           std::string(4 - std::min<std::size_t>(4, percent(seconds, s).size()), ' ') +
                           percent(seconds, s);
                });
            };
            part("  forward", &search::batch_breakdown::forward_s);
            part("  backward", &search::batch_breakdown::backward_s);
            part("  recomputation", &search::batch_breakdown::recompute_s);
            part("  stage transfers", &search::batch_breakdown::transfer_s);
            part("  pipeline bubble", &search::batch_breakdown::bubble_s);
            part("  gradient reduction", &search::batch_breakdown::reduction_s);
            part("  optimizer step", &search::batch_breakdown::update_s);
        }
        const search::search_record& record = outcome.search;
        out << to_string(outcome.status) << ": " << readable(record.evaluated) << " chips evaluated, "
            << readable(record.pruned) << " left out (" << record.strategy
            << (record.complete ? ", complete" : ", not complete") << "); " << readable(preparation_s, 3)
            << " s preparing the model, " << readable(record.seconds, 3) << " s searching\n"
            << record.proof << '\n'
            << dovetail::report::assumption_line(held) << '\n';
    }

    static std::string milliseconds(double seconds) { return readable(seconds * 1e3, 4) + " ms"; }
    static std::string percent(double seconds, const search::solution& s) {
        return to_text(std::round(100 * seconds / s.plan.time_per_batch_s)) + "%";
    }
};

} // namespace

void add_search(command_syntax app, int& status) {
    const command_syntax command = app.add_subcommand(
        "search", "the best chip of a family and the plan to train a model on many of them");
    const auto options = std::make_shared<search_command>();
    command.add_example(
        "dovetail search bert-large --strategy random --samples 40 --seed 7 --html bert-large.html",
        "the best of 40 chips drawn, and a page about it");
    command.add_example(
        "dovetail search model.onnx --strategy area-ordered --devices 256 --micro-batches 1,4 "
        "--hbm-gib 80 --tensor-widths 1",
        "few plans, for the chips from the largest on");
    options->model.add_to(command);
    command.add_option("--family", options->family, "the family of chips").one_of({"phaze", "n7"});
    command.add_option("--strategy", options->strategy, "how the family is walked")
        .one_of({"exhaustive", "area-ordered", "random"});
    command
        .add_option("--optimizer", options->optimizer,
                    "how weights are updated, with 18, 14 or 4 bytes a parameter")
        .one_of({"adam", "momentum", "sgd"});
    command.add_option("--objective", options->objective, "who pays for the gradient reduction")
        .one_of({"every-stage", "phaze"});
    command
        .add_option("--cost-model", options->cost_model,
                    "how operators are priced: soundly, or with PHAZE's constants")
        .one_of({"sound", "phaze"});
    std::vector<std::string> coolings;
    for (const dovetail::hardware::cooling& known : dovetail::hardware::known_coolings)
        coolings.emplace_back(known.name);
    command.add_option("--cooling", options->cooling, "what --max-junction is meant for").one_of(coolings);
    command.add_flag("--power", options->power, "add the TDP and the energy of a step");
    options->common.add_output(command, options->html, "--html", "write a page with pictures to this file");
    add_options(command, options->plan);
    options->limit.add_to(command);
    add_options(command, options->space);
    options->common.add_to(command);
    command.option("--cooling").only_with("--max-junction");
    command.option("--hysteresis").only_with("--strategy", {"area-ordered"});
    command.option("--samples").only_with("--strategy", {"random"});
    command.option("--link-gib")
        .only_if([options] { return options->plan.devices > 1; }, "--devices of 2 or more");
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
