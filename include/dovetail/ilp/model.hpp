#pragma once
/// \file
/// An integer linear program as plain data: columns, rows, objective.

#include <dovetail/core/array_view.hpp>
#include <dovetail/core/assert.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/variable.hpp>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::ilp {

/// "No bound".
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// A variable as the model stores it.
struct column {
    std::string name;                 ///< any text; empty for one that is called by its number
    domain kind = domain::continuous; ///< which values it may take
    double lower = 0.0;               ///< least value; -infinity for none
    double upper = infinity;          ///< largest value; infinity for none
    double cost = 0.0;                ///< coefficient in the objective
};

/// A coefficient of a row.
struct entry {
    std::uint32_t column = 0; ///< number of the variable
    double coefficient = 0.0; ///< what it is multiplied by
};

/// A constraint as the model stores it: `coefficients * values (sense) right_side`.
struct row {
    std::string name;                      ///< any text; empty for one that is called by its number
    relation sense = relation::less_equal; ///< how the two sides compare
    double right_side = 0.0;               ///< the constant side
    std::vector<entry> entries;            ///< by rising column, one a column, none of them 0
};

/// Which way the objective goes.
enum class direction : std::uint8_t { minimize, maximize };

/// Variables, constraints and one objective. What makes no sense (a variable of another model, a coefficient
/// that is not finite, bounds that contradict) is not added silently: the first of it stays in `check()`,
/// which every solver and writer asks.
class model {
public:
    /// Adds a variable with `lower <= value <= upper`, a binary one also within 0 and 1.
    variable add_variable(domain kind, double lower, double upper, std::string name = {}) {
        if (kind == domain::binary && lower < 0.0) lower = 0.0;
        if (kind == domain::binary && upper > 1.0) upper = 1.0;
        const auto index = static_cast<std::uint32_t>(columns_.size());
        columns_.push_back({std::move(name), kind, lower, upper, 0.0});
        if (!(lower <= upper) || lower == infinity || upper == -infinity)
            reject("variable " + name_of_column(index),
                   "its bounds are " + to_text(lower) + " and " + to_text(upper),
                   "the lower bound is at most the upper one, and one finite value lies between");
        return {index, id_};
    }
    /// A variable that takes any value between its bounds.
    variable add_continuous(double lower, double upper, std::string name = {}) {
        return add_variable(domain::continuous, lower, upper, std::move(name));
    }
    /// A variable that takes the whole values between its bounds.
    variable add_integer(double lower, double upper, std::string name = {}) {
        return add_variable(domain::integer, lower, upper, std::move(name));
    }
    /// A variable that is 0 or 1.
    variable add_binary(std::string name = {}) {
        return add_variable(domain::binary, 0.0, 1.0, std::move(name));
    }

    /// Adds a constraint: `m.add_constraint(2 * x + y <= 3, "knapsack")`. Terms of one variable are summed.
    void add_constraint(const constraint& c, std::string name = {}) {
        const std::string place =
            "constraint " + (name.empty() ? joined('#', rows_.size()) : joined('\'', name, '\''));
        row r{std::move(name), c.sense, -c.difference.constant(), entries_of(c.difference, place)};
        if (!std::isfinite(r.right_side))
            reject(place, "its right side is " + to_text(r.right_side), "it must be finite");
        if (r.right_side == 0.0) r.right_side = 0.0; // not -0
        rows_.push_back(std::move(r));
    }

    /// Sets the objective, to be as small as possible; replaces the one before.
    void minimize(const expression& objective) { set_objective(direction::minimize, objective); }
    /// Sets the objective, to be as large as possible; replaces the one before.
    void maximize(const expression& objective) { set_objective(direction::maximize, objective); }

    /// The same model with every variable continuous. Bounds stay as they are; variables serve both.
    [[nodiscard]] model relaxed() const {
        model copy = *this;
        for (column& c : copy.columns_) c.kind = domain::continuous;
        return copy;
    }

    /// Whether a variable is one of this model.
    [[nodiscard]] bool owns(variable v) const noexcept { return v.owner == id_ && v.index < columns_.size(); }

    /// Keeps a misuse for `check`, unless there was one before: for helpers that write rows.
    void reject(std::string place, std::string wrong, std::string expected) {
        if (!problem_)
            problem_ = error{errc::out_of_range, "model: " + std::move(place), std::move(wrong),
                             std::move(expected)};
    }

    /// Success, or the first thing that makes no sense.
    [[nodiscard]] result<void> check() const {
        if (problem_) return *problem_;
        return {};
    }

    /// The variables, in the order of their numbers.
    [[nodiscard]] array_view<const column> columns() const noexcept { return columns_; }
    /// The constraints, in the order in which they were added.
    [[nodiscard]] array_view<const row> rows() const noexcept { return rows_; }
    /// Whether the objective is to be small or large; small where none was set.
    [[nodiscard]] direction sense() const noexcept { return sense_; }
    /// The constant that the objective adds to the costs of the columns.
    [[nodiscard]] double offset() const noexcept { return offset_; }

private:
    // A counter gives each model its own identity; nothing that a user sees depends on it.
    [[nodiscard]] static model_id next_id() noexcept {
        static std::atomic<model_id> last{0};
        return ++last;
    }

    [[nodiscard]] std::string name_of_column(std::uint32_t index) const {
        const std::string& name = columns_[index].name;
        return name.empty() ? joined('#', index) : joined('\'', name, '\'');
    }

    void set_objective(direction sense, const expression& objective) {
        sense_ = sense;
        offset_ = objective.constant();
        if (!std::isfinite(offset_))
            reject("objective", "its constant is " + to_text(offset_), "it must be finite");
        for (column& c : columns_) c.cost = 0.0;
        for (const entry& e : entries_of(objective, "objective")) columns_[e.column].cost = e.coefficient;
    }

    [[nodiscard]] std::vector<entry> entries_of(const expression& e, const std::string& place) {
        std::vector<entry> entries;
        entries.reserve(e.terms().size());
        for (const term& t : merged_terms(e)) {
            if (!owns(t.of)) {
                reject(place, "it names a variable of another model",
                       "variables come from this model's add_variable");
                return {};
            }
            if (!std::isfinite(t.coefficient))
                reject(place,
                       "the coefficient of " + name_of_column(t.of.index) + " is " + to_text(t.coefficient),
                       "it must be finite");
            if (t.coefficient != 0.0) entries.push_back({t.of.index, t.coefficient});
        }
        return entries;
    }

    model_id id_ = next_id();
    std::vector<column> columns_;
    std::vector<row> rows_;
    direction sense_ = direction::minimize;
    double offset_ = 0.0;
    std::optional<error> problem_;
};

/// What to call a column or row: its name or, where it has none, `prefix` and its number.
[[nodiscard]] inline std::string display_name(std::string_view name, std::string_view prefix,
                                              std::size_t index) {
    return name.empty() ? std::string(prefix) + to_text(index) : std::string(name);
}

} // namespace dovetail::ilp
