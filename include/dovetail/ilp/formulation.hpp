#pragma once
/// \file
/// What it takes to be a formulation: a problem of some type written as a model, whose values are read back
/// as an answer to it.

#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace dovetail::ilp {

/// How large a model is.
struct model_size {
    std::size_t columns = 0;
    std::size_t whole_columns = 0; ///< binary and integer ones
    std::size_t rows = 0;
    std::size_t coefficients = 0; ///< of the rows, none of them 0

    friend bool operator==(const model_size&, const model_size&) = default;
};

/// Counts columns, rows and coefficients. \complexity O(columns + rows).
[[nodiscard]] inline model_size size_of(const model& m) {
    model_size size{.columns = m.columns().size(), .rows = m.rows().size()};
    for (const column& c : m.columns()) size.whole_columns += c.kind != domain::continuous ? 1U : 0U;
    for (const row& r : m.rows()) size.coefficients += r.entries.size();
    return size;
}

/// A builder that a problem constructs. It knows the type of problem that it writes and the type of answer
/// that it reads back, whatever they are; whoever solves, prints or compares models needs no more.
///
/// `Formulation::name` is its word on command lines. `decode` takes a solution with values. `bound` says what
/// a solution proves: no answer to the problem has a smaller objective, in the problem's own unit.
template <class Formulation>
concept formulation = requires(const Formulation& f, const solution& found) {
    typename Formulation::problem_type;
    typename Formulation::answer_type;
    { Formulation::name } -> std::convertible_to<std::string_view>;
    { f.model() } -> std::same_as<const model&>;
    { f.decode(found) } -> std::same_as<typename Formulation::answer_type>;
    { f.bound(found) } -> std::same_as<double>;
}
&&std::constructible_from<Formulation, const typename Formulation::problem_type&>;

} // namespace dovetail::ilp
