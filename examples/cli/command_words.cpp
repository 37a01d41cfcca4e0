#include "command_words.hpp"

#include <dovetail/core/nearest_word.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace cli {

using dovetail::errc;
using dovetail::error;

namespace {

/// "dovetail price systolic".
std::string call_of(const command_description& command, const std::string& program) {
    return command.name.empty() ? program : program + ' ' + command.name;
}

/// Where to read what would be right, after the word that was probably meant.
std::string advice(const std::string& meant, const command_description& command, const std::string& program) {
    const std::string page = call_of(command, program) + " --help";
    return meant.empty() ? "see " + page : "did you mean " + meant + "? See " + page;
}

/// A dash with more behind it. A number has a digit there.
bool is_flag_word(const std::string& word) {
    return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9') && word[1] != '.';
}

std::string as_written(std::string_view word) { return std::string(1, '\'').append(word).append(1, '\''); }

/// The known word that `written` begins or probably is, in quotes; empty where none is near.
std::string nearest(std::string_view written, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    const auto begun = std::find_if(views.begin(), views.end(), [&](std::string_view word) {
        return written.size() > 2 && word.starts_with(written);
    });
    const auto near = begun != views.end() ? std::optional(*begun) : dovetail::nearest_word(written, views);
    return near ? as_written(*near) : std::string();
}

std::vector<std::string> part_names(const command_description& command) {
    std::vector<std::string> names;
    for (const command_description& part : command.parts) names.push_back(part.last_name());
    return names;
}

/// The words of a caller, one after the other.
class word_reader {
public:
    word_reader(command_description& top, const std::string& program, const std::vector<std::string>& words)
        : command_(&top), top_(&top), program_(program), words_(words) {}

    named_command read() {
        while (at_ < words_.size()) {
            const std::string& word = words_[at_++];
            if (!flags_ended_ && word == "--") {
                flags_ended_ = true;
            } else if (!flags_ended_ && is_flag_word(word)) {
                if (word == "--help" || word == "-h") return {.command = command_, .wants_help = true};
                if (command_ == top_ && (word == "--version" || word == "-v"))
                    return {.command = command_, .wants_version = true};
                read_flag(word);
            } else if (command_description* part = flags_ended_ ? nullptr : command_->find_part(word)) {
                enter(*part);
            } else {
                read_place(word);
            }
        }
        finish();
        return {.command = command_};
    }

private:
    [[noreturn]] static void refuse_word(std::string place, std::string wrong, std::string expected,
                                         errc code = errc::parse) {
        throw refusal{{code, std::move(place), std::move(wrong), std::move(expected)}};
    }

    [[nodiscard]] std::string page() const { return "see " + call_of(*command_, program_) + " --help"; }

    void enter(command_description& part) {
        for (const flag_description& flag : command_->flags)
            if (flag.is_given)
                refuse_word(as_written(part.last_name()),
                            "it stands behind option " + flag.name + " of " + call_of(*command_, program_),
                            "parts of a command come first, and take options of their own: see " +
                                call_of(part, program_) + " --help");
        command_ = &part;
    }

    void read_flag(const std::string& word) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        flag_description* flag = command_->find_flag(name);
        if (flag == nullptr) {
            std::vector<std::string> known{"--help"};
            if (command_ == top_) known.emplace_back("--version");
            for (const flag_description& other : command_->flags) known.push_back(other.name);
            refuse_word("option " + name, call_of(*command_, program_) + " has no such option",
                        advice(nearest(name, known), *command_, program_), errc::unknown_name);
        }
        if (!flag->takes_value()) {
            if (equals != std::string::npos)
                refuse_word("option " + name, "its value is " + as_written(word.substr(equals + 1)),
                            "it takes none");
            begin(*flag, {});
            return;
        }
        std::vector<std::string> texts;
        if (equals != std::string::npos)
            texts.push_back(word.substr(equals + 1));
        else if (at_ < words_.size() && !words_[at_].starts_with("--") && words_[at_] != "-h")
            texts.push_back(words_[at_++]);
        else
            refuse_word("option " + name, "its value is not given",
                        "write " + name + ' ' + flag->value_name + ", " + page());
        if (flag->is_list && flag->goes_on && equals == std::string::npos)
            while (at_ < words_.size() && flag->goes_on(words_[at_])) texts.push_back(words_[at_++]);
        begin(*flag, texts);
    }

    void read_place(const std::string& word) {
        const auto flag =
            std::find_if(command_->flags.begin(), command_->flags.end(), [](const flag_description& known) {
                return known.by_place && (known.is_list || !known.is_given);
            });
        const bool is_first = std::none_of(command_->flags.begin(), command_->flags.end(),
                                           std::mem_fn(&flag_description::is_given));
        if (is_first && !command_->parts.empty()) {
            // It may be a file, or a word that only looks like one of the parts.
            std::error_code unknown;
            const bool is_known =
                flag != command_->flags.end() &&
                (std::find(flag->words.begin(), flag->words.end(), word) != flag->words.end() ||
                 std::filesystem::exists(word, unknown));
            if (!is_known && (flag == command_->flags.end() || !nearest(word, part_names(*command_)).empty()))
                static_cast<void>(part_named(*command_, program_, word));
        }
        if (flag != command_->flags.end()) {
            begin(*flag, {word});
            return;
        }
        for (const flag_description& known : command_->flags)
            if (known.by_place) refuse_second(known, word);
        refuse_word(as_written(word), call_of(*command_, program_) + " takes no such argument", page());
    }

    [[noreturn]] static void refuse_second(const flag_description& flag, const std::string& value) {
        const std::string first = flag.given.empty() ? std::string() : ", as '" + join(flag.given, ",") + "'";
        refuse_word("option " + flag.name,
                    "it is given twice" + first + (first.empty() ? "" : " and as '" + value + "'"),
                    "give it once");
    }

    static void begin(flag_description& flag, const std::vector<std::string>& texts) {
        if (flag.is_given && !flag.may_repeat && !(flag.by_place && flag.is_list))
            refuse_second(flag, join(texts, ","));
        flag.is_given = true;
        for (const std::string& text : texts)
            if (flag.is_list)
                for (std::string& value : split_list(text)) {
                    if (value.empty())
                        refuse_word("option " + flag.name,
                                    text.empty() ? "its list is empty" : "an item of '" + text + "' is empty",
                                    "write a value, or several with one comma between two");
                    flag.given.push_back(std::move(value));
                }
            else
                flag.given.push_back(text);
    }

    void finish() {
        for (flag_description& flag : command_->flags)
            if (flag.is_given) {
                check_words(flag);
                flag.take(flag.given);
            }
        if (!command_->runs_alone)
            refuse_word({}, command_ == top_ ? "no command is given" : "no part is given",
                        "give one of " + join(part_names(*command_), ", ") + ": " + page());
        for (const flag_description& flag : command_->flags) check_presence(flag);
    }

    static void check_words(const flag_description& flag) {
        if (!flag.only_words) return;
        for (const std::string& value : flag.given)
            if (std::find(flag.words.begin(), flag.words.end(), value) == flag.words.end()) {
                const std::string meant = nearest(value, flag.words);
                refuse_word("option " + flag.name, "its value is " + as_written(value),
                            (meant.empty() ? "it" : "did you mean " + meant + "? It") +
                                std::string(flag.words.size() == 1 ? " must be " : " must be one of ") +
                                join(flag.words, ", "),
                            errc::unknown_name);
            }
    }

    void check_presence(const flag_description& flag) const {
        const auto needed = std::find_if(flag.needed.begin(), flag.needed.end(),
                                         [](const flag_condition& condition) { return condition.holds(); });
        if (!flag.is_given && (flag.is_required || needed != flag.needed.end()))
            refuse_word("option " + flag.name, "it is not given",
                        (flag.is_required ? "it is required" : "it is required with " + needed->with) + ": " +
                            page());
        if (!flag.is_given) return;
        for (const flag_condition& condition : flag.effect)
            if (!condition.holds()) {
                const std::string instead = condition.instead ? condition.instead() : std::string();
                refuse_word("option " + flag.name,
                            "it would have no effect" + (instead.empty() ? "" : ": " + instead),
                            "it goes with " + condition.with, errc::unsupported);
            }
    }

    command_description* command_;
    command_description* top_;
    const std::string& program_;
    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    bool flags_ended_ = false;
};

} // namespace

named_command read_words(command_description& top, const std::string& program,
                         const std::vector<std::string>& words) {
    return word_reader(top, program, words).read();
}

command_description& part_named(command_description& command, const std::string& program,
                                const std::string& word) {
    if (command_description* part = command.find_part(word)) return *part;
    const std::string meant = nearest(word, part_names(command));
    const std::string kind = command.name.empty() ? "command" : "part";
    const std::string of = command.name.empty() ? "" : " of " + command.name;
    throw refusal{{errc::unknown_name,
                   {},
                   "there is no " + kind + of + " '" + word + "'",
                   advice(meant, command, program)}};
}

} // namespace cli
