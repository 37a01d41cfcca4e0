#pragma once
/// \file
/// What an answer depends on, so that it can be judged and repeated: the command, the version, every setting
/// and every input.

#include <dovetail/core/json.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/report/svg.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::report {

/// A setting that holds for an answer, chosen or by default.
struct setting {
    std::string name;                ///< as on the command line, without dashes
    std::vector<std::string> values; ///< one, or those of a list; none where nothing is set
    bool is_list = false;
    bool is_switch = false; ///< its value is "true" or "false"
};

/// Something that was read. A model of the zoo has a hash of its graph, a file that of its bytes.
struct input_source {
    std::string name;                   ///< the path, or the name in the zoo
    std::optional<std::uint64_t> bytes; ///< none of what is no file
    std::string sha256;                 ///< hexadecimal; empty for what can be read once only
};

/// What every answer carries.
struct origin {
    std::string command; ///< as a shell takes it
    std::string version;
    std::vector<setting> settings;
    std::vector<input_source> inputs;
};

namespace detail {

/// A number where all of `text` is one, else a string.
inline void write_value(json_writer& json, const std::string& text) {
    if (const auto whole = parse_number<std::int64_t>(text))
        json.value(*whole);
    else if (const auto real = parse_number<double>(text))
        json.value(*real);
    else
        json.value(text);
}

inline void write_setting(json_writer& json, const setting& s) {
    std::string key = s.name;
    for (char& c : key)
        if (c == '-') c = '_';
    json.key(key);
    if (s.is_switch)
        json.value(!s.values.empty() && s.values.front() == "true");
    else if (s.is_list) {
        json.begin_array();
        for (const std::string& value : s.values) write_value(json, value);
        json.end_array();
    } else if (s.values.empty())
        json.null();
    else
        write_value(json, s.values.front());
}

} // namespace detail

/// Writes the members `command`, `version`, `settings` and `inputs` into the object that is open. Names of
/// settings have underscores for dashes; one that is not set is null.
inline void write_origin(json_writer& json, const origin& from) {
    json.member("command", from.command).member("version", from.version).key("settings").begin_object();
    for (const setting& s : from.settings) detail::write_setting(json, s);
    json.end_object().key("inputs").begin_array();
    for (const input_source& input : from.inputs) {
        json.begin_object().member("name", input.name);
        if (input.bytes) json.member("bytes", *input.bytes);
        json.key("sha256");
        input.sha256.empty() ? json.null() : json.value(input.sha256);
        json.end_object();
    }
    json.end_array();
}

/// The same as the last section of a page; nothing where no command is known.
[[nodiscard]] inline std::string origin_section(const origin& from) {
    if (from.command.empty()) return {};
    const auto cell = [](std::string_view text) { return "<td>" + escaped(text) + "</td>"; };
    std::string section = "<h2>How to repeat this</h2>\n<p><code>" + escaped(from.command) +
                          "</code>, dovetail " + escaped(from.version) + "</p>\n";
    if (!from.inputs.empty()) {
        section += "<table class=\"words\"><tr><th>input</th><th>bytes</th><th>SHA-256</th></tr>\n";
        for (const input_source& input : from.inputs)
            section += "<tr>" + cell(input.name) + cell(input.bytes ? to_text(*input.bytes) : "–") +
                       cell(input.sha256.empty() ? "–" : input.sha256) + "</tr>\n";
        section += "</table>\n";
    }
    section += "<table class=\"words\"><tr><th>setting</th><th>value</th></tr>\n";
    for (const setting& s : from.settings) {
        std::string values;
        for (const std::string& value : s.values) values += (values.empty() ? "" : ", ") + value;
        section += "<tr>" + cell(s.name) + cell(values.empty() ? "–" : values) + "</tr>\n";
    }
    return section + "</table>\n";
}

} // namespace dovetail::report
