// doors: glpk
#include <dovetail/ext/glpk/solver.hpp>

#include <ext/glpk/small_program.hpp>

#include <dovetail/core/random.hpp>
#include <dovetail/ilp/lp_text.hpp>
#include <dovetail/ilp/mps_text.hpp>
#include <dovetail/ilp/solution_text.hpp>
#include <dovetail/ilp/verify.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace dovetail;
using namespace dovetail::ilp;
using dovetail::ext::glpk::solver;
using dovetail::test::small_program;

// A folder of its own, removed at the end.
class scratch {
public:
    scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "dovetail_text_XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~scratch() { std::filesystem::remove_all(path_); }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;

    [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

// Adds what is hard to write down: bounds of all kinds, names with spaces, accents and words of the formats,
// names twice or none, columns in no row, rows without columns, huge and tiny numbers.
void add_odd_parts(model& m) {
    const variable odd[] = {m.add_continuous(-infinity, 3.25, "free"),
                            m.add_continuous(-infinity, infinity, "e12"),
                            m.add_continuous(2, infinity, ""),
                            m.add_integer(-7, -7, "3 x \xC3\xA9"),
                            m.add_variable(domain::binary, 1, 1, "x0"),
                            m.add_continuous(0, infinity, "X0"),
                            m.add_integer(-2.5, infinity, "subject to"),
                            m.add_integer(-infinity, 4.5, "RHS"),
                            m.add_continuous(0, 0, "bounds"),
                            m.add_integer(0, infinity, "objective"),
                            m.add_continuous(1e-7, 12345678.9, "objective_constant")};
    m.add_constraint(odd[0] + odd[1] >= 1e-3, "x0");
    m.add_constraint(odd[2] - odd[1] == 0.1, "obj");
    m.add_constraint(odd[5] >= odd[4], "obj");
    m.add_constraint(1e6 * odd[6] <= 1e7 / 3 * odd[9], "1e6");
    m.add_constraint(odd[7] >= -2 * odd[6] - 1.0 / 3, "MARKER");
    m.add_constraint(expression(0) <= 4, "end");
}

// What GLPK's own reader makes of a text: the optimum, or infinity where there is none.
template <class Read>
double optimum_of_text(const Read& read) {
    const int before = glp_term_out(GLP_OFF);
    glp_prob* const p = glp_create_prob();
    EXPECT_EQ(read(p), 0);
    glp_iocp how;
    glp_init_iocp(&how);
    how.presolve = GLP_ON;
    const int code = glp_intopt(p, &how);
    const bool solved = code == 0 && glp_mip_status(p) == GLP_OPT;
    EXPECT_TRUE(solved || code == GLP_ENOPFS || glp_mip_status(p) == GLP_NOFEAS) << code;
    const double optimum = solved ? glp_mip_obj_val(p) : infinity;
    glp_delete_prob(p);
    glp_term_out(before);
    return optimum;
}

TEST(glpk_text, reads_lp_and_mps_back_to_the_same_optimum) {
    const scratch folder;
    const std::string lp = folder.file("model.lp"), mps = folder.file("model.mps");
    random_source random(22);
    for (int instance = 0; instance < 200; ++instance) {
        small_program p(random);
        if (instance % 2 == 0) add_odd_parts(p.m);
        const double expected = instance % 2 == 0 ? solver{}(p.m).value().objective : p.optimum;
        const bool is_solved = p.optimum != infinity;
        write(lp, lp_text(p.m).value());
        write(mps, mps_text(p.m).value());
        const double from_lp =
            optimum_of_text([&](glp_prob* read) { return glp_read_lp(read, nullptr, lp.c_str()); });
        const double from_mps = optimum_of_text([&](glp_prob* read) {
            const int code = glp_read_mps(read, GLP_MPS_FILE, nullptr, mps.c_str());
            const int constant = p.m.offset() != 0.0 ? 1 : 0;
            EXPECT_EQ(glp_get_num_cols(read), static_cast<int>(p.m.columns().size()) + constant);
            EXPECT_EQ(glp_get_num_rows(read), static_cast<int>(p.m.rows().size())); // the objective is none
            return code;
        });
        if (!is_solved) {
            EXPECT_EQ(from_lp, infinity) << instance;
            EXPECT_EQ(from_mps, infinity) << instance;
            continue;
        }
        EXPECT_NEAR(from_lp, expected, 1e-9) << mps_text(p.m).value();
        EXPECT_NEAR(p.m.sense() == direction::minimize ? from_mps : -from_mps, expected, 1e-9)
            << mps_text(p.m).value();
    }
}

TEST(glpk_text, reads_mps_without_rows_or_columns) {
    const scratch folder;
    const std::string mps = folder.file("model.mps");
    const auto optimum = [&](const model& m) {
        write(mps, mps_text(m).value());
        return optimum_of_text(
            [&](glp_prob* read) { return glp_read_mps(read, GLP_MPS_FILE, nullptr, mps.c_str()); });
    };
    model m;
    EXPECT_EQ(optimum(m), 0);
    m.minimize(4);
    EXPECT_EQ(optimum(m), 4);
    m.minimize(m.add_integer(-3.5, infinity) + 1);
    EXPECT_EQ(optimum(m), -2);
}

// Another solver's own reader, through the files that the documentation tells people to pass.
TEST(cbc_text, solves_the_texts_to_the_same_optimum) {
    if (std::system("command -v cbc >/dev/null 2>&1") != 0) GTEST_SKIP() << "cbc is not installed";
    const scratch folder;
    random_source random(27);
    for (int instance = 0; instance < 8; ++instance) {
        small_program p(random);
        if (instance % 2 == 0) add_odd_parts(p.m);
        const solution own = solver{}(p.m).value();
        for (const bool as_mps : {true, false}) {
            const std::string model_file = folder.file(as_mps ? "model.mps" : "model.lp");
            const std::string answer_file = folder.file("model.sol");
            write(model_file, as_mps ? mps_text(p.m).value() : lp_text(p.m).value());
            const std::string command =
                "cbc '" + model_file + "' solve solution '" + answer_file + "' >/dev/null 2>&1";
            ASSERT_EQ(std::system(command.c_str()), 0);
            std::ifstream file(answer_file, std::ios::binary);
            const std::string text(std::istreambuf_iterator<char>(file), {});
            const result<solution> answer = read_solution(p.m, text);
            ASSERT_TRUE(answer) << answer.problem().line() << "\n" << text;
            ASSERT_EQ(answer->ending, own.ending)
                << instance << (as_mps ? " MPS\n" : " LP\n") << text << mps_text(p.m).value();
            if (own.ending != verdict::optimal) continue;
            EXPECT_NEAR(answer->objective, own.objective, 1e-6);
            const verification found = verify(p.m, answer->values);
            EXPECT_TRUE(found.holds(1e-6)) << found.where << " " << found.largest_violation;
        }
    }
}

} // namespace
