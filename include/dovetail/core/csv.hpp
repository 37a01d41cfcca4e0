#pragma once
/// \file
/// Tables as comma-separated text with a header line (RFC 4180).

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/nearest_word.hpp>
#include <dovetail/core/readable.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dovetail {

/// One field, without its quotes, and where it begins; both count from 1.
struct csv_field {
    std::string text;
    std::size_t line = 0;
    std::size_t column = 0; ///< in bytes
};

/// A header, and rows of as many fields.
struct csv_table {
    std::string name; ///< of the file, for errors
    std::vector<csv_field> header;
    std::vector<std::vector<csv_field>> rows;

    /// The position of a column, by its name in the header.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const {
        const auto found = std::find_if(header.begin(), header.end(),
                                        [&](const csv_field& field) { return field.text == column; });
        if (found == header.end()) return std::nullopt;
        return static_cast<std::size_t>(found - header.begin());
    }

    /// "file:line:column" of a field.
    [[nodiscard]] std::string place(const csv_field& field) const {
        return name + ":" + to_text(field.line) + ":" + to_text(field.column);
    }

    /// The number that is all of `field`: finite and at least `lowest`.
    /// \returns errc::parse or errc::out_of_range, with the place and the name of the column.
    template <class Number>
    [[nodiscard]] result<Number> number(const csv_field& field, std::string_view column,
                                        Number lowest) const {
        const auto value = parse_number<Number>(field.text);
        if (value && std::isfinite(static_cast<double>(*value)) && *value >= lowest) return *value;
        return refused(field, column, value.has_value(),
                       std::string(std::is_integral_v<Number> ? "a whole number" : "a number") +
                           " of at least " + readable(lowest));
    }

    /// The number that is all of `field`: finite and above zero.
    /// \returns errc::parse or errc::out_of_range, with the place and the name of the column.
    [[nodiscard]] result<double> positive(const csv_field& field, std::string_view column) const {
        const auto value = parse_number<double>(field.text);
        if (value && std::isfinite(*value) && *value > 0) return *value;
        return refused(field, column, value.has_value(), "a number above 0");
    }

private:
    [[nodiscard]] error refused(const csv_field& field, std::string_view column, bool number,
                                const std::string& expected) const {
        return {number ? errc::out_of_range : errc::parse, place(field),
                std::string(column) + " is '" + field.text + "'", "it must be " + expected};
    }
};

/// The first of `columns` that a header lacks.
[[nodiscard]] inline std::optional<std::string_view>
missing_column(array_view<const csv_field> header, array_view<const std::string_view> columns) {
    for (const std::string_view column : columns)
        if (std::none_of(header.begin(), header.end(),
                         [&](const csv_field& field) { return field.text == column; }))
            return column;
    return std::nullopt;
}

/// An error about a header that lacks `column`, with the header, and the name in it that was meant if one of
/// those that are not `wanted` is near.
[[nodiscard]] inline error column_is_missing(std::string_view name, array_view<const csv_field> header,
                                             std::string_view column,
                                             array_view<const std::string_view> wanted) {
    constexpr std::size_t longest_shown = 200;
    std::string found;
    std::vector<std::string_view> others;
    for (const csv_field& field : header) {
        found += (found.empty() ? "" : ",") + field.text;
        if (std::find(wanted.begin(), wanted.end(), field.text) == wanted.end()) others.push_back(field.text);
    }
    if (found.size() > longest_shown) found.replace(longest_shown, std::string::npos, "...");
    const std::string place = header.empty() ? std::string(name)
                                             : std::string(name) + ":" + to_text(header.front().line) + ":" +
                                                   to_text(header.front().column);
    const auto near = nearest_word(column, others);
    return {errc::parse, place, "the column '" + std::string(column) + "' is missing",
            "the header is '" + found + "'" +
                (near ? ": is '" + std::string(*near) + "' meant to be it?" : std::string())};
}

namespace detail {

/// Reads one record after the other.
class csv_reader {
public:
    csv_reader(std::string_view text, std::string_view name) : text_(text), name_(name) {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3; // a byte order mark
    }

    /// The next record that is not an empty line; none at the end of the text.
    [[nodiscard]] result<std::vector<csv_field>> record() {
        std::vector<csv_field> fields;
        while (skip_line_end()) {
        }
        if (at_ == text_.size()) return fields;
        for (;;) {
            csv_field field{{}, line_, at_ - line_start_ + 1};
            auto read = at('"') ? quoted(field) : plain(field);
            if (!read) return std::move(read).problem();
            fields.push_back(std::move(field));
            if (at(',')) {
                ++at_;
                continue;
            }
            if (at_ == text_.size() || skip_line_end()) return fields;
            return wrong(at('\r') ? "a carriage return stands alone" : "text follows a closing quote",
                         "a field ends with a comma or a line end");
        }
    }

private:
    [[nodiscard]] bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

    bool skip_line_end() {
        const std::size_t length = at('\n') ? 1 : text_.substr(at_).starts_with("\r\n") ? 2 : 0;
        if (length == 0) return false;
        at_ += length;
        ++line_;
        line_start_ = at_;
        return true;
    }

    [[nodiscard]] error wrong_at(std::size_t line, std::size_t column, std::string_view what,
                                 std::string_view right) const {
        return {errc::parse, name_ + ":" + to_text(line) + ":" + to_text(column), std::string(what),
                std::string(right)};
    }
    [[nodiscard]] error wrong(std::string_view what, std::string_view right) const {
        return wrong_at(line_, at_ - line_start_ + 1, what, right);
    }

    [[nodiscard]] result<void> plain(csv_field& field) {
        const std::size_t end = std::min(text_.find_first_of(",\"\r\n", at_), text_.size());
        field.text = text_.substr(at_, end - at_);
        at_ = end;
        if (at('"'))
            return wrong("a quote stands inside a field",
                         "quote the whole field, and double the quotes in it");
        return {};
    }

    [[nodiscard]] result<void> quoted(csv_field& field) {
        ++at_;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                ++at_;
                if (!at('"')) return {};
            }
            field.text += text_[at_];
            if (text_[at_] == '\n') {
                ++line_;
                line_start_ = at_ + 1;
            }
        }
        return wrong_at(field.line, field.column, "a quote is never closed", "close it with another quote");
    }

    std::string_view text_;
    std::string name_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t line_start_ = 0;
};

} // namespace detail

/// The header line of `text` alone, for those who want to know what kind of table it is.
/// \returns errc::parse for text without one, a name that is empty, or two that are equal; `name` is the
/// file.
[[nodiscard]] inline result<std::vector<csv_field>> read_csv_header(std::string_view text,
                                                                    std::string_view name) {
    auto header = detail::csv_reader(text, name).record();
    if (!header) return std::move(header).problem();
    if (header->empty())
        return error{errc::parse, std::string(name), "it is empty", "begin with the names of the columns"};
    for (auto field = header->begin(); field != header->end(); ++field) {
        const auto same = [&](const csv_field& other) { return other.text == field->text; };
        if (field->text.empty() || std::any_of(header->begin(), field, same))
            return error{
                errc::parse, std::string(name) + ":" + to_text(field->line) + ":" + to_text(field->column),
                "the header names column '" + field->text + "'" + (field->text.empty() ? "" : " again"),
                "every column has a name of its own"};
    }
    return header;
}

/// The whole table. Lines end with a line feed or with carriage return and line feed; a byte order mark and
/// empty lines are skipped; quoted fields may hold commas, line ends and doubled quotes.
/// \returns errc::parse with file:line:column: what `read_csv_header` refuses, a quote that is misplaced or
///          never closed, or a row with more or fewer fields than the header.
[[nodiscard]] inline result<csv_table> read_csv(std::string_view text, std::string_view name) {
    auto header = read_csv_header(text, name);
    if (!header) return std::move(header).problem();
    csv_table table;
    table.name = name;
    table.header = *std::move(header);
    detail::csv_reader reader(text, name);
    static_cast<void>(reader.record());
    for (;;) {
        auto row = reader.record();
        if (!row) return std::move(row).problem();
        if (row->empty()) return table;
        if (row->size() != table.header.size())
            return error{errc::parse, table.place(row->front()),
                         "the row has " + to_text(row->size()) + " fields",
                         "the header has " + to_text(table.header.size())};
        table.rows.push_back(*std::move(row));
    }
}

} // namespace dovetail
