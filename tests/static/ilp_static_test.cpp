#include <dovetail/ilp/progress.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/sum.hpp>

#include <array>
#include <cstddef>

namespace dovetail::ilp {
namespace {

static_assert(solver<null_solver>);

struct talks_of_something_else {
    int operator()(const model&) const;
};
static_assert(!solver<talks_of_something_else>);

struct changes_the_model {
    result<solution> operator()(model&) const;
};
static_assert(!solver<changes_the_model>);

struct counts_nodes {
    void on_node(const progress&);
};
struct misspells {
    void on_nodes(const progress&);
};
static_assert(observer<counts_nodes>);
static_assert(!observer<misspells>);

// Sums are known to the compiler where their terms are.
constexpr std::array<variable, 3> x{variable{0, 1}, variable{1, 1}, variable{2, 1}};
static_assert(sum(x).terms().size() == 3);
static_assert(sum(x.size(), [](std::size_t k) { return 2.0 * x[k] + 1; }).constant() == 3);
static_assert((x[0] - 2 * x[1] + 7 <= sum(x)).difference.terms().size() == 5);
template <class Range>
concept can_be_summed = requires(const Range& range) {
    sum(range);
};
static_assert(can_be_summed<std::array<double, 2>>);
static_assert(!can_be_summed<std::array<const char*, 2>>);

static_assert(to_string(verdict::unbounded) == "unbounded");

} // namespace
} // namespace dovetail::ilp
