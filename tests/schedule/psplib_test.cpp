#include <dovetail/schedule/psplib.hpp>

#include "support/shared.hpp"

#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string project_text(std::string_view file) {
    return read_file(test::source_file("tests/fuzz/corpus/psplib") / file);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(psplib, reads_a_project_of_one_mode) {
    const auto project = read_psplib(project_text("one_mode.sm"), "one_mode.sm");
    ASSERT_TRUE(project) << project.problem().line();
    EXPECT_EQ(project->horizon_s, 14.0);
    const task_graph& problem = project->problem;
    ASSERT_EQ(problem.task_count(), 6U);
    EXPECT_EQ(problem.capacity(), (demand{3, 1, 0, 0}));
    EXPECT_EQ(problem.precedence().edge_count(), 6U);
    EXPECT_EQ(problem.precedence().successors(0)[1], 2U);
    EXPECT_EQ(problem.modes(2)[0], (mode{4.0, {2, 1, 0, 0}}));
    // Jobs 3 and 4 share the one unit of R 2; jobs 2 and 3 do not fit together either.
    EXPECT_EQ(branch_and_bound{}(problem).best.makespan_s, 11.0);
}

TEST(psplib, reads_further_modes_and_foreign_line_ends) {
    const auto project = read_psplib(project_text("two_modes.mm"), "two_modes.mm");
    ASSERT_TRUE(project) << project.problem().line();
    ASSERT_EQ(project->problem.modes(2).size(), 2U);
    EXPECT_EQ(project->problem.modes(2)[1], (mode{6.0, {1, 1, 0, 0}}));
    EXPECT_EQ(project->problem.modes(4)[1], (mode{1.0, {3, 0, 0, 0}}));
    const auto foreign = read_psplib(project_text("crlf.sm"), "crlf.sm");
    ASSERT_TRUE(foreign) << foreign.problem().line();
    EXPECT_EQ(foreign->problem.task_count(), 6U);
}

struct spoilt {
    std::string_view from, to;
    errc code;
    std::string_view line;
};

TEST(psplib, says_what_is_wrong_and_where) {
    const std::string sound = project_text("one_mode.sm");
    const spoilt cases[] = {
        {"jobs (incl", "tasks (incl", errc::parse,
         "file: line 17: it starts with 'PRECEDENCE'; a line 'jobs : <count>' comes first"},
        {":  6", ":  six", errc::parse,
         "file: line 6: word 5 is 'six'; jobs is expected: a whole number from 1 to 2,147,483,647"},
        {"projects                      :  1", "projects                      :  2", errc::unsupported,
         "file: line 5: it counts 2; at most 1 can be handled"},
        {"renewable                 :  2", "renewable                 :  5", errc::unsupported,
         "file: line 9: it counts 5; at most 4 can be handled"},
        {"nonrenewable              :  0", "nonrenewable              :  1", errc::unsupported,
         "file: line 10: it counts 1; at most 0 can be handled"},
        {"   3        1          1", "   4        1          1", errc::out_of_range,
         "file: line 21: word 1 is '4'; the number of the job is expected: a whole number from 3 to 3"},
        {"3        1          1           5", "3        1          2           5", errc::parse,
         "file: line 21: it has 4 words; it must have 5"},
        {"3        1          1           5", "3        1          1           7", errc::out_of_range,
         "file: line 21: word 4 is '7'; a successor is expected: a whole number from 1 to 6"},
        {"3        1          1           5", "3        2          1           5", errc::out_of_range,
         "file: line 32: word 1 is '4'; the number of the mode is expected: a whole number from 2 to 2"},
        {"3      1     4", "3      1    -4", errc::out_of_range,
         "file: line 31: word 3 is '-4'; a duration is expected: a whole number from 0 to 2,147,483,647"},
        {"4       2    1", "4       2     ", errc::parse,
         "file: line 31: it has 4 words; the number of units of R 2 is expected: a whole number from 0 to "
         "2,147,483,647"},
        {"4       2    1", "4       2  1 1", errc::parse, "file: line 31: it has 6 words; it must have 5"},
        {"REQUESTS", "WISHES", errc::parse,
         "file: line 39: the file ends here; a line 'REQUESTS/DURATIONS' must follow"},
        {"3    1\n", "\n", errc::parse,
         "file: line 39: the file ends here; the number of units of R 1 is expected: a whole number from 0 "
         "to "
         "2,147,483,647"},
    };
    for (const spoilt& c : cases) {
        const auto project = read_psplib(replaced(sound, c.from, c.to), "file");
        ASSERT_FALSE(project) << c.line;
        EXPECT_EQ(project.problem().code, c.code) << c.line;
        EXPECT_EQ(project.problem().line(), c.line);
    }
    EXPECT_EQ(read_psplib(project_text("cycle.sm"), "file").problem().code, errc::cycle);
    EXPECT_EQ(read_psplib(project_text("truncated.sm"), "file").problem().line(),
              "file: line 31: the file ends here; the line of job 4 comes next");
    EXPECT_EQ(
        read_psplib(project_text("too_large.sm"), "file").problem().line(),
        "file: task graph: task 2: it can never run: it needs 4 of resource 0, where there are 3; at least "
        "one mode must stay within the capacities");
}

// A third of the projects, by nodes and not by time; `bench/schedule/psplib_report` solves all of them.
TEST(psplib, brackets_the_published_optima_and_proves_most) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/schedule/psplib");
    std::ifstream published(folder / "j30_optimum.csv");
    std::string line;
    std::getline(published, line);
    int listed_optima = 0, sampled_optima = 0, total = 0, proved = 0;
    for (int row = 0; std::getline(published, line); ++row) {
        if (row % 3 != 0) continue;
        const std::size_t comma = line.find(',');
        const double optimum = std::stod(line.substr(comma + 1));
        const auto project = read_psplib(read_file(folder / "j30" / line.substr(0, comma)), line);
        ASSERT_TRUE(project) << project.problem().line();
        const task_graph& problem = project->problem;
        EXPECT_GE(project->horizon_s, optimum);
        const certificate listed = list_scheduler{}(problem);
        const certificate sampled = list_scheduler{.sampled_tasks = 1'000}(problem);
        const certificate exact =
            branch_and_bound{.limits = {.nodes = 400}, .incumbent = {.sampled_tasks = 1'000}}(problem);
        SCOPED_TRACE(line);
        EXPECT_TRUE(verify(problem, exact.best, assign_cores(problem, exact.best)));
        EXPECT_LE(listed.lower_bound_s, exact.lower_bound_s);
        EXPECT_LE(exact.lower_bound_s, optimum);
        EXPECT_GE(exact.best.makespan_s, optimum);
        EXPECT_LE(exact.best.makespan_s, sampled.best.makespan_s);
        EXPECT_LE(sampled.best.makespan_s, listed.best.makespan_s);
        if (exact.proved_optimal()) {
            EXPECT_EQ(exact.best.makespan_s, optimum);
            ++proved;
        }
        listed_optima += listed.best.makespan_s == optimum ? 1 : 0;
        sampled_optima += sampled.best.makespan_s == optimum ? 1 : 0;
        ++total;
    }
    EXPECT_GE(total, 80);
    EXPECT_GT(proved * 10, total * 8);
    EXPECT_GT(sampled_optima, listed_optima);
}

} // namespace
