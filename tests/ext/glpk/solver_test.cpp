// doors: glpk
#include <dovetail/ext/glpk/solver.hpp>

#include <ext/glpk/small_program.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/ilp/indicator.hpp>
#include <dovetail/ilp/relaxation.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/ilp/verify.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ilp;
using dovetail::ext::glpk::solver;
using dovetail::test::small_program;

TEST(glpk, solves_a_linear_program) {
    // Wyndor Glass (Hillier and Lieberman): 36 at (2, 6).
    model m;
    const variable x = m.add_continuous(0, 4, "x");
    const variable y = m.add_continuous(0, infinity, "y");
    m.add_constraint(2 * y <= 12, "plant 2");
    m.add_constraint(3 * x + 2 * y <= 18, "plant 3");
    m.maximize(3 * x + 5 * y);
    const solution s = solver{}(m).value();
    EXPECT_EQ(s.ending, verdict::optimal);
    EXPECT_NEAR(s.objective, 36, 1e-9);
    EXPECT_NEAR(s.bound, 36, 1e-9);
    EXPECT_NEAR(s[x], 2, 1e-9);
    EXPECT_NEAR(s[y], 6, 1e-9);
    EXPECT_TRUE(verify(m, s.values).holds(1e-9));
}

TEST(glpk, agrees_with_enumeration_whatever_the_options) {
    random_source random(21);
    int infeasible = 0;
    for (int instance = 0; instance < 300; ++instance) {
        const small_program p(random);
        for (const solver& s : {solver{}, solver{.presolve = false}, solver{.cuts = false}}) {
            const solution found = s(p.m).value();
            if (p.optimum == infinity) {
                EXPECT_EQ(found.ending, verdict::infeasible) << instance;
                EXPECT_FALSE(found.has_values());
                ++infeasible;
                continue;
            }
            ASSERT_EQ(found.ending, verdict::optimal) << instance;
            EXPECT_NEAR(found.objective, p.optimum, 1e-9) << instance;
            const verification check = verify(p.m, found.values);
            EXPECT_TRUE(check.holds(1e-9)) << check.where;
            EXPECT_DOUBLE_EQ(check.objective, found.objective);
        }
    }
    EXPECT_GT(infeasible, 30);
}

TEST(glpk, says_unbounded_and_infeasible) {
    for (const bool whole : {false, true}) {
        model open;
        const variable x = open.add_variable(whole ? domain::integer : domain::continuous, 0, infinity, "x");
        open.add_constraint(expression(x) >= 1);
        open.maximize(x);
        EXPECT_EQ(solver{}(open).value().ending, verdict::unbounded);
        EXPECT_EQ(solver{.presolve = false}(open).value().ending, verdict::unbounded);
        EXPECT_EQ(solver{.relative_gap = 0.1}(open).value().ending, verdict::unbounded);
        EXPECT_EQ(solver{}(open).value().bound, infinity);

        model closed;
        const variable y =
            closed.add_variable(whole ? domain::integer : domain::continuous, 0, infinity, "y");
        const variable z = closed.add_continuous(0, infinity, "z");
        closed.add_constraint(y + z >= 3);
        closed.add_constraint(y + z <= 2);
        closed.maximize(z);
        EXPECT_EQ(solver{}(closed).value().ending, verdict::infeasible);
        EXPECT_EQ(solver{.presolve = false}(closed).value().ending, verdict::infeasible);
    }
    model gap;
    const variable n = gap.add_integer(0.2, 0.8, "n");
    gap.minimize(n);
    EXPECT_EQ(solver{}(gap).value().ending, verdict::infeasible);
}

TEST(glpk, solves_models_without_rows_or_objective) {
    model m;
    const variable x = m.add_integer(-2, 5);
    const variable y = m.add_continuous(1, 2);
    m.minimize(x - y);
    EXPECT_EQ(solver{}(m).value().objective, -4);
    model rest;
    const variable z = rest.add_continuous(0, 1);
    rest.add_constraint(expression(z) >= 0.5);
    EXPECT_EQ(solver{}(rest).value().ending, verdict::optimal);
    EXPECT_EQ(solver{}(model{}).value().ending, verdict::optimal);
}

// Market split (Cornuejols and Dawande): hard for branch and bound on purpose.
model market_split() {
    model m;
    random_source random(23);
    std::vector<variable> x;
    for (int k = 0; k < 30; ++k) x.push_back(m.add_binary());
    expression slack;
    for (int row = 0; row < 4; ++row) {
        expression left;
        std::int64_t total = 0;
        for (const variable v : x) {
            const std::int64_t a = random.integer(0, 99);
            total += a;
            left += static_cast<double>(a) * v;
        }
        const variable over = m.add_continuous(0, infinity), under = m.add_continuous(0, infinity);
        m.add_constraint(left + over - under == static_cast<double>(total / 2));
        slack += over + under;
    }
    m.minimize(slack);
    return m;
}

TEST(glpk, stops_at_its_limits) {
    const model m = market_split();
    const solution few = solver{.node_limit = 50}(m).value();
    EXPECT_EQ(few.ending, verdict::budget);
    EXPECT_LE(few.nodes, 100);
    EXPECT_GE(few.bound, 0.0);
    const solution quick = solver{.time_limit_s = 0.05}(m).value();
    EXPECT_EQ(quick.ending, verdict::budget);
    const solution rough = solver{.time_limit_s = 20, .relative_gap = 1e9}(m).value();
    ASSERT_TRUE(rough.has_values());
    EXPECT_EQ(rough.ending, verdict::feasible);
    EXPECT_LE(rough.bound, rough.objective);
    EXPECT_TRUE(verify(m, rough.values).holds(1e-6));
}

// Keeps all that it is told.
struct diary {
    std::vector<progress> incumbents, nodes;
    void on_incumbent(const progress& p) { incumbents.push_back(p); }
    void on_node(const progress& p) { nodes.push_back(p); }
};

TEST(glpk, tells_an_observer_how_far_it_is) {
    const model m = market_split();
    diary seen;
    const solution s = solver{.node_limit = 300}(m, seen).value();
    ASSERT_TRUE(s.has_values());
    ASSERT_FALSE(seen.incumbents.empty());
    EXPECT_EQ(s.objective, solver{.node_limit = 300}(m).value().objective); // watching changes nothing
    EXPECT_NEAR(seen.incumbents.back().best, s.objective, 1e-9);
    for (std::size_t k = 1; k < seen.incumbents.size(); ++k)
        EXPECT_LT(seen.incumbents[k].best, seen.incumbents[k - 1].best);
    ASSERT_GT(seen.nodes.size(), 100u);
    EXPECT_EQ(seen.nodes.front().best, infinity);
    for (std::size_t k = 1; k < seen.nodes.size(); ++k) {
        EXPECT_GE(seen.nodes[k].nodes, seen.nodes[k - 1].nodes);
        EXPECT_GE(seen.nodes[k].seconds, seen.nodes[k - 1].seconds);
        EXPECT_GE(seen.nodes[k].bound, seen.nodes[k - 1].bound - 1e-6);
        EXPECT_LE(seen.nodes[k].bound, s.objective + 1e-6);
    }
    struct {
        int count = 0;
        void on_incumbent(const progress&) { ++count; }
    } counter; // one hook is enough
    static_cast<void>(solver{.node_limit = 300}(m, counter));
    EXPECT_EQ(counter.count, static_cast<int>(seen.incumbents.size()));
}

TEST(glpk, looks_no_further_than_the_cutoff) {
    random_source random(24);
    int reached = 0, missed = 0;
    for (int instance = 0; instance < 150; ++instance) {
        const small_program p(random);
        if (p.optimum == infinity) continue;
        const double worse = p.m.sense() == direction::minimize ? 1.0 : -1.0;
        for (const bool presolve : {true, false}) {
            for (const double loose : {0.0, worse, 4 * worse}) {
                const solution s = solver{.presolve = presolve, .cutoff = p.optimum + loose}(p.m).value();
                ASSERT_EQ(s.ending, verdict::optimal) << instance;
                EXPECT_NEAR(s.objective, p.optimum, 1e-9);
                ++reached;
            }
            const solution s = solver{.presolve = presolve, .cutoff = p.optimum - worse}(p.m).value();
            ASSERT_EQ(s.ending, verdict::infeasible) << instance;
            EXPECT_EQ(s.bound, p.optimum - worse);
            ++missed;
        }
    }
    EXPECT_GT(reached, 300);
    EXPECT_GT(missed, 100);
}

TEST(glpk, starts_from_values) {
    random_source random(25);
    for (int instance = 0; instance < 150; ++instance) {
        const small_program p(random);
        if (p.optimum == infinity) continue;
        for (const bool presolve : {true, false})
            for (const std::vector<double>& start : {p.first, p.best}) {
                const solution s = solver{.presolve = presolve, .start = start}(p.m).value();
                ASSERT_EQ(s.ending, verdict::optimal) << instance;
                EXPECT_NEAR(s.objective, p.optimum, 1e-9) << instance;
                EXPECT_TRUE(verify(p.m, s.values).holds(1e-9));
            }
    }
    // Where there is no time, the start is the answer.
    const model m = market_split();
    std::vector<double> start(m.columns().size(), 0.0);
    for (const row& r : m.rows()) start[r.entries[r.entries.size() - 2].column] = r.right_side;
    const double begun = verify(m, start).objective;
    for (const bool presolve : {true, false}) {
        const solution s =
            solver{.time_limit_s = 0, .node_limit = 0, .presolve = presolve, .start = start}(m).value();
        EXPECT_EQ(s.ending, verdict::budget);
        EXPECT_EQ(s.objective, begun);
        EXPECT_EQ(s.values, start);
        EXPECT_LE(s.bound, begun);
    }
    // Without presolve GLPK itself has it from the first node on.
    diary seen;
    static_cast<void>(solver{.node_limit = 200, .presolve = false, .start = start}(m, seen));
    ASSERT_GT(seen.nodes.size(), 2u);
    EXPECT_LE(seen.nodes[1].best, begun);
}

TEST(glpk, bounds_by_the_relaxation) {
    random_source random(26);
    int apart = 0;
    for (int instance = 0; instance < 200; ++instance) {
        const small_program p(random);
        const double bound = relaxation_bound(solver{}, p.m).value();
        EXPECT_FALSE(std::isnan(bound));
        if (p.optimum == infinity) continue;
        const double gap = p.m.sense() == direction::minimize ? p.optimum - bound : bound - p.optimum;
        EXPECT_GE(gap, -1e-9) << instance;
        apart += gap > 1e-6;
    }
    EXPECT_GT(apart, 20);
    model m;
    const variable n = m.add_integer(0, infinity, "n");
    m.add_constraint(2 * n >= 3);
    m.minimize(n);
    EXPECT_NEAR(relaxation_bound(solver{}, m).value(), 1.5, 1e-9);
    EXPECT_EQ(relaxation_bound(null_solver{}, m).value(), -infinity);
    m.maximize(n);
    EXPECT_EQ(relaxation_bound(solver{}, m).value(), infinity);
    m.add_constraint(expression(n) <= 1);
    EXPECT_EQ(relaxation_bound(solver{}, m).value(), -infinity); // nothing to find
    m.add_continuous(2, 1);
    EXPECT_FALSE(relaxation_bound(solver{}, m));
}

// A plant of two machines (one is open, or both): the big-M rows of the indicators decide as a case
// distinction does.
TEST(glpk, solves_indicators) {
    const std::vector<double> opening{7, 4}, price{1, 2}, most{10, 6}, least{3, 2};
    for (int demand = 0; demand <= 16; ++demand) {
        model m;
        std::vector<variable> open, made;
        for (std::size_t k = 0; k < 2; ++k) {
            open.push_back(m.add_binary("open_" + to_text(k)));
            made.push_back(m.add_integer(0, most[k], "made_" + to_text(k)));
            add_indicator(m, open[k], true, made[k] >= least[k], "least_" + to_text(k));
            add_indicator(m, open[k], false, made[k] == 0, "closed_" + to_text(k));
        }
        m.add_constraint(sum(made) == demand, "demand");
        m.minimize(sum(2, [&](std::size_t k) { return opening[k] * open[k] + price[k] * made[k]; }));
        double best = infinity;
        for (int a = 0; a <= 10; ++a) {
            const int b = demand - a;
            const auto allowed = [&](std::size_t k, int x) {
                return x == 0 || (x >= least[k] && x <= most[k]);
            };
            if (b < 0 || !allowed(0, a) || !allowed(1, b)) continue;
            best = std::min(best, (a > 0 ? 7.0 : 0.0) + (b > 0 ? 4.0 : 0.0) + a + 2.0 * b);
        }
        EXPECT_EQ(solver{}(m).value().objective, best) << demand;
    }
}

TEST(glpk, is_silent) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const model m = market_split();
    diary seen;
    static_cast<void>(solver{.node_limit = 100}(m, seen));
    static_cast<void>(solver{.node_limit = 100, .presolve = false}(m));
    static_cast<void>(relaxation_bound(solver{}, m));
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// What a formulation can bring: nothing to choose, no rows, huge and tiny numbers, rows without terms.
TEST(glpk, takes_odd_models) {
    model m;
    const variable one = m.add_variable(domain::binary, 1, 1, "one"), x = m.add_continuous(0, 1e12, "x");
    const variable n = m.add_integer(-1e9, 1e9, "n");
    m.add_constraint(expression(0) <= 3, "always");
    m.add_constraint(1e-6 * x + one <= 7, "tiny");
    m.add_constraint(1e9 * n >= 3e9 * one, "huge");
    m.minimize(n - 1e-6 * x);
    for (const bool presolve : {true, false}) {
        const solution s = solver{.presolve = presolve}(m).value();
        ASSERT_EQ(s.ending, verdict::optimal);
        EXPECT_NEAR(s.objective, -3, 1e-6);
        EXPECT_LE(verify(m, s.values).largest_violation, 1e-3); // of 3e9
    }
    m.add_constraint(expression(0) >= 3, "never");
    for (const bool presolve : {true, false})
        EXPECT_EQ(solver{.presolve = presolve}(m).value().ending, verdict::infeasible);
}

TEST(glpk, serves_several_threads) {
    std::vector<int> agreed(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < agreed.size(); ++t)
        threads.emplace_back([&, t] {
            random_source random(30 + t);
            for (int instance = 0; instance < 30; ++instance) {
                const small_program p(random);
                const solution found = solver{}(p.m).value();
                agreed[t] += p.optimum == infinity ? found.ending == verdict::infeasible
                                                   : std::abs(found.objective - p.optimum) < 1e-9;
            }
        });
    for (std::thread& t : threads) t.join();
    for (const int count : agreed) EXPECT_EQ(count, 30);
}

TEST(glpk, refuses_nonsense) {
    model m;
    const variable x = m.add_continuous(0, 1, "x");
    m.minimize(x);
    EXPECT_EQ(solver{.relative_gap = -1}(m).problem().line(),
              "GLPK: relative gap: it is -1; a gap is at least 0 and finite");
    const double nan = std::nan("");
    for (const solver& s :
         {solver{.time_limit_s = nan}, solver{.time_limit_s = -1}, solver{.node_limit = -1},
          solver{.relative_gap = nan}, solver{.relative_gap = infinity}, solver{.integrality_tolerance = 0},
          solver{.integrality_tolerance = nan}, solver{.cutoff = nan}, solver{.cutoff = infinity},
          solver{.start = {nan}}, solver{.start = {2}}})
        EXPECT_EQ(s(m).problem().code, errc::out_of_range);
    EXPECT_EQ(solver{.start = {2}}(m).problem().line(),
              "GLPK: start: it breaks upper bound of x by 1; its values satisfy the model to 1e-6");
    EXPECT_EQ((solver{.start = {0, 1}}(m).problem().line()),
              "GLPK: start: it has 2 values for 1 variables; there is one a variable");
    EXPECT_EQ((solver{.cutoff = 0.5, .start = {1}}(m).problem().line()),
              "GLPK: start: its objective is 1; it reaches the cutoff, or there is none");
    m.add_continuous(2, 1, "upside down");
    EXPECT_EQ(solver{}(m).problem().line(), m.check().problem().line());
}

} // namespace
