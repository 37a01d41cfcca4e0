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

void common_options::add_to(command_syntax command) {
    command.add_option("--json", json_file, "write the answer as JSON to this file, - for standard output");
    command.add_flag("--quiet", quiet, "print nothing for people");
    add_options(command, *this);
}

std::ostream& common_options::people() const { return json_file == "-" ? std::cerr : std::cout; }

exit_status complain(const dovetail::error& problem) {
    std::cerr << "dovetail: " << problem.line() << '\n';
    return bad_input;
}

dovetail::result<void> write_file(const std::string& path, std::string_view text) {
    if (path == "-") {
        std::cout << text << std::flush;
        if (std::cout) return {};
    } else {
        std::ofstream file(path, std::ios::binary);
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
        if (file.flush()) return {};
    }
    return dovetail::error{dovetail::errc::io, path, "it cannot be written",
                           "name a file in a folder that exists"};
}

dovetail::result<std::string> read_file(const std::string& path) {
    return path == "-" ? dovetail::read_standard_input(input_name(path)) : dovetail::read_file(path);
}

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

} // namespace cli

int main(int argc, char** argv) {
    const cli::command_line line(
        "dovetail",
        "Finds the accelerator and the way to spread a neural network over many of them, together.",
        "dovetail " DOVETAIL_VERSION_STRING);
    int status = cli::defect;
    for (const auto add :
         {cli::add_inspect, cli::add_space, cli::add_schedule, cli::add_predict, cli::add_place,
          cli::add_price, cli::add_search, cli::add_calibrate, cli::add_validate})
        add(line.top(), status);
    return line.run(argc, argv).value_or(status);
}
