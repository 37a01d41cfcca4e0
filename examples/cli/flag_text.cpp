#include "flag_text.hpp"

#include <algorithm>

namespace cli {

namespace {

/// Few enough words to stand where the value does.
bool shows_words(const flag_description& flag) {
    return flag.only_words && flag.name.size() + join(flag.words, "|").size() < 28;
}

} // namespace

std::string signature(const flag_description& flag) {
    if (!flag.takes_value()) return flag.name;
    return flag.name + ' ' + (shows_words(flag) ? join(flag.words, "|") : flag.value_name);
}

std::string full_meaning(const flag_description& flag) {
    std::string text = flag.meaning;
    if (!flag.words.empty() && (flag.by_place || !shows_words(flag)))
        text += std::string(flag.only_words ? "; one of " : "; known are ") + join(flag.words, ", ");
    if (flag.by_place) text += "; also as " + signature(flag);
    const auto is_needed = [&](const flag_condition& condition) {
        return std::any_of(flag.needed.begin(), flag.needed.end(),
                           [&](const flag_condition& needed) { return needed.with == condition.with; });
    };
    for (const flag_condition& condition : flag.effect)
        if (!is_needed(condition)) text += "; goes with " + condition.with;
    for (const flag_condition& condition : flag.needed) text += "; required with " + condition.with;
    if (flag.is_required && !flag.by_place) text += "; required";
    if (!flag.default_text.empty())
        text += " [" + (flag.default_text == "inf" ? "no limit" : flag.default_text) + "]";
    return text;
}

std::vector<std::string> usage(const command_description& command, const std::string& program) {
    std::string call = program + (command.name.empty() ? "" : " " + command.name);
    if (command.name.empty()) return {call + " COMMAND [OPTIONS]"};
    std::vector<std::string> ways;
    if (!command.parts.empty()) ways.push_back(call + " PART [OPTIONS]");
    for (const flag_description& flag : command.flags) {
        if (flag.by_place)
            call.append(flag.is_required ? " " : " [")
                .append(flag.value_name)
                .append(flag.is_required ? "" : "]");
        else if (flag.is_required)
            call.append(" ").append(signature(flag));
    }
    ways.insert(ways.begin(), call + " [OPTIONS]");
    return ways;
}

} // namespace cli
