// The command line of Dovetail.

#include "command.hpp"

#include <dovetail/version.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

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

void common_options::add_to(CLI::App& command) {
    command.add_option("--json", json_file, "write the answer as JSON to this file, - for standard output");
    command.add_flag("--quiet", quiet, "print nothing for people");
    add_options(command, *this);
}

std::ostream& common_options::people() const { return json_file == "-" ? std::cerr : std::cout; }

void refuse(const dovetail::error& problem) { throw CLI::ValidationError(problem.line()); }

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

namespace {

// What CLI11 finds wrong, and where to read what would be right.
exit_status explain(const CLI::App& app, const CLI::ParseError& problem) {
    std::string page = "dovetail";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        page += " " + at->get_name();
    }
    const std::vector<std::string> unknown = app.remaining();
    std::string line = problem.what();
    if (app.get_subcommands().empty() && !unknown.empty() && !unknown.front().starts_with('-'))
        line = "there is no command '" + unknown.front() + "'";
    for (char& c : line)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    std::cerr << "dovetail: " << line << "; see " << page << " --help\n";
    return bad_input;
}

} // namespace

} // namespace cli

int main(int argc, char** argv) {
    CLI::App app("Finds the accelerator and the way to spread a neural network over many of them, together.");
    app.name("dovetail");
    app.require_subcommand(1);
    app.set_version_flag("--version", "dovetail " DOVETAIL_VERSION_STRING);
    int status = cli::defect;
    cli::add_inspect(app, status);
    cli::add_space(app, status);
    cli::add_schedule(app, status);
    cli::add_predict(app, status);
    cli::add_place(app, status);
    cli::add_price(app, status);
    cli::add_search(app, status);
    cli::add_calibrate(app, status);
    cli::add_validate(app, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        return app.exit(asked);
    } catch (const CLI::ParseError& problem) {
        return cli::explain(app, problem);
    } catch (const std::exception& problem) {
        std::cerr << "dovetail: defect: " << problem.what() << '\n';
        return cli::defect;
    }
    return status;
}
