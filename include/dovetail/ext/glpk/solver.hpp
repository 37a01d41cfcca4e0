#pragma once
/// \file
/// GLPK as a solver of models: simplex, branch and cut.

#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/solver.hpp>

#include <glpk.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::glpk {

namespace detail {

/// GLPK keeps an environment for each thread; this frees it when the thread ends.
struct environment {
    ~environment() { glp_free_env(); }
};

/// Silences the terminal of this thread's environment for as long as it lives.
class silence {
public:
    silence() : before_(glp_term_out(GLP_OFF)) {
        // After the first call into GLPK, so that it is destroyed before what that call made.
        thread_local const environment of_this_thread;
        static_cast<void>(of_this_thread);
    }
    silence(const silence&) = delete;
    silence& operator=(const silence&) = delete;
    ~silence() { glp_term_out(before_); }

private:
    int before_;
};

struct delete_problem {
    void operator()(glp_prob* p) const noexcept { glp_delete_prob(p); }
};
using problem = std::unique_ptr<glp_prob, delete_problem>;

[[nodiscard]] inline int bounds_kind(double lower, double upper) noexcept {
    if (lower == upper) return GLP_FX;
    if (lower == -ilp::infinity) return upper == ilp::infinity ? GLP_FR : GLP_UP;
    return upper == ilp::infinity ? GLP_LO : GLP_DB;
}

/// The model as GLPK holds it: rows and columns count from 1. The model passed `check`.
[[nodiscard]] inline problem load(const ilp::model& m) {
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
        // GLPK wants whole bounds on a whole variable.
        const double lower = c.kind == ilp::domain::continuous ? c.lower : std::ceil(c.lower);
        const double upper = c.kind == ilp::domain::continuous ? c.upper : std::floor(c.upper);
        glp_set_col_bnds(p.get(), j, bounds_kind(lower, upper), lower, upper);
        glp_set_obj_coef(p.get(), j, c.cost);
    }
    std::vector<int> index;
    std::vector<double> value;
    for (int i = 1; i <= rows; ++i) {
        const ilp::row& r = m.rows()[static_cast<std::size_t>(i - 1)];
        index.assign(1, 0);
        value.assign(1, 0.0);
        for (const ilp::entry& e : r.entries) {
            index.push_back(static_cast<int>(e.column) + 1);
            value.push_back(e.coefficient);
        }
        glp_set_mat_row(p.get(), i, static_cast<int>(r.entries.size()), index.data(), value.data());
        const int kind = r.sense == ilp::relation::equal        ? GLP_FX
                         : r.sense == ilp::relation::less_equal ? GLP_UP
                                                                : GLP_LO;
        glp_set_row_bnds(p.get(), i, kind, r.right_side, r.right_side);
    }
    return p;
}

/// What the callback of the tree keeps.
struct progress {
    std::int64_t node_limit;
    std::int64_t nodes = 0;
    double bound;
};

inline void watch(glp_tree* tree, void* info) {
    auto& seen = *static_cast<progress*>(info);
    int total = 0;
    glp_ios_tree_size(tree, nullptr, nullptr, &total);
    seen.nodes = total;
    if (const int best = glp_ios_best_node(tree); best != 0) seen.bound = glp_ios_node_bound(tree, best);
    if (seen.nodes > seen.node_limit) glp_ios_terminate(tree);
}

/// Runs `call`, which does nothing but call GLPK; false when GLPK gave up on an assertion of its own, where
/// it would print and end the program. Nothing of the thread's environment can be used then but
/// `glp_free_env`.
template <class Call>
[[nodiscard]] bool survives(const Call& call) {
    std::jmp_buf back;
    glp_error_hook([](void* info) { std::longjmp(*static_cast<std::jmp_buf*>(info), 1); }, &back);
    glp_term_hook([](void*, const char*) { return 1; }, nullptr);
    const bool returned = setjmp(back) == 0;
    if (returned) call();
    glp_term_hook(nullptr, nullptr);
    glp_error_hook(nullptr, nullptr);
    return returned;
}

/// How GLPK ended: the code that its routine returned, and the status of what it holds.
struct ending {
    int code = 0;
    int status = GLP_UNDEF;
};

} // namespace detail

/// GLPK's branch and cut with presolve and all its cuts; for a model without integer variables its simplex
/// method alone. Silent, safe from several threads at once (each has its own GLPK environment, freed when the
/// thread ends), deterministic but for the time limit. Models `ilp::solver`.
struct solver {
    double time_limit_s = std::numeric_limits<double>::infinity();      ///< wall-clock seconds
    std::int64_t node_limit = std::numeric_limits<std::int64_t>::max(); ///< nodes of the tree
    double relative_gap = 0.0;           ///< stop when bound and best values are this close
    double integrality_tolerance = 1e-9; ///< how far from whole a relaxed value counts as whole, in (0, 1)
    bool presolve = true;                ///< simplify the model first
    bool cuts = true;                    ///< Gomory, rounding, cover and clique cuts

    /// \returns what `ilp::model::check` finds wrong; errc::out_of_range for options that make no sense;
    /// errc::unsupported when GLPK breaks down over the numbers.
    [[nodiscard]] result<ilp::solution> operator()(const ilp::model& m) const;
};

static_assert(ilp::solver<solver>);

namespace detail {

[[nodiscard]] inline result<void> check(const solver& options) {
    const auto bad = [](const char* name, double value, const char* expected) {
        return error{errc::out_of_range, std::string("GLPK: ") + name, "it is " + to_text(value), expected};
    };
    if (!(options.time_limit_s >= 0.0))
        return bad("time limit", options.time_limit_s, "seconds are at least 0");
    if (!(options.relative_gap >= 0.0))
        return bad("relative gap", options.relative_gap, "a gap is at least 0");
    if (!(options.integrality_tolerance > 0.0 && options.integrality_tolerance < 1.0))
        return bad("integrality tolerance", options.integrality_tolerance, "it lies between 0 and 1");
    return {};
}

[[nodiscard]] inline int milliseconds(double seconds) noexcept {
    constexpr double most = std::numeric_limits<int>::max();
    return static_cast<int>(std::min(most, std::ceil(seconds * 1000.0)));
}

[[nodiscard]] inline ending simplex(glp_prob* p, const solver& options) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = options.presolve ? GLP_ON : GLP_OFF;
    how.tm_lim = milliseconds(options.time_limit_s);
    const int code = glp_simplex(p, &how);
    return {code, glp_get_status(p)};
}

[[nodiscard]] inline ending branch_and_cut(glp_prob* p, const solver& options, progress& seen) {
    if (!options.presolve) {
        // The tree then starts from the optimum of the relaxation, which is for the caller to provide.
        const ending root = simplex(p, options);
        if (root.code != 0 || root.status != GLP_OPT) return root;
    }
    glp_iocp how;
    glp_init_iocp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = options.presolve ? GLP_ON : GLP_OFF;
    how.gmi_cuts = how.mir_cuts = how.cov_cuts = how.clq_cuts = options.cuts ? GLP_ON : GLP_OFF;
    how.tm_lim = milliseconds(options.time_limit_s);
    how.mip_gap = options.relative_gap;
    how.tol_int = options.integrality_tolerance;
    how.cb_func = watch;
    how.cb_info = &seen;
    const int code = glp_intopt(p, &how);
    return {code, glp_mip_status(p)};
}

/// One try at a model that passed `check`; nothing when GLPK gave up.
[[nodiscard]] inline std::optional<result<ilp::solution>> attempt(const ilp::model& m,
                                                                  const solver& options) {
    const bool down = m.sense() == ilp::direction::minimize;
    const auto whole = [](const ilp::column& c) { return c.kind != ilp::domain::continuous; };
    const bool has_integers = std::any_of(m.columns().begin(), m.columns().end(), whole);

    ilp::solution answer;
    answer.objective = down ? ilp::infinity : -ilp::infinity;
    answer.bound = -answer.objective;
    const silence quiet;
    problem p = load(m);
    progress seen{options.node_limit, 0, answer.bound};
    ending how;
    const auto solve = [&] {
        how = has_integers ? branch_and_cut(p.get(), options, seen) : simplex(p.get(), options);
    };
    const auto give_up = [&] {
        static_cast<void>(p.release()); // freed with the environment
        glp_free_env();
        return std::nullopt;
    };
    if (!survives(solve)) return give_up();
    answer.nodes = seen.nodes;

    if (how.code == GLP_ENODFS || (how.code == 0 && how.status == GLP_UNBND)) {
        // No bound on the relaxed objective: unbounded, unless there is nothing feasible at all.
        for (int j = 0; j <= glp_get_num_cols(p.get()); ++j) glp_set_obj_coef(p.get(), j, 0.0);
        if (!survives(solve)) return give_up();
        if (how.code == 0 && (how.status == GLP_OPT || how.status == GLP_FEAS)) {
            answer.ending = ilp::verdict::unbounded;
            answer.bound = -answer.objective;
            return answer;
        }
    }
    if (how.code == GLP_ENOPFS || how.code == GLP_ENODFS ||
        (how.code == 0 && (how.status == GLP_NOFEAS || how.status == GLP_UNDEF))) {
        answer.ending = ilp::verdict::infeasible;
        answer.bound = answer.objective;
        return answer;
    }
    const bool limited = how.code == GLP_ETMLIM || how.code == GLP_ESTOP || how.code == GLP_EITLIM;
    if (how.code != 0 && how.code != GLP_EMIPGAP && !limited)
        return error{errc::unsupported, "GLPK", "it broke down with code " + to_text(how.code),
                     "scale the model, or try other options"};

    const bool proved = how.code == 0 || (how.code == GLP_EMIPGAP && options.relative_gap == 0.0);
    answer.ending = proved ? ilp::verdict::optimal : limited ? ilp::verdict::budget : ilp::verdict::feasible;
    answer.bound = seen.bound;
    const bool holds_values =
        has_integers ? how.status == GLP_OPT || how.status == GLP_FEAS : how.status == GLP_OPT;
    if (!holds_values) return answer;
    answer.objective = m.offset();
    for (int j = 1; j <= glp_get_num_cols(p.get()); ++j) {
        const ilp::column& c = m.columns()[static_cast<std::size_t>(j - 1)];
        const double value = has_integers ? glp_mip_col_val(p.get(), j) : glp_get_col_prim(p.get(), j);
        answer.values.push_back(whole(c) ? std::round(value) : value);
        answer.objective += c.cost * answer.values.back();
    }
    if (proved) answer.bound = answer.objective;
    return answer;
}

} // namespace detail

inline result<ilp::solution> solver::operator()(const ilp::model& m) const {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    if (result<void> sound = detail::check(*this); !sound) return std::move(sound).problem();
    for (const ilp::column& c : m.columns())
        if (c.kind != ilp::domain::continuous && std::ceil(c.lower) > std::floor(c.upper)) {
            const double worst = m.sense() == ilp::direction::minimize ? ilp::infinity : -ilp::infinity;
            return ilp::solution{.ending = ilp::verdict::infeasible,
                                 .objective = worst,
                                 .bound = worst,
                                 .values = {},
                                 .nodes = 0};
        }
    // GLPK 5.0 gives up in its cover cuts where presolve leaves rows but no columns.
    for (solver options = *this;; options.cuts = false) {
        if (std::optional<result<ilp::solution>> answer = detail::attempt(m, options))
            return *std::move(answer);
        if (!options.cuts)
            return error{errc::unsupported, "GLPK", "it gave up on the model with an error of its own",
                         "try without presolve, or another solver"};
    }
}

} // namespace dovetail::ext::glpk
