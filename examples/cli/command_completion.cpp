// Completion in shells: generated scripts that need nothing of the program when they run.

#include "command_pages.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

namespace cli {

namespace {

bool takes_files(const flag_description& flag) {
    return flag.value_name == "FILE" || flag.value_name == "FOLDER" || flag.value_name == "MODEL";
}

/// The names of the parts of a command.
std::string parts_to_complete(const command_description& command) {
    std::string names;
    for (const command_description& part : command.parts)
        names.append(names.empty() ? "" : " ").append(part.last_name());
    return names;
}

std::string flags_to_complete(const command_description& command) {
    std::string names = "--help";
    if (command.name.empty()) names += " --version";
    for (const flag_description& flag : command.flags) names.append(" ").append(flag.name);
    return names;
}

/// Calls `visit` with the program, every command and every part.
void for_all(const command_description& command,
             const std::function<void(const command_description&)>& visit) {
    visit(command);
    for (const command_description& part : command.parts) for_all(part, visit);
}

/// `text` within single quotes of a shell.
std::string shell_quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text)
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    return quoted + '\'';
}

// Where a value stands: after the command and the flag, its words and whether it may be a file.
std::string bash_values(const command_description& top) {
    std::string cases;
    for_all(top, [&](const command_description& command) {
        for (const flag_description& flag : command.flags) {
            if (!flag.takes_value()) continue;
            cases += "    \"" + command.name + ' ' + flag.name + "\")\n";
            if (!flag.words.empty()) cases += "        words=" + shell_quoted(join(flag.words, " ")) + '\n';
            if (takes_files(flag))
                cases += std::string("        files=") + (flag.value_name == "FOLDER" ? "-d" : "-f") + '\n';
            cases += "        ;;\n";
        }
    });
    return cases;
}

std::string bash_commands(const command_description& top) {
    std::string cases;
    for_all(top, [&](const command_description& command) {
        std::string words = parts_to_complete(command);
        std::string files;
        for (const flag_description& flag : command.flags)
            if (flag.by_place) {
                words.append(words.empty() ? "" : " ").append(join(flag.words, " "));
                if (takes_files(flag)) files = flag.value_name == "FOLDER" ? "-d" : "-f";
            }
        cases += "    " + shell_quoted(command.name) + ")\n";
        cases += "        flags=" + shell_quoted(flags_to_complete(command)) + '\n';
        if (!words.empty()) cases += "        words=" + shell_quoted(words) + '\n';
        if (!files.empty()) cases += "        files=" + files + '\n';
        cases += "        ;;\n";
    });
    return cases;
}

std::string bash_parts(const command_description& top) {
    std::string names;
    for_all(top, [&](const command_description& command) {
        if (command.name.empty()) return;
        names.append(names.empty() ? "" : " | ").append("\"" + command.name + "\"");
    });
    return names;
}

std::string bash(const command_description& top, const std::string& program) {
    return "# Completion of " + program +
           R"( in bash: source this file, or put it where completions are loaded.

_)" + program +
           R"(() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}"
    local command='' longer='' words='' flags='' files='' at
    COMPREPLY=()
    # The shell takes --flag=value apart.
    if [[ $word == '=' ]]; then
        word=''
    elif [[ $before == '=' ]]; then
        before="${COMP_WORDS[COMP_CWORD - 2]}"
    fi
    for ((at = 1; at < COMP_CWORD; ++at)); do
        longer="${command:+$command }${COMP_WORDS[at]}"
        case "$longer" in
        )" +
           bash_parts(top) + R"()
            command="$longer"
            ;;
        *)
            break
            ;;
        esac
    done
    case "$command $before" in
)" + bash_values(top) +
           R"(    *)
        case "$command" in
)" + bash_commands(top) +
           R"(        esac
        if [[ $word == -* ]]; then
            words="$flags"
            files=''
        fi
        ;;
    esac
    if [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    fi
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$files" -- "$word")
    fi
}
complete -F _)" +
           program + ' ' + program + '\n';
}

/// A text as _arguments takes it within a specification.
std::string in_specification(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

/// What completes a value: nothing but its name where it is a number or free text.
std::string zsh_action(const flag_description& flag) {
    std::string action = ':' + in_specification(flag.value_name) + ':';
    if (takes_files(flag) && !flag.words.empty())
        return action + "{_alternative 'names:name:(" + join(flag.words, " ") + ")' 'files:file:_files'}";
    if (!flag.words.empty()) return action + '(' + join(flag.words, " ") + ')';
    if (takes_files(flag)) return action + (flag.value_name == "FOLDER" ? "_files -/" : "_files");
    return action + ' ';
}

/// The function that completes a command: those of its parts take over where one is named.
std::string zsh_function(const command_description& command, const std::string& program) {
    const auto name_of = [&](const command_description& which) {
        std::string name = '_' + program + (which.name.empty() ? "" : '_' + which.name);
        std::replace(name.begin(), name.end(), ' ', '_');
        return name;
    };
    std::string text = name_of(command) + "() {\n";
    std::string first;
    if (!command.parts.empty()) {
        text += "    (( CURRENT > 2 )) && case $words[2] in\n";
        for (const command_description& part : command.parts)
            text += "    " + part.last_name() + ") shift words; (( CURRENT -= 1 )); " + name_of(part) +
                    "; return ;;\n";
        text += "    esac\n    local -a parts=(\n";
        for (const command_description& part : command.parts)
            text += "        " + shell_quoted(part.last_name() + ':' + in_specification(part.meaning)) + '\n';
        text += "    )\n";
        first = "_describe command parts";
    }
    text += "    _arguments \\\n        '(-)'{-h,--help}'[print what it takes]'";
    if (command.name.empty()) text += " \\\n        '(-)'{-v,--version}'[print the version]'";
    std::string place = first.empty() ? "" : ": :{" + first + '}';
    for (const flag_description& flag : command.flags) {
        const std::string action = flag.takes_value() ? zsh_action(flag) : std::string();
        text += " \\\n        " + shell_quoted((flag.may_repeat ? "*" : "") + flag.name + '[' +
                                               in_specification(flag.meaning) + ']' + action);
        if (!flag.by_place) continue;
        place = first.empty() ? action : ": :{" + first + "; compadd " + join(flag.words, " ") + "; _files}";
        if (flag.is_list) place = '*' + place;
    }
    if (!place.empty()) text += " \\\n        " + shell_quoted((place[0] == '*' ? "" : "1") + place);
    text += "\n}\n\n";
    for (const command_description& part : command.parts) text += zsh_function(part, program);
    return text;
}

std::string zsh(const command_description& top, const std::string& program) {
    const std::string name = '_' + program;
    std::string text = "#compdef " + program + "\n# Completion of " + program;
    text += " in zsh: put it in a folder of $fpath as " + name + ", or source it after compinit.\n\n";
    text += zsh_function(top, program);
    text += "if [[ $funcstack[1] == " + name + " ]]; then\n    " + name + " \"$@\"\nelse\n    compdef ";
    return text + name + ' ' + program + "\nfi\n";
}

/// "-n '...'": within this command, and none of its parts.
std::string fish_condition(const command_description& command, const std::string& program) {
    return " -n " + shell_quoted("__fish_" + program + "_within \"" + command.name + "\" " +
                                 parts_to_complete(command));
}

std::string fish(const command_description& top, const std::string& program) {
    std::string text = "# Completion of " + program +
                       " in fish: source this file, or put it in a folder of "
                       "$fish_complete_path.\n\n"
                       "# Whether the words so far are this command, and not yet one of its parts.\n"
                       "function __fish_" +
                       program +
                       "_within --argument-names command\n"
                       "    set -l words (commandline -opc)[2..-1]\n"
                       "    set -l wanted (string split -n ' ' -- $command)\n"
                       "    set -l length (count $wanted)\n"
                       "    test (count $words) -ge $length; or return 1\n"
                       "    for at in (seq $length)\n"
                       "        test $words[$at] = $wanted[$at]; or return 1\n"
                       "    end\n"
                       "    set -l next $words[(math $length + 1)]\n"
                       "    not contains -- \"$next\" $argv[2..-1]\n"
                       "end\n\n"
                       "complete -c " +
                       program + " -f\n";
    for_all(top, [&](const command_description& command) {
        const std::string rule = "complete -c " + program + fish_condition(command, program);
        for (const command_description& part : command.parts)
            text += rule + " -a " + part.last_name() + " -d " + shell_quoted(part.meaning) + '\n';
        text += rule + " -s h -l help -d 'print what it takes'\n";
        if (command.name.empty()) text += rule + " -s v -l version -d 'print the version'\n";
        for (const flag_description& flag : command.flags) {
            text += rule + " -l " + flag.bare_name() + " -d " + shell_quoted(flag.meaning);
            std::string values;
            if (flag.takes_value()) values += takes_files(flag) ? " -r -F" : " -x";
            if (!flag.words.empty()) values += " -a " + shell_quoted(join(flag.words, " "));
            text += values + '\n';
            if (!flag.by_place) continue;
            if (takes_files(flag)) text += rule + " -F\n";
            if (!flag.words.empty()) text += rule + " -a " + shell_quoted(join(flag.words, " ")) + '\n';
        }
    });
    return text;
}

} // namespace

std::string completion(const command_description& top, const std::string& program, const std::string& shell) {
    if (shell == "zsh") return zsh(top, program);
    if (shell == "fish") return fish(top, program);
    return bash(top, program);
}

} // namespace cli
