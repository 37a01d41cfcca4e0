#include "command_syntax.hpp"

#include "command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace cli {

flag_syntax flag_syntax::required(bool is_required) const {
    return flag_syntax(*option_->required(is_required));
}

flag_syntax flag_syntax::one_of(const std::vector<std::string>& words) const {
    return flag_syntax(*option_->check(CLI::IsMember(words)));
}

flag_syntax flag_syntax::between(std::int64_t least, std::int64_t most) const {
    return flag_syntax(*option_->check(CLI::Range(least, most)));
}

flag_syntax flag_syntax::not_negative() const { return flag_syntax(*option_->check(CLI::NonNegativeNumber)); }

flag_syntax flag_syntax::group(const std::string& heading) const {
    return flag_syntax(*option_->group(heading));
}

flag_syntax flag_syntax::type_name(const std::string& name) const {
    return flag_syntax(*option_->type_name(name));
}

flag_syntax flag_syntax::capture_default() const { return flag_syntax(*option_->capture_default_str()); }

flag_syntax flag_syntax::default_text(const std::string& text) const {
    return flag_syntax(*option_->default_str(text));
}

bool flag_syntax::is_given() const { return option_->count() > 0; }

command_syntax command_syntax::add_subcommand(const std::string& name, const std::string& meaning) const {
    return command_syntax(*app_->add_subcommand(name, meaning));
}

flag_syntax command_syntax::add_option(const std::string& name, std::string& value,
                                       const std::string& meaning) const {
    return flag_syntax(*app_->add_option(name, value, meaning));
}

flag_syntax command_syntax::add_option(const std::string& name, std::vector<std::string>& value,
                                       const std::string& meaning) const {
    return flag_syntax(*app_->add_option(name, value, meaning));
}

flag_syntax command_syntax::add_option(const std::string& name, std::int64_t& value,
                                       const std::string& meaning) const {
    return flag_syntax(*app_->add_option(name, value, meaning));
}

flag_syntax command_syntax::add_option(const std::string& name, double& value,
                                       const std::string& meaning) const {
    return flag_syntax(*app_->add_option(name, value, meaning));
}

flag_syntax command_syntax::add_flag(const std::string& name, bool& value, const std::string& meaning) const {
    return flag_syntax(*app_->add_flag(name, value, meaning));
}

flag_syntax command_syntax::add_reader(const std::string& name, std::function<void(const std::string&)> read,
                                       const std::string& meaning) const {
    return flag_syntax(*app_->add_option_function<std::string>(name, read, meaning));
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
    return flag_syntax(*app_->add_option_function<std::vector<std::string>>(name, split, meaning));
}

bool command_syntax::has_option(const std::string& name) const {
    return app_->get_option_no_throw(name) != nullptr;
}

flag_syntax command_syntax::option(const std::string& name) const {
    return flag_syntax(*app_->get_option(name));
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
    : app_(std::make_unique<CLI::App>(meaning, name)) {
    app_->require_subcommand(1);
    app_->set_version_flag("--version", version);
}

command_line::~command_line() = default;

std::optional<int> command_line::run(int argc, char** argv) const {
    try {
        app_->parse(argc, argv);
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
