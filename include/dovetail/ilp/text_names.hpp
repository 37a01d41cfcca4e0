#pragma once
/// \file
/// What the texts of a model have in common: the names of its variables and constraints, and the bounds.

#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dovetail::ilp {

namespace detail {

/// Turns any text into a name that readers take for one, each time another: letters, digits and underscores,
/// no word of a format, nor the heading "objective" of a solution, not the exponent of a number, not too
/// long, and different in lower case too.
class name_maker {
public:
    [[nodiscard]] std::string make(std::string_view wanted) {
        constexpr std::size_t longest = 200; // readers stop at 255
        std::string name;
        for (const char c : wanted.substr(0, longest)) name += is_letter(c) || is_digit(c) ? c : '_';
        if (is_misread(name)) name.insert(0, "n_");
        const std::string key = lower(name);
        if (const auto [at, is_new] = uses_.try_emplace(key, 1); is_new) return name;
        for (;;) {
            const std::string suffix = joined('_', ++uses_[key]);
            if (uses_.try_emplace(key + suffix, 1).second) return name + suffix;
        }
    }

private:
    static constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
    static constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

    static std::string lower(std::string text) {
        for (char& c : text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return text;
    }

    static bool is_misread(const std::string& name) {
        static constexpr std::string_view reserved =
            " minimize minimum min maximize maximum max subject such st bounds bound general generals gen "
            "integer integers int binary binaries bin free end inf infinity nan sos sos1 sos2 semi semis sec "
            "rhs ranges rows columns marker name objsense obj objective ";
        if (name.empty() || !is_letter(name[0])) return true;
        const std::string small = lower(name);
        const bool exponent = small[0] == 'e' && (small.size() == 1 || is_digit(small[1]));
        return exponent || reserved.find(" " + small + " ") != std::string_view::npos;
    }

    std::unordered_map<std::string, std::size_t> uses_; // by the name in lower case
};

/// The bounds as a text states them: whole on a variable that is, since not all readers round them, unless no
/// whole number lies between.
[[nodiscard]] inline interval text_bounds(const column& c) {
    const interval whole = value_range(c);
    return whole.lower <= whole.upper ? whole : interval{c.lower, c.upper};
}

} // namespace detail

/// The names that `lp_text` and `mps_text` write and `read_solution` reads: readable, made of letters, digits
/// and underscores, unique among the variables and among the constraints even where those of the model are
/// not. The same model has the same names in every text.
class text_names {
public:
    /// Makes the names. \complexity O(columns + rows).
    explicit text_names(const model& m) {
        detail::name_maker of_columns, of_rows;
        columns_.reserve(m.columns().size());
        for (const column& c : m.columns())
            columns_.push_back(of_columns.make(display_name(c.name, "x", columns_.size())));
        constant_ = of_columns.make("objective_constant");
        static_cast<void>(of_rows.make(objective()));
        rows_.reserve(m.rows().size());
        for (const row& r : m.rows()) rows_.push_back(of_rows.make(display_name(r.name, "r", rows_.size())));
    }

    /// Of the variables, in the order of their numbers.
    [[nodiscard]] const std::vector<std::string>& columns() const noexcept { return columns_; }
    /// Of the constraints, in the order in which they were added.
    [[nodiscard]] const std::vector<std::string>& rows() const noexcept { return rows_; }
    /// Of the objective; no constraint has it.
    [[nodiscard]] std::string_view objective() const noexcept { return "objective_function"; }
    /// Of a variable that a text adds, fixed to 1, whose cost is the constant of the objective.
    [[nodiscard]] const std::string& constant() const noexcept { return constant_; }

private:
    std::vector<std::string> columns_;
    std::vector<std::string> rows_;
    std::string constant_;
};

} // namespace dovetail::ilp
