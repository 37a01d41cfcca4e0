// doors: glpk
#include <dovetail/ext/glpk/solver.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/ilp/lp_text.hpp>
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

// A random program over small boxes, so that every assignment can be tried.
struct small_program {
    model m;
    double optimum = infinity; // infinity where infeasible

    explicit small_program(random_source& random) {
        const auto count = static_cast<std::size_t>(random.integer(1, 5));
        std::vector<variable> x;
        std::vector<std::vector<double>> grid;
        for (std::size_t k = 0; k < count; ++k) {
            const bool binary = random.real() < 0.4;
            const std::int64_t low = binary ? 0 : random.integer(-2, 1);
            const std::int64_t high = binary ? 1 : low + random.integer(0, 3);
            x.push_back(binary ? m.add_binary("x" + to_text(k))
                               : m.add_integer(static_cast<double>(low), static_cast<double>(high),
                                               "x" + to_text(k)));
            grid.emplace_back();
            for (std::int64_t v = low; v <= high; ++v) grid.back().push_back(static_cast<double>(v));
        }
        const bool up = random.real() < 0.5;
        std::vector<double> cost(count);
        expression objective = static_cast<double>(random.integer(-3, 3));
        const double offset = objective.constant();
        for (std::size_t k = 0; k < count; ++k) {
            cost[k] = static_cast<double>(random.integer(-5, 5));
            objective += cost[k] * x[k];
        }
        up ? m.maximize(objective) : m.minimize(objective);
        struct line {
            std::vector<double> a;
            std::int64_t sense;
            double b;
        };
        std::vector<line> lines(static_cast<std::size_t>(random.integer(1, 4)));
        for (line& l : lines) {
            expression left;
            for (std::size_t k = 0; k < count; ++k) {
                l.a.push_back(static_cast<double>(random.integer(-4, 4)));
                left += l.a.back() * x[k];
            }
            l.sense = random.integer(0, 4);
            l.b = static_cast<double>(random.integer(-6, 6));
            if (l.sense == 0) m.add_constraint(left == l.b);
            if (l.sense == 1 || l.sense == 2) m.add_constraint(left <= l.b);
            if (l.sense == 3 || l.sense == 4) m.add_constraint(left >= l.b);
        }
        std::vector<std::size_t> at(count, 0);
        for (;;) {
            bool good = true;
            for (const line& l : lines) {
                double left = 0;
                for (std::size_t k = 0; k < count; ++k) left += l.a[k] * grid[k][at[k]];
                good &= l.sense == 0 ? left == l.b : l.sense < 3 ? left <= l.b : left >= l.b;
            }
            double value = offset;
            for (std::size_t k = 0; k < count; ++k) value += cost[k] * grid[k][at[k]];
            if (good && (optimum == infinity || (up ? value > optimum : value < optimum))) optimum = value;
            std::size_t k = 0;
            while (k < count && ++at[k] == grid[k].size()) at[k++] = 0;
            if (k == count) break;
        }
    }
};

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

// GLPK's own reader gives the same optimum from the text: names with spaces, accents, keywords, no name at
// all.
TEST(glpk, reads_the_lp_text_back_to_the_same_optimum) {
    const auto path = std::filesystem::temp_directory_path() / "dovetail_glpk_solver_test.lp";
    random_source random(22);
    for (int instance = 0; instance < 40; ++instance) {
        small_program p(random);
        if (p.optimum == infinity) continue;
        const variable odd[] = {
            p.m.add_continuous(-infinity, 3.25, "free"),  p.m.add_continuous(-infinity, infinity, "e12"),
            p.m.add_continuous(2, infinity, ""),          p.m.add_integer(-7, -7, "3 x \xC3\xA9"),
            p.m.add_variable(domain::binary, 1, 1, "x0"), p.m.add_continuous(0, infinity, "X0")};
        p.m.add_constraint(odd[0] + odd[1] >= 1e-3, "x0");
        p.m.add_constraint(odd[2] - odd[1] == 0.1, "obj");
        p.m.add_constraint(odd[5] >= odd[4], "obj");
        const double expected = solver{}(p.m).value().objective;
        std::ofstream(path) << lp_text(p.m).value();

        const int before = glp_term_out(GLP_OFF);
        glp_prob* const read = glp_create_prob();
        ASSERT_EQ(glp_read_lp(read, nullptr, path.c_str()), 0) << lp_text(p.m).value();
        EXPECT_EQ(glp_get_num_cols(read),
                  static_cast<int>(p.m.columns().size()) + (p.m.offset() != 0.0 ? 1 : 0));
        EXPECT_EQ(glp_get_num_rows(read), static_cast<int>(p.m.rows().size()));
        glp_iocp how;
        glp_init_iocp(&how);
        how.presolve = GLP_ON;
        EXPECT_EQ(glp_intopt(read, &how), 0);
        EXPECT_NEAR(glp_mip_obj_val(read), expected, 1e-9);
        glp_delete_prob(read);
        glp_term_out(before);
    }
    std::filesystem::remove(path);
}

TEST(glpk, says_unbounded_and_infeasible) {
    for (const bool whole : {false, true}) {
        model open;
        const variable x = open.add_variable(whole ? domain::integer : domain::continuous, 0, infinity, "x");
        open.add_constraint(expression(x) >= 1);
        open.maximize(x);
        EXPECT_EQ(solver{}(open).value().ending, verdict::unbounded);
        EXPECT_EQ(solver{.presolve = false}(open).value().ending, verdict::unbounded);
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
              "GLPK: relative gap: it is -1; a gap is at least 0");
    EXPECT_EQ(solver{.time_limit_s = std::nan("")}(m).problem().code, errc::out_of_range);
    EXPECT_EQ(solver{.integrality_tolerance = 0}(m).problem().code, errc::out_of_range);
    m.add_continuous(2, 1, "upside down");
    EXPECT_EQ(solver{}(m).problem().line(), m.check().problem().line());
}

} // namespace
