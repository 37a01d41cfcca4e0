#include "command_description.hpp"

#include <algorithm>
#include <utility>

namespace cli {

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t comma = text.find(',', begin);
        parts.emplace_back(text.substr(begin, comma - begin));
        if (comma == std::string_view::npos) return parts;
        begin = comma + 1;
    }
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
    return text;
}

std::vector<std::string> flag_description::values() const {
    if (!takes_value()) return {is_given ? "true" : "false"};
    if (is_given) return given;
    if (default_text.empty()) return {};
    return is_list ? split_list(default_text) : std::vector<std::string>{default_text};
}

flag_description* command_description::find_flag(std::string_view wanted) {
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const flag_description& known) { return known.name == wanted; });
    return flag == flags.end() ? nullptr : &*flag;
}

const command_description* command_description::find_part(std::string_view word) const {
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const command_description& known) {
        return known.last_name() == word;
    });
    return part == parts.end() ? nullptr : &*part;
}

command_description* command_description::find_part(std::string_view word) {
    return const_cast<command_description*>(std::as_const(*this).find_part(word));
}

} // namespace cli
