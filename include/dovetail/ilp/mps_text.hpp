#pragma once
/// \file
/// A model as text in free MPS format: the way to any solver that is a program of its own.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/text_names.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ilp {

namespace detail {

/// The lines of the bounds section for a column; none where it is continuous in [0, inf). A whole variable
/// always has one, since readers differ over what its bounds are without.
[[nodiscard]] inline std::string mps_bounds(const column& c, const std::string& name) {
    const interval bounds = text_bounds(c);
    const auto plain = [&](const char* type) { return std::string(" ") + type + " BND " + name; };
    const auto line = [&](const char* type, double value) {
        return plain(type) + " " + to_text(value) + "\n";
    };
    const bool whole = c.kind != domain::continuous;
    if (bounds.lower == bounds.upper) return line("FX", bounds.lower);
    if (bounds.lower == -infinity && bounds.upper == infinity) return plain("FR") + "\n";
    if (whole && bounds.lower == 0.0 && bounds.upper == 1.0) return plain("BV") + "\n";
    std::string text;
    if (bounds.lower == -infinity)
        text += plain("MI") + "\n";
    else if (bounds.lower != 0.0)
        text += line("LO", bounds.lower);
    if (bounds.upper != infinity)
        text += line("UP", bounds.upper);
    else if (whole)
        text += plain("PL") + "\n";
    return text;
}

} // namespace detail

/// The model in free MPS format, with the names of `text_names`. Numbers read back to the same values. Two
/// things on which readers differ are written so that all agree: a model that maximises is written as one
/// that minimises the negated objective, since several readers pass over a section for the direction, or
/// refuse it; and a constant in the objective is the cost of a column that is fixed to 1, since some add and
/// some subtract a right side of the objective. \returns what `model::check` finds wrong. \complexity
/// O(coefficients).
[[nodiscard]] inline result<std::string> mps_text(const model& m) {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    const array_view<const column> columns = m.columns();
    const array_view<const row> rows = m.rows();
    const text_names names(m);
    const bool down = m.sense() == direction::minimize;

    // The format goes by columns: the rows of column k are those from first[k] on.
    std::vector<std::size_t> first(columns.size() + 1, 0);
    for (const row& r : rows)
        for (const entry& e : r.entries) ++first[e.column + 1];
    for (std::size_t k = 0; k < columns.size(); ++k) first[k + 1] += first[k];
    struct cell {
        std::size_t row;
        double coefficient;
    };
    std::vector<cell> cells(first.back());
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::size_t k = 0; k < rows.size(); ++k)
        for (const entry& e : rows[k].entries) cells[next[e.column]++] = {k, e.coefficient};

    std::string text = down ? "" : "* The model maximises: this is its objective negated, to be minimised.\n";
    const auto coefficient = [&](std::string_view of, std::string_view in, double value) {
        ((text += ' ') += of) += ' ';
        ((text += in) += ' ') += to_text(value);
        text += '\n';
    };
    // Not to be taken for the old format of fixed columns, as short lines are: Cbc looks for "FREE", SCIP for
    // a line where a name covers the gap at columns 13 and 14, as that of the objective does.
    text += "NAME model FREE\nROWS\n N " + std::string(names.objective()) + "\n";
    for (std::size_t k = 0; k < rows.size(); ++k)
        text += (rows[k].sense == relation::less_equal ? " L "
                 : rows[k].sense == relation::equal    ? " E "
                                                       : " G ") +
                names.rows()[k] + "\n";

    text += "COLUMNS\n";
    bool whole = false;
    const auto mark = [&](bool now_whole) {
        if (now_whole == whole) return;
        text += now_whole ? " MARKER 'MARKER' 'INTORG'\n" : " MARKER 'MARKER' 'INTEND'\n";
        whole = now_whole;
    };
    for (std::size_t k = 0; k < columns.size(); ++k) {
        mark(columns[k].kind != domain::continuous);
        // A column without any coefficient must stand here all the same.
        if (const double cost = columns[k].cost; cost != 0.0 || first[k] == first[k + 1])
            coefficient(names.columns()[k], names.objective(), down || cost == 0.0 ? cost : -cost);
        for (std::size_t i = first[k]; i < first[k + 1]; ++i)
            coefficient(names.columns()[k], names.rows()[cells[i].row], cells[i].coefficient);
    }
    mark(false);
    if (m.offset() != 0.0) coefficient(names.constant(), names.objective(), down ? m.offset() : -m.offset());

    text += "RHS\n";
    for (std::size_t k = 0; k < rows.size(); ++k)
        if (rows[k].right_side != 0.0) coefficient("RHS", names.rows()[k], rows[k].right_side);
    text += "BOUNDS\n";
    for (std::size_t k = 0; k < columns.size(); ++k)
        text += detail::mps_bounds(columns[k], names.columns()[k]);
    if (m.offset() != 0.0) text += " FX BND " + names.constant() + " 1\n";
    text += "ENDATA\n";
    return text;
}

} // namespace dovetail::ilp
