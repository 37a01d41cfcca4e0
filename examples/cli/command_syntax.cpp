#include "command_syntax.hpp"

#include "command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace cli {

/// What a flag is, beside what CLI11 knows of it.
struct flag_record {
    std::string name;
    std::string default_text; ///< empty where nothing holds without it
    CLI::Option* option = nullptr;
    bool is_flag = false;
    bool is_list = false;
    bool is_part_of_answer = true;
};

struct command_record {
    std::string name;
    std::deque<flag_record> flags; // which stay where they are
    std::deque<command_record> parts;
};

flag_syntax flag_syntax::required(bool is_required) const {
    option_->required(is_required);
    return *this;
}

flag_syntax flag_syntax::one_of(const std::vector<std::string>& words) const {
    option_->check(CLI::IsMember(words));
    return *this;
}

flag_syntax flag_syntax::between(std::int64_t least, std::int64_t most) const {
    option_->check(CLI::Range(least, most));
    return *this;
}

flag_syntax flag_syntax::not_negative() const {
    option_->check(CLI::NonNegativeNumber);
    return *this;
}

flag_syntax flag_syntax::group(const std::string& heading) const {
    option_->group(heading);
    return *this;
}

flag_syntax flag_syntax::type_name(const std::string& name) const {
    option_->type_name(name);
    return *this;
}

flag_syntax flag_syntax::capture_default() const {
    option_->capture_default_str();
    return *this;
}

flag_syntax flag_syntax::default_text(const std::string& text) const {
    option_->default_str(text);
    record_->default_text = text;
    return *this;
}

flag_syntax flag_syntax::no_part_of_answer() const {
    record_->is_part_of_answer = false;
    return *this;
}

bool flag_syntax::is_given() const { return option_->count() > 0; }

command_syntax command_syntax::add_subcommand(const std::string& name, const std::string& meaning) const {
    command_record& part = record_->parts.emplace_back();
    part.name = record_->name.empty() ? name : record_->name + ' ' + name;
    return {*app_->add_subcommand(name, meaning), part};
}

flag_syntax command_syntax::add(CLI::Option* option, const std::string& name,
                                const std::string& initial) const {
    flag_record& flag = record_->flags.emplace_back();
    flag.name = name;
    flag.default_text = initial;
    flag.option = option;
    return {*option, flag};
}

flag_syntax command_syntax::add_option(const std::string& name, std::string& value,
                                       const std::string& meaning) const {
    return add(app_->add_option(name, value, meaning), name, value);
}

flag_syntax command_syntax::add_option(const std::string& name, std::vector<std::string>& value,
                                       const std::string& meaning) const {
    const flag_syntax flag = add(app_->add_option(name, value, meaning), name, {});
    record_->flags.back().is_list = true;
    return flag;
}

flag_syntax command_syntax::add_option(const std::string& name, std::int64_t& value,
                                       const std::string& meaning) const {
    return add(app_->add_option(name, value, meaning), name, dovetail::to_text(value));
}

flag_syntax command_syntax::add_option(const std::string& name, double& value,
                                       const std::string& meaning) const {
    return add(app_->add_option(name, value, meaning), name, dovetail::to_text(value));
}

flag_syntax command_syntax::add_flag(const std::string& name, bool& value, const std::string& meaning) const {
    const flag_syntax flag = add(app_->add_flag(name, value, meaning), name, "false");
    record_->flags.back().is_flag = true;
    return flag;
}

flag_syntax command_syntax::add_reader(const std::string& name, std::function<void(const std::string&)> read,
                                       const std::string& meaning) const {
    return add(app_->add_option_function<std::string>(name, read, meaning), name, {});
}

namespace {

// The items of a list between commas; one that is empty is a mistake, and not an item to leave out.
void append_items(const std::string& flag, const std::string& list, std::vector<std::string>& items) {
    for (std::size_t begin = 0, end = 0; begin <= list.size(); begin = end + 1) {
        end = std::min(list.find(',', begin), list.size());
        if (end == begin)
            refuse({dovetail::errc::parse, "option " + flag,
                    list.empty() ? "its list is empty" : "an item of '" + list + "' is empty",
                    "write a value, or several with one comma between two"});
        items.push_back(list.substr(begin, end - begin));
    }
}

} // namespace

flag_syntax command_syntax::add_list_reader(const std::string& name,
                                            std::function<void(const std::vector<std::string>&)> read,
                                            const std::string& meaning) const {
    const auto split = [name, read](const std::vector<std::string>& lists) {
        std::vector<std::string> items;
        for (const std::string& list : lists) append_items(name, list, items);
        read(items);
    };
    const flag_syntax flag =
        add(app_->add_option_function<std::vector<std::string>>(name, split, meaning), name, {});
    record_->flags.back().is_list = true;
    return flag;
}

bool command_syntax::has_option(const std::string& name) const {
    return app_->get_option_no_throw(name) != nullptr;
}

flag_syntax command_syntax::option(const std::string& name) const {
    const auto flag = std::find_if(record_->flags.begin(), record_->flags.end(),
                                   [&](const flag_record& known) { return known.name == name; });
    return {*flag->option, *flag};
}

const std::string& command_syntax::name() const { return record_->name; }

std::vector<setting> command_syntax::settings() const {
    std::vector<setting> all;
    for (const flag_record& flag : record_->flags) {
        setting& held = all.emplace_back();
        held.name = flag.name;
        held.given = flag.option->count() > 0;
        held.is_flag = flag.is_flag;
        held.is_list = flag.is_list;
        held.is_part_of_answer = flag.is_part_of_answer;
        if (flag.is_flag)
            held.values = {held.given ? "true" : "false"};
        else if (held.given)
            held.values = flag.option->reduced_results();
        else if (flag.is_list)
            held.values = CLI::detail::split(flag.default_text, ',');
        else if (!flag.default_text.empty())
            held.values = {flag.default_text};
        if (flag.is_list && flag.default_text.empty() && !held.given) held.values.clear();
    }
    return all;
}

void command_syntax::make_subcommands_optional() const {
    app_->require_subcommand(0, 1);
    for (CLI::App* part : app_->get_subcommands({}))
        for (CLI::Option* option : app_->get_options()) part->excludes(option);
}

bool command_syntax::runs_subcommand() const { return !app_->get_subcommands().empty(); }

void command_syntax::callback(std::function<void()> action) const { app_->callback(std::move(action)); }

void refuse(const dovetail::error& problem) { throw CLI::ValidationError(problem.line()); }

void refuse_without(const std::string& flag) { throw CLI::RequiredError(flag); }

namespace {

// What CLI11 finds wrong, and where to read what would be right.
exit_status explain(const CLI::App& app, const CLI::ParseError& problem) {
    std::string page = app.get_name();
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
    std::cerr << app.get_name() << ": " << line << "; see " << page << " --help\n";
    return bad_input;
}

} // namespace

command_line::command_line(const std::string& name, const std::string& meaning, const std::string& version)
    : app_(std::make_unique<CLI::App>(meaning, name)), record_(std::make_unique<command_record>()) {
    app_->require_subcommand(1);
    app_->set_version_flag("--version", version);
}

command_line::~command_line() = default;

command_syntax command_line::top() const { return {*app_, *record_}; }

std::optional<int> command_line::run(const std::vector<std::string>& words) const {
    try {
        app_->parse(std::vector<std::string>(words.rbegin(), words.rend())); // the last first
    } catch (const CLI::Success& asked) {
        return app_->exit(asked);
    } catch (const CLI::ParseError& problem) {
        return explain(*app_, problem);
    } catch (const std::exception& problem) {
        std::cerr << app_->get_name() << ": defect: " << problem.what() << '\n';
        return defect;
    }
    return std::nullopt;
}

} // namespace cli
