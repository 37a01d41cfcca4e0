// What the commands share besides their syntax: what they read, write and answer with.

#include "command.hpp"

#include <dovetail/version.hpp>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <ostream>
#include <utility>

namespace cli {

using dovetail::result;
namespace report = dovetail::report;

namespace {

/// A stream that swallows what it is given.
std::ostream& nowhere() {
    static std::ostream stream(nullptr);
    return stream;
}

/// `word` as a shell reads it.
std::string for_the_shell(const std::string& word) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                       "-_./,=:+@%";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char c : word)
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    return quoted + '\'';
}

std::string joined(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
    return text;
}

} // namespace

void common_options::add_to(command_syntax command) {
    command_ = command;
    add_output(command, json, "--json", "write the answer as JSON to this file, - for standard output");
    command.add_flag("--quiet", quiet, "print nothing for people").no_part_of_answer();
    add_options(command, *this);
    command.option("--threads").no_part_of_answer();
}

void common_options::add_output(command_syntax command, output& file, const std::string& flag,
                                const std::string& meaning) {
    file.add_to(command, flag, meaning);
    outputs_.push_back(&file);
}

result<void> common_options::begin(const std::vector<report::input_source>& reads) {
    inputs_ = reads;
    std::vector<std::string> files;
    for (const report::input_source& source : reads)
        if (source.bytes || source.name == "-") files.push_back(source.name);
    if (auto distinct = check_distinct(outputs_, files); !distinct) return distinct;
    for (output* file : outputs_)
        if (auto opened = file->open(); !opened) return opened;
    return {};
}

report::origin common_options::origin() const {
    report::origin from{.command = {}, .version = DOVETAIL_VERSION_STRING, .settings = {}, .inputs = inputs_};
    from.command = "dovetail " + command_->name();
    for (const setting& s : command_->settings()) {
        if (!s.is_part_of_answer) continue;
        from.settings.push_back({.name = s.name.substr(s.name.find_first_not_of('-')),
                                 .values = s.values,
                                 .is_list = s.is_list,
                                 .is_switch = s.is_flag});
        if (!s.given) continue;
        if (!s.is_argument()) from.command += ' ' + s.name;
        if (!s.is_flag) from.command += ' ' + for_the_shell(joined(s.values));
    }
    return from;
}

void common_options::put_json(const std::function<void(dovetail::json_writer&)>& members) {
    if (!json.wanted()) return;
    dovetail::json_writer text;
    text.begin_object();
    members(text);
    report::write_origin(text, origin());
    text.end_object();
    put(json, std::move(text).take());
}

void common_options::put(output& file, std::string_view text) {
    if (!file.wanted()) return;
    if (auto written = file.put(text); !written && !unwritten_) unwritten_ = written.problem();
}

std::ostream& common_options::people() {
    if (quiet) return nowhere();
    for (const output* file : outputs_)
        if (file->is_standard_output()) return std::cerr;
    return std::cout;
}

exit_status common_options::finish(exit_status status) {
    errno = 0;
    if (!unwritten_ && !std::cout.flush())
        unwritten_ = dovetail::error{dovetail::errc::io, "standard output",
                                     errno == ENOSPC ? "the disk is full" : "it cannot be written",
                                     "make room, or send it elsewhere"};
    return unwritten_ ? complain(*unwritten_) : status;
}

} // namespace cli
