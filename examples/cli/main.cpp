// The command line of Dovetail.

#include "command.hpp"
#include "command_syntax.hpp"

#include <dovetail/version.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
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
    command.add_option("--json", json_file, "write the answer as JSON to this file, - for standard output")
        .no_part_of_answer();
    command.add_flag("--quiet", quiet, "print nothing for people").no_part_of_answer();
    add_options(command, *this);
    command.option("--threads").no_part_of_answer();
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
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
        return std::move(text).str();
    }
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return dovetail::error{dovetail::errc::io, path, "it cannot be opened", "name a file that exists"};
    return std::string(std::istreambuf_iterator<char>(file), {});
}

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
