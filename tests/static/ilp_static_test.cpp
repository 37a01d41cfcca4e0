#include <dovetail/ilp/solver.hpp>

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

static_assert(to_string(verdict::unbounded) == "unbounded");

} // namespace
} // namespace dovetail::ilp
