#include <dovetail/ilp/indicator.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ilp;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The row as people would write it, to compare with.
std::string written(const model& m, const row& r) {
    std::string text = r.name + ":";
    for (const entry& e : r.entries) text += ' ' + to_text(e.coefficient) + ' ' + m.columns()[e.column].name;
    text += r.sense == relation::less_equal ? " <= " : r.sense == relation::equal ? " = " : " >= ";
    return text + to_text(r.right_side);
}

std::vector<std::string> rows_of(const model& m) {
    std::vector<std::string> text;
    for (const row& r : m.rows()) text.push_back(written(m, r));
    return text;
}

TEST(sum, adds_elements_projections_and_indices) {
    model m;
    std::vector<variable> x;
    for (const char* name : {"a", "b", "c"}) x.push_back(m.add_continuous(0, 1, name));
    const std::vector<double> weight{2, 3, 5};
    m.add_constraint(sum(x) <= 2, "plain");
    m.add_constraint(sum(x, [](variable v) { return 2 * v + 1; }) <= 4, "projected");
    m.add_constraint(sum(weight.size(), [&](std::size_t k) { return weight[k] * x[k]; }) <= 7, "weighted");
    const std::vector<std::pair<double, variable>> pairs{{4, x[0]}, {6, x[2]}};
    m.add_constraint(sum(pairs, &std::pair<double, variable>::second) <= 1, "members");
    m.add_constraint(sum(std::vector<expression>{}) + sum(0, [&](std::size_t k) { return x[k]; }) <= x[0],
                     "empty");
    ASSERT_TRUE(m.check());
    EXPECT_EQ(rows_of(m), (std::vector<std::string>{"plain: 1 a 1 b 1 c <= 2", "projected: 2 a 2 b 2 c <= 1",
                                                    "weighted: 2 a 3 b 5 c <= 7", "members: 1 a 1 c <= 1",
                                                    "empty: -1 a <= 0"}));
}

TEST(value_range, follows_the_bounds) {
    model m, other;
    const variable x = m.add_continuous(-1, 2, "x");
    const variable n = m.add_integer(0.5, 3.5, "n");
    const variable up = m.add_continuous(0, infinity, "up");
    const auto range = [&](const expression& e) {
        const interval r = value_range(m, e).value();
        return std::pair(r.lower, r.upper);
    };
    EXPECT_EQ(range(4), std::pair(4.0, 4.0));
    EXPECT_EQ(range(3 * x - 2 * n + 1), std::pair(-8.0, 5.0));
    EXPECT_EQ(range(x - x + n), std::pair(1.0, 3.0)); // not [-2, 6]: x is merged first
    EXPECT_EQ(range(n - up), std::pair(-infinity, 3.0));
    EXPECT_EQ(range(n + 0 * up), std::pair(1.0, 3.0));
    EXPECT_EQ(value_range(m, other.add_binary()).problem().line(),
              "expression: it names a variable of another model; variables come from the model itself");
    EXPECT_EQ(value_range(m, not_a_number * x).problem().line(),
              "expression: the coefficient of 'x' is nan; it must be finite");
    EXPECT_EQ(value_range(m, infinity).problem().line(),
              "expression: its constant is inf; it must be finite");
}

TEST(big_m, is_the_largest_violation) {
    model m;
    const variable x = m.add_continuous(-1, 2);
    EXPECT_EQ(big_m(m, x <= 1.5).value(), 0.5);
    EXPECT_EQ(big_m(m, x >= 1.5).value(), 2.5);
    EXPECT_EQ(big_m(m, x == 1.5).value(), 2.5);
    EXPECT_EQ(big_m(m, x <= 5).value(), -3);
    EXPECT_FALSE(big_m(m, variable{} <= 5));
}

TEST(indicator, writes_the_rows_of_a_textbook) {
    model m;
    const variable x = m.add_continuous(0, 10, "x"), y = m.add_continuous(-3, 4, "y"), z = m.add_binary("z");
    add_indicator(m, z, true, x + y <= 6, "on");    // M = 14 - 6
    add_indicator(m, z, false, x >= 2 * y, "off");  // M = 8
    add_indicator(m, z, true, x - y == 1, "equal"); // M = 12 above, 5 below
    add_indicator(m, z, true, x + y <= 14, "always");
    add_indicator(m, z, true, x <= 8 + 2 * z, "itself"); // no more than x <= 10 where z is 1
    add_indicator(m, z, false, x <= 8 + 2 * z, "tighter");
    ASSERT_TRUE(m.check());
    EXPECT_EQ(rows_of(m),
              (std::vector<std::string>{"on: 1 x 1 y 8 z <= 14", "off: 1 x -2 y 8 z >= 0",
                                        "equal_le: 1 x -1 y 12 z <= 13", "equal_ge: 1 x -1 y -5 z >= -4",
                                        "tighter: 1 x -2 z <= 8"}));
}

TEST(indicator, needs_no_m_where_the_switch_is_fixed) {
    model m;
    const variable x = m.add_continuous(0, infinity, "x");
    const variable one = m.add_variable(domain::binary, 1, 1, "one");
    add_indicator(m, one, true, x <= 6, "on");
    add_indicator(m, one, false, x <= 7, "never");
    ASSERT_TRUE(m.check());
    EXPECT_EQ(rows_of(m), std::vector<std::string>{"on: 1 x <= 6"});
}

TEST(indicator, says_what_makes_no_sense) {
    const auto complaint = [](const auto& misuse) {
        model m;
        const variable x = m.add_continuous(0, infinity, "x"), z = m.add_binary("z");
        misuse(m, x, z);
        EXPECT_TRUE(m.rows().empty());
        return m.check().problem().line();
    };
    const std::string no_bound = "'x' has no upper bound; no finite M covers it; give its variables bounds";
    EXPECT_EQ(complaint([](model& m, variable x, variable z) { add_indicator(m, z, true, x <= 3, "cap"); }),
              "model: indicator 'cap': " + no_bound);
    EXPECT_EQ(complaint([](model& m, variable x, variable z) { add_indicator(m, z, false, 3 >= 2 * x - z); }),
              "model: indicator #0: " + no_bound);
    EXPECT_EQ(complaint([](model& m, variable, variable z) {
                  const variable huge = m.add_continuous(-1e200, 0, "huge");
                  add_indicator(m, z, true, 1e200 * huge >= z);
              }),
              "model: indicator #0: its M would be inf; no finite M covers it; give its variables bounds");
    EXPECT_EQ(complaint([](model& m, variable x, variable) { add_indicator(m, x, true, x <= 3); }),
              "model: indicator #0: its switch 'x' is not binary; it takes the values 0 and 1 alone");
    EXPECT_EQ(complaint([](model& m, variable x, variable) { add_indicator(m, {}, true, x <= 3, "cap"); }),
              "model: indicator 'cap': its switch is a variable of another model; variables come from this "
              "model's add_variable");
    EXPECT_EQ(complaint([](model& m, variable, variable z) {
                  model other;
                  add_indicator(m, z, true, other.add_binary() <= 3, "cap");
              }),
              "model: indicator 'cap': it names a variable of another model; variables come from the model "
              "itself");
    EXPECT_EQ(
        complaint([](model& m, variable x, variable z) { add_indicator(m, z, true, not_a_number * x <= 3); }),
        "model: indicator #0: the coefficient of 'x' is nan; it must be finite");
}

// Every point of small boxes: the rows say exactly the implication, and with a smaller M they would not.
TEST(indicator, has_the_smallest_valid_m) {
    random_source random(71);
    std::int64_t rows = 0;
    for (int instance = 0; instance < 2000; ++instance) {
        model m;
        const auto count = static_cast<std::size_t>(random.integer(1, 3));
        std::vector<variable> x{m.add_binary("z")};
        std::vector<std::int64_t> low{0}, high{1};
        for (std::size_t k = 0; k < count; ++k) {
            low.push_back(random.integer(-3, 2));
            high.push_back(low.back() + random.integer(0, 3));
            // Bounds that are not whole narrow to these.
            x.push_back(
                m.add_integer(static_cast<double>(low.back()) - 0.5, static_cast<double>(high.back())));
        }
        expression left = static_cast<double>(random.integer(-6, 6));
        std::vector<std::int64_t> a(count + 1, 0);
        const auto add = [&](std::size_t k, std::int64_t coefficient) {
            a[k] += coefficient;
            left += static_cast<double>(coefficient) * x[k];
        };
        for (std::size_t k = instance % 3 == 0 ? 0 : 1; k <= count; ++k) add(k, random.integer(-4, 4));
        add(1, random.integer(-2, 2)); // a second term of one variable
        const bool active = random.integer(0, 1) == 1;
        const auto sense = static_cast<relation>(random.integer(0, 2));
        add_indicator(m, x[0], active, {left, sense}, "r");
        ASSERT_TRUE(m.check());
        ASSERT_LE(m.rows().size(), sense == relation::equal ? 2u : 1u);

        std::vector<bool> tight(m.rows().size(), false), cuts(m.rows().size(), false);
        std::vector<std::int64_t> at = low;
        for (;;) {
            double value = left.constant();
            for (std::size_t k = 0; k <= count; ++k) value += static_cast<double>(a[k] * at[k]);
            const bool holds = sense == relation::equal        ? value == 0
                               : sense == relation::less_equal ? value <= 0
                                                               : value >= 0;
            const bool on = (at[0] == 1) == active;
            bool rows_hold = true;
            for (std::size_t k = 0; k < m.rows().size(); ++k) {
                double slack = m.rows()[k].right_side;
                for (const entry& e : m.rows()[k].entries)
                    slack -= e.coefficient * static_cast<double>(at[e.column]);
                if (m.rows()[k].sense == relation::greater_equal) slack = -slack;
                rows_hold &= slack >= 0;
                tight[k] = tight[k] || (!on && slack == 0);
                cuts[k] = cuts[k] || slack < 0;
            }
            ASSERT_EQ(rows_hold, !on || holds) << instance;
            std::size_t k = 0;
            while (k <= count && ++at[k] > high[k]) {
                at[k] = low[k];
                ++k;
            }
            if (k > count) break;
        }
        for (std::size_t k = 0; k < m.rows().size(); ++k) {
            EXPECT_TRUE(tight[k]) << instance;
            EXPECT_TRUE(cuts[k]) << instance; // none is there for nothing
            ++rows;
        }
    }
    EXPECT_GT(rows, 1000);
}

} // namespace
