// doors: json
// Schedules as pictures and traces: lanes, bars, events.
#include <dovetail/report/schedule_page.hpp>
#include <dovetail/report/trace.hpp>

#include <schedule/problems.hpp>
#include <support/markup.hpp>

#include <dovetail/schedule/list_scheduler.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace dovetail::report {
namespace {

using nlohmann::json;
using schedule::timetable_entry;

const resource_names names_of_resources{"A", "B", "C", "D"};

std::vector<std::string> names_for(std::size_t tasks) {
    std::vector<std::string> names;
    for (std::size_t v = 0; v < tasks; ++v) names.push_back("<task> \"" + to_text(v) + "\" & co");
    return names;
}

TEST(Lanes, EveryUnitHoldsItsTasksInTurnAndSharedLanesLoseNothing) {
    random_source random(71);
    for (int instance = 0; instance < 60; ++instance) {
        const auto problem = test::random_project(random, static_cast<std::size_t>(random.integer(0, 25)));
        const auto table = schedule::make_timetable(problem, schedule::list_scheduler{}(problem).best);
        std::set<std::tuple<std::size_t, std::int32_t, std::size_t>> expected;
        std::size_t without = 0;
        for (std::size_t e = 0; e < table.size(); ++e) {
            std::size_t held = 0;
            for (std::size_t r = 0; r < schedule::max_resources; ++r)
                for (const std::int32_t unit : table[e].units[r]) {
                    expected.emplace(r, unit, e);
                    ++held;
                }
            without += held == 0 && table[e].end_s > table[e].start_s ? 1U : 0U;
        }
        for (const bool shared : {false, true}) {
            std::set<std::tuple<std::size_t, std::int32_t, std::size_t>> drawn;
            std::size_t drawn_without = 0;
            for (const lane& l : shared ? shared_lanes_of(table) : lanes_of(table)) {
                EXPECT_TRUE(shared || l.units.size() == 1);
                for (std::size_t k = 1; k < l.entries.size(); ++k)
                    EXPECT_LE(table[l.entries[k - 1]].end_s, table[l.entries[k]].start_s);
                for (const std::size_t e : l.entries)
                    if (l.resource == lane::no_resource)
                        ++drawn_without;
                    else
                        for (const std::int32_t unit : l.units) drawn.emplace(l.resource, unit, e);
            }
            EXPECT_EQ(drawn, expected);
            EXPECT_EQ(drawn_without, without);
        }
    }
}

TEST(Lanes, AreCalledByTheirUnits) {
    EXPECT_EQ(name_of({.resource = 0, .units = {2}, .entries = {}}, names_of_resources), "A 3");
    EXPECT_EQ(name_of({.resource = 1, .units = {2, 3, 4}, .entries = {}}, names_of_resources), "B 3–5");
    EXPECT_EQ(name_of({.resource = 2, .units = {0, 3, 4}, .entries = {}}, names_of_resources), "C ×3");
    EXPECT_EQ(name_of({.resource = lane::no_resource, .units = {0}, .entries = {}}, names_of_resources),
              "none 1");
}

TEST(Trace, HasOneEventForEveryUnitThatATaskHolds) {
    random_source random(72);
    for (int instance = 0; instance < 40; ++instance) {
        const auto problem = test::random_project(random, static_cast<std::size_t>(random.integer(0, 20)));
        const auto table = schedule::make_timetable(problem, schedule::list_scheduler{}(problem).best);
        const auto names = names_for(problem.task_count());
        const json trace = json::parse(to_trace("the \"title\"", table, names, names_of_resources));
        std::map<std::int64_t, std::string> threads;
        std::map<std::pair<std::int64_t, double>, double> ends; // no two events of a thread overlap
        std::map<std::size_t, std::size_t> events;
        std::size_t processes = 0;
        for (const json& event : trace.at("traceEvents")) {
            EXPECT_EQ(event.at("pid"), 1);
            if (event.at("ph") == "M") {
                if (event.at("name") == "process_name") {
                    EXPECT_EQ(event.at("args").at("name"), "the \"title\"");
                    ++processes;
                }
                if (event.at("name") == "thread_name")
                    threads[event.at("tid").get<std::int64_t>()] =
                        event.at("args").at("name").get<std::string>();
                continue;
            }
            ASSERT_EQ(event.at("ph"), "X");
            EXPECT_TRUE(threads.contains(event.at("tid").get<std::int64_t>()));
            const auto task = event.at("args").at("task").get<graph::index>();
            const auto entry = std::find_if(table.begin(), table.end(),
                                            [&](const timetable_entry& e) { return e.task == task; });
            ASSERT_NE(entry, table.end());
            EXPECT_EQ(event.at("name"), names[task]);
            EXPECT_EQ(event.at("ts"), entry->start_s * 1e6);
            EXPECT_EQ(event.at("dur"), (entry->end_s - entry->start_s) * 1e6);
            EXPECT_EQ(event.at("args").at("mode"), entry->mode);
            EXPECT_EQ(event.at("cat") == "critical", entry->critical);
            ++events[task];
            ends[{event.at("tid").get<std::int64_t>(), entry->start_s}] = entry->end_s;
        }
        EXPECT_EQ(processes, 1u);
        for (auto e = ends.begin(); e != ends.end() && std::next(e) != ends.end(); ++e)
            if (std::next(e)->first.first == e->first.first) {
                EXPECT_LE(e->second, std::next(e)->first.second);
            }
        std::size_t most_lanes = 0;
        for (const std::int32_t units : problem.capacity()) most_lanes += static_cast<std::size_t>(units);
        for (const timetable_entry& e : table) {
            std::size_t held = 0;
            for (const auto& units : e.units) held += units.size();
            if (e.end_s > e.start_s) {
                EXPECT_EQ(events[e.task], std::max<std::size_t>(held, 1));
            }
            most_lanes += held == 0 ? 1U : 0U;
        }
        EXPECT_LE(threads.size(), most_lanes);
    }
}

TEST(ScheduleChart, TheCriticalChainIsOutlinedAndManyEqualCoresAreOneRow) {
    // Two operators on all of 4,096 cores, and one on a single core between them.
    schedule::mode_table table{{{2.0, {4096}}}, {{1.0, {1}}}, {{3.0, {4096}}}};
    const auto problem = schedule::make_task_graph(graph::digraph(3, std::vector<graph::arc>{{0, 1}, {1, 2}}),
                                                   {4096, 64}, table)
                             .value();
    const auto best = schedule::list_scheduler{}(problem).best;
    const auto entries = schedule::make_timetable(problem, best);
    const auto names = names_for(3);
    const drawn_schedule drawn{entries, names, names_of_resources};
    const std::string chart = schedule_chart("t", drawn, {.per_second = 1.0, .name = "s"});
    EXPECT_EQ(test::markup_mistake(chart), "");
    EXPECT_EQ(test::occurrences(chart, "<rect"), 3u);
    EXPECT_EQ(test::occurrences(chart, " critical\""), 3u);
    EXPECT_NE(chart.find("A 2–4096"), std::string::npos);
    const schedule_summary about{.title = "a <title>",
                                 .subtitle = "s",
                                 .facts = {{"makespan", "6 s"}},
                                 .capacity = problem.capacity(),
                                 .chain = schedule::critical_chain(problem, best)};
    const std::string page = to_html(about, drawn, {.per_second = 1.0, .name = "s"});
    EXPECT_EQ(test::markup_mistake(page), "");
    EXPECT_NE(page.find("Idle throughout: B 1–64."), std::string::npos);
    EXPECT_EQ(test::occurrences(page, "its result"), 2u);
}

} // namespace
} // namespace dovetail::report
