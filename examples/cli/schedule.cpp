// dovetail schedule: when and where every operator of a layer runs, or every job of a project.

#include "command.hpp"
#include "inputs.hpp"
#include "interruption.hpp"
#include "model.hpp"
#include "schedule_problem.hpp"
#include "solve_effort.hpp"

#include <dovetail/core/json.hpp>
#include <dovetail/core/units.hpp>
#include <dovetail/ext/glpk.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/mps_text.hpp>
#include <dovetail/report/assumptions.hpp>
#include <dovetail/report/number.hpp>
#include <dovetail/report/schedule_page.hpp>
#include <dovetail/report/trace.hpp>
#include <dovetail/schedule/formulation/solve.hpp>
#include <dovetail/schedule/memory_limited.hpp>
#include <dovetail/schedule/tightened_search.hpp>
#include <dovetail/schedule/timetable.hpp>
#include <dovetail/schedule/verify.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

namespace schedule = dovetail::schedule;
namespace report = dovetail::report;
namespace formulation = schedule::formulation;

/// A formulation as a model, and seconds in one unit of its objective.
struct written_program {
    std::string_view name;
    dovetail::ilp::model model;
    double unit_s = 1.0;
};

struct schedule_command {
    common_options common;
    schedule_request request;
    std::string solver = "exact";
    std::string program;
    time_limit limit;
    std::string memory_limit;
    output html, trace, lp, mps;
    bool repeat = false;

    exit_status run() {
        if (auto begun = common.begin(request.format == "model" ? sources_of_model(request.layer.model.model)
                                                                : sources_of(request.layer.model.model));
            !begun)
            return complain(begun.problem());
        const auto problem = load(request);
        if (!problem) return complain(problem.problem());
        const std::optional<std::int64_t> limit_bytes = read_memory_limit(*problem);
        const bool wants_model = solver == "glpk" || lp.wanted() || mps.wanted();
        std::optional<written_program> written;
        if (wants_model) {
            auto made = write_program(problem->tasks);
            if (!made) return complain(made.problem());
            written = std::move(made).value();
            if (auto done = write_model(*written); !done) return complain(done.problem());
        }
        solve_effort effort;
        const dovetail::budget limits = limit.begin();
        if (limit_bytes) {
            const schedule::memory_limited within{.limit_bytes = *limit_bytes, .limits = limits};
            const auto found = measure_solve(effort, limits, repeat,
                                             [&] { return within(problem->tasks, *problem->memory); });
            const bool none = found.proof.best.start_s.empty() && problem->tasks.task_count() > 0;
            if (none) return tell_none(*problem, found, *limit_bytes, effort);
            return check_and_tell(*problem, found.proof, written, limit_bytes, effort);
        }
        const auto answer = solve(problem->tasks, limits, effort);
        if (!answer) return complain(answer.problem());
        return check_and_tell(*problem, *answer, written, limit_bytes, effort);
    }

    /// The bytes that may be live at once, where a limit is asked for.
    [[nodiscard]] std::optional<std::int64_t> read_memory_limit(const schedule_problem& problem) const {
        if (memory_limit.empty()) return std::nullopt;
        const auto bytes = read_number<std::int64_t>("--memory-limit", memory_limit);
        if (bytes < 1)
            refuse({dovetail::errc::out_of_range, "option --memory-limit",
                    "its value is '" + memory_limit + "'", "it must be a positive number of bytes"});
        if (!problem.memory || solver != "exact")
            refuse({dovetail::errc::unsupported, "option --memory-limit",
                    problem.memory ? "the solver is '" + solver + "'" : "a project has no activations",
                    "it goes with a layer of a model and --solver exact"});
        return bytes;
    }

    exit_status check_and_tell(const schedule_problem& problem, const schedule::certificate& answer,
                               const std::optional<written_program>& written,
                               std::optional<std::int64_t> limit_bytes, const solve_effort& effort) {
        // Whatever found it, it is a schedule by the definition of the problem.
        if (auto sound = schedule::verify(problem.tasks, answer.best); !sound) {
            complain(sound.problem());
            return defect;
        }
        return tell(problem, answer, written, limit_bytes, effort);
    }

    [[nodiscard]] formulation::program chosen() const {
        return program.empty() ? formulation::program::disjunctive : *formulation::program_named(program);
    }

    [[nodiscard]] dovetail::result<written_program> write_program(const schedule::task_graph& tasks) const {
        switch (chosen()) {
        case formulation::program::phaze: {
            const auto view = formulation::view_as_phaze(tasks);
            if (!view) return view.problem();
            return as_written(formulation::phaze_program(view->problem));
        }
        case formulation::program::time_indexed:
            return as_written(formulation::time_indexed(tasks));
        case formulation::program::disjunctive:
            return as_written(formulation::disjunctive(tasks));
        case formulation::program::flow:
            return as_written(formulation::resource_flow(tasks));
        }
        return written_program{};
    }

    template <dovetail::ilp::formulation Program>
    [[nodiscard]] static written_program as_written(const Program& program) {
        dovetail::ilp::solution one;
        one.bound = 1.0;
        return {Program::name, program.model(), program.bound(one)};
    }

    [[nodiscard]] dovetail::result<void> write_model(const written_program& written) {
        if (lp.wanted()) {
            const auto text = dovetail::ilp::lp_text(written.model);
            if (!text) return text.problem();
            common.put(lp, *text);
        }
        if (mps.wanted()) {
            const auto text = dovetail::ilp::mps_text(written.model);
            if (!text) return text.problem();
            common.put(mps, *text);
        }
        return {};
    }

    [[nodiscard]] dovetail::result<schedule::certificate>
    solve(const schedule::task_graph& tasks, const dovetail::budget& limits, solve_effort& effort) const {
        if (solver == "glpk") {
            const formulation::program_scheduler<dovetail::ext::glpk::solver> by_program{
                .which = chosen(), .solver = {.time_limit_s = limits.seconds, .stop = limits.stop}};
            return measure_solve(effort, limits, repeat, [&] { return by_program(tasks); });
        }
        schedule::tightened_workspace memory;
        return measure_solve(effort, limits, repeat, [&]() -> schedule::certificate {
            if (solver == "list") return schedule::list_scheduler{.limits = limits}(tasks, memory.lists);
            return schedule::tightened_search{.limits = limits}(tasks, memory);
        });
    }

    /// How the answer came about: "bounds" where no search was needed.
    [[nodiscard]] std::string_view method(const schedule::certificate& answer) const {
        if (solver != "exact") return solver;
        if (!memory_limit.empty()) return "memory";
        return answer.nodes == 0 ? "bounds" : "search";
    }

    /// No schedule keeps to the limit, or none was found in time.
    exit_status tell_none(const schedule_problem& problem, const schedule::memory_certificate& answer,
                          std::int64_t limit_bytes, const solve_effort& effort) {
        const dovetail::status status = answer.proof.status;
        const std::string binding = "memory: every schedule keeps at least " +
                                    dovetail::readable(answer.least_peak_bytes) +
                                    " bytes alive at once, the limit is " + dovetail::readable(limit_bytes);
        common.put_json([&](dovetail::json_writer& json) {
            json.member("status", to_string(status))
                .key("makespan")
                .null()
                .member("lower_bound", answer.proof.lower_bound_s)
                .member("proved_optimal", false)
                .member("method", "memory")
                .member("nodes", answer.proof.nodes)
                .member("solve_seconds", effort.seconds)
                .member("problem", problem.title)
                .member("binding", binding);
            write_assumptions(json, report::assumptions_of(problem.basis));
        });
        common.people() << (status == dovetail::status::infeasible ? "infeasible: " : "nothing found: ")
                        << binding << '\n';
        return common.finish(exit_of(status));
    }

    exit_status tell(const schedule_problem& problem, const schedule::certificate& answer,
                     const std::optional<written_program>& written, std::optional<std::int64_t> limit_bytes,
                     const solve_effort& effort) {
        const auto table = schedule::make_timetable(problem.tasks, answer.best);
        const auto chain = schedule::critical_chain(problem.tasks, answer.best);
        const report::drawn_schedule drawn{table, problem.names, problem.resources};
        common.put_json([&](dovetail::json_writer& json) {
            write(json, problem, answer, written, limit_bytes, effort, table, chain);
        });
        if (trace.wanted())
            common.put(trace, report::to_trace(problem.title, table, problem.names, problem.resources));
        if (html.wanted()) {
            const report::schedule_summary about{.title = problem.title,
                                                 .subtitle = problem.subtitle,
                                                 .facts = facts(problem, answer, effort),
                                                 .capacity = problem.tasks.capacity(),
                                                 .chain = chain,
                                                 .held = report::assumptions_of(problem.basis)};
            common.put(html, report::to_html(about, drawn, problem.unit, common.origin()));
        }
        std::ostream& out = common.people();
        out << problem.title << ", " << problem.subtitle << '\n';
        for (const auto& [name, value] : facts(problem, answer, effort))
            out << "  " << name << ": " << value << '\n';
        if (const auto held = report::assumptions_of(problem.basis); !held.empty())
            out << report::assumption_line(held) << '\n';
        return common.finish(exit_of(answer.status));
    }

    [[nodiscard]] static std::string readable_mib(std::int64_t bytes) {
        return report::readable(static_cast<double>(bytes) / static_cast<double>(dovetail::mebibyte), 4) +
               " MiB";
    }

    using fact_list = std::vector<std::pair<std::string, std::string>>;

    [[nodiscard]] fact_list facts(const schedule_problem& problem, const schedule::certificate& answer,
                                  const solve_effort& effort) const {
        const auto time = [&](double seconds) {
            return report::readable(seconds * problem.unit.per_second, 5) + ' ' +
                   std::string(problem.unit.name);
        };
        const schedule::relaxation relaxed(problem.tasks);
        fact_list facts{{"makespan", time(answer.best.makespan_s)},
                        {"no schedule is below",
                         time(answer.lower_bound_s) + (answer.proved_optimal() ? " (proved optimal)" : "")},
                        {"critical path of the fastest modes", time(relaxed.critical_path_s())}};
        for (std::size_t r = 0; r < schedule::max_resources; ++r)
            if (problem.tasks.capacity()[r] > 0)
                facts.emplace_back("least work of " + dovetail::readable(problem.tasks.capacity()[r]) +
                                       " x " + problem.resources[r],
                                   time(relaxed.load_s()[r]));
        if (problem.memory)
            facts.emplace_back("activations live at once", readable_mib(schedule::peak_bytes(
                                                               *problem.memory, problem.tasks, answer.best)));
        facts.emplace_back("found by",
                           std::string(method(answer)) +
                               (answer.nodes > 0 ? ", " + report::readable(answer.nodes) + " nodes" : "") +
                               ", " + report::readable(effort.seconds * 1e3, 3) + " ms");
        return facts;
    }

    void write(dovetail::json_writer& json, const schedule_problem& problem,
               const schedule::certificate& answer, const std::optional<written_program>& written,
               std::optional<std::int64_t> limit_bytes, const solve_effort& effort,
               const std::vector<schedule::timetable_entry>& table,
               const std::vector<schedule::chain_link>& chain) const {
        json.member("status", to_string(answer.status))
            .member("makespan", answer.best.makespan_s)
            .member("lower_bound", answer.lower_bound_s)
            .member("proved_optimal", answer.proved_optimal())
            .member("method", method(answer))
            .member("nodes", answer.nodes)
            .member("solve_seconds", effort.seconds)
            .member("peak_bytes", effort.peak_bytes)
            .member("solves", effort.solves)
            .member("problem", problem.title);
        if (problem.memory) {
            json.key("memory")
                .begin_object()
                .member("live_bytes", schedule::peak_bytes(*problem.memory, problem.tasks, answer.best))
                .member("unavoidable_bytes", schedule::unavoidable_bytes(*problem.memory));
            if (limit_bytes) json.member("limit_bytes", *limit_bytes);
            json.end_object();
        }
        json.key("bounds").begin_object();
        const schedule::relaxation relaxed(problem.tasks);
        json.member("critical_path", relaxed.critical_path_s());
        for (std::size_t r = 0; r < schedule::max_resources; ++r)
            if (problem.tasks.capacity()[r] > 0) json.member(problem.resources[r], relaxed.load_s()[r]);
        json.end_object();
        if (written) {
            const dovetail::ilp::model_size size = dovetail::ilp::size_of(written->model);
            json.key("formulation")
                .begin_object()
                .member("name", written->name)
                .member("columns", size.columns)
                .member("whole_columns", size.whole_columns)
                .member("rows", size.rows)
                .member("coefficients", size.coefficients)
                .member("unit_seconds", written->unit_s)
                .end_object();
        }
        json.key("tasks").begin_array();
        for (const schedule::timetable_entry& e : table) {
            json.begin_object()
                .member("task", e.task)
                .member("name", problem.names[e.task])
                .member("start", e.start_s)
                .member("duration", problem.tasks.modes(e.task)[e.mode].duration_s)
                .member("mode", e.mode)
                .member("critical", e.critical)
                .key("cores")
                .begin_object();
            for (std::size_t r = 0; r < schedule::max_resources; ++r) {
                if (e.units[r].empty()) continue;
                json.key(problem.resources[r]).begin_array();
                for (const auto& [first, last] : report::ranges_of(e.units[r]))
                    json.begin_array().value(first).value(last).end_array();
                json.end_array();
            }
            json.end_object().end_object();
        }
        json.end_array().key("critical_path").begin_array();
        for (const schedule::chain_link& link : chain)
            json.begin_object()
                .member("task", link.task)
                .member("name", problem.names[link.task])
                .member("waits_for", link.reason == schedule::waits_for::nothing       ? "nothing"
                                     : link.reason == schedule::waits_for::predecessor ? "predecessor"
                                                                                       : "resource")
                .end_object();
        json.end_array();
        write_assumptions(json, report::assumptions_of(problem.basis));
    }
};

} // namespace

void add_schedule(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("schedule", "when and where every operator of a layer runs");
    const auto options = std::make_shared<schedule_command>();
    command.add_example(
        "dovetail schedule gpt2-xl --layer 1 --pass backward --html layer.html --trace layer.json",
        "a proved optimum, as a page and for Perfetto");
    command.add_example("dovetail schedule project.sm --format psplib", "any project of renewable resources");
    command.add_example(
        "dovetail schedule bert-large --layer 1 --formulation disjunctive --write-mps layer.mps",
        "the integer program, for a solver of one's own");
    options->request.add_to(command);
    command
        .add_option("--solver", options->solver,
                    "exact proves the optimum, list is fast, glpk solves --formulation")
        .one_of({"exact", "list", "glpk"});
    std::vector<std::string> programs;
    for (const auto p : formulation::programs) programs.emplace_back(to_string(p));
    command.add_option("--formulation", options->program, "the integer program; disjunctive if not given")
        .one_of(programs);
    options->limit.add_to(command);
    command
        .add_option("--memory-limit", options->memory_limit, "bytes of activations that may be live at once")
        .type_name("NUMBER");
    command
        .add_flag("--repeat", options->repeat,
                  "solve again for 50 ms, so that solve_seconds is a precise mean")
        .no_part_of_answer();
    common_options& common = options->common;
    common.add_output(command, options->html, "--html", "write a page with the schedule to this file");
    common.add_output(command, options->trace, "--trace",
                      "write a trace for Chrome or Perfetto to this file");
    common.add_output(command, options->lp, "--write-lp",
                      "write the integer program to this file, in LP format");
    common.add_output(command, options->mps, "--write-mps",
                      "write the integer program to this file, in MPS format");
    common.add_to(command);
    command.option("--memory-limit").only_with("--format", {"model"}).only_with("--solver", {"exact"});
    command.option("--formulation")
        .only_if(
            [options] { return options->solver == "glpk" || options->lp.wanted() || options->mps.wanted(); },
            "--solver glpk, --write-lp or --write-mps");
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
