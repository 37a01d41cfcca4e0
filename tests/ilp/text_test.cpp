#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/mps_text.hpp>
#include <dovetail/ilp/solution_text.hpp>
#include <dovetail/ilp/verify.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace dovetail;
using namespace dovetail::ilp;

TEST(text_names, are_readable_and_unique) {
    model m;
    for (const char* name :
         {"buffer 3 \xC3\xA9", "free", "x", "X", "x_2", "x", "", "x6", "e9", "objective", "e"})
        m.add_continuous(0, 1, name);
    m.add_continuous(0, 1, "objective_constant");
    m.add_continuous(0, 1, std::string(500, 'a'));
    m.add_constraint(0 <= expression(1), "obj");
    m.add_constraint(0 <= expression(1), "n_obj");
    m.add_constraint(0 <= expression(1), "objective_function");
    const text_names names(m);
    EXPECT_EQ(names.columns(), (std::vector<std::string>{"buffer_3___", "n_free", "x", "X_2", "x_2_2", "x_3",
                                                         "x6", "x6_2", "n_e9", "n_objective", "n_e",
                                                         "objective_constant", std::string(200, 'a')}));
    EXPECT_EQ(names.rows(), (std::vector<std::string>{"n_obj", "n_obj_2", "objective_function_2"}));
    EXPECT_EQ(names.constant(), "objective_constant_2");
    EXPECT_EQ(names.objective(), "objective_function");
}

TEST(text_names, stay_fast_where_all_are_the_same) {
    model m;
    for (int k = 0; k < 5000; ++k) m.add_continuous(0, 1, "x");
    const text_names names(m);
    EXPECT_EQ(std::set<std::string>(names.columns().begin(), names.columns().end()).size(), 5000u);
}

TEST(lp_text, is_this_text) {
    model m;
    const variable x = m.add_continuous(0, infinity, "x");
    const variable y = m.add_integer(-2, 5, "y");
    const variable z = m.add_binary("use it?");
    m.add_continuous(-infinity, infinity, "free");
    m.add_variable(domain::binary, 1, 1, "X");
    m.add_constraint(x + 0.1 * y <= 4, "capacity");
    m.add_constraint(x - 1e-7 * z == -1, "capacity");
    m.add_constraint(expression(0) >= -1);
    m.maximize(3 * x - z + 2);
    EXPECT_EQ(lp_text(m).value(),
              "Maximize\n"
              " objective_function: + 3 x - 1 use_it_ + 0 n_free + 0 X_2 + 2 objective_constant\n"
              "Subject To\n"
              " capacity: + 1 x + 0.1 y <= 4\n"
              " capacity_2: + 1 x - 1e-07 use_it_ = -1\n"
              " r2: + 0 x >= -1\n"
              "Bounds\n"
              " -2 <= y <= 5\n"
              " n_free free\n"
              " X_2 = 1\n"
              " objective_constant = 1\n"
              "Generals\n"
              "  y X_2\n"
              "Binaries\n"
              "  use_it_\n"
              "End\n");
}

TEST(lp_text, breaks_long_lines) {
    model m;
    expression sum;
    for (int k = 0; k < 200; ++k) sum += m.add_binary();
    m.add_constraint(sum <= 3);
    const std::string text = lp_text(m).value();
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        EXPECT_LE(end - begin, 110u);
        begin = end + 1;
    }
}

TEST(lp_text, refuses_what_the_format_cannot_say) {
    model m;
    EXPECT_EQ(lp_text(m).problem().line(),
              "LP text: the model has 0 variables and 0 constraints; the format needs one of each");
    m.add_continuous(2, 1, "x");
    EXPECT_EQ(lp_text(m).problem().line(), m.check().problem().line());
}

TEST(mps_text, is_this_text) {
    model m;
    const variable x = m.add_continuous(0, infinity, "x");
    const variable y = m.add_integer(-2.5, 5, "y");
    const variable z = m.add_binary("use it?");
    const variable n = m.add_integer(0, infinity, "n");
    m.add_continuous(-infinity, infinity, "loose");
    m.add_variable(domain::binary, 1, 1, "one");
    m.add_continuous(-infinity, -3, "below");
    m.add_integer(0.2, 0.8, "none");
    m.add_constraint(x + 0.1 * y <= 4, "capacity");
    m.add_constraint(x - 1e-7 * z == -1, "capacity");
    m.add_constraint(n >= x);
    m.add_constraint(expression(0) >= -1);
    m.maximize(3 * x - z + 2);
    EXPECT_EQ(mps_text(m).value(), "* The model maximises: this is its objective negated, to be minimised.\n"
                                   "NAME model FREE\n"
                                   "ROWS\n"
                                   " N objective_function\n"
                                   " L capacity\n"
                                   " E capacity_2\n"
                                   " G r2\n"
                                   " G r3\n"
                                   "COLUMNS\n"
                                   " x objective_function -3\n"
                                   " x capacity 1\n"
                                   " x capacity_2 1\n"
                                   " x r2 -1\n"
                                   " MARKER 'MARKER' 'INTORG'\n"
                                   " y capacity 0.1\n"
                                   " use_it_ objective_function 1\n"
                                   " use_it_ capacity_2 -1e-07\n"
                                   " n r2 1\n"
                                   " MARKER 'MARKER' 'INTEND'\n"
                                   " loose objective_function 0\n"
                                   " MARKER 'MARKER' 'INTORG'\n"
                                   " one objective_function 0\n"
                                   " MARKER 'MARKER' 'INTEND'\n"
                                   " below objective_function 0\n"
                                   " MARKER 'MARKER' 'INTORG'\n"
                                   " none objective_function 0\n"
                                   " MARKER 'MARKER' 'INTEND'\n"
                                   " objective_constant objective_function -2\n"
                                   "RHS\n"
                                   " RHS capacity 4\n"
                                   " RHS capacity_2 -1\n"
                                   " RHS r3 -1\n"
                                   "BOUNDS\n"
                                   " LO BND y -2\n"
                                   " UP BND y 5\n"
                                   " BV BND use_it_\n"
                                   " PL BND n\n"
                                   " FR BND loose\n"
                                   " FX BND one 1\n"
                                   " MI BND below\n"
                                   " UP BND below -3\n"
                                   " LO BND none 0.2\n"
                                   " UP BND none 0.8\n"
                                   " FX BND objective_constant 1\n"
                                   "ENDATA\n");
    m.add_continuous(2, 1, "upside down");
    EXPECT_EQ(mps_text(m).problem().line(), m.check().problem().line());
}

TEST(mps_text, says_the_empty_model) {
    EXPECT_EQ(mps_text(model{}).value(),
              "NAME model FREE\nROWS\n N objective_function\nCOLUMNS\nRHS\nBOUNDS\nENDATA\n");
}

// max 3 a + 2 b + c + 1 with whole a, b in [0, 4]: 3 a + b <= 9, c <= b.
struct small_model {
    model m;
    variable a = m.add_integer(0, 4, "a"), b = m.add_integer(0, 4, "time"), c = m.add_continuous(0, 9, "c");
    small_model() {
        m.add_constraint(3 * a + b <= 9, "a");
        m.add_constraint(c <= b, "cap");
        m.maximize(3 * a + 2 * b + c + 1);
    }
    [[nodiscard]] solution read(const char* text) const { return read_solution(m, text).value(); }
    void expect_optimum(const char* text) const {
        const solution s = read(text);
        EXPECT_EQ(s.ending, verdict::optimal);
        EXPECT_EQ(s.values, (std::vector<double>{1, 4, 4}));
        EXPECT_EQ(s.objective, 16);
        EXPECT_EQ(s.bound, 16);
        EXPECT_TRUE(verify(m, s.values).holds(1e-9));
    }
};

TEST(solution_text, is_read_as_solvers_write_it) {
    const small_model p;
    p.expect_optimum("Optimal - objective value -16.00000000\n" // Cbc 2.10
                     "      0 a                     0.99999999                      -3\n"
                     "      1 time                           4                      -2\n"
                     "      2 c                              4                      -1\r\n"
                     "      3 objective_constant             1                      -1\n");
    p.expect_optimum("Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 16\n" // HiGHS
                     "# Columns 4\na 1\ntime 4\nc 4\nobjective_constant 1\n# Rows 2\na 7\ncap 0\n\n"
                     "# Dual solution values\nFeasible\n# Columns 4\na 0\ntime 0\nc 1\nobjective_constant 0\n"
                     "# Rows 2\na 0\ncap 1\n");
    p.expect_optimum("solution status: optimal solution found\n" // SCIP
                     "objective value:                                 16\n"
                     "a                                                 1 \t(obj:3)\n"
                     "time                                              4 \t(obj:2)\n"
                     "c                                                 4 \t(obj:1)\n");
    p.expect_optimum("optimal\ntime 4\na 1\nc 4\n");
}

TEST(solution_text, keeps_what_is_not_named_at_zero) {
    const small_model p;
    const solution s = p.read("a 3\n");
    EXPECT_EQ(s.ending, verdict::budget); // nobody claims more
    EXPECT_EQ(s.values, (std::vector<double>{3, 0, 0}));
    EXPECT_EQ(s.objective, 10);
    EXPECT_EQ(s.bound, infinity);
    EXPECT_FALSE(p.read("").has_values());
    EXPECT_EQ(p.read("Optimal - objective value 1.0\n").values, (std::vector<double>{0, 0, 0}));
    EXPECT_TRUE(read_solution(model{}, "Optimal\n").has_value());
}

TEST(solution_text, does_not_hide_what_is_wrong) {
    const small_model p;
    const solution s = p.read("Optimal - objective value -99\n** 0 a 3.4 0\n 1 time 0 0\n");
    EXPECT_EQ(s.values, (std::vector<double>{3.4, 0, 0}));
    EXPECT_EQ(verify(p.m, s.values).where, "row a");
    EXPECT_FALSE(verify(p.m, s.values).holds(0.1));
}

TEST(solution_text, tells_how_the_solver_ended) {
    const small_model p;
    const auto ending = [&](const char* text) { return p.read(text).ending; };
    EXPECT_EQ(ending("Infeasible - objective value 5.5\n      0 a 5.5 0\n"), verdict::infeasible);
    EXPECT_EQ(p.read("Infeasible - objective value 5.5\n      0 a 5.5 0\n").bound, -infinity);
    EXPECT_FALSE(p.read("Infeasible - objective value 5.5\n      0 a 5.5 0\n").has_values());
    EXPECT_EQ(ending("Integer infeasible - objective value 5.5\n"), verdict::infeasible);
    EXPECT_EQ(ending("Unbounded - objective value 2.0\n"), verdict::unbounded);
    EXPECT_EQ(p.read("Unbounded - objective value 2.0\n").bound, infinity);
    EXPECT_EQ(ending("Stopped on time - objective value -15\n  0 a 3 0\n"), verdict::budget);
    EXPECT_EQ(ending("Optimal (within gap tolerance) - objective value -15\n  0 a 3 0\n"), verdict::feasible);
    EXPECT_EQ(ending("solution status: infeasible\nno solution available\n"), verdict::infeasible);
    EXPECT_EQ(ending("solution status: infeasible or unbounded\nno solution available\n"), verdict::budget);
    EXPECT_EQ(ending("solution status: gap limit reached\nobjective value: 15\na 3\n"), verdict::feasible);
    EXPECT_EQ(ending("Model status\nTime limit reached\n\n# Primal solution values\nInfeasible\n"),
              verdict::budget);
}

TEST(solution_text, says_which_line_is_bad) {
    const small_model p;
    const auto complaint = [&](const char* text) { return read_solution(p.m, text).problem().line(); };
    EXPECT_EQ(
        complaint("Optimal\n\n  1 a 3 0\n  2 b 3 0\n"),
        "solution text: line 4: no variable is called 'b'; names are those of the LP or MPS text of the "
        "same model");
    EXPECT_EQ(complaint("status_3 1\n"), "solution text: line 1: no variable is called 'status_3'; names are "
                                         "those of the LP or MPS text of the same model");
    EXPECT_EQ(complaint("a 3\na"),
              "solution text: line 2: 'a' has no value; a finite number follows the name");
    EXPECT_EQ(complaint("a nan"),
              "solution text: line 1: 'a' has the value 'nan'; a finite number follows the name");
    EXPECT_EQ(complaint("a 3x"),
              "solution text: line 1: 'a' has the value '3x'; a finite number follows the name");
    EXPECT_EQ(complaint("a 3\na 3\n"), "solution text: line 2: 'a' has a value already; one line a variable");
    EXPECT_FALSE(read_solution(p.m, "**"));
    EXPECT_FALSE(read_solution(p.m, "7 8 9"));
    EXPECT_FALSE(read_solution(p.m, std::string("a\0 3", 4)));
}

// What `lp_text` and `mps_text` call the variables is what comes back, whatever the model calls them.
TEST(solution_text, takes_every_name_that_the_texts_write) {
    model m;
    std::string text;
    for (const char* name :
         {"objective", "Optimal", "status", "two words", "", "free", "Optimal", "#", "1", "**"})
        m.add_continuous(0, 100, name);
    const text_names names(m);
    for (std::size_t k = 0; k < m.columns().size(); ++k) text += names.columns()[k] + " " + to_text(k) + "\n";
    const solution s = read_solution(m, text).value();
    for (std::size_t k = 0; k < m.columns().size(); ++k) EXPECT_EQ(s.values[k], static_cast<double>(k));
}

} // namespace
