// dovetail rerun: the answer of an earlier command once more.

#include "command.hpp"
#include "inputs.hpp"

#include <dovetail/core/text.hpp>
#include <dovetail/ext/json.hpp>
#include <dovetail/version.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cli {

namespace {

using dovetail::errc;
using dovetail::error;
using dovetail::result;
namespace json = dovetail::ext::json;
namespace report = dovetail::report;

/// What an answer says of how it came about.
struct earlier_answer {
    std::vector<std::string> words; ///< the command without the program
    std::string version;
    std::vector<report::input_source> inputs;
};

/// The words of a command as a shell splits them; nothing where a quote stays open.
std::optional<std::vector<std::string>> split(std::string_view command) {
    std::vector<std::string> words;
    bool within_word = false;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (c == ' ') {
            within_word = false;
            continue;
        }
        if (!std::exchange(within_word, true)) words.emplace_back();
        if (c == '\'') {
            const std::size_t end = command.find('\'', i + 1);
            if (end == std::string_view::npos) return std::nullopt;
            words.back() += command.substr(i + 1, end - i - 1);
            i = end;
        } else if (c == '\\' && i + 1 < command.size()) {
            words.back() += command[++i];
        } else {
            words.back() += c;
        }
    }
    return words;
}

result<earlier_answer> read_answer(const std::string& file) {
    const auto text = read_file(file);
    if (!text) return text.problem();
    const auto document = json::parse(*text, file);
    if (!document) return document.problem();
    const json::place root(*document);
    for (const char* key : {"command", "version", "inputs"})
        if (!root.has(key))
            return error{errc::parse, file, "it has no '" + std::string(key) + "'",
                         "give the JSON that a command of dovetail wrote"};
    earlier_answer answer;
    const auto command = root.member("command")->text();
    if (!command) return command.problem();
    auto words = split(*command);
    if (!words || words->size() < 2 || words->front() != "dovetail" || (*words)[1] == "rerun")
        return error{errc::parse, file + ": command", "it is '" + *command + "'",
                     "it must be a command of dovetail"};
    words->erase(words->begin());
    answer.words = *std::move(words);
    const auto version = root.member("version")->text();
    if (!version) return version.problem();
    answer.version = *version;
    const auto inputs = root.member("inputs")->elements();
    if (!inputs) return inputs.problem();
    for (const json::place& input : *inputs) {
        const auto name = input.member("name");
        if (!name) return name.problem();
        const auto hash = input.member("sha256");
        if (!hash) return hash.problem();
        const auto name_text = name->text();
        if (!name_text) return name_text.problem();
        const auto hash_text = hash->text(); // null where it was a pipe
        // A file has bytes; a model of the zoo has none, whatever lies under its name.
        const auto bytes = input.has("bytes") ? std::optional<std::uint64_t>(0) : std::nullopt;
        answer.inputs.push_back(
            {.name = *name_text, .bytes = bytes, .sha256 = hash_text ? *hash_text : std::string()});
    }
    return answer;
}

/// Whether everything that was read is as it was.
result<void> check_inputs(const earlier_answer& answer) {
    for (const report::input_source& input : answer.inputs) {
        if (input.sha256.empty())
            return error{errc::io, input.name, "it was read from a pipe, which is gone",
                         "only answers from files and the zoo can be repeated"};
        const auto now = input.bytes ? sources_of(input.name) : sources_of_model(input.name);
        if (now.empty())
            return error{errc::io, input.name, "it is not there any more",
                         "run it where the answer came from"};
        if (now.front().sha256 != input.sha256)
            return error{errc::io, input.name, "it has changed since the answer",
                         "its SHA-256 was " + input.sha256};
    }
    return {};
}

struct rerun_command {
    std::string file;
    std::string json_file;
    std::string html_file;
    std::string threads;
    bool quiet = false;

    exit_status run() const {
        for (const std::string& written : {json_file, html_file})
            if (!written.empty() && written != "-" && same_file(written, file))
                return complain({errc::io, written, "it would overwrite the answer that is repeated",
                                 "name another file"});
        auto answer = read_answer(file);
        if (!answer) return complain(answer.problem());
        if (auto same = check_inputs(*answer); !same) return complain(same.problem());
        if (answer->version != DOVETAIL_VERSION_STRING)
            std::cerr << "dovetail: " << file << ": it is of version " << answer->version
                      << ", this is " DOVETAIL_VERSION_STRING "; figures may differ\n";
        std::vector<std::string> words = std::move(answer->words);
        const auto add = [&](const char* flag, const std::string& value) {
            if (!value.empty()) words.insert(words.end(), {flag, value});
        };
        add("--json", json_file);
        add("--html", html_file);
        add("--threads", threads);
        if (quiet) words.emplace_back("--quiet");
        return static_cast<exit_status>(run_program(words));
    }
};

} // namespace

void add_rerun(command_syntax app, int& status) {
    const command_syntax command =
        app.add_subcommand("rerun", "the answer of an earlier command once more, from its JSON");
    const auto options = std::make_shared<rerun_command>();
    command.add_example("dovetail rerun answer.json", "the same table as before");
    command.add_example("dovetail rerun answer.json --json again.json --threads 1", "the same bytes");
    command.add_option("file", options->file, "the JSON that the command wrote").type_name("FILE").required();
    command
        .add_option("--json", options->json_file,
                    "write the answer as JSON to this file, - for standard output")
        .type_name("FILE");
    command.add_option("--html", options->html_file, "write the page of the command to this file")
        .type_name("FILE");
    command.add_option("--threads", options->threads, "worker threads; 0 takes all").type_name("NUMBER");
    command.add_flag("--quiet", options->quiet, "print nothing for people");
    command.callback([options, &status] { status = options->run(); });
}

} // namespace cli
