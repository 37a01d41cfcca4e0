// doors: glpk
// `dovetail schedule` as scripts see it.
#include <support/command_line.hpp>
#include <support/markup.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <glpk.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace dovetail::test {
namespace {

constexpr const char* point =
    " --family phaze --point num_tc=8,num_vc=2,width=128,depth=128,width_vc=128,glb_mib=128";

/// Two renewable resources, five jobs; 3 and 4 do not fit side by side.
constexpr std::string_view project = R"(file with basedata            : five.bas
projects                      :  1
jobs (incl. supersource/sink ):  5
horizon                       :  12
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          3           2   3   4
   2        1          1           5
   3        1          1           5
   4        1          1           5
   5        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     4       1    0
  3      1     3       2    1
  4      1     5       2    1
  5      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  R 2
   3    2
************************************************************************
)";

/// Checks what every answer must satisfy by itself.
void expect_sound(const json& answer) {
    for (const char* key :
         {"status", "makespan", "lower_bound", "proved_optimal", "method", "nodes", "solve_seconds"})
        EXPECT_TRUE(answer.contains(key)) << key;
    const double makespan = answer.at("makespan").get<double>();
    EXPECT_LE(answer.at("lower_bound").get<double>(), makespan * (1 + 1e-9));
    EXPECT_EQ(answer.at("proved_optimal"), answer.at("status") == "optimal");
    EXPECT_GT(answer.at("solve_seconds").get<double>(), 0.0);
    std::map<std::int64_t, const json*> tasks;
    double last = 0.0;
    for (const json& task : answer.at("tasks")) {
        tasks[task.at("task").get<std::int64_t>()] = &task;
        last = std::max(last, task.at("start").get<double>() + task.at("duration").get<double>());
    }
    EXPECT_EQ(last, makespan);
    double at = 0.0;
    for (const json& link : answer.at("critical_path")) {
        const json& task = *tasks.at(link.at("task").get<std::int64_t>());
        EXPECT_EQ(task.at("start").get<double>(), at);
        EXPECT_EQ(task.at("critical"), true);
        at += task.at("duration").get<double>();
    }
    EXPECT_EQ(at, makespan);
    // No core serves two tasks at once.
    for (const auto& [i, a] : tasks)
        for (const auto& [j, b] : tasks) {
            if (i >= j) continue;
            const auto start = [](const json& t) { return t.at("start").get<double>(); };
            const auto end = [&](const json& t) { return start(t) + t.at("duration").get<double>(); };
            if (!(start(*a) < end(*b) && start(*b) < end(*a))) continue;
            for (const auto& [resource, ranges] : a->at("cores").items()) {
                if (!b->at("cores").contains(resource)) continue;
                for (const json& x : ranges)
                    for (const json& y : b->at("cores").at(resource))
                        EXPECT_TRUE(x[1] < y[0] || y[1] < x[0]) << resource;
            }
        }
}

double optimum_by_glpk(const std::filesystem::path& file, bool lp) {
    glp_term_out(GLP_OFF);
    const std::unique_ptr<glp_prob, void (*)(glp_prob*)> problem(glp_create_prob(), glp_delete_prob);
    const int read = lp ? glp_read_lp(problem.get(), nullptr, file.c_str())
                        : glp_read_mps(problem.get(), GLP_MPS_FILE, nullptr, file.c_str());
    EXPECT_EQ(read, 0) << file;
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON;
    EXPECT_EQ(glp_intopt(problem.get(), &options), 0);
    EXPECT_EQ(glp_mip_status(problem.get()), GLP_OPT);
    return glp_mip_obj_val(problem.get());
}

TEST_F(Cli, ScheduleProvesALayerOfTheZooByBounds) {
    for (const char* pass : {"forward", "backward"}) {
        const json answer =
            answered(std::string("schedule megatron-bert --layer 1 --tensor-width 4 --pass ") + pass +
                     " --point num_tc=64,num_vc=64,width=128,depth=128,glb_mib=128");
        expect_sound(answer);
        EXPECT_EQ(answer.at("status"), "optimal");
        EXPECT_EQ(answer.at("method"), "bounds");
        EXPECT_EQ(answer.at("nodes"), 0);
        EXPECT_GT(answer.at("bounds").at("link").get<double>(), 0.0);
    }
}

TEST_F(Cli, ScheduleTakesRealLayersWithEverySolver) {
    DOVETAIL_SHARED_OR_SKIP(models, "models");
    const std::string layer = "schedule " + quoted(models / "bert_base_b1_s512.onnx") + " --layer 1" + point;
    const json exact = answered(layer + " --solver exact");
    const json listed = answered(layer + " --solver list");
    const json solved = answered(layer + " --solver glpk --time-limit 60");
    const json strict = answered(layer + " --solver glpk --formulation phaze --time-limit 60");
    for (const json& answer : {exact, listed, solved, strict}) expect_sound(answer);
    EXPECT_EQ(exact.at("status"), "optimal");
    EXPECT_EQ(listed.at("method"), "list");
    EXPECT_EQ(solved.at("method"), "glpk");
    const double optimum = exact.at("makespan").get<double>();
    EXPECT_GE(listed.at("makespan").get<double>(), optimum * (1 - 1e-9));
    EXPECT_NEAR(solved.at("makespan").get<double>(), optimum, 1e-6 * optimum);
    EXPECT_GE(strict.at("makespan").get<double>(), optimum * (1 - 1e-9));
    EXPECT_EQ(strict.at("formulation").at("name"), "phaze");
    EXPECT_GT(strict.at("formulation").at("rows").get<int>(), 0);
}

TEST_F(Cli, ScheduleSolvesProjects) {
    write("five.sm", project);
    const json answer = answered("schedule five.sm --format psplib");
    expect_sound(answer);
    EXPECT_EQ(answer.at("makespan"), 8.0);
    EXPECT_EQ(answer.at("status"), "optimal");
    EXPECT_EQ(answered("schedule five.sm --format psplib --solver glpk --formulation flow").at("makespan"),
              8.0);
    EXPECT_EQ(
        answered("schedule five.sm --format psplib --solver glpk --formulation time-indexed").at("makespan"),
        8.0);
}

TEST_F(Cli, TheProgramsThatScheduleWritesHaveTheSameOptimum) {
    write("five.sm", project);
    struct program {
        const char* problem;
        const char* formulation;
    };
    for (const auto& [problem, formulation] :
         {program{"five.sm --format psplib", "flow"}, program{"five.sm --format psplib", "disjunctive"},
          program{"five.sm --format psplib", "time-indexed"},
          program{"bert-large --layer 0 --pass backward", "phaze"}}) {
        SCOPED_TRACE(formulation);
        const json answer = answered(std::string("schedule ") + problem + " --solver glpk --formulation " +
                                     formulation + " --write-lp p.lp --write-mps p.mps");
        ASSERT_EQ(answer.at("status"), "optimal");
        const double unit = answer.at("formulation").at("unit_seconds").get<double>();
        const double makespan = answer.at("makespan").get<double>();
        EXPECT_NEAR(optimum_by_glpk(path("p.lp"), true) * unit, makespan, 1e-6 * makespan);
        EXPECT_NEAR(optimum_by_glpk(path("p.mps"), false) * unit, makespan, 1e-6 * makespan);
    }
}

TEST_F(Cli, ScheduleDrawsAPageAndATrace) {
    const json answer =
        answered(std::string("schedule bert-large --layer 0 --html page.html --trace trace.json") + point);
    const std::string page = read("page.html");
    EXPECT_EQ(markup_mistake(page), "");
    EXPECT_GE(occurrences(page, " critical\""), answer.at("critical_path").size());
    EXPECT_EQ(page.find("http"), std::string::npos) << "a page needs nothing besides itself";
    const json trace = json::parse(read("trace.json"), nullptr, false);
    ASSERT_TRUE(trace.is_object());
    double last_us = 0.0;
    for (const json& event : trace.at("traceEvents"))
        if (event.at("ph") == "X")
            last_us = std::max(last_us, event.at("ts").get<double>() + event.at("dur").get<double>());
    EXPECT_NEAR(last_us, answer.at("makespan").get<double>() * 1e6, 1e-9 * last_us);
}

TEST_F(Cli, ScheduleEndsWithItsBudget) {
    const json answer =
        answered("schedule bert-large --layer 2 --pass backward --micro-batch 8 --time-limit 1e-4"
                 " --point num_tc=2,num_vc=16,width=128,depth=128,glb_mib=128",
                 4);
    expect_sound(answer);
    EXPECT_EQ(answer.at("status"), "budget");
    EXPECT_EQ(answer.at("proved_optimal"), false);
}

TEST_F(Cli, ScheduleRefusesBadInputInOneLine) {
    write("five.sm", project);
    write("short.sm", project.substr(0, 500));
    refused("schedule bert-large --layer 99", {"option --layer: its value is '99'", "1 to 23 (8 tasks)"});
    refused("schedule bert-large", {"--layer", "it is not given", "0 (3 tasks)"});
    refused("schedule bert-large --layer x", {"option --layer: its value is 'x'"});
    refused("schedule bert-large --layer 1 --point num_tc=8", {"num_vc", "missing"});
    refused("schedule bert-large --layer 1 --point num_tc=0,num_vc=1,width=1,depth=1,glb_mib=1",
            {"num_tc=0"});
    refused("schedule bert-large --layer 1 --tensor-width 3", {"3"});
    refused("schedule bert-large --layer 1 --solver magic", {"magic"});
    refused("schedule bert-large --layer 1 --formulation flow", {"--formulation"});
    refused("schedule bert-large --layer 1 --time-limit -1", {"--time-limit", "at least 0"});
    refused("schedule nowhere.onnx --layer 1", {"nowhere.onnx"});
    refused("schedule short.sm --format psplib", {"short.sm: line"});
    refused("schedule five.sm --format psplib --layer 1", {"--layer", "it goes with --format model"});
    refused("schedule five.sm --format psplib --solver glpk --formulation phaze",
            {"PHAZE formulation: task"});
    refused("schedule bert-large --layer 0 --trace nowhere/trace.json", {"nowhere/trace.json"});
}

TEST_F(Cli, ScheduleKeepsToAMemoryLimit) {
    const std::string layer =
        std::string("schedule megatron-bert --layer 1 --pass forward --tensor-width 1") + point;
    const json free = answered(layer);
    const auto live = free.at("memory").at("live_bytes").get<std::int64_t>();
    const auto least = free.at("memory").at("unavoidable_bytes").get<std::int64_t>();
    ASSERT_GT(least, 0);
    ASSERT_GE(live, least);
    const json same = answered(layer + " --memory-limit " + std::to_string(live));
    EXPECT_EQ(same.at("status"), "optimal");
    EXPECT_EQ(same.at("makespan"), free.at("makespan"));
    EXPECT_LE(same.at("memory").at("live_bytes").get<std::int64_t>(), live);
    const json none = answered(layer + " --memory-limit " + std::to_string(least - 1), 3);
    EXPECT_EQ(none.at("status"), "infeasible");
    EXPECT_TRUE(none.at("makespan").is_null());
    EXPECT_TRUE(none.at("binding").get<std::string>().starts_with("memory: every schedule keeps at least"));
    EXPECT_EQ(run(layer + " --memory-limit 0").exit, 2);
    EXPECT_EQ(run(layer + " --memory-limit 1000 --solver list").exit, 2);
}

} // namespace
} // namespace dovetail::test
