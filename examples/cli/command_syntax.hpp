#pragma once
/// \file
/// What a command takes from its caller. Only the source of this header includes CLI11, which would cost
/// every command ten seconds of compilation.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace cli {

struct flag_record;
struct command_record;

/// A flag or argument of a command that runs, and what holds for it.
struct setting {
    std::string name;                ///< with its dashes; a bare word where its place tells what it is
    std::vector<std::string> values; ///< as they are written: of a list any number, else one; none if unknown
    bool given = false;              ///< by the caller; else what holds without it
    bool is_flag = false;            ///< it takes no value, and `values` is "true" or "false"
    bool is_list = false;            ///< it takes any number of values
    bool is_part_of_answer = true;   ///< another value may give another answer

    [[nodiscard]] bool is_argument() const { return !name.starts_with('-'); }
};

/// One flag or argument of a command.
class flag_syntax {
public:
    flag_syntax(CLI::Option& option, flag_record& record) : option_(&option), record_(&record) {}

    flag_syntax required(bool is_required = true) const;
    /// Refuses what is not one of `words`.
    flag_syntax one_of(const std::vector<std::string>& words) const;
    /// Refuses what is not in [`least`, `most`].
    flag_syntax between(std::int64_t least, std::int64_t most) const;
    /// Refuses what is below zero.
    flag_syntax not_negative() const;
    /// The heading in the help under which it stands.
    flag_syntax group(const std::string& heading) const;
    /// What the help calls its value.
    flag_syntax type_name(const std::string& name) const;
    /// Shows the value of now in the help, as what holds without the flag.
    flag_syntax capture_default() const;
    /// Shows `text` in its place; nothing where it is empty.
    flag_syntax default_text(const std::string& text) const;
    /// The answer is the same whatever it is: an output, or how the work is done.
    flag_syntax no_part_of_answer() const;
    /// Whether the caller gave it; known once the command runs.
    [[nodiscard]] bool is_given() const;

private:
    CLI::Option* option_;
    flag_record* record_;
};

/// A command, or the program itself: its flags, its parts, and what it does.
class command_syntax {
public:
    command_syntax(CLI::App& app, command_record& record) : app_(&app), record_(&record) {}

    command_syntax add_subcommand(const std::string& name, const std::string& meaning) const;

    /// A flag where the name begins with a dash, else an argument by its place; `value` outlives the parse.
    flag_syntax add_option(const std::string& name, std::string& value, const std::string& meaning) const;
    flag_syntax add_option(const std::string& name, std::vector<std::string>& value,
                           const std::string& meaning) const;
    flag_syntax add_option(const std::string& name, std::int64_t& value, const std::string& meaning) const;
    flag_syntax add_option(const std::string& name, double& value, const std::string& meaning) const;
    /// A flag without a value.
    flag_syntax add_flag(const std::string& name, bool& value, const std::string& meaning) const;
    /// A flag whose text goes to `read`, which may `refuse` it.
    flag_syntax add_reader(const std::string& name, std::function<void(const std::string&)> read,
                           const std::string& meaning) const;
    /// A flag whose texts, between commas, go to `read`.
    flag_syntax add_list_reader(const std::string& name,
                                std::function<void(const std::vector<std::string>&)> read,
                                const std::string& meaning) const;

    [[nodiscard]] bool has_option(const std::string& name) const;
    /// The flag of that name, which is there.
    [[nodiscard]] flag_syntax option(const std::string& name) const;

    /// As it is called: "price systolic".
    [[nodiscard]] const std::string& name() const;
    /// Every flag and argument in order of definition, and what holds; known once the command runs.
    [[nodiscard]] std::vector<setting> settings() const;

    /// It runs alone or with one of its subcommands, and then takes none of the flags that it has by now.
    void make_subcommands_optional() const;
    /// Whether the caller named one of its subcommands; known once it runs.
    [[nodiscard]] bool runs_subcommand() const;
    /// What it does when everything is read.
    void callback(std::function<void()> action) const;

private:
    flag_syntax add(CLI::Option* option, const std::string& name, const std::string& initial) const;

    CLI::App* app_;
    command_record* record_;
};

/// The program: its commands are added to `top`.
class command_line {
public:
    command_line(const std::string& name, const std::string& meaning, const std::string& version);
    ~command_line();

    [[nodiscard]] command_syntax top() const;
    /// Reads the arguments, `words`, and runs the command that they name.
    /// \returns the exit status where no command ran to its end: help was asked for, or something is wrong.
    [[nodiscard]] std::optional<int> run(const std::vector<std::string>& words) const;

private:
    std::unique_ptr<CLI::App> app_;
    std::unique_ptr<command_record> record_;
};

} // namespace cli
