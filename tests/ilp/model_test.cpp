#include <dovetail/ilp/model.hpp>

#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/verify.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ilp;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(model, sums_the_terms_of_a_variable_and_moves_constants_to_the_right) {
    model m;
    const variable x = m.add_continuous(0, 10, "x");
    const variable y = m.add_integer(0, 10, "y");
    expression e = 2 * x + y - 3;
    e += e;     // twice itself
    e -= 4 * x; // x is gone
    m.add_constraint(e <= 1 - x, "r");
    m.add_constraint(5 >= -y);
    m.minimize(x * 2 - (y - 7));
    ASSERT_TRUE(m.check());
    ASSERT_EQ(m.rows().size(), 2u);
    const row& r = m.rows()[0];
    ASSERT_EQ(r.entries.size(), 2u);
    EXPECT_EQ(r.entries[0].column, x.index);
    EXPECT_EQ(r.entries[0].coefficient, 1);
    EXPECT_EQ(r.entries[1].coefficient, 2);
    EXPECT_EQ(r.right_side, 7);
    EXPECT_EQ(r.sense, relation::less_equal);
    EXPECT_EQ(m.rows()[1].sense, relation::greater_equal);
    EXPECT_EQ(m.rows()[1].right_side, -5);
    EXPECT_EQ(m.columns()[x.index].cost, 2);
    EXPECT_EQ(m.columns()[y.index].cost, -1);
    EXPECT_EQ(m.offset(), 7);
}

TEST(model, keeps_the_first_misuse) {
    model other;
    const variable foreign = other.add_continuous(0, 1, "z");
    {
        model m;
        const variable x = m.add_continuous(0, 1, "x");
        m.add_constraint(x + foreign <= 1, "mixed");
        m.add_continuous(nan, 1, "late");
        EXPECT_EQ(m.check().problem().line(),
                  "model: constraint 'mixed': it names a variable of another model; "
                  "variables come from this model's add_variable");
    }
    {
        model m;
        m.minimize(variable{});
        EXPECT_FALSE(m.check());
    }
    {
        model m;
        m.add_continuous(3, 2, "x");
        EXPECT_EQ(m.check().problem().line(),
                  "model: variable 'x': its bounds are 3 and 2; the lower bound is at "
                  "most the upper one, and one finite value lies between");
    }
    {
        model m;
        m.add_continuous(0, nan);
        EXPECT_FALSE(m.check());
    }
    {
        model m;
        m.add_continuous(infinity, infinity);
        EXPECT_FALSE(m.check());
    }
    {
        model m;
        const variable x = m.add_continuous(0, 1, "x");
        m.add_constraint(nan * x <= 1);
        EXPECT_EQ(m.check().problem().line(),
                  "model: constraint #0: the coefficient of 'x' is nan; it must be finite");
    }
    {
        model m;
        const variable x = m.add_continuous(0, 1, "x");
        m.add_constraint(x <= infinity, "loose");
        EXPECT_EQ(m.check().problem().line(),
                  "model: constraint 'loose': its right side is inf; it must be finite");
    }
    {
        model m;
        m.maximize(nan);
        EXPECT_FALSE(m.check());
    }
}

TEST(model, lets_copies_share_variables) {
    model m;
    const variable x = m.add_binary("x");
    model copy = m;
    copy.add_constraint(1 * x <= 0);
    EXPECT_TRUE(copy.check());
    EXPECT_TRUE(m.rows().empty());
    const variable late = copy.add_binary("late");
    m.add_constraint(x + late <= 1, "r"); // the original has no such column
    EXPECT_EQ(m.check().problem().line(), "model: constraint 'r': it names a variable of another model; "
                                          "variables come from this model's add_variable");
}

TEST(verify, finds_the_largest_violation_and_where) {
    model m;
    const variable x = m.add_continuous(-1, 2, "x");
    const variable n = m.add_integer(0, 9);
    m.add_constraint(x + n <= 4, "cap");
    m.add_constraint(x - n == 0, "balance");
    m.add_constraint(x + 2 * n >= 1);
    m.maximize(3 * x + n + 10);
    const auto look = [&](double x_value, double n_value) {
        const std::vector<double> values{x_value, n_value};
        return verify(m, values);
    };
    EXPECT_EQ(look(2, 2).largest_violation, 0);
    EXPECT_EQ(look(2, 2).where, "");
    EXPECT_EQ(look(2, 2).objective, 18);
    EXPECT_TRUE(look(2, 2).holds(0));
    EXPECT_EQ(look(1, 2).where, "row balance");
    EXPECT_EQ(look(1, 2).largest_violation, 1);
    EXPECT_EQ(look(2, 9).where, "row cap");
    EXPECT_EQ(look(9, 9).where, "row cap");
    EXPECT_EQ(look(9, 9).largest_violation, 14);
    EXPECT_EQ(look(-0.75, -0.75).where, "row r2");
    EXPECT_EQ(look(-3, -3).where, "row r2");
    EXPECT_EQ(look(1.5, 1.5).where, "integrality of x1");
    EXPECT_EQ(look(1.5, 1.5).largest_violation, 0.5);
    EXPECT_EQ(look(2, nan).largest_violation, infinity);
    EXPECT_FALSE(look(2, nan).holds(1e300));
    model box;
    box.add_continuous(0, 1, "b");
    EXPECT_EQ(verify(box, std::vector<double>{-2}).where, "lower bound of b");
    EXPECT_EQ(verify(box, std::vector<double>{4}).where, "upper bound of b");
    EXPECT_EQ(verify(box, std::vector<double>{4}).largest_violation, 3);
}

TEST(null_solver, looks_at_nothing_but_the_model) {
    model m;
    const variable x = m.add_continuous(0, 1);
    m.maximize(x);
    const solution s = null_solver{}(m).value();
    EXPECT_EQ(s.ending, verdict::budget);
    EXPECT_EQ(to_string(s.ending), "budget");
    EXPECT_FALSE(s.has_values());
    EXPECT_EQ(s.bound, infinity);
    m.add_continuous(2, 1);
    EXPECT_FALSE(null_solver{}(m));
}

} // namespace
