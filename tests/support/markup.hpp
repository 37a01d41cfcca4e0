#pragma once
/// \file
/// Whether a text is well-formed markup: every tag closed in its turn, every special character escaped.

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::test {

/// What is wrong with `text`, or nothing. Knows the elements without content of HTML that pages here use,
/// style sheets as plain text, and attributes in double quotes.
inline std::string markup_mistake(std::string_view text) {
    std::vector<std::string> open;
    const auto at = [&](std::size_t place) { return " at '" + std::string(text.substr(place, 40)) + "'"; };
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '&') {
            const std::size_t end = text.find(';', i);
            if (end == std::string_view::npos || end > i + 6) return "a bare ampersand" + at(i);
            i = end + 1;
            continue;
        }
        if (text[i] == '>') return "a bare '>'" + at(i);
        if (text[i] != '<') {
            ++i;
            continue;
        }
        const std::size_t start = i++;
        const bool closing = i < text.size() && text[i] == '/';
        if (closing) ++i;
        std::string name;
        while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '!'))
            name += text[i++];
        if (name.empty()) return "a bare '<'" + at(start);
        bool quoted = false;
        for (; i < text.size() && (quoted || text[i] != '>'); ++i) {
            if (text[i] == '"') quoted = !quoted;
            if (text[i] == '<') return "a '<' within a tag" + at(start);
        }
        if (i == text.size()) return "a tag without an end" + at(start);
        const bool empty = text[i - 1] == '/' || name == "meta" || name == "!doctype";
        ++i;
        if (closing) {
            if (open.empty() || open.back() != name) return "a close tag that fits no open one" + at(start);
            open.pop_back();
        } else if (!empty) {
            open.push_back(name);
            if (name == "style") i = text.find("</style>", i);
        }
    }
    return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

/// How often `part` stands in `text`.
inline std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t i = text.find(part); i != std::string_view::npos; i = text.find(part, i + part.size()))
        ++count;
    return count;
}

/// The numbers of the attribute `name` of every tag that starts with `tag`, in order.
inline std::vector<double> attribute_values(std::string_view text, std::string_view tag,
                                            std::string_view name) {
    std::vector<double> values;
    const std::string wanted = ' ' + std::string(name) + "=\"";
    for (std::size_t i = text.find(tag); i != std::string_view::npos; i = text.find(tag, i + 1)) {
        const std::size_t place = text.find(wanted, i);
        if (place < text.find('>', i))
            values.push_back(std::stod(std::string(text.substr(place + wanted.size(), 24))));
    }
    return values;
}

} // namespace dovetail::test
