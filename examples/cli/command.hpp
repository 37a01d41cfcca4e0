#pragma once
/// \file
/// What the commands of the command line share: exit statuses, option tables as flags, input and output.

#include "command_syntax.hpp"
#include "output.hpp"

#include <dovetail/core/error.hpp>
#include <dovetail/core/json.hpp>
#include <dovetail/core/option.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/report/origin.hpp>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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

/// Options of every command, and what every answer is told with.
struct common_options {
    output json;
    bool quiet = false;
    std::int64_t threads = 0;
    std::uint64_t seed = 1;

    /// `command` keeps its own flags of the same names.
    void add_to(command_syntax command);
    /// Takes care of a further output of the command.
    void add_output(command_syntax command, output& file, const std::string& flag,
                    const std::string& meaning);

    /// Before the work: notes what is read, and opens what is written.
    [[nodiscard]] dovetail::result<void> begin(const std::vector<dovetail::report::input_source>& reads);
    /// What the answer depends on.
    [[nodiscard]] dovetail::report::origin origin() const;
    /// The JSON of an answer: what `members` write into the open object, then what it depends on.
    void put_json(const std::function<void(dovetail::json_writer&)>& members);
    /// Writes an output. Where that fails the rest of the answer is told all the same; `finish` says so.
    void put(output& file, std::string_view text);
    /// Where people read: standard output, unless it carries an output; nowhere with --quiet.
    [[nodiscard]] std::ostream& people();
    /// After the answer: `status`, or `bad_input` with one line where an output is not whole.
    [[nodiscard]] exit_status finish(exit_status status);

private:
    std::optional<command_syntax> command_;
    std::vector<output*> outputs_;
    std::vector<dovetail::report::input_source> inputs_;
    std::optional<dovetail::error> unwritten_;

public:
    static constexpr auto table() {
        using o = common_options;
        return std::tuple{
            dovetail::option<o, std::int64_t>{"threads", "worker threads; 0 takes all", &o::threads, 0, 4096},
            dovetail::option<o, std::uint64_t>{"seed", "of every random choice", &o::seed, 0},
        };
    }
};

/// A bad option, in one line.
[[noreturn]] void refuse(const dovetail::error& problem);

/// The number from `lowest` to `highest` that is all of `text`, given to `flag`; refuses anything else.
template <class Number>
[[nodiscard]] Number read_number(const std::string& flag, const std::string& text,
                                 double lowest = -std::numeric_limits<double>::infinity(),
                                 double highest = std::numeric_limits<double>::infinity()) {
    const auto number = dovetail::parse_number<Number>(text);
    // Written so that NaN is refused.
    if (number && static_cast<double>(*number) >= lowest && static_cast<double>(*number) <= highest)
        return *number;
    refuse(dovetail::number_error<Number>(number ? dovetail::errc::out_of_range : dovetail::errc::parse,
                                          std::string_view(flag).substr(2), text, lowest, highest));
}

/// Offers every row of the options' table as a flag of `command` that refuses what is outside its range.
template <dovetail::tabled_options Options>
void add_options(command_syntax command, Options& options) {
    const auto add = [&]<class Value>(const dovetail::option<Options, Value>& row) {
        const std::string flag = "--" + std::string(row.name);
        if (command.has_option(flag)) return;
        const auto check = [&options] {
            if (auto valid = dovetail::validate(options); !valid) refuse(valid.problem());
        };
        const auto member = row.member;
        const double lowest = row.lowest;
        const double highest = row.highest;
        if constexpr (requires(Value list) { list.push_back(list.front()); }) {
            using number = typename Value::value_type;
            std::string initial;
            for (const number& value : options.*member)
                initial += (initial.empty() ? "" : ",") + dovetail::to_text(value);
            const auto read = [=, &options](const std::vector<std::string>& texts) {
                (options.*member).clear();
                for (const std::string& text : texts)
                    (options.*member).push_back(read_number<number>(flag, text, lowest, highest));
                check();
            };
            command.add_list_reader(flag, read, std::string(row.meaning))
                .type_name("LIST")
                .default_text(initial)
                .goes_on_while([](std::string_view word) {
                    return dovetail::parse_number<double>(word.substr(0, word.find(','))).has_value();
                });
        } else {
            const auto read = [=, &options](const std::string& text) {
                options.*member = read_number<Value>(flag, text, lowest, highest);
                check();
            };
            command.add_reader(flag, read, std::string(row.meaning))
                .type_name("NUMBER")
                .default_text(dovetail::to_text(options.*member));
        }
    };
    std::apply([&](const auto&... row) { (add(row), ...); }, Options::table());
}

/// Prints the one line of a bad input.
/// \returns `bad_input`.
exit_status complain(const dovetail::error& problem);

/// Reads all of `path`, or of standard input for "-". \returns as `dovetail::read_file`.
[[nodiscard]] dovetail::result<std::string> read_file(const std::string& path);

/// What errors call the input `path`: itself, or standard input for "-".
[[nodiscard]] std::string input_name(const std::string& path);

/// Runs the command that `words` name, the program itself aside. \returns its exit status.
[[nodiscard]] int run_program(const std::vector<std::string>& words);

/// Each registers one command; its exit status is left in `status` when it has run.
void add_inspect(command_syntax app, int& status);
void add_space(command_syntax app, int& status);
void add_predict(command_syntax app, int& status);
void add_place(command_syntax app, int& status);
void add_schedule(command_syntax app, int& status);
void add_price(command_syntax app, int& status);
void add_search(command_syntax app, int& status);
void add_calibrate(command_syntax app, int& status);
void add_validate(command_syntax app, int& status);
void add_rerun(command_syntax app, int& status);

} // namespace cli
