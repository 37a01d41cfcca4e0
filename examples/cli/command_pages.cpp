// The pages of --help.

#include "command_pages.hpp"

#include "exit_meanings.hpp"
#include "flag_text.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

namespace {

constexpr std::size_t page_width = 80;
constexpr std::size_t text_column = 30;

/// `text` from `column` on, in lines that end before the page does.
std::string wrapped(std::string_view text, std::size_t column, std::size_t used) {
    std::string lines;
    bool is_first = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (!is_first && used + 1 + end > page_width) {
            lines += '\n' + std::string(column, ' ');
            used = column;
        } else if (!is_first) {
            lines += ' ';
            ++used;
        }
        lines += text.substr(0, end);
        used += end;
        text.remove_prefix(std::min(end + 1, text.size()));
        is_first = false;
    }
    return lines + '\n';
}

/// A name, and what it is beside or below it.
std::string page_entry(const std::string& name, const std::string& meaning) {
    std::string line = "  " + name;
    if (line.size() + 2 <= text_column)
        line += std::string(text_column - line.size(), ' ');
    else
        line += '\n' + std::string(text_column, ' ');
    return line + wrapped(meaning, text_column, text_column);
}

std::string parts_of(const command_description& command) {
    std::string text;
    for (const command_description& part : command.parts) text += page_entry(part.last_name(), part.meaning);
    return text;
}

} // namespace

std::string help_page(const command_description& command, const std::string& program) {
    const bool is_top = command.name.empty();
    std::string page = wrapped((is_top ? "" : program + ' ' + command.name + ": ") + command.meaning, 0, 0);
    page += '\n';
    for (const std::string& use : usage(command, program)) page += "  " + wrapped(use, 6, 2);
    if (!command.parts.empty()) page += (is_top ? "\nCommands\n" : "\nParts\n") + parts_of(command);

    std::string arguments;
    std::vector<std::pair<std::string, std::string>> sections{{"", ""}};
    for (const flag_description& flag : command.flags) {
        if (flag.by_place) {
            arguments += page_entry(flag.value_name, full_meaning(flag));
            continue;
        }
        auto section = std::find_if(sections.begin(), sections.end(),
                                    [&](const auto& known) { return known.first == flag.heading; });
        if (section == sections.end()) section = sections.insert(sections.end(), {flag.heading, ""});
        section->second += page_entry(signature(flag), full_meaning(flag));
    }
    if (!arguments.empty()) page += "\nArguments\n" + arguments;
    for (const auto& [heading, text] : sections) {
        page += '\n' + (heading.empty() ? "Options" : heading) + '\n' + text;
        if (!heading.empty()) continue;
        page += page_entry("-h, --help", "print this page");
        if (is_top) page += page_entry("-v, --version", "print the version");
    }
    if (!command.examples.empty()) {
        page += "\nExamples\n";
        for (const command_example& example : command.examples)
            page += "  " + example.line + "\n      " + wrapped(example.meaning, 6, 6);
    }
    if (is_top) {
        page += "\nExit status\n";
        for (const exit_meaning& exit : exit_meanings)
            page += page_entry(std::to_string(exit.status), exit.meaning);
    }
    return page;
}

} // namespace cli
