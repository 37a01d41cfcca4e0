#include "command_syntax.hpp"

#include "command.hpp"
#include "command_description.hpp"
#include "command_pages.hpp"
#include "command_words.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace cli {

using dovetail::errc;

namespace {

/// Whether `flag` has one of `values`, or is given where there are none.
flag_condition condition_on(const flag_description& flag, const std::vector<std::string>& values) {
    const auto holds = [&flag, values] {
        const std::vector<std::string> held = flag.values();
        return values.empty() ? flag.is_given
                              : std::any_of(held.begin(), held.end(), [&](const std::string& value) {
                                    return std::find(values.begin(), values.end(), value) != values.end();
                                });
    };
    const auto instead = [&flag] {
        const std::vector<std::string> held = flag.values();
        return flag.name + (held.empty() ? " is not given" : " is '" + join(held, ",") + "'");
    };
    return {.with = values.empty() ? flag.name : flag.name + ' ' + join(values, " or "),
            .holds = holds,
            .instead = instead};
}

} // namespace

flag_syntax flag_syntax::required(bool is_required) const {
    flag_->is_required = is_required;
    return *this;
}

flag_syntax flag_syntax::one_of(const std::vector<std::string>& words) const {
    flag_->words = words;
    flag_->only_words = true;
    flag_->value_name = "WORD";
    return *this;
}

flag_syntax flag_syntax::such_as(const std::vector<std::string>& words) const {
    flag_->words = words;
    return *this;
}

flag_syntax flag_syntax::group(const std::string& heading) const {
    flag_->heading = heading;
    return *this;
}

flag_syntax flag_syntax::type_name(const std::string& name) const {
    flag_->value_name = name;
    return *this;
}

flag_syntax flag_syntax::default_text(const std::string& text) const {
    flag_->default_text = text;
    return *this;
}

flag_syntax flag_syntax::no_part_of_answer() const {
    flag_->is_part_of_answer = false;
    return *this;
}

flag_syntax flag_syntax::goes_on_while(std::function<bool(std::string_view)> belongs) const {
    flag_->goes_on = std::move(belongs);
    return *this;
}

flag_syntax flag_syntax::may_repeat() const {
    flag_->may_repeat = true;
    return *this;
}

flag_syntax flag_syntax::only_with(const std::string& other, const std::vector<std::string>& values) const {
    flag_->effect.push_back(condition_on(*command_->find_flag(other), values));
    return *this;
}

flag_syntax flag_syntax::only_if(std::function<bool()> holds, const std::string& with) const {
    flag_->effect.push_back({.with = with, .holds = std::move(holds), .instead = {}});
    return *this;
}

flag_syntax flag_syntax::required_with(const std::string& other,
                                       const std::vector<std::string>& values) const {
    flag_->needed.push_back(condition_on(*command_->find_flag(other), values));
    return *this;
}

bool flag_syntax::is_given() const { return flag_->is_given; }

command_syntax command_syntax::add_subcommand(const std::string& name, const std::string& meaning) const {
    command_description& part = command_->parts.emplace_back();
    part.name = command_->name.empty() ? name : command_->name + ' ' + name;
    part.meaning = meaning;
    return command_syntax(part);
}

void command_syntax::add_example(const std::string& line, const std::string& meaning) const {
    command_->examples.push_back({line, meaning});
}

flag_description& command_syntax::add(const std::string& name, const std::string& meaning) const {
    flag_description& flag = command_->flags.emplace_back();
    flag.by_place = !name.starts_with('-');
    flag.name = (flag.by_place ? "--" : "") + name;
    flag.meaning = meaning;
    return flag;
}

flag_syntax command_syntax::add_option(const std::string& name, std::string& value,
                                       const std::string& meaning) const {
    flag_description& flag = add(name, meaning);
    flag.default_text = value;
    flag.take = [&value, &flag](const std::vector<std::string>& texts) {
        if (texts.front().empty())
            refuse({errc::parse, "option " + flag.name, "its value is ''",
                    "write " + flag.name + ' ' + flag.value_name});
        value = texts.front();
    };
    return {flag, *command_};
}

flag_syntax command_syntax::add_option(const std::string& name, std::vector<std::string>& value,
                                       const std::string& meaning) const {
    flag_description& flag = add(name, meaning);
    flag.is_list = true;
    flag.default_text = join(value, ",");
    flag.take = [&value](const std::vector<std::string>& texts) { value = texts; };
    return {flag, *command_};
}

flag_syntax command_syntax::add_flag(const std::string& name, bool& value, const std::string& meaning) const {
    flag_description& flag = add(name, meaning);
    flag.value_name.clear();
    flag.take = [&value](const std::vector<std::string>&) { value = true; };
    return {flag, *command_};
}

flag_syntax command_syntax::add_reader(const std::string& name, std::function<void(const std::string&)> read,
                                       const std::string& meaning) const {
    flag_description& flag = add(name, meaning);
    flag.take = [read = std::move(read)](const std::vector<std::string>& texts) { read(texts.front()); };
    return {flag, *command_};
}

flag_syntax command_syntax::add_list_reader(const std::string& name,
                                            std::function<void(const std::vector<std::string>&)> read,
                                            const std::string& meaning) const {
    flag_description& flag = add(name, meaning);
    flag.is_list = true;
    flag.take = std::move(read);
    return {flag, *command_};
}

bool command_syntax::has_option(const std::string& name) const {
    return command_->find_flag(name) != nullptr;
}

flag_syntax command_syntax::option(const std::string& name) const {
    return {*command_->find_flag(name), *command_};
}

const std::string& command_syntax::name() const { return command_->name; }

std::vector<setting> command_syntax::settings() const {
    std::vector<setting> all;
    for (const flag_description& flag : command_->flags)
        all.push_back({.name = flag.by_place ? flag.bare_name() : flag.name,
                       .values = flag.values(),
                       .given = flag.is_given,
                       .is_flag = !flag.takes_value(),
                       .is_list = flag.is_list,
                       .is_part_of_answer = flag.is_part_of_answer});
    return all;
}

void command_syntax::callback(std::function<void()> action) const { command_->action = std::move(action); }

void refuse(const dovetail::error& problem) { throw refusal{problem}; }

namespace {

/// Prints what was asked for.
exit_status print(const std::string& text) {
    if (std::cout << text << std::flush) return solved;
    return complain({errc::io, "standard output", "it cannot be written", "make room, or send it elsewhere"});
}

/// `dovetail help`: a page, the manual, or a completion.
struct help_command {
    std::vector<std::string> topic;
    bool manual = false;
    std::string shell;

    void add_to(command_description& program) {
        const command_syntax top(program);
        const command_syntax command =
            top.add_subcommand("help", "what a command takes, the manual, and completions for a shell");
        std::vector<std::string> names;
        for (const command_description& known : program.parts) names.push_back(known.last_name());
        command.add_option("topic", topic, "a command, and a part of it; the program itself if not given")
            .type_name("COMMAND")
            .such_as(names);
        command.add_flag("--man", manual, "print the manual of all commands, for man and groff")
            .only_if([this] { return topic.empty(); }, "no command");
        command
            .add_option("--completion", shell, "print what lets a shell complete commands, options and names")
            .one_of({"bash", "zsh", "fish"})
            .only_if([this] { return topic.empty() && !manual; }, "neither a command nor --man");
        command.add_example("dovetail help price systolic", "the same as dovetail price systolic --help");
        command.add_example("dovetail help --man | man -l -", "the manual");
        command.add_example("dovetail help --completion bash >dovetail.bash", "then: source dovetail.bash");
    }

    [[nodiscard]] exit_status run(command_description& program, const std::string& name,
                                  const std::string& version) const {
        if (manual) return print(manual_page(program, name, version));
        if (!shell.empty()) return print(completion(program, name, shell));
        command_description* about = &program;
        for (const std::string& word : topic) about = &part_named(*about, name, word);
        return print(help_page(*about, name));
    }
};

} // namespace

command_line::command_line(const std::string& name, const std::string& meaning, const std::string& version)
    : name_(name), version_(version), program_(std::make_unique<command_description>()) {
    program_->meaning = meaning;
    program_->runs_alone = false;
}

command_line::~command_line() = default;

command_syntax command_line::top() const { return command_syntax(*program_); }

std::optional<int> command_line::run(const std::vector<std::string>& words) const {
    try {
        help_command help;
        help.add_to(*program_);
        const named_command named = read_words(*program_, name_, words);
        if (named.wants_version) return print(version_ + '\n');
        if (named.wants_help) return print(help_page(*named.command, name_));
        if (named.command == program_->find_part("help")) return help.run(*program_, name_, version_);
        named.command->action();
    } catch (const refusal& bad) {
        return complain(bad.problem);
    } catch (const std::exception& problem) {
        std::cerr << name_ << ": defect: " << problem.what() << '\n';
        return defect;
    }
    return std::nullopt;
}

} // namespace cli
