#pragma once
/// \file
/// The answer of a solver that is a program of its own, read from the text that it writes.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/text_names.hpp>
#include <dovetail/ilp/verify.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::ilp {

namespace detail {

/// Reads a solution line by line.
class solution_reader {
public:
    explicit solution_reader(const model& m) : model_(m), values_(m.columns().size()) {
        const text_names names(m);
        for (std::size_t k = 0; k < values_.size(); ++k) columns_.emplace(names.columns()[k], k);
        constant_ = names.constant();
    }

    [[nodiscard]] result<void> read(std::string_view text) {
        for (std::size_t number = 1; !text.empty() && !done_; ++number) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (result<void> good = read_line(text.substr(0, end)); !good)
                return std::move(good).problem().within("solution text: line " + to_text(number));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return {};
    }

    [[nodiscard]] solution answer() const {
        const bool down = model_.sense() == direction::minimize;
        const double worst = down ? infinity : -infinity;
        solution s{.ending = ending_.value_or(verdict::budget),
                   .objective = worst,
                   .bound = -worst,
                   .values = {},
                   .nodes = 0};
        if (s.ending == verdict::infeasible) s.bound = worst;
        if (s.ending == verdict::infeasible || s.ending == verdict::unbounded) return s;
        if (!any_value_ && s.ending != verdict::optimal) return s;
        s.values.reserve(values_.size());
        for (const std::optional<double>& value : values_) s.values.push_back(value.value_or(0.0));
        for (std::size_t k = 0; k < s.values.size(); ++k) {
            constexpr double tolerance = 1e-5; // solvers take 1e-6 beside a whole number for it
            const double whole = std::round(s.values[k]);
            if (model_.columns()[k].kind != domain::continuous && std::abs(s.values[k] - whole) <= tolerance)
                s.values[k] = whole;
        }
        s.objective = verify(model_, s.values).objective;
        if (s.ending == verdict::optimal) s.bound = s.objective;
        return s;
    }

private:
    static std::vector<std::string_view> words_of(std::string_view line) {
        constexpr std::string_view blank = " \t\r\f\v";
        std::vector<std::string_view> words;
        for (std::size_t begin = 0; (begin = line.find_first_not_of(blank, begin)) != line.npos;) {
            const std::size_t end = std::min(line.find_first_of(blank, begin), line.size());
            words.push_back(line.substr(begin, end - begin));
            begin = end;
        }
        return words;
    }

    static std::string lower(std::string_view text) {
        std::string small(text);
        for (char& c : small)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return small;
    }

    // A word in an error, which stays a line to look at.
    static std::string shown(std::string_view word) {
        constexpr std::size_t longest = 60;
        return joined('\'', word.substr(0, longest), word.size() > longest ? "...'" : "'");
    }

    [[nodiscard]] result<void> read_line(std::string_view line) {
        std::vector<std::string_view> words = words_of(line);
        if (words.empty()) return {};
        if (words[0][0] == '#') {
            read_section(lower(line));
            return {};
        }
        if (passed_over_) return {};
        // Cbc puts a number before every name, and stars before that where a value is outside its bounds.
        if (words.size() > 1 && words[0] == "**") words.erase(words.begin());
        if (words.size() > 1 && parse_number<std::int64_t>(words[0])) words.erase(words.begin());
        const auto column = columns_.find(std::string(words[0]));
        const bool is_known = column != columns_.end() || words[0] == constant_;
        const auto value = words.size() > 1 ? parse_number<double>(words[1]) : std::nullopt;
        // The name of a variable may be the first word of a heading, too, but for "objective".
        if (const std::string word = lower(words[0]); (!value || word == "objective") && is_heading(word)) {
            read_heading(lower(line));
            return {};
        }
        if (!is_known)
            return error{errc::parse, "", "no variable is called " + shown(words[0]),
                         "names are those of the LP or MPS text of the same model"};
        if (!value || !std::isfinite(*value))
            return error{errc::parse, "",
                         shown(words[0]) +
                             (words.size() > 1 ? " has the value " + shown(words[1]) : " has no value"),
                         "a finite number follows the name"};
        any_value_ = true;
        if (column == columns_.end()) return {}; // the constant
        if (values_[column->second])
            return error{errc::parse, "", shown(words[0]) + " has a value already", "one line a variable"};
        values_[column->second] = value;
        return {};
    }

    // HiGHS: the values of columns, then those of rows, whose names may be the same, then all that again for
    // the dual solution.
    void read_section(std::string_view line) {
        const auto has = [&](const char* what) { return line.find(what) != line.npos; };
        if (has("primal")) status_is_known_ = true; // the next heading speaks of the values
        if (has("dual")) done_ = true;
        if (has("rows")) passed_over_ = true;
    }

    // The first words of what Cbc, HiGHS and SCIP write above their values.
    static bool is_heading(std::string_view first_word) {
        static constexpr std::string_view known =
            " optimal infeasible feasible integer unbounded stopped status objective model solution primal "
            "time iteration node memory gap bound target interrupted unknown undefined not none no empty ";
        while (!first_word.empty() && (first_word.back() == ':' || first_word.back() == ','))
            first_word.remove_suffix(1);
        return known.find(joined(' ', first_word, ' ')) != known.npos;
    }

    void read_heading(std::string_view line) {
        const auto has = [&](const char* what) { return line.find(what) != line.npos; };
        if (ending_ || status_is_known_) return;
        const bool cannot = has("infeasible"), open = has("unbounded");
        if (cannot != open)
            ending_ = cannot ? verdict::infeasible : verdict::unbounded;
        else if (has("gap"))
            ending_ = verdict::feasible;
        else if (has("optimal"))
            ending_ = verdict::optimal;
    }

    const model& model_;
    std::unordered_map<std::string, std::size_t> columns_;
    std::string constant_;
    std::vector<std::optional<double>> values_;
    std::optional<verdict> ending_;
    bool any_value_ = false, status_is_known_ = false, passed_over_ = false, done_ = false;
};

} // namespace detail

/// Reads what a solver wrote about the `lp_text` or `mps_text` of the model: lines "name value", more words
/// after them allowed, in the files of Cbc (a number before the name), HiGHS (its raw style, where rows
/// follow the columns) and SCIP, or in any other of that kind. A variable that is not named is 0,
/// as in those that list the rest alone. Lines of headings give the verdict: `optimal`, `feasible` (a gap was
/// asked for), `infeasible` or `unbounded`, else `budget`. That, and with it the bound, is what the solver
/// claims; the objective is recomputed, and `verify` tells whether the values are worth anything. Values
/// within 1e-5 of whole are rounded on whole variables. \returns what `model::check` finds wrong; errc::parse
/// with the number of the line for a name that the model does not have, one that comes twice, or a value that
/// is no finite number. \complexity O(bytes + columns).
[[nodiscard]] inline result<solution> read_solution(const model& m, std::string_view text) {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    detail::solution_reader reader(m);
    if (result<void> good = reader.read(text); !good) return std::move(good).problem();
    return reader.answer();
}

} // namespace dovetail::ilp
