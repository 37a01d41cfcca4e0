#pragma once
/// \file
/// A model as text in CPLEX LP format, which every solver reads.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/text_names.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ilp {

namespace detail {

/// Lines of text that break before they grow too long for a reader.
class lp_lines {
public:
    void line(std::string_view text) {
        end_line();
        text_ += text;
        text_ += '\n';
    }
    void begin(std::string_view text) {
        end_line();
        text_ += text;
        width_ = text.size();
    }
    void word(std::string_view text) {
        constexpr std::size_t widest = 100;
        if (width_ + text.size() > widest) begin(" ");
        text_ += ' ';
        text_ += text;
        width_ += text.size() + 1;
    }
    void term(double coefficient, std::string_view name) {
        word(coefficient < 0.0 ? "-" : "+");
        word(to_text(coefficient < 0.0 ? -coefficient : coefficient) + " " + std::string(name));
    }
    [[nodiscard]] std::string take() {
        end_line();
        return std::move(text_);
    }

private:
    void end_line() {
        if (width_ > 0) text_ += '\n';
        width_ = 0;
    }

    std::string text_;
    std::size_t width_ = 0;
};

/// The line of the bounds section for a column; empty where the format's default, [0, inf), holds.
[[nodiscard]] inline std::string lp_bounds(const interval& c, const std::string& name) {
    if (c.lower == c.upper) return " " + name + " = " + to_text(c.lower);
    if (c.lower == -infinity && c.upper == infinity) return " " + name + " free";
    if (c.lower == -infinity) return " -inf <= " + name + " <= " + to_text(c.upper);
    if (c.upper != infinity) return joined(' ', c.lower, " <= ", name, " <= ", c.upper);
    if (c.lower != 0.0) return " " + name + " >= " + to_text(c.lower);
    return {};
}

} // namespace detail

/// The model in CPLEX LP format. Numbers read back to the same values. Names become readable ones, unique
/// even where those of the model are not; a constant in the objective becomes a column that is fixed to 1,
/// since the format has no better way that all readers know. \returns what `model::check` finds wrong;
/// errc::unsupported for a model without variables or rows, which the format cannot say. \complexity
/// O(coefficients).
[[nodiscard]] inline result<std::string> lp_text(const model& m) {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    const array_view<const column> columns = m.columns();
    if (columns.empty() || m.rows().empty())
        return error{errc::unsupported, "LP text",
                     "the model has " + to_text(columns.size()) + " variables and " +
                         to_text(m.rows().size()) + " constraints",
                     "the format needs one of each"};
    const text_names made(m);
    const std::vector<std::string>& names = made.columns();

    detail::lp_lines out;
    out.line(m.sense() == direction::minimize ? "Minimize" : "Maximize");
    std::vector<bool> in_a_row(columns.size(), false);
    for (const row& r : m.rows())
        for (const entry& e : r.entries) in_a_row[e.column] = true;
    out.begin(joined(' ', made.objective(), ':'));
    // A column that stands nowhere else is named here, or its bounds would speak of an unknown one.
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (columns[k].cost != 0.0 || !in_a_row[k]) out.term(columns[k].cost, names[k]);
    if (m.offset() != 0.0) out.term(m.offset(), made.constant());

    out.line("Subject To");
    for (std::size_t k = 0; k < m.rows().size(); ++k) {
        const row& r = m.rows()[k];
        out.begin(" " + made.rows()[k] + ":");
        for (const entry& e : r.entries) out.term(e.coefficient, names[e.column]);
        if (r.entries.empty()) out.term(0.0, names[0]);
        out.word(r.sense == relation::less_equal ? "<=" : r.sense == relation::equal ? "=" : ">=");
        out.word(to_text(r.right_side));
    }

    // The section of binary variables would widen the bounds of one that is fixed.
    const auto is_binary = [](const column& c) {
        return c.kind == domain::binary && c.lower == 0.0 && c.upper == 1.0;
    };
    out.line("Bounds");
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (const std::string bounds = detail::lp_bounds(detail::text_bounds(columns[k]), names[k]);
            !bounds.empty() && !is_binary(columns[k]))
            out.line(bounds);
    if (m.offset() != 0.0) out.line(" " + made.constant() + " = 1");
    const auto list = [&](std::string_view section, const auto& belongs) {
        if (std::none_of(columns.begin(), columns.end(), belongs)) return;
        out.begin(section);
        out.begin(" ");
        for (std::size_t k = 0; k < columns.size(); ++k)
            if (belongs(columns[k])) out.word(names[k]);
    };
    list("Generals", [&](const column& c) { return c.kind != domain::continuous && !is_binary(c); });
    list("Binaries", is_binary);
    out.line("End");
    return out.take();
}

} // namespace dovetail::ilp
