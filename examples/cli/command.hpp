#pragma once
/// \file
/// What the commands of the command line share: exit statuses, option tables as flags, input and output.

#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <tuple>

namespace cli {

/// Exit statuses that scripts rely on.
enum exit_status : int {
    solved = 0,
    defect = 1,
    bad_input = 2,
    proven_infeasible = 3,
    budget_ended = 4,
};

/// The exit status of a solver's outcome.
[[nodiscard]] exit_status exit_of(dovetail::status outcome);

/// Options of every command.
struct common_options {
    std::string json_file; ///< "-" for standard output, empty for none
    bool quiet = false;

    void add_to(CLI::App& command);
    /// Where people read: standard output, unless it carries the JSON.
    [[nodiscard]] std::ostream& people() const;
};

/// Offers every row of the options' table as a flag of `command`.
template <dovetail::tabled_options Options>
void add_options(CLI::App& command, Options& options) {
    const auto add = [&](const auto& row) {
        auto* flag =
            command.add_option("--" + std::string(row.name), options.*row.member, std::string(row.meaning));
        flag->capture_default_str();
        if constexpr (requires { (options.*row.member).begin(); }) flag->delimiter(',');
    };
    std::apply([&](const auto&... row) { (add(row), ...); }, Options::table());
}

/// Prints the one line of a bad input.
/// \returns `bad_input`.
exit_status complain(const dovetail::error& problem);

/// Writes `text` to `path`, or to standard output for "-".
[[nodiscard]] dovetail::result<void> write_file(const std::string& path, std::string_view text);

/// Reads all of `path`, or of standard input for "-".
[[nodiscard]] dovetail::result<std::string> read_file(const std::string& path);

/// Each registers one command; its exit status is left in `status` when it has run.
void add_inspect(CLI::App& app, int& status);
void add_space(CLI::App& app, int& status);
void add_place(CLI::App& app, int& status);
void add_search(CLI::App& app, int& status);

} // namespace cli
