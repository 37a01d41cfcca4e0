#include <dovetail/schedule/energy.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/least_memory_order.hpp>
#include <dovetail/schedule/live_memory.hpp>
#include <dovetail/schedule/memory_limited.hpp>
#include <dovetail/schedule/useful_modes.hpp>
#include <dovetail/schedule/verify.hpp>
#include <dovetail/schedule/verify_memory.hpp>

#include "schedule/problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::schedule;
using testing::HasSubstr;

/// A problem and what its tasks keep alive.
struct remembered {
    task_graph problem;
    std::vector<std::int64_t> workspace_bytes;
    std::vector<buffer> buffers;
    live_memory memory;
};

bool takes_time(const task_graph& problem, graph::index v) {
    const auto modes = problem.modes(v);
    return std::all_of(modes.begin(), modes.end(), [](const mode& m) { return m.duration_s > 0; });
}

remembered random_memory(random_source& random, task_graph problem) {
    remembered made{std::move(problem), {}, {}, {}};
    for (graph::index v = 0; v < made.problem.task_count(); ++v) {
        const bool busy = takes_time(made.problem, v);
        made.workspace_bytes.push_back(busy && random.real() < 0.3 ? random.integer(0, 5) : 0);
        std::vector<graph::index> readers;
        for (graph::index w = 0; w < made.problem.task_count(); ++w)
            if (made.problem.reaches().reaches(v, w) && random.real() < 0.6) readers.push_back(w);
        if (busy && random.real() < 0.9)
            made.buffers.push_back({random.integer(0, 9), v, readers, random.real() < 0.15});
        if (random.real() < 0.2) made.buffers.push_back({random.integer(0, 5), graph::none, {v, v}, false});
    }
    made.memory = live_memory::make(made.problem, made.workspace_bytes, made.buffers).value();
    return made;
}

/// Calls `visit` with every topological order.
template <class Visit>
void for_each_order(const task_graph& problem, std::vector<graph::index>& order, const Visit& visit) {
    if (order.size() == problem.task_count()) return visit(order);
    for (graph::index v = 0; v < problem.task_count(); ++v) {
        const auto taken = [&](graph::index u) {
            return std::find(order.begin(), order.end(), u) != order.end();
        };
        const auto before = problem.precedence().predecessors(v);
        if (taken(v) || !std::all_of(before.begin(), before.end(), taken)) continue;
        order.push_back(v);
        for_each_order(problem, order, visit);
        order.pop_back();
    }
}

/// What is live in an order, added up from the buffers at every step.
std::int64_t peak_by_definition(const remembered& r, const std::vector<graph::index>& order) {
    std::vector<std::size_t> place(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
    std::int64_t peak = 0;
    for (const buffer& b : r.buffers)
        if (b.producer == graph::none && !b.consumers.empty()) peak += b.size_bytes;
    for (std::size_t step = 0; step < order.size(); ++step) {
        std::int64_t live = r.workspace_bytes[order[step]];
        for (const buffer& b : r.buffers) {
            const bool made = b.producer != graph::none;
            std::size_t last = made ? place[b.producer] : 0;
            for (const graph::index v : b.consumers) last = std::max(last, place[v]);
            const bool begun = !made || place[b.producer] <= step;
            if (begun && (b.kept || step <= last)) live += b.size_bytes;
        }
        peak = std::max(peak, live);
    }
    return peak;
}

/// The shortest makespan under a limit by trying every start and mode of every task in whole seconds.
class limited_by_force {
public:
    limited_by_force(const remembered& r, std::int64_t limit_bytes) : r_(r), limit_bytes_(limit_bytes) {
        for (graph::index v = 0; v < r.problem.task_count(); ++v) {
            double longest = 0;
            for (const mode& m : r.problem.modes(v)) longest = std::max(longest, m.duration_s);
            horizon_ += longest;
        }
        best_s_ = std::numeric_limits<double>::infinity();
        trial_.start_s.assign(r.problem.task_count(), 0.0);
        trial_.mode.assign(r.problem.task_count(), 0);
        extend(0);
    }
    [[nodiscard]] double makespan_s() const { return best_s_; }

private:
    [[nodiscard]] double end_s(graph::index v) const {
        return trial_.start_s[v] + r_.problem.modes(v)[trial_.mode[v]].duration_s;
    }

    void extend(std::size_t position) {
        if (position == r_.problem.task_count()) {
            trial_.makespan_s = 0;
            for (graph::index v = 0; v < r_.problem.task_count(); ++v)
                trial_.makespan_s = std::max(trial_.makespan_s, end_s(v));
            if (verify(r_.problem, trial_) &&
                verify_memory(r_.problem, r_.workspace_bytes, r_.buffers, trial_, limit_bytes_))
                best_s_ = std::min(best_s_, trial_.makespan_s);
            return;
        }
        const graph::index v = r_.problem.order()[position];
        double ready_s = 0;
        for (const graph::index u : r_.problem.precedence().predecessors(v))
            ready_s = std::max(ready_s, end_s(u));
        for (std::uint32_t k = 0; k < r_.problem.modes(v).size(); ++k) {
            if (!fits(r_.problem.modes(v)[k].use, r_.problem.capacity())) continue;
            trial_.mode[v] = k;
            for (double start_s = ready_s; start_s <= horizon_; ++start_s) {
                trial_.start_s[v] = start_s;
                if (end_s(v) >= best_s_) break;
                extend(position + 1);
            }
        }
    }

    const remembered& r_;
    std::int64_t limit_bytes_;
    double horizon_ = 0;
    double best_s_;
    dovetail::schedule::schedule trial_;
};

TEST(live_memory, peaks_of_orders_and_schedules_are_those_of_the_definition) {
    random_source random(1);
    for (int instance = 0; instance < 200; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 10));
        const remembered r = random_memory(random, test::random_project(random, n));
        const std::vector<graph::index> order(r.problem.order().begin(), r.problem.order().end());
        ASSERT_EQ(peak_bytes(r.memory, order), peak_by_definition(r, order)) << instance;
        const dovetail::schedule::schedule listed = list_scheduler{}(r.problem).best;
        const std::int64_t peak = peak_bytes(r.memory, r.problem, listed);
        ASSERT_TRUE(verify_memory(r.problem, r.workspace_bytes, r.buffers, listed, peak)) << instance;
        if (peak > 0) {
            ASSERT_FALSE(verify_memory(r.problem, r.workspace_bytes, r.buffers, listed, peak - 1))
                << instance;
        }
    }
}

TEST(live_memory, a_meter_takes_back_what_it_did) {
    random_source random(2);
    const remembered r = random_memory(random, test::random_layer(random, 12));
    memory_meter meter(r.memory);
    std::vector<std::int64_t> before;
    for (const graph::index v : r.problem.order()) {
        before.push_back(meter.live_bytes());
        const std::int64_t net = meter.net_bytes(v);
        meter.start(v);
        meter.end(v);
        EXPECT_EQ(meter.live_bytes(), before.back() + net);
    }
    for (auto v = r.problem.order().rbegin(); v != r.problem.order().rend(); ++v) {
        meter.take_back_end(*v);
        meter.take_back_start(*v);
        EXPECT_EQ(meter.live_bytes(), before.back());
        before.pop_back();
    }
}

TEST(live_memory, says_what_is_wrong) {
    const task_graph problem = make_task_graph(graph::digraph(3, std::vector<graph::arc>{{0, 1}}),
                                               {1, 0, 0, 0}, mode_table{{{1, {1}}}, {{1, {1}}}, {{0, {}}}})
                                   .value();
    const std::vector<std::int64_t> none(3, 0);
    const auto line = [&](const std::vector<std::int64_t>& workspaces, const buffer& b) {
        const auto made = live_memory::make(problem, workspaces, std::vector<buffer>{b});
        return made ? std::string("sound") : made.problem().line();
    };
    EXPECT_EQ(line(none, {4, 0, {1}, false}), "sound");
    EXPECT_THAT(line({0, 0}, {}), HasSubstr("the problem has 3"));
    EXPECT_THAT(line({-1, 0, 0}, {}), HasSubstr("task 0"));
    EXPECT_THAT(line({0, 0, 1}, {}), HasSubstr("takes no time"));
    EXPECT_THAT(line(none, {-4, 0, {1}, false}), HasSubstr("-4 bytes"));
    EXPECT_THAT(line(none, {4, 7, {}, false}), HasSubstr("numbered below 3"));
    EXPECT_THAT(line(none, {4, 1, {0}, false}), HasSubstr("does not wait for its producer"));
    EXPECT_THAT(line(none, {4, 2, {}, false}), HasSubstr("readers of a view"));
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    EXPECT_THAT(line({most, 0, 0}, {most, 0, {1}, false}), HasSubstr("64 bits"));
}

TEST(least_memory_order, is_the_least_of_all_orders) {
    random_source random(3);
    int searched = 0;
    for (int instance = 0; instance < 200; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 7));
        const remembered r = random_memory(random, test::random_project(random, n));
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        std::vector<graph::index> order;
        for_each_order(r.problem, order, [&](const std::vector<graph::index>& o) {
            least = std::min(least, peak_by_definition(r, o));
        });
        const memory_order found = least_memory_order{}(r.problem, r.memory);
        ASSERT_EQ(found.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(found.peak_bytes, least) << instance;
        ASSERT_EQ(peak_bytes(r.memory, found.order), least) << instance;
        ASSERT_LE(unavoidable_bytes(r.memory), least) << instance;
        searched += found.nodes > 0 ? 1 : 0;
    }
    EXPECT_GT(searched, 20);
}

TEST(least_memory_order, decides_a_target_and_keeps_to_its_budget) {
    random_source random(4);
    for (int instance = 0; instance < 30; ++instance) {
        const remembered r = random_memory(random, test::random_layer(random, 14));
        const memory_order least = least_memory_order{}(r.problem, r.memory);
        ASSERT_EQ(least.status, dovetail::status::optimal);
        for (const std::int64_t target : {least.peak_bytes - 1, least.peak_bytes}) {
            const memory_order found = least_memory_order{.target_bytes = target}(r.problem, r.memory);
            EXPECT_EQ(found.peak_bytes <= target, target == least.peak_bytes);
            EXPECT_EQ(found.lower_bound_bytes > target, target < least.peak_bytes);
        }
        const memory_order cut = least_memory_order{.limits = {.nodes = 2}}(r.problem, r.memory);
        EXPECT_LE(cut.lower_bound_bytes, least.peak_bytes);
        EXPECT_GE(cut.peak_bytes, least.peak_bytes);
        EXPECT_EQ(peak_bytes(r.memory, cut.order), cut.peak_bytes);
    }
}

TEST(memory_limited, agrees_with_brute_force) {
    random_source random(5);
    int infeasible = 0;
    int waits = 0;
    for (int instance = 0; instance < 50; ++instance) {
        const auto n = static_cast<std::size_t>(random.integer(1, 4));
        const remembered r = random_memory(random, test::random_project(random, n));
        const std::int64_t least = least_memory_order{}(r.problem, r.memory).peak_bytes;
        const std::int64_t limit = std::max<std::int64_t>(1, least + random.integer(-1, 6));
        const double expected_s = limited_by_force(r, limit).makespan_s();
        const memory_certificate found = memory_limited{.limit_bytes = limit}(r.problem, r.memory);
        if (std::isinf(expected_s)) {
            ASSERT_EQ(found.proof.status, dovetail::status::infeasible) << instance;
            ASSERT_GT(found.least_peak_bytes, limit) << instance;
            ++infeasible;
            continue;
        }
        ASSERT_EQ(found.proof.status, dovetail::status::optimal) << instance;
        ASSERT_EQ(found.proof.best.makespan_s, expected_s) << instance;
        ASSERT_TRUE(verify(r.problem, found.proof.best)) << instance;
        ASSERT_TRUE(verify_memory(r.problem, r.workspace_bytes, r.buffers, found.proof.best, limit))
            << instance;
        waits += expected_s > branch_and_bound{}(r.problem).best.makespan_s ? 1 : 0;
    }
    EXPECT_GT(infeasible, 2);
    EXPECT_GT(waits, 3);
}

TEST(memory_limited, brackets_the_optimum_of_larger_problems) {
    random_source random(6);
    int proved = 0;
    for (int instance = 0; instance < 12; ++instance) {
        const remembered r = random_memory(random, test::random_layer(random, instance < 8 ? 10 : 40));
        const memory_order least = least_memory_order{.limits = {.nodes = 2000}}(r.problem, r.memory);
        const std::int64_t free_peak = peak_bytes(r.memory, r.problem, list_scheduler{}(r.problem).best);
        double before_s = std::numeric_limits<double>::infinity();
        // A larger memory never makes the proved optimum longer.
        for (const std::int64_t limit : {least.peak_bytes, (least.peak_bytes + free_peak) / 2, free_peak}) {
            const memory_certificate found = memory_limited{.limit_bytes = std::max(limit, least.peak_bytes),
                                                            .limits = {.nodes = 2000}}(r.problem, r.memory);
            ASSERT_FALSE(found.proof.best.start_s.empty());
            ASSERT_TRUE(verify(r.problem, found.proof.best));
            ASSERT_TRUE(verify_memory(r.problem, r.workspace_bytes, r.buffers, found.proof.best,
                                      std::max(limit, least.peak_bytes)));
            ASSERT_LE(found.proof.lower_bound_s, found.proof.best.makespan_s * (1 + 1e-12));
            ASSERT_LE(found.proof.lower_bound_s, before_s * (1 + 1e-12));
            if (found.proof.proved_optimal()) {
                before_s = found.proof.best.makespan_s;
                ++proved;
            }
        }
    }
    EXPECT_GT(proved, 12);
}

TEST(memory_limited, an_empty_problem_takes_no_time) {
    const task_graph problem = make_task_graph(graph::digraph(0, {}), {1, 0, 0, 0}, {}).value();
    const live_memory memory = live_memory::make(problem, {}, {}).value();
    const memory_certificate found = memory_limited{.limit_bytes = 1}(problem, memory);
    EXPECT_EQ(found.proof.status, dovetail::status::optimal);
    EXPECT_EQ(found.proof.best.makespan_s, 0.0);
}

// Two products of 2 s and a sum of 1 s on two cores: 3 s, or 5 s on one core.
TEST(energy, adds_up_what_is_switched_and_what_is_drawn) {
    const task_graph problem =
        make_task_graph(graph::digraph(3, std::vector<graph::arc>{{0, 2}, {1, 2}}), {2, 1, 0, 0},
                        mode_table{{{2, {1}}}, {{2, {1}}}, {{1, {0, 1}}}})
            .value();
    const dovetail::schedule::schedule best = branch_and_bound{}(problem).best;
    ASSERT_EQ(best.makespan_s, 3.0);
    const static_power power{.always_w = 10, .busy_w = {5, 3}, .idle_w = {2, 1}};
    const energy_model model = energy_model::make(problem, {7, 8, 9}, power).value();
    const energy spent = model(problem, best);
    EXPECT_DOUBLE_EQ(spent.switched_j, 24.0);
    EXPECT_DOUBLE_EQ(spent.busy_j, 5 * 4.0 + 3 * 1.0);
    EXPECT_DOUBLE_EQ(spent.idle_j, 2 * (2 * 3.0 - 4.0) + 1 * (3.0 - 1.0));
    EXPECT_DOUBLE_EQ(spent.always_j, 30.0);
    EXPECT_DOUBLE_EQ(spent.total_j(), 24 + 23 + 6 + 30);

    const auto line = [&](std::vector<double> joules, const static_power& watts) {
        const auto made = energy_model::make(problem, std::move(joules), watts);
        return made ? std::string("sound") : made.problem().line();
    };
    EXPECT_THAT(line({1, 2}, power), HasSubstr("the problem has 3"));
    EXPECT_THAT(line({1, -2, 3}, power), HasSubstr("task 1, mode 0"));
    EXPECT_THAT(line({1, std::nan(""), 3}, power), HasSubstr("task 1, mode 0"));
    EXPECT_THAT(line({1, 2, 3}, {.always_w = -1}), HasSubstr("power of the chip"));
    EXPECT_THAT(line({1, 2, 3}, {.idle_w = {0, std::nan("")}}), HasSubstr("resource 1"));
}

TEST(useful_modes, are_those_that_nothing_replaces) {
    const std::vector<mode> modes{{4, {1}}, {2, {3}}, {4, {1}}, {5, {2}}, {1, {9}}};
    EXPECT_EQ(useful_modes(modes, {4, 0, 0, 0}), (std::vector<std::uint32_t>{0, 1}));
    const std::vector<mode> instant{{3, {1}}, {0, {2}}, {2, {1}}};
    EXPECT_EQ(useful_modes(instant, {2, 0, 0, 0}), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(useful_modes(instant, {1, 0, 0, 0}), (std::vector<std::uint32_t>{2}));
}

} // namespace
