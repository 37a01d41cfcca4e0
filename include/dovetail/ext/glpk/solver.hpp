#pragma once
/// \file
/// GLPK as a solver of models: simplex, branch and cut.

#include <dovetail/core/budget.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ext/glpk/environment.hpp>
#include <dovetail/ext/glpk/problem.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/progress.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/solver.hpp>
#include <dovetail/ilp/value_range.hpp>
#include <dovetail/ilp/verify.hpp>

#include <glpk.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::ext::glpk {

namespace detail {

/// An observer behind plain pointers, since GLPK calls back in C.
struct watcher {
    void* observer = nullptr;
    void (*on_incumbent)(void*, const ilp::progress&) = nullptr;
    void (*on_node)(void*, const ilp::progress&) = nullptr;
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
    /// Look only for values whose objective is this good or better; where there are none, the verdict is
    /// `infeasible` and the bound is the cutoff.
    std::optional<double> cutoff{};
    /// Values to begin with, one a column, good to 1e-6: the answer is no worse. Without presolve they are
    /// the first incumbent; presolve loses the way back to the columns, so with it they are a cutoff.
    std::vector<double> start{};
    /// Ends branch and cut as the time limit does, once the relaxation of the node at hand is solved.
    const stop_request* stop = nullptr;

    /// \returns what `ilp::model::check` finds wrong; errc::out_of_range for options that make no sense,
    /// errc::shape for a `start` of another model's size; errc::unsupported when GLPK breaks down over the
    /// numbers.
    [[nodiscard]] result<ilp::solution> operator()(const ilp::model& m) const {
        return solve(m, detail::watcher{});
    }

    /// The same, and calls the hooks of `observer` as branch and cut goes on.
    template <ilp::observer Observer>
    [[nodiscard]] result<ilp::solution> operator()(const ilp::model& m, Observer& observer) const {
        detail::watcher watching{.observer = &observer};
        if constexpr (requires(const ilp::progress& p) { observer.on_incumbent(p); })
            watching.on_incumbent = [](void* who, const ilp::progress& p) {
                static_cast<Observer*>(who)->on_incumbent(p);
            };
        if constexpr (requires(const ilp::progress& p) { observer.on_node(p); })
            watching.on_node = [](void* who, const ilp::progress& p) {
                static_cast<Observer*>(who)->on_node(p);
            };
        return solve(m, watching);
    }

private:
    [[nodiscard]] result<ilp::solution> solve(const ilp::model& m, const detail::watcher& watching) const;
};

static_assert(ilp::solver<solver>);

namespace detail {

/// Whether the options make sense for the model.
[[nodiscard]] inline result<void> check(const solver& options, const ilp::model& m) {
    const auto bad = [](const char* name, std::string wrong, const char* expected) {
        return error{errc::out_of_range, std::string("GLPK: ") + name, std::move(wrong), expected};
    };
    const auto is = [](auto value) { return "it is " + to_text(value); };
    if (!(options.time_limit_s >= 0.0))
        return bad("time limit", is(options.time_limit_s), "seconds are at least 0");
    if (options.node_limit < 0) return bad("node limit", is(options.node_limit), "nodes are at least 0");
    if (!(options.relative_gap >= 0.0 && std::isfinite(options.relative_gap)))
        return bad("relative gap", is(options.relative_gap), "a gap is at least 0 and finite");
    if (!(options.integrality_tolerance > 0.0 && options.integrality_tolerance < 1.0))
        return bad("integrality tolerance", is(options.integrality_tolerance), "it lies between 0 and 1");
    if (options.cutoff && !std::isfinite(*options.cutoff))
        return bad("cutoff", is(*options.cutoff), "an objective is finite");
    if (options.start.empty()) return {};
    if (options.start.size() != m.columns().size())
        return error{errc::shape, "GLPK: start",
                     "it has " + to_text(options.start.size()) + " values for " +
                         to_text(m.columns().size()) + " variables",
                     "there is one a variable"};
    const ilp::verification found = ilp::verify(m, options.start);
    if (!found.holds(1e-6))
        return bad("start", "it breaks " + found.where + " by " + to_text(found.largest_violation, 6),
                   "its values satisfy the model to 1e-6");
    const bool down = m.sense() == ilp::direction::minimize;
    if (options.cutoff && (down ? found.objective > *options.cutoff : found.objective < *options.cutoff))
        return bad("start", "its objective is " + to_text(found.objective),
                   "it reaches the cutoff, or there is none");
    return {};
}

[[nodiscard]] inline bool is_whole(const ilp::column& c) noexcept {
    return c.kind != ilp::domain::continuous;
}

/// One search, and what GLPK's callback keeps of it.
struct tree_search {
    const ilp::model& model;
    const solver& options;
    watcher watching;
    stopwatch clock{};
    ilp::progress now{};
    std::vector<double> start{}; ///< to be handed over, from 1 on; empty when there is none, or no more

    [[nodiscard]] bool minimizes() const { return model.sense() == ilp::direction::minimize; }
    /// An objective that nothing is worse than.
    [[nodiscard]] double worst() const { return minimizes() ? ilp::infinity : -ilp::infinity; }
    [[nodiscard]] bool is_stopped() const { return options.stop != nullptr && options.stop->asked(); }
    [[nodiscard]] int milliseconds_left() const {
        if (is_stopped()) return 0;
        constexpr double most = std::numeric_limits<int>::max();
        const double left = std::ceil((options.time_limit_s - clock.seconds()) * 1000.0);
        return static_cast<int>(std::clamp(left, 0.0, most));
    }
};

/// GLPK's callback. Nothing in it needs a destructor: GLPK may leave it by a jump.
inline void watch(glp_tree* tree, void* info) {
    auto& s = *static_cast<tree_search*>(info);
    int total = 0;
    glp_ios_tree_size(tree, nullptr, nullptr, &total);
    s.now.nodes = total;
    constexpr double most = std::numeric_limits<double>::max(); // what GLPK says of a node not yet solved
    if (const int best = glp_ios_best_node(tree); best != 0)
        if (const double bound = glp_ios_node_bound(tree, best); std::abs(bound) < most) s.now.bound = bound;
    if (s.now.nodes > s.options.node_limit || s.is_stopped()) glp_ios_terminate(tree);
    const auto tell = [&s](void (*hook)(void*, const ilp::progress&)) {
        if (hook == nullptr) return;
        s.now.seconds = s.clock.seconds();
        hook(s.watching.observer, s.now);
    };
    switch (glp_ios_reason(tree)) {
    case GLP_ISELECT:
        tell(s.watching.on_node);
        break;
    case GLP_IHEUR:
        if (s.start.empty()) break;
        if (glp_ios_heur_sol(tree, s.start.data()) == 0) s.now.best = glp_mip_obj_val(glp_ios_get_prob(tree));
        s.start.clear();
        break;
    case GLP_IBINGO:
        s.now.best = glp_mip_obj_val(glp_ios_get_prob(tree));
        tell(s.watching.on_incumbent);
        break;
    default:
        break;
    }
}

/// How GLPK ended: the code that its routine returned, and the status of what it holds.
struct ending {
    int code = 0;
    int status = GLP_UNDEF;
};

[[nodiscard]] inline ending simplex(glp_prob* p, const tree_search& s) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = s.options.presolve ? GLP_ON : GLP_OFF;
    how.tm_lim = s.milliseconds_left();
    const int code = glp_simplex(p, &how);
    return {code, glp_get_status(p)};
}

[[nodiscard]] inline ending branch_and_cut(glp_prob* p, tree_search& s, bool cuts) {
    if (!s.options.presolve) {
        // The tree then starts from the optimum of the relaxation, which is for the caller to provide.
        const ending root = simplex(p, s);
        if (root.code != 0 || root.status != GLP_OPT) return root;
    }
    glp_iocp how;
    glp_init_iocp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.presolve = s.options.presolve ? GLP_ON : GLP_OFF;
    how.gmi_cuts = how.mir_cuts = how.cov_cuts = how.clq_cuts = cuts ? GLP_ON : GLP_OFF;
    how.tm_lim = s.milliseconds_left();
    how.mip_gap = s.options.relative_gap;
    how.tol_int = s.options.integrality_tolerance;
    how.cb_func = watch;
    how.cb_info = &s;
    const int code = glp_intopt(p, &how);
    return {code, glp_mip_status(p)};
}

/// One try at a model that passed `check`; nothing when GLPK gave up.
[[nodiscard]] inline std::optional<result<ilp::solution>> attempt(tree_search& s,
                                                                  std::optional<double> cutoff, bool cuts) {
    const ilp::model& m = s.model;
    const bool has_integers = std::any_of(m.columns().begin(), m.columns().end(), is_whole);
    s.now = {.best = s.worst(), .bound = -s.worst(), .nodes = 0, .seconds = 0.0};
    ilp::solution answer;
    answer.objective = s.worst();
    answer.bound = -s.worst();
    const silence quiet;
    problem p = load(m, cutoff);
    ending how;
    const auto run = [&](tree_search& by) {
        return survives(
            [&] { how = has_integers ? branch_and_cut(p.get(), by, cuts) : simplex(p.get(), by); });
    };
    const auto give_up = [&] {
        static_cast<void>(p.release()); // freed with the environment
        glp_free_env();
        return std::nullopt;
    };
    if (!run(s)) return give_up();
    answer.nodes = s.now.nodes;

    if (how.code == GLP_ENODFS || (how.code == 0 && how.status == GLP_UNBND)) {
        // No bound on the relaxed objective: unbounded, unless there is nothing feasible at all.
        for (int j = 0; j <= glp_get_num_cols(p.get()); ++j) glp_set_obj_coef(p.get(), j, 0.0);
        tree_search feasibility = s;
        feasibility.watching = {};
        if (!run(feasibility)) return give_up();
        if (how.status == GLP_OPT || how.status == GLP_FEAS) {
            answer.ending = ilp::verdict::unbounded;
            return answer;
        }
    }
    if (how.code == GLP_ENOPFS || how.code == GLP_ENODFS ||
        (how.code == 0 && (how.status == GLP_NOFEAS || how.status == GLP_UNDEF))) {
        answer.ending = ilp::verdict::infeasible;
        answer.bound = cutoff.value_or(answer.objective);
        return answer;
    }
    const bool limited = how.code == GLP_ETMLIM || how.code == GLP_ESTOP || how.code == GLP_EITLIM;
    if (how.code != 0 && how.code != GLP_EMIPGAP && !limited)
        return error{errc::unsupported, "GLPK", "it broke down with code " + to_text(how.code),
                     "scale the model, or try other options"};

    const bool proved = how.code == 0 || (how.code == GLP_EMIPGAP && s.options.relative_gap == 0.0);
    answer.ending = proved ? ilp::verdict::optimal : limited ? ilp::verdict::budget : ilp::verdict::feasible;
    answer.bound = s.now.bound;
    const bool holds_values =
        has_integers ? how.status == GLP_OPT || how.status == GLP_FEAS : how.status == GLP_OPT;
    if (!holds_values) return answer;
    answer.objective = m.offset();
    for (int j = 1; j <= glp_get_num_cols(p.get()); ++j) {
        const ilp::column& c = m.columns()[static_cast<std::size_t>(j - 1)];
        const double value = has_integers ? glp_mip_col_val(p.get(), j) : glp_get_col_prim(p.get(), j);
        answer.values.push_back(is_whole(c) ? std::round(value) : value);
        answer.objective += c.cost * answer.values.back();
    }
    if (proved) answer.bound = answer.objective;
    return answer;
}

} // namespace detail

inline result<ilp::solution> solver::solve(const ilp::model& m, const detail::watcher& watching) const {
    if (result<void> sound = m.check(); !sound) return std::move(sound).problem();
    if (result<void> sound = detail::check(*this, m); !sound) return std::move(sound).problem();
    detail::tree_search s{.model = m, .options = *this, .watching = watching};
    for (const ilp::column& c : m.columns())
        if (const ilp::interval range = ilp::value_range(c); range.lower > range.upper)
            return ilp::solution{.ending = ilp::verdict::infeasible,
                                 .objective = s.worst(),
                                 .bound = s.worst(),
                                 .values = {},
                                 .nodes = 0};

    std::vector<double> begun = start;
    for (std::size_t k = 0; k < begun.size(); ++k)
        if (detail::is_whole(m.columns()[k])) begun[k] = std::round(begun[k]);
    const double begun_objective = begun.empty() ? s.worst() : ilp::verify(m, begun).objective;
    const auto finish = [&](ilp::solution found) {
        const bool down = s.minimizes();
        const bool behind = down ? begun_objective < found.objective : begun_objective > found.objective;
        if (behind && found.ending != ilp::verdict::unbounded) {
            // No values reach the cutoff that the start itself set, but for rounding.
            if (found.ending == ilp::verdict::infeasible) found.ending = ilp::verdict::optimal;
            if (found.ending == ilp::verdict::optimal) found.bound = begun_objective;
            found.objective = begun_objective;
            found.values = begun;
        }
        // The bound of the last node may lie beyond the values found by a rounding error.
        if (found.has_values())
            found.bound =
                down ? std::min(found.bound, found.objective) : std::max(found.bound, found.objective);
        return found;
    };
    const bool as_cutoff = presolve && !begun.empty();
    // GLPK 5.0 gives up in its cover cuts where presolve leaves rows but no columns.
    for (bool with_cuts = cuts;; with_cuts = false) {
        s.start.clear();
        if (!begun.empty() && !presolve) {
            s.start.assign(1, 0.0);
            s.start.insert(s.start.end(), begun.begin(), begun.end());
        }
        std::optional<result<ilp::solution>> answer =
            detail::attempt(s, as_cutoff ? std::optional(begun_objective) : cutoff, with_cuts);
        if (answer) {
            if (!*answer) return *std::move(answer);
            return finish(std::move(*answer).value());
        }
        if (!with_cuts)
            return error{errc::unsupported, "GLPK", "it gave up on the model with an error of its own",
                         "try without presolve, or another solver"};
    }
}

} // namespace dovetail::ext::glpk
