// The command line of Dovetail.

#include "command.hpp"
#include "command_syntax.hpp"

#include <dovetail/core/read_file.hpp>
#include <dovetail/version.hpp>

#include <fstream>
#include <iostream>
#include <string>

namespace cli {

exit_status exit_of(dovetail::status outcome) {
    switch (outcome) {
    case dovetail::status::optimal:
    case dovetail::status::feasible:
        return solved;
    case dovetail::status::infeasible:
        return proven_infeasible;
    case dovetail::status::budget:
        return budget_ended;
    }
    return defect;
}

exit_status complain(const dovetail::error& problem) {
    std::cerr << "dovetail: " << problem.line() << '\n';
    return bad_input;
}

dovetail::result<std::string> read_file(const std::string& path) {
    return path == "-" ? dovetail::read_standard_input(input_name(path)) : dovetail::read_file(path);
}

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

int run_program(const std::vector<std::string>& words) {
    const command_line line(
        "dovetail",
        "Finds the accelerator and the way to spread a neural network over many of them, together.",
        "dovetail " DOVETAIL_VERSION_STRING);
    int status = defect;
    for (const auto add : {add_inspect, add_space, add_schedule, add_predict, add_place, add_price,
                           add_search, add_calibrate, add_validate, add_rerun})
        add(line.top(), status);
    return line.run(words).value_or(status);
}

} // namespace cli

int main(int argc, char** argv) { return cli::run_program({argv + 1, argv + argc}); }
