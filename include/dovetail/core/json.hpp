#pragma once
/// \file
/// A small JSON writer. Reading JSON is the business of ext/json.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/text.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail {

/// `text` as a JSON string, quotes included. Bytes from 0x80 on pass through: the caller writes UTF-8.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
        case '"':
            quoted += "\\\"";
            break;
        case '\\':
            quoted += "\\\\";
            break;
        case '\n':
            quoted += "\\n";
            break;
        case '\r':
            quoted += "\\r";
            break;
        case '\t':
            quoted += "\\t";
            break;
        default:
            if (byte < 0x20) {
                quoted += "\\u00";
                quoted += hex[byte >> 4];
                quoted += hex[byte & 15];
            } else {
                quoted += c;
            }
        }
    }
    return quoted + '"';
}

/// Writes one JSON document, indented by two blanks. Numbers are the shortest that read back equal;
/// infinities and NaN, which JSON lacks, become null.
class json_writer {
public:
    json_writer& begin_object() { return open('{', '}'); }
    json_writer& end_object() { return close('}'); }
    json_writer& begin_array() { return open('[', ']'); }
    json_writer& end_array() { return close(']'); }

    /// The name of the member whose value is written next.
    json_writer& key(std::string_view name) {
        DOVETAIL_ASSERT(!levels_.empty() && levels_.back().closer == '}' && !after_key_,
                        "a key stands in an object, before its value");
        next_item();
        text_ += json_quoted(name) + ": ";
        after_key_ = true;
        return *this;
    }

    json_writer& value(std::string_view text) { return write(json_quoted(text)); }
    json_writer& value(const char* text) { return value(std::string_view(text)); }
    json_writer& value(bool truth) { return write(truth ? "true" : "false"); }
    json_writer& value(double number) { return write(std::isfinite(number) ? to_text(number) : "null"); }
    template <std::integral Int>
        requires(!std::same_as<Int, bool> && !std::same_as<Int, char>)
    json_writer& value(Int number) { return write(to_text(number)); }
    json_writer& null() { return write("null"); }

    /// `key(name)` and `value(item)` in one.
    template <class Item>
    json_writer& member(std::string_view name, const Item& item) {
        return key(name).value(item);
    }

    /// The finished document, with a line end.
    [[nodiscard]] std::string take() && {
        DOVETAIL_ASSERT(levels_.empty(), "every object and array must be closed");
        return std::move(text_) + '\n';
    }

private:
    struct level {
        char closer;
        bool empty;
    };

    void next_item() {
        if (after_key_) {
            after_key_ = false;
            return;
        }
        if (levels_.empty()) return;
        if (!levels_.back().empty) text_ += ',';
        levels_.back().empty = false;
        break_line();
    }
    void break_line() { text_ += '\n' + std::string(2 * levels_.size(), ' '); }

    json_writer& write(std::string_view token) {
        next_item();
        text_ += token;
        return *this;
    }
    json_writer& open(char opener, char closer) {
        next_item();
        text_ += opener;
        levels_.push_back({closer, true});
        return *this;
    }
    json_writer& close([[maybe_unused]] char closer) {
        DOVETAIL_ASSERT(!levels_.empty() && levels_.back().closer == closer && !after_key_,
                        "close what was opened last");
        const bool empty = levels_.back().empty;
        levels_.pop_back();
        if (!empty) break_line();
        text_ += closer;
        return *this;
    }

    std::string text_;
    std::vector<level> levels_;
    bool after_key_ = false;
};

} // namespace dovetail
