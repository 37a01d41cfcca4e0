// PHAZE's stage planning problem, solved exactly, and what schedules and plan spaces add to it.

#include "command.hpp"
#include "place_formats.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/phaze_placement.hpp>
#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/evaluate.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/explain.hpp>
#include <dovetail/placement/pipeline_program.hpp>
#include <dovetail/placement/smallest_hbm.hpp>
#include <dovetail/placement/smallest_pipeline_hbm.hpp>
#include <dovetail/placement/verify_pipeline.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace cli {

namespace {

namespace placement = dovetail::placement;

/// PHAZE's own problem. Chains are solved in memory that is kept from solve to solve, as in a search.
struct phaze_problem {
    placement::chain_workspace& memory;
    dovetail::spending* spent = nullptr;

    [[nodiscard]] dovetail::result<placement::plan> operator()(const placement::layer_graph& problem) const {
        constexpr auto charge = placement::objective::phaze;
        if (is_chain(problem)) return placement::chain_program{charge, spent}(problem, memory);
        return placement::exact_program{.charge = charge, .spent = spent}(problem);
    }
    [[nodiscard]] dovetail::result<placement::hbm_need>
    smallest_hbm(const placement::layer_graph& problem) const {
        return placement::smallest_hbm(problem, placement::exact_program{}.downset_limit, spent);
    }
    void keep_to(dovetail::spending& time) { spent = &time; }
    [[nodiscard]] dovetail::result<placement::plan> price(const placement::layer_graph& problem,
                                                          placement::plan draft) const {
        return placement::evaluate(problem, std::move(draft), placement::objective::phaze);
    }
};

/// A wider one.
template <class Policy>
struct scheduled_problem {
    placement::pipeline_program<Policy> program;

    [[nodiscard]] dovetail::result<placement::plan> operator()(const placement::layer_graph& problem) const {
        if (!is_chain(problem))
            return dovetail::error{dovetail::errc::unsupported, "edges", "they are no chain",
                                   "schedules and plan spaces other than PHAZE's take chains of layers"};
        return program(problem);
    }
    [[nodiscard]] dovetail::result<placement::hbm_need>
    smallest_hbm(const placement::layer_graph& problem) const {
        return placement::smallest_hbm(problem, program);
    }
    void keep_to(dovetail::spending& time) { program.spent = &time; }
    [[nodiscard]] dovetail::result<placement::plan> price(const placement::layer_graph& problem,
                                                          placement::plan draft) const {
        if (program.schedule.chunks() != 1)
            return dovetail::error{dovetail::errc::unsupported, "plan", "it has one stage on a device",
                                   "the schedule has several"};
        if (std::any_of(draft.stages.begin(), draft.stages.end(),
                        [](const placement::stage& s) { return s.begin == s.end; }))
            return dovetail::error{dovetail::errc::shape, "plan", "a stage of it holds no layer",
                                   "only PHAZE's own problem has empty stages"};
        // Its layers, its width and its cut are what every plan is checked for.
        if (auto sound = placement::evaluate(unlimited(problem), draft, program.space.charge); !sound)
            return sound;
        for (std::size_t s = 0; s < draft.stages.size(); ++s)
            if (problem.recompute && s + 1 < draft.stages.size())
                draft.stages[s].repeats = placement::recomputation::full;
        const auto costs = std::find_if(problem.widths.begin(), problem.widths.end(),
                                        [&](const auto& w) { return w.width == draft.tensor_parallel; });
        return placement::pipeline_evaluator<Policy>(program.schedule, program.space, problem,
                                                     *costs)(std::move(draft));
    }

private:
    static placement::layer_graph unlimited(placement::layer_graph problem) {
        problem.hbm_bytes = std::numeric_limits<double>::infinity();
        return problem;
    }
};

std::string readable_gib(double bytes) {
    return dovetail::readable(bytes / static_cast<double>(dovetail::gibibyte), 4) + " GiB";
}

std::string binding_of(const placement::layer_graph& problem, const placement::plan& plan,
                       const placement::explanation& why) {
    const placement::stage& stage = plan.stages[why.stage];
    std::string text = std::string(to_string(why.binding)) + ": stage " + dovetail::to_text(why.stage + 1) +
                       " of " + dovetail::to_text(plan.stages.size()) + " of this plan";
    if (why.binding == placement::bottleneck::memory)
        return text + " fills " + readable_gib(stage.memory_bytes) + " of " +
               readable_gib(problem.hbm_bytes) + ", and with more memory another plan takes " +
               dovetail::readable(why.unlimited_memory_s, 5) + " s per batch";
    return text + " takes " + dovetail::readable(stage.load_s, 5) + " s a micro-batch";
}

std::string binding_of(const placement::layer_graph& problem, const placement::hbm_need& need) {
    if (!need.proved) return "devices or memory: the time ended before it was known which";
    if (need.binding() == placement::constraint::devices)
        return "devices: a replica takes at least " + dovetail::readable(need.fewest_devices) +
               ", and there are " + dovetail::readable(problem.devices);
    return "memory: stage " + dovetail::to_text(need.stage + 1) + " of " + dovetail::to_text(need.stages) +
           " of the leanest plan, of tensor width " + dovetail::readable(need.tensor_parallel) + ", needs " +
           dovetail::readable(need.bytes) + " bytes of a device, which has " +
           dovetail::readable(problem.hbm_bytes);
}

// What the plans of a problem rest on: they exchange nothing on a single device.
dovetail::report::answer_basis basis_of(const schedule_options& options,
                                        const placement::layer_graph& problem) {
    const bool exchanges = problem.devices > 1;
    const bool zero_bubble = options.schedule.starts_with("zb-");
    return {.flat_network = exchanges && options.node_devices == 0,
            .exposed_transfers = exchanges,
            .exposed_reductions = exchanges && !options.overlap_reduction,
            .estimated_bubble = exchanges && zero_bubble,
            .free_overlap = exchanges && options.overlap_reduction,
            .even_pipeline = exchanges && !zero_bubble,
            .first_stage_reduces = exchanges && !options.every_stage,
            .halved_backward = exchanges && zero_bubble,
            .planned_memory = true};
}

void write_plan(const dovetail::ext::json::phaze_placement& instance, const schedule_options& options,
                const placement::plan& plan, dovetail::json_writer& json) {
    json.member("schedule", options.schedule)
        .member("stages_per_device", plan.stages_per_device)
        .member("tensor_parallel", plan.tensor_parallel)
        .member("data_parallel", plan.data_parallel)
        .key("stages")
        .begin_array();
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        json.begin_object().key("layers").begin_array();
        for (const auto v : plan.layers(s)) json.value(instance.layer_ids[v]);
        json.end_array()
            .member("devices", plan.stages[s].devices)
            .member("load_s", plan.stages[s].load_s)
            .member("memory_bytes", plan.stages[s].memory_bytes)
            .member("recompute", to_string(plan.stages[s].repeats))
            .end_object();
    }
    json.end_array();
}

void write_explanation(const placement::explanation& why, dovetail::json_writer& json) {
    json.key("explain")
        .begin_object()
        .member("binding", to_string(why.binding))
        .member("stage", why.stage)
        .member("unlimited_memory_s", why.unlimited_memory_s)
        .member("unlimited_links_s", why.unlimited_links_s)
        .member("one_more_gib_s", why.one_more_gib_s)
        .member("one_more_gb_per_s_s", why.one_more_gb_per_s_s)
        .member("one_more_device_s", why.one_more_device_s)
        .end_object();
}

// What the plan that the file brings along costs, or why it is none of this problem.
struct fixed_answer {
    dovetail::ext::json::fixed_plan plan;
    std::optional<double> time_per_batch_s;
    std::string why_not;
};

template <class Solver>
fixed_answer price_fixed_plan(const dovetail::ext::json::phaze_placement& instance, const Solver& solve) {
    fixed_answer fixed{.plan = *instance.expert, .time_per_batch_s = {}, .why_not = {}};
    auto cut = dovetail::ext::json::cut_of_fixed_plan(instance);
    const auto priced = cut ? solve.price(instance.problem, *std::move(cut)) : cut;
    if (priced)
        fixed.time_per_batch_s = priced->time_per_batch_s;
    else
        fixed.why_not = priced.problem().line();
    return fixed;
}

void write_fixed_plan(const fixed_answer& fixed, std::optional<double> best, dovetail::json_writer& json) {
    json.key("fixed_plan")
        .begin_object()
        .member("tensor_parallel", fixed.plan.tensor)
        .member("data_parallel", fixed.plan.data)
        .member("pipeline_parallel", fixed.plan.pipeline)
        .member("feasible", fixed.time_per_batch_s.has_value())
        .key("time_per_batch_s");
    fixed.time_per_batch_s ? json.value(*fixed.time_per_batch_s) : json.null();
    json.key("times_best");
    fixed.time_per_batch_s&& best ? json.value(*fixed.time_per_batch_s / *best) : json.null();
    json.key("why_not");
    fixed.time_per_batch_s ? json.null() : json.value(fixed.why_not);
    json.end_object();
}

std::string readable_fixed_plan(const fixed_answer& fixed, const placement_answer& answer) {
    const std::string ways = dovetail::readable(fixed.plan.data) + " x " +
                             dovetail::readable(fixed.plan.pipeline) + " x " +
                             dovetail::readable(fixed.plan.tensor) + " (data x pipeline x tensor)";
    if (!fixed.time_per_batch_s) return "the file's own plan, " + ways + ", does not fit: " + fixed.why_not;
    std::string line = "the file's own plan, " + ways + ": " +
                       dovetail::readable(*fixed.time_per_batch_s, 6) + " s per batch";
    if (answer.objective)
        line += ", " + dovetail::readable(*fixed.time_per_batch_s / *answer.objective, 4) + " times the best";
    return line;
}

template <class Solver>
dovetail::result<placement_answer> answer_with(const place_request& request, Solver solve) {
    const auto text = read_file(request.file);
    if (!text) return text.problem();
    auto instance = dovetail::ext::json::read_phaze_placement(*text, input_name(request.file));
    if (!instance) return std::move(instance).problem();
    const placement::layer_graph& problem = instance->problem;
    const dovetail::budget limits = request.limit.begin();
    dovetail::spending spent(limits);
    solve.keep_to(spent);
    placement_answer answer;
    auto solved = measure_solve(answer.effort, limits, request.repeat, [&] { return solve(problem); });
    if (!solved) return std::move(solved).problem().within(request.file);
    answer.outcome = solved->outcome;
    answer.basis = basis_of(request.options, problem);
    const bool ended = solved->outcome == dovetail::status::budget;
    if (solved->stages.empty() && ended) {
        answer.binding = "time: it ended before the first plan";
        return answer;
    }
    if (!solved->stages.empty()) answer.objective = solved->time_per_batch_s;
    if (!ended) answer.lower_bound = answer.objective;
    json_members compare;
    if (instance->expert) {
        const fixed_answer fixed = price_fixed_plan(*instance, solve);
        answer.comparison = readable_fixed_plan(fixed, answer);
        compare = [fixed, best = answer.objective](dovetail::json_writer& json) {
            write_fixed_plan(fixed, best, json);
        };
    }
    if (solved->stages.empty()) {
        answer.more = compare;
        const auto need = solve.smallest_hbm(problem);
        answer.binding = need ? binding_of(problem, *need) : need.problem().line();
        return answer;
    }
    answer.more = compare;
    answer.binding = "time: it ended before " + std::string(ended ? "the search" : "what binds was known");
    if (!ended) {
        const auto why = placement::explain(problem, *solved, solve);
        if (!why) return dovetail::error(why.problem()).within(request.file);
        if (why->complete) {
            answer.binding = binding_of(problem, *solved, *why);
            answer.more = [why = *why, compare](dovetail::json_writer& json) {
                write_explanation(why, json);
                if (compare) compare(json);
            };
        }
    }
    const std::size_t depth = solved->stages.size() / solved->stages_per_device;
    answer.summary = dovetail::readable(solved->time_per_batch_s, 6) + " s per batch, " +
                     dovetail::readable(solved->data_parallel) + " x " + dovetail::readable(depth) + " x " +
                     dovetail::readable(solved->tensor_parallel) + " (data x pipeline x tensor)";
    answer.plan = [instance = *std::move(instance), plan = *std::move(solved), options = request.options](
                      dovetail::json_writer& json) { write_plan(instance, options, plan, json); };
    return answer;
}

} // namespace

dovetail::result<placement_answer> place_phaze(const place_request& request) {
    const schedule_options& options = request.options;
    placement::chain_workspace memory;
    if (options == schedule_options{}) return answer_with(request, phaze_problem{memory});
    const placement::plan_space space{.charge = options.every_stage ? placement::objective::every_stage
                                                                    : placement::objective::phaze,
                                      .choose_recomputation = options.choose_recomputation,
                                      .shard_optimizer = options.shard_optimizer,
                                      .overlap_reduction = options.overlap_reduction,
                                      .node = {.devices = options.node_devices,
                                               .link_bytes_per_s = options.node_gb_per_s * 1e9,
                                               .tensor_across = options.tensor_across}};
    if (auto valid = validate(space); !valid) return std::move(valid).problem();
    const auto under = [&]<class Policy>(const Policy& policy) {
        return answer_with(request, scheduled_problem<Policy>{{policy, space}});
    };
    if (options.schedule == "gpipe") return under(placement::gpipe{});
    if (options.schedule == "interleaved")
        return under(placement::interleaved{static_cast<std::size_t>(options.stages_per_device)});
    if (options.schedule == "zb-h1") return under(placement::zero_bubble_h1{});
    if (options.schedule == "zb-h2") return under(placement::zero_bubble_h2{});
    return under(placement::one_forward_one_backward{});
}

} // namespace cli
