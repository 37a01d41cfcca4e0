// An integer program solved by a program of its own: written as MPS, solved, read back, checked. Which of
// three accelerators to switch on, and which layer runs on which, so that a batch ends in time with the least
// energy.
//
//     external_solver 'cbc model.mps solve solution answer.txt'
//
// writes model.mps, runs the command and reads answer.txt. Without a command it reads what Cbc 2.10 answered.
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/indicator.hpp>
#include <dovetail/ilp/mps_text.hpp>
#include <dovetail/ilp/solution_text.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/ilp/verify.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

using namespace dovetail;

// All that it takes to be a backend: a call that turns a model into a solution.
struct external_solver {
    std::string command;

    result<ilp::solution> operator()(const ilp::model& m) const {
        result<std::string> text = ilp::mps_text(m);
        if (!text) return std::move(text).problem();
        std::ofstream("model.mps") << *text;
        std::remove("answer.txt"); // of an earlier run
        if (std::system(command.c_str()) != 0)
            return error{errc::io, command, "it failed", "it writes answer.txt"};
        std::ifstream answer("answer.txt");
        return ilp::read_solution(m, std::string(std::istreambuf_iterator<char>(answer), {}));
    }
};
static_assert(ilp::solver<external_solver>);

constexpr const char* recorded = R"(Optimal - objective value 126.00000000
      0 on_0          1          30
      1 run_0_on_0          1          15
      3 run_2_on_0          1          20
      4 run_3_on_0          1          25
     12 on_2          1          12
     14 run_1_on_2          1          16
     17 run_4_on_2          1          8
)";

int main(int argc, char** argv) {
    constexpr std::array<double, 5> layer_ms{3, 4, 4, 5, 2};
    constexpr std::array<double, 3> slowdown{1, 1, 2}, idle_mj{30, 30, 12}, mj_per_ms{5, 5, 2};
    constexpr double deadline_ms = 12;

    ilp::model m;
    std::vector<ilp::variable> on;
    std::vector<std::vector<ilp::variable>> runs(layer_ms.size()); // runs[layer][accelerator]
    ilp::expression energy_mj;
    for (std::size_t a = 0; a < slowdown.size(); ++a) {
        on.push_back(m.add_binary("on_" + to_text(a)));
        for (std::size_t l = 0; l < layer_ms.size(); ++l)
            runs[l].push_back(m.add_binary("run_" + to_text(l) + "_on_" + to_text(a)));
        const ilp::expression busy_ms =
            ilp::sum(layer_ms.size(), [&](std::size_t l) { return layer_ms[l] * slowdown[a] * runs[l][a]; });
        m.add_constraint(busy_ms <= deadline_ms, "deadline_" + to_text(a));
        ilp::add_indicator(m, on[a], false, busy_ms <= 0, "off_" + to_text(a));
        energy_mj += idle_mj[a] * on[a] + mj_per_ms[a] * busy_ms;
    }
    for (std::size_t l = 0; l < layer_ms.size(); ++l)
        m.add_constraint(ilp::sum(runs[l]) == 1, "once_" + to_text(l));
    m.minimize(energy_mj);

    const auto found = argc > 1 ? external_solver{argv[1]}(m) : ilp::read_solution(m, recorded);
    if (!found) return std::puts(found.problem().line().c_str()), 1;
    if (!found->has_values()) return std::puts(to_string(found->ending).data()), 3;
    // A solver's word is not enough.
    const ilp::verification check = ilp::verify(m, found->values);
    if (!check.holds(1e-6)) return std::puts(("it breaks " + check.where).c_str()), 1;
    std::printf("%s: %g mJ\n", to_string(found->ending).data(), check.objective);
    for (std::size_t a = 0; a < on.size(); ++a) {
        std::printf("accelerator %zu:", a);
        for (std::size_t l = 0; l < layer_ms.size(); ++l)
            if ((*found)[runs[l][a]] == 1.0) std::printf(" layer %zu", l);
        std::puts((*found)[on[a]] == 1.0 ? "" : " off");
    }
}
