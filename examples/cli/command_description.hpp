#pragma once
/// \file
/// A command as data: what its words are read by, and what help, the manual and completions are made of.

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// What must hold for a flag; known once every word is read.
struct flag_condition {
    std::string with; ///< for people: "--strategy random"
    std::function<bool()> holds;
    std::function<std::string()> instead; ///< what is the case where it does not hold; may be empty
};

/// A flag, or an argument by its place, which may be given by its name as well.
struct flag_description {
    std::string name; ///< with its dashes
    std::string meaning;
    std::string value_name = "TEXT"; ///< empty where it takes no value
    std::string heading;             ///< in the help; empty for the common one
    std::string default_text;        ///< empty where nothing holds without it
    std::vector<std::string> words;  ///< that its value may be
    bool only_words = false;         ///< no other value is taken
    bool by_place = false;           ///< its value may stand without its name
    bool is_list = false;            ///< it takes any number of values
    bool may_repeat = false;         ///< a list that may be given in several pieces
    bool is_part_of_answer = true;   ///< another value may give another answer
    bool is_required = false;
    std::vector<flag_condition> needed; ///< it is required where one of them holds
    std::vector<flag_condition> effect; ///< it has none unless all of them hold
    /// Whether a further word belongs to a list; none does where it is empty.
    std::function<bool(std::string_view)> goes_on;
    /// Hands the values over; may refuse them.
    std::function<void(const std::vector<std::string>&)> take;

    bool is_given = false;
    std::vector<std::string> given; ///< the values of the caller

    [[nodiscard]] bool takes_value() const { return !value_name.empty(); }
    [[nodiscard]] std::string bare_name() const { return name.substr(2); }
    /// The values that hold: given, or by default.
    [[nodiscard]] std::vector<std::string> values() const;
};

/// A line to try, and what it shows.
struct command_example {
    std::string line;
    std::string meaning;
};

/// The program, a command or a part of one.
struct command_description {
    std::string name; ///< as it is called after the program: "price systolic"; empty of the program itself
    std::string meaning;
    std::vector<command_example> examples;
    std::deque<flag_description> flags; // which stay where they are
    std::deque<command_description> parts;
    bool runs_alone = true; ///< without one of its parts
    std::function<void()> action;

    /// The last word of the name.
    [[nodiscard]] std::string last_name() const { return name.substr(name.rfind(' ') + 1); }
    [[nodiscard]] flag_description* find_flag(std::string_view name);
    [[nodiscard]] const command_description* find_part(std::string_view word) const;
    [[nodiscard]] command_description* find_part(std::string_view word);
};

/// The texts between commas.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);
/// `words` with `between` between them.
[[nodiscard]] std::string join(const std::vector<std::string>& words, std::string_view between);

} // namespace cli
