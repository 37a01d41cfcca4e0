#pragma once
/// \file
/// What a command takes from its caller: declared once, read, refused, explained and completed from there.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct flag_description;
struct command_description;

/// A flag or argument of a command that runs, and what holds for it.
struct setting {
    std::string name;                ///< with its dashes; a bare word where it may stand without its name
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
    flag_syntax(flag_description& flag, command_description& command) : flag_(&flag), command_(&command) {}

    flag_syntax required(bool is_required = true) const;
    /// Refuses what is not one of `words`.
    flag_syntax one_of(const std::vector<std::string>& words) const;
    /// Tells some values that it may have; others are not refused.
    flag_syntax such_as(const std::vector<std::string>& words) const;
    /// The heading in the help under which it stands.
    flag_syntax group(const std::string& heading) const;
    /// What the help calls its value: "FILE" and "FOLDER" are completed as such.
    flag_syntax type_name(const std::string& name) const;
    /// What holds without the flag, as it would be written; nothing where it is empty.
    flag_syntax default_text(const std::string& text) const;
    /// The answer is the same whatever it is: an output, or how the work is done.
    flag_syntax no_part_of_answer() const;
    /// A list goes on over the words for which `belongs` holds, besides commas.
    flag_syntax goes_on_while(std::function<bool(std::string_view)> belongs) const;
    /// A list may be given in several pieces.
    flag_syntax may_repeat() const;

    /// It has an effect with the flag `other` only, and with these values of it where there are any: given
    /// without it, it is refused. Conditions add up.
    flag_syntax only_with(const std::string& other, const std::vector<std::string>& values = {}) const;
    /// The same, where `holds` is known once every word is read. \param with  names it for people
    flag_syntax only_if(std::function<bool()> holds, const std::string& with) const;
    /// It is required where the flag `other` has one of `values`.
    flag_syntax required_with(const std::string& other, const std::vector<std::string>& values) const;

    /// Whether the caller gave it; known once the command runs.
    [[nodiscard]] bool is_given() const;

private:
    flag_description* flag_;
    command_description* command_;
};

/// A command, or the program itself: its flags, its parts, and what it does.
class command_syntax {
public:
    explicit command_syntax(command_description& command) : command_(&command) {}

    command_syntax add_subcommand(const std::string& name, const std::string& meaning) const;
    /// A line for the help, which works where its files exist.
    void add_example(const std::string& line, const std::string& meaning) const;

    /// A flag where the name begins with a dash, else an argument by its place, which its name with two
    /// dashes gives as well. `value` outlives the reading, and is what holds without the flag.
    flag_syntax add_option(const std::string& name, std::string& value, const std::string& meaning) const;
    /// A list, between commas.
    flag_syntax add_option(const std::string& name, std::vector<std::string>& value,
                           const std::string& meaning) const;
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

    /// What it does when everything is read; nothing where one of its subcommands is named.
    void callback(std::function<void()> action) const;

private:
    flag_description& add(const std::string& name, const std::string& meaning) const;

    command_description* command_;
};

/// The program: its commands are added to `top`. It brings `help`, the manual and completions.
class command_line {
public:
    command_line(const std::string& name, const std::string& meaning, const std::string& version);
    ~command_line();

    [[nodiscard]] command_syntax top() const;
    /// Reads the arguments, `words`, and runs the command that they name.
    /// \returns the exit status where no command ran to its end: help was asked for, or something is wrong.
    [[nodiscard]] std::optional<int> run(const std::vector<std::string>& words) const;

private:
    std::string name_, version_;
    std::unique_ptr<command_description> program_;
};

} // namespace cli
