#pragma once
/// \file
/// A model as GLPK holds it.

#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/value_range.hpp>

#include <glpk.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace dovetail::ext::glpk::detail {

struct delete_problem {
    void operator()(glp_prob* p) const noexcept { glp_delete_prob(p); }
};
using problem = std::unique_ptr<glp_prob, delete_problem>;

[[nodiscard]] inline int bounds_kind(double lower, double upper) noexcept {
    if (lower == upper) return GLP_FX;
    if (lower == -ilp::infinity) return upper == ilp::infinity ? GLP_FR : GLP_UP;
    return upper == ilp::infinity ? GLP_LO : GLP_DB;
}

/// The model as GLPK holds it: rows and columns count from 1. With a `cutoff`, one more row says that the
/// objective is no worse. The model passed `check`.
[[nodiscard]] inline problem load(const ilp::model& m, std::optional<double> cutoff) {
    problem p(glp_create_prob());
    glp_set_obj_dir(p.get(), m.sense() == ilp::direction::minimize ? GLP_MIN : GLP_MAX);
    glp_set_obj_coef(p.get(), 0, m.offset());
    const int columns = static_cast<int>(m.columns().size());
    const int rows = static_cast<int>(m.rows().size());
    if (columns > 0) glp_add_cols(p.get(), columns);
    if (rows > 0) glp_add_rows(p.get(), rows);
    for (int j = 1; j <= columns; ++j) {
        const ilp::column& c = m.columns()[static_cast<std::size_t>(j - 1)];
        if (c.kind != ilp::domain::continuous) glp_set_col_kind(p.get(), j, GLP_IV);
        const auto [lower, upper] = ilp::value_range(c); // whole ones on a whole variable, as GLPK wants
        glp_set_col_bnds(p.get(), j, bounds_kind(lower, upper), lower, upper);
        glp_set_obj_coef(p.get(), j, c.cost);
    }
    std::vector<int> index;
    std::vector<double> value;
    const auto set_row = [&](int i, int kind, double right_side) {
        glp_set_mat_row(p.get(), i, static_cast<int>(index.size()) - 1, index.data(), value.data());
        glp_set_row_bnds(p.get(), i, kind, right_side, right_side);
    };
    for (int i = 1; i <= rows; ++i) {
        const ilp::row& r = m.rows()[static_cast<std::size_t>(i - 1)];
        index.assign(1, 0);
        value.assign(1, 0.0);
        for (const ilp::entry& e : r.entries) {
            index.push_back(static_cast<int>(e.column) + 1);
            value.push_back(e.coefficient);
        }
        set_row(i,
                r.sense == ilp::relation::equal        ? GLP_FX
                : r.sense == ilp::relation::less_equal ? GLP_UP
                                                       : GLP_LO,
                r.right_side);
    }
    if (!cutoff) return p;
    index.assign(1, 0);
    value.assign(1, 0.0);
    for (int j = 1; j <= columns; ++j)
        if (const double cost = m.columns()[static_cast<std::size_t>(j - 1)].cost; cost != 0.0) {
            index.push_back(j);
            value.push_back(cost);
        }
    set_row(glp_add_rows(p.get(), 1), m.sense() == ilp::direction::minimize ? GLP_UP : GLP_LO,
            *cutoff - m.offset());
    return p;
}

} // namespace dovetail::ext::glpk::detail
