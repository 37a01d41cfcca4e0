#include <dovetail/schedule/exact.hpp>

#include "support/shared.hpp"

#include <dovetail/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;

// The single-mode projects of PSPLIB: jobs from 1, one line a job in two tables, then the capacities.
task_graph read_project(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    const auto skip_to = [&](std::string_view title, int more) {
        while (std::getline(in, line) && line.rfind(title, 0) != 0) {
        }
        for (; more > 0; --more) std::getline(in, line);
    };
    std::vector<graph::arc> arcs;
    mode_table table;
    demand capacity{};
    for (skip_to("PRECEDENCE", 1); std::getline(in, line) && line[0] != '*';) {
        std::istringstream words(line);
        graph::index job = 0, modes = 0, count = 0, next = 0;
        words >> job >> modes >> count;
        while (words >> next) arcs.push_back({job - 1, next - 1});
    }
    for (skip_to("REQUESTS", 2); std::getline(in, line) && line[0] != '*';) {
        std::istringstream words(line);
        int job = 0, number = 0;
        mode m;
        words >> job >> number >> m.duration_s;
        for (auto& units : m.use) words >> units;
        table.add_task(m);
    }
    skip_to("RESOURCEAVAIL", 1);
    for (auto& units : capacity) in >> units;
    const graph::digraph precedence(table.task_count(), arcs);
    return make_task_graph(precedence, capacity, table).value();
}

TEST(psplib, brackets_the_published_optima_and_proves_most) {
    DOVETAIL_SHARED_OR_SKIP(folder, "reference/schedule/psplib");
    std::ifstream published(folder / "j30_optimum.csv");
    std::string line;
    std::getline(published, line);
    int total = 0, proved = 0;
    while (std::getline(published, line)) {
        const std::size_t comma = line.find(',');
        const double optimum = std::stod(line.substr(comma + 1));
        const task_graph project = read_project(folder / "j30" / line.substr(0, comma));
        const certificate listed = list_scheduler{}(project);
        const certificate exact = branch_and_bound{.limits = {.nodes = 1'000}}(project);
        SCOPED_TRACE(line);
        EXPECT_TRUE(verify(project, exact.best, assign_cores(project, exact.best)));
        EXPECT_LE(listed.lower_bound_s, optimum);
        EXPECT_LE(exact.lower_bound_s, optimum);
        EXPECT_GE(exact.best.makespan_s, optimum);
        EXPECT_LE(exact.best.makespan_s, listed.best.makespan_s);
        if (exact.proved_optimal()) {
            EXPECT_EQ(exact.best.makespan_s, optimum);
            ++proved;
        }
        ++total;
    }
    EXPECT_GT(total, 200);
    EXPECT_GT(proved, total / 2);
}

} // namespace
