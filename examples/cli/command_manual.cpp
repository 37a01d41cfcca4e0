// The manual, in the language of man.

#include "command_pages.hpp"

#include "exit_meanings.hpp"
#include "flag_text.hpp"

#include <algorithm>
#include <string_view>

namespace cli {

namespace {

/// `text` as it is read: no letter of it is a request.
std::string literal(std::string_view text) {
    std::string escaped;
    for (const char c : text)
        if (c == '\\')
            escaped += "\\e";
        else if (c == '-')
            escaped += "\\-";
        else
            escaped += c;
    const bool is_request = escaped.starts_with('.') || escaped.starts_with('\'');
    return (is_request ? "\\&" : "") + escaped;
}

/// The same as one argument of a request.
std::string argument(std::string_view text) {
    std::string quoted;
    for (const char c : literal(text)) quoted += c == '"' ? std::string("\\(dq") : std::string(1, c);
    return '"' + quoted + '"';
}

std::string capitals(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::string manual_entry(const std::string& name, const std::string& meaning) {
    return ".TP\n.B " + argument(name) + '\n' + literal(meaning) + '\n';
}

std::string examples_of(const command_description& command) {
    std::string text;
    for (const command_example& example : command.examples)
        text += ".TP\n.B " + argument(example.line) + '\n' + literal(example.meaning) + '\n';
    return text;
}

/// A command, its options and examples, and those of its parts.
std::string manual_section(const command_description& command, const std::string& program) {
    std::string text = ".SH " + argument(capitals(program + ' ' + command.name)) + '\n';
    text += literal(command.meaning) + ".\n";
    for (const std::string& use : usage(command, program)) text += ".PP\n.B " + argument(use) + '\n';
    for (const flag_description& flag : command.flags)
        text += manual_entry(flag.by_place ? flag.value_name : signature(flag), full_meaning(flag));
    if (!command.examples.empty()) text += ".SS Examples\n" + examples_of(command);
    for (const command_description& part : command.parts) text += manual_section(part, program);
    return text;
}

} // namespace

std::string manual_page(const command_description& top, const std::string& program,
                        const std::string& version) {
    std::string page = ".TH " + argument(capitals(program)) + " 1 \"\" " + argument(version) +
                       " \"User Commands\"\n.nh\n.ad l\n.SH NAME\n" + literal(program) + " \\- ";
    std::string purpose = top.meaning;
    if (!purpose.empty() && purpose.back() == '.') purpose.pop_back();
    if (!purpose.empty() && purpose[0] >= 'A' && purpose[0] <= 'Z')
        purpose[0] = static_cast<char>(purpose[0] - 'A' + 'a');
    page += literal(purpose) + "\n.SH SYNOPSIS\n.B " + argument(usage(top, program).front()) +
            "\n.SH DESCRIPTION\n" + literal(top.meaning) + '\n';
    page +=
        manual_entry("-h, --help", "print what a command takes; the same as " + program + " help COMMAND");
    page += manual_entry("-v, --version", "print the version");
    page += ".SH COMMANDS\n";
    for (const command_description& command : top.parts)
        page += manual_entry(program + ' ' + command.name, command.meaning);
    for (const command_description& command : top.parts) page += manual_section(command, program);
    page += ".SH \"EXIT STATUS\"\n";
    for (const exit_meaning& exit : exit_meanings)
        page += manual_entry(std::to_string(exit.status), exit.meaning);
    return page;
}

} // namespace cli
