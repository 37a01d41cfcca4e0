#pragma once
/// \file
/// Reading JSON that nobody has checked: every wrong turn is an `error` that names its place.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/json/document.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ext::json {

/// The keys that one kind of object has in a format; any other is a mistake.
struct known_keys {
    array_view<const std::string_view> read;
    array_view<const std::string_view> unused{}; ///< published files carry them; they change no answer
};

/// A value inside a JSON document together with the way to it. The document must outlive it.
class place {
public:
    /// The root of a document.
    explicit place(const document& whole) : document_(&whole), value_(&whole.root) {}

    /// The way from the root: "nodes.8[3].id"; empty for the root itself.
    [[nodiscard]] const std::string& way() const { return way_; }

    /// "file.json:12:7: nodes.8[3].id".
    [[nodiscard]] std::string path() const {
        const std::string position = document_->position(value_->begin);
        return way_.empty() ? position : position + ": " + way_;
    }

    /// An error about this very place.
    [[nodiscard]] error wrong(errc code, std::string what, std::string expected) const {
        return {code, path(), std::move(what), std::move(expected)};
    }

    /// The member `key` of an object. \returns errc::parse when there is none, or this is no object.
    [[nodiscard]] result<place> member(std::string_view key) const {
        if (value_->type != kind::object) return of_another_type("an object");
        const value* const found = find(key);
        if (found == nullptr)
            return wrong(errc::parse, "the key '" + std::string(key) + "' is missing", "the format needs it");
        return inside(*found, key);
    }

    /// Whether this is an object with a member `key`: for members that the format leaves open.
    [[nodiscard]] bool has(std::string_view key) const {
        return value_->type == kind::object && find(key) != nullptr;
    }

    /// Whether an object has only keys that its format knows.
    /// \returns errc::unknown_name with the first other key and the known one that is nearest to it, or
    /// errc::parse when this is no object.
    [[nodiscard]] result<void> only(const known_keys& known) const {
        if (value_->type != kind::object) return of_another_type("an object");
        for (const value& member : value_->inside) {
            const auto is_it = [&](std::string_view key) { return key == member.key; };
            if (std::any_of(known.read.begin(), known.read.end(), is_it) ||
                std::any_of(known.unused.begin(), known.unused.end(), is_it))
                continue;
            std::vector<std::string_view> all(known.read.begin(), known.read.end());
            all.insert(all.end(), known.unused.begin(), known.unused.end());
            std::string list = "known are";
            for (const std::string_view key : all)
                list.append(list.ends_with("are") ? " '" : ", '").append(key) += '\'';
            const std::string position = document_->position(member.key_begin);
            return error{errc::unknown_name, way_.empty() ? position : position + ": " + way_,
                         "the key '" + member.key.substr(0, longest_shown) +
                             (member.key.size() > longest_shown ? "…" : "") + "' is unknown",
                         did_you_mean(member.key, all, list)};
        }
        return {};
    }

    /// The members of an object with their keys, in their order. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<std::pair<std::string, place>>> members() const {
        if (value_->type != kind::object) return of_another_type("an object");
        std::vector<std::pair<std::string, place>> all;
        for (const value& member : value_->inside) all.emplace_back(member.key, inside(member, member.key));
        return all;
    }

    /// The elements of an array. \returns errc::parse otherwise.
    [[nodiscard]] result<std::vector<place>> elements() const {
        if (value_->type != kind::array) return of_another_type("an array");
        std::vector<place> all;
        for (const value& element : value_->inside)
            all.push_back({*document_, element, way_ + "[" + to_text(all.size()) + "]"});
        return all;
    }

    /// A finite number, `least` or more. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<double> number(double least = std::numeric_limits<double>::lowest()) const {
        if (value_->type != kind::number) return of_another_type("a number");
        const double x = value_->number;
        if (!std::isfinite(x) || x < least)
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a finite number, " + readable(least) + " or more");
        return x;
    }

    /// A whole number in [least, most], written with or without a fraction of zero; both bounds lie within
    /// 2^53. \returns errc::parse for no number, errc::out_of_range otherwise.
    [[nodiscard]] result<std::int64_t> integer(std::int64_t least, std::int64_t most) const {
        if (value_->type != kind::number) return of_another_type("a number");
        const double x = value_->number;
        if (!(x >= static_cast<double>(least) && x <= static_cast<double>(most)) || x != std::floor(x))
            return wrong(errc::out_of_range, "it is " + to_text(x),
                         "it must be a whole number from " + readable(least) + " to " + readable(most));
        return static_cast<std::int64_t>(x);
    }

    /// \returns errc::parse for anything but true and false.
    [[nodiscard]] result<bool> boolean() const {
        if (value_->type != kind::boolean) return of_another_type("true or false");
        return value_->truth;
    }

    /// \returns errc::parse for anything but a string.
    [[nodiscard]] result<std::string> text() const {
        if (value_->type != kind::string) return of_another_type("a string");
        return value_->text;
    }

private:
    static constexpr std::size_t longest_shown = 60; ///< of a key, in an error

    place(const document& whole, const value& at, std::string way)
        : document_(&whole), value_(&at), way_(std::move(way)) {}

    [[nodiscard]] const value* find(std::string_view key) const {
        for (const value& member : value_->inside)
            if (member.key == key) return &member;
        return nullptr;
    }
    [[nodiscard]] place inside(const value& at, std::string_view key) const {
        return {*document_, at, (way_.empty() ? "" : way_ + ".") + std::string(key)};
    }
    [[nodiscard]] error of_another_type(std::string_view expected) const {
        return wrong(errc::parse, "it is of type " + std::string(to_string(value_->type)),
                     "it must be " + std::string(expected));
    }

    const document* document_;
    const value* value_;
    std::string way_;
};

} // namespace dovetail::ext::json
