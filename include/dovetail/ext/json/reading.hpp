#pragma once
/// \file
/// Reading JSON that nobody has checked: every wrong turn is an `error` that names its place.

#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

namespace detail {

// Accepts every event; only to learn where the text stops being JSON.
struct error_locator {
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    std::size_t byte = 0;

    bool null() { return true; }
    bool boolean(bool) { return true; }
    bool number_integer(number_integer_t) { return true; }
    bool number_unsigned(number_unsigned_t) { return true; }
    bool number_float(number_float_t, const string_t&) { return true; }
    bool string(string_t&) { return true; }
    bool binary(binary_t&) { return true; }
    bool start_object(std::size_t) { return true; }
    bool key(string_t&) { return true; }
    bool end_object() { return true; }
    bool start_array(std::size_t) { return true; }
    bool end_array() { return true; }
    template <class Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception&) {
        byte = position;
        return false;
    }
};

} // namespace detail

/// Parses `text`, whose errors are reported for `name`. \returns errc::parse with the byte at which it stops
/// being JSON: for truncated text, the byte after the last.
[[nodiscard]] inline result<nlohmann::json> parse(std::string_view text, std::string_view name) {
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    if (!value.is_discarded()) return value;
    detail::error_locator locator;
    nlohmann::json::sax_parse(text, &locator);
    const bool truncated = locator.byte > text.size();
    return error{errc::parse, std::string(name) + ": byte " + to_text(locator.byte),
                 truncated ? "the text ends too early" : "the text is not JSON from here on",
                 "it must be one complete JSON value"};
}

/// The whole of a file. \returns errc::io when it cannot be read.
[[nodiscard]] inline result<std::string> read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (!file.is_open() || file.bad() || text.fail())
        return error{errc::io, path.string(), "it cannot be read", "name a file that exists and can be read"};
    return std::move(text).str();
}

/// A value inside a JSON document together with the way to it. The document must outlive it.
class place {
public:
    /// The root of a document; `name` is what errors call it, a file's path as a rule.
    place(const nlohmann::json& root, std::string name) : place(root, std::move(name), true) {}

    /// "file.json: nodes.8[3].id".
    [[nodiscard]] const std::string& path() const { return path_; }

    /// An error about this very place.
    [[nodiscard]] error wrong(errc code, std::string what, std::string expected) const {
        return {code, path_, std::move(what), std::move(expected)};
    }

    /// The member `key` of an object. \returns errc::parse when there is none, or this is no object.
    [[nodiscard]] result<place> member(std::string_view key) const {
        if (!value_->is_object()) return of_another_type("an object");
        const auto found = value_->find(key);
        if (found == value_->end())
            return wrong(errc::parse, "the key '" + std::string(key) + "' is missing", "the format needs it");
        return inside(*found, key);
    }

    /// Whether this is an object with a member `key`: for members that the format leaves open.
    [[nodiscard]] bool has(std::string_view key) const {
        return value_->is_object() && value_->contains(key);
    }

    /// The members of an object with their keys, in the order of their keys. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<std::pair<std::string, place>>> members() const {
        if (!value_->is_object()) return of_another_type("an object");
        std::vector<std::pair<std::string, place>> all;
        for (const auto& [key, value] : value_->items()) all.emplace_back(key, inside(value, key));
        return all;
    }

    /// The elements of an array. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<place>> elements() const {
        if (!value_->is_array()) return of_another_type("an array");
        std::vector<place> all;
        for (const nlohmann::json& value : *value_)
            all.push_back({value, path_ + (root_ ? ": [" : "[") + to_text(all.size()) + "]", false});
        return all;
    }

    /// A finite number, `least` or more. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<double> number(double least = std::numeric_limits<double>::lowest()) const {
        if (!value_->is_number()) return of_another_type("a number");
        const auto x = value_->get<double>();
        if (!std::isfinite(x) || x < least)
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a finite number, " + readable(least) + " or more");
        return x;
    }

    /// A whole number in [least, most], written with or without a fraction of zero; both bounds lie within
    /// 2^53. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<std::int64_t> integer(std::int64_t least, std::int64_t most) const {
        if (!value_->is_number()) return of_another_type("a number");
        const auto x = value_->get<double>();
        if (!(x >= static_cast<double>(least) && x <= static_cast<double>(most)) || x != std::floor(x))
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a whole number from " + readable(least) + " to " + readable(most));
        return static_cast<std::int64_t>(x);
    }

    /// \returns errc::parse for anything but true and false.
    [[nodiscard]] result<bool> boolean() const {
        if (!value_->is_boolean()) return of_another_type("true or false");
        return value_->get<bool>();
    }

    /// \returns errc::parse for anything but a string.
    [[nodiscard]] result<std::string> text() const {
        if (!value_->is_string()) return of_another_type("a string");
        return value_->get<std::string>();
    }

private:
    // Where the path is only a file's name yet, keys follow after a colon.
    place(const nlohmann::json& value, std::string path, bool root)
        : value_(&value), path_(std::move(path)), root_(root) {}

    [[nodiscard]] place inside(const nlohmann::json& value, std::string_view key) const {
        return {value, path_ + (root_ ? ": " : ".") + std::string(key), false};
    }
    [[nodiscard]] error of_another_type(std::string_view expected) const {
        return wrong(errc::parse, "it is of type " + std::string(value_->type_name()),
                     "it must be " + std::string(expected));
    }

    const nlohmann::json* value_;
    std::string path_;
    bool root_;
};

} // namespace dovetail::ext::json
