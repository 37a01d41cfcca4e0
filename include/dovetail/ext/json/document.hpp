#pragma once
/// \file
/// A JSON text as a tree in which every value knows where it stands, and no object has a key twice.

#include <dovetail/core/result.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

/// What a value is.
enum class kind : std::uint8_t { null, boolean, number, string, array, object };

/// The name of a kind, as JSON calls it.
[[nodiscard]] constexpr std::string_view to_string(kind k) noexcept {
    switch (k) {
    case kind::null:
        return "null";
    case kind::boolean:
        return "boolean";
    case kind::number:
        return "number";
    case kind::string:
        return "string";
    case kind::array:
        return "array";
    case kind::object:
        return "object";
    }
    return "unknown";
}

/// One value, with what is in it.
struct value {
    kind type = kind::null;
    std::size_t begin = 0;     ///< its first byte in the text, counted from 0
    std::string key;           ///< of a member of an object
    std::size_t key_begin = 0; ///< the first byte of its key
    bool truth = false;        ///< of a boolean
    double number = 0.0;       ///< of a number
    std::string text;          ///< of a string
    std::vector<value> inside; ///< the elements of an array, the members of an object, in their order
};

/// A text that has been read.
struct document {
    std::string name; ///< of the file, for errors
    value root;
    std::vector<std::size_t> lines; ///< the first byte of every line

    /// "file:line:column" of a byte; lines and columns count from 1, columns in bytes.
    [[nodiscard]] std::string position(std::size_t byte) const {
        const auto next = std::upper_bound(lines.begin(), lines.end(), byte);
        const std::size_t begin = next == lines.begin() ? 0 : *(next - 1);
        return name + ":" + to_text(next - lines.begin()) + ":" + to_text(byte - begin + 1);
    }
};

namespace detail {

/// No published file nests deeper than 7; a tree that deep is taken apart without running out of stack.
inline constexpr std::size_t deepest = 64;

// Builds the tree from the events of the parser, and follows them in the text: what it announces is valid
// JSON, so that the next token is the next byte that is no space, comma or colon.
class tree_builder {
public:
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    explicit tree_builder(std::string_view text) : text_(text) {
        if (text.starts_with("\xEF\xBB\xBF")) at_ = 3; // a byte order mark
    }

    bool null() { return add(kind::null) != nullptr && pass(4); }
    bool boolean(bool truth) {
        add(kind::boolean)->truth = truth;
        return pass(truth ? 4 : 5);
    }
    bool number_integer(number_integer_t x) { return number(static_cast<double>(x)); }
    bool number_unsigned(number_unsigned_t x) { return number(static_cast<double>(x)); }
    bool number_float(number_float_t x, const string_t&) { return number(x); }
    bool string(string_t& text) {
        add(kind::string)->text = std::move(text);
        return pass_string();
    }
    bool binary(binary_t&) { return false; } // not in JSON text
    bool start_object(std::size_t) { return open(kind::object); }
    bool key(string_t& text) {
        key_ = std::move(text);
        key_begin_ = seek();
        return pass_string();
    }
    bool end_object() { return close() && keys_differ(); }
    bool start_array(std::size_t) { return open(kind::array); }
    bool end_array() { return close() && leave(); }
    template <class Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception&) {
        // The position is that of the byte that was read last, counted from 1.
        const bool truncated = position > text_.size();
        const bool large = std::is_same_v<Exception, nlohmann::json::out_of_range>;
        const bool empty =
            text_.find_first_not_of(" \t\r\n", at_) == std::string_view::npos && at_ <= 3 && open_.empty();
        stop(large           ? seek()
             : position == 0 ? 0
                             : position - 1,
             empty       ? "it is empty"
             : large     ? "the number is too large"
             : truncated ? "the text ends too early"
                         : "the text is not JSON from here on",
             large ? "it must fit a double" : "it must be one complete JSON value");
        return false;
    }

    [[nodiscard]] value take() && { return std::move(root_); }
    [[nodiscard]] std::size_t wrong_at() const { return wrong_at_; }
    [[nodiscard]] const std::string& wrong() const { return wrong_; }
    [[nodiscard]] const std::string& expected() const { return expected_; }

private:
    // The first byte of the token that comes next.
    std::size_t seek() {
        at_ = std::min(text_.find_first_not_of(" \t\r\n,:", at_), text_.size());
        return at_;
    }
    bool pass(std::size_t bytes) {
        at_ += bytes;
        return true;
    }
    bool pass_string() {
        for (at_ = seek() + 1; at_ < text_.size() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\') ++at_;
        return pass(1);
    }
    bool number(double x) {
        add(kind::number)->number = x;
        at_ = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
        return true;
    }

    value* add(kind type) {
        value* fresh = &root_;
        if (!open_.empty()) {
            fresh = &open_.back()->inside.emplace_back();
            if (open_.back()->type == kind::object) {
                fresh->key = std::move(key_);
                fresh->key_begin = key_begin_;
            }
        }
        fresh->type = type;
        fresh->begin = seek();
        return fresh;
    }
    bool open(kind type) {
        if (open_.size() == deepest) {
            stop(seek(), "it nests deeper than " + to_text(deepest) + " levels", "no format does");
            return false;
        }
        open_.push_back(add(type)); // its parent does not grow, and so keep its place, while it is open
        return pass(1);
    }
    bool close() {
        seek();
        return pass(1);
    }
    bool leave() {
        open_.pop_back();
        return true;
    }
    bool keys_differ() {
        std::vector<const value*> members;
        for (const value& member : open_.back()->inside) members.push_back(&member);
        sort_stably(members.begin(), members.end(),
                    [](const value* a, const value* b) { return a->key < b->key; });
        const value* again = nullptr; // the first in the text that repeats a key
        for (std::size_t i = 1; i < members.size(); ++i)
            if (members[i]->key == members[i - 1]->key &&
                (again == nullptr || members[i]->key_begin < again->key_begin))
                again = members[i];
        if (again == nullptr) return leave();
        stop(again->key_begin, "the key '" + again->key + "' is there twice",
             "a key stands once in its object");
        return false;
    }
    void stop(std::size_t byte, std::string wrong, std::string expected) {
        wrong_at_ = byte;
        wrong_ = std::move(wrong);
        expected_ = std::move(expected);
    }

    std::string_view text_;
    std::size_t at_ = 0; // after the token that came last
    value root_;
    std::vector<value*> open_;
    std::string key_;
    std::size_t key_begin_ = 0;
    std::size_t wrong_at_ = 0;
    std::string wrong_, expected_;
};

} // namespace detail

/// Reads `text`, whose errors are reported for `name`. \returns errc::parse with line and column: where it
/// stops being JSON, for truncated text behind its last byte, or a key that its object has already.
[[nodiscard]] inline result<document> parse(std::string_view text, std::string_view name) {
    document read{.name = std::string(name), .root = {}, .lines = {0}};
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
        read.lines.push_back(end + 1);
    detail::tree_builder builder(text);
    if (!nlohmann::json::sax_parse(text, &builder))
        return error{errc::parse, read.position(builder.wrong_at()), builder.wrong(), builder.expected()};
    read.root = std::move(builder).take();
    return read;
}

} // namespace dovetail::ext::json
