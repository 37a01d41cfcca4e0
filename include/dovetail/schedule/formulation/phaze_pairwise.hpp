#pragma once
/// \file
/// PHAZE's integer program: who ends before whom, pair by pair, without time-indexed variables.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/sort_stably.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/schedule/formulation/phaze_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::schedule::formulation {

/// The formulation of PHAZE (Wang et al., ICML 2024; equation numbers of its published solver). Per operator
/// i a start t_i, a duration p_i and y_i (1: on all cores); per ordered pair x_ij (1: i ends before j
/// starts); the makespan T.
///
///     (3)  T >= t_i + p_i                      (4)  p_i = y_i all_i + (1 - y_i) one_i
///     (5)  x_ij + x_ji <= 1                    (6)  x_ik >= x_ij + x_jk - 1
///     (7-9)   i before j by precedence: x_ij = 1, x_ji = 0, t_i + p_i <= t_j
///     (10)    else: t_i + p_i - H (1 - x_ij) <= t_j
///     (11)    else: x_ij + x_ji >= y_i
///
/// and for a type of core, added on demand, z_ic (1: i runs on core c alone):
///
///     (12) sum_c z_ic + y_i = 1 for operators that use the type; (13, 14) the others have no z
///     (17) a fused operator has the same z on both types, for the cores that both have
///     (18) x_ij + x_ji >= z_ic + z_jc - 1 where precedence says nothing
///
/// H is the sum of min(one_i, all_i): all operators one after another, each in its faster way, is a schedule,
/// so that no optimal one ends later, and (10) with x_ij = 0 cuts off none of those. It is at most the
/// published min(sum one_i, sum all_i). Times in the model are multiples of `unit_s`, the largest latency.
/// Rows of (6) that the fixed x satisfy by themselves are left out.
class phaze_pairwise {
public:
    using problem_type = phaze_problem;
    using answer_type = phaze_schedule;
    static constexpr std::string_view name = "phaze";

    /// Equations (3) to (11): rows grow with the cube of the operators.
    explicit phaze_pairwise(const phaze_problem& problem);

    /// Adds (12) to (14) and (18) for the tensor cores or the vector cores, and (17) when both are there.
    void add_core_rows(core_type type);

    /// Whether `add_core_rows` was called for the type.
    [[nodiscard]] bool has_core_rows(core_type type) const {
        return !(type == core_type::tensor ? on_tensor_ : on_vector_).empty();
    }
    /// Whether it was called for both, so that the program is PHAZE's problem and not a relaxation of it.
    [[nodiscard]] bool has_all_core_rows() const {
        return has_core_rows(core_type::tensor) && has_core_rows(core_type::vector);
    }
    /// The program as it stands.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of time of the model.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// y_i.
    [[nodiscard]] ilp::variable on_all_cores(std::size_t i) const { return all_[i]; }
    /// x_ij, for i other than j.
    [[nodiscard]] ilp::variable before(std::size_t i, std::size_t j) const {
        DOVETAIL_ASSERT(i != j, "an operator is not before itself");
        return before_[i * problem_->size() + j];
    }
    /// z_ic of the type, which has its rows and which i uses.
    [[nodiscard]] ilp::variable on_core(core_type type, std::size_t i, std::int32_t core) const {
        const auto& z = type == core_type::tensor ? on_tensor_ : on_vector_;
        return z[i][static_cast<std::size_t>(core)];
    }

    /// Every operator as early as the order x allows, without looking at cores: PHAZE's event queue comes to
    /// the same. On the cores that z says where both types have their rows, else on none.
    [[nodiscard]] phaze_schedule decode(const ilp::solution& found) const;

    /// No schedule of PHAZE's problem is shorter, in seconds.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        return std::max(0.0, found.bound * unit_s_);
    }

private:
    using cores_of_operators = std::vector<std::vector<ilp::variable>>;

    void add_order();
    void add_transitivity();
    [[nodiscard]] bool free_pair(std::size_t i, std::size_t j) const {
        return problem_->reaches.incomparable(static_cast<graph::index>(i), static_cast<graph::index>(j));
    }
    // 0 or 1 where precedence decides x_ij, else something between.
    [[nodiscard]] double known(std::size_t i, std::size_t j) const {
        return free_pair(i, j)                                                                         ? 0.5
               : problem_->reaches.reaches(static_cast<graph::index>(i), static_cast<graph::index>(j)) ? 1.0
                                                                                                       : 0.0;
    }
    static std::string label(const char* what, std::size_t i) { return joined(what, '_', i); }
    static std::string label(const char* what, std::size_t i, std::size_t j) {
        return joined(what, '_', i, '_', j);
    }

    const phaze_problem* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 0.0;
    ilp::variable makespan_;
    std::vector<ilp::variable> start_, duration_, all_, before_;
    cores_of_operators on_tensor_, on_vector_;
};

inline phaze_pairwise::phaze_pairwise(const phaze_problem& problem) : problem_(&problem) {
    double horizon_s = 0.0;
    for (const phaze_operator& op : problem.operators) {
        horizon_s += std::min(op.one_s, op.all_s);
        unit_s_ = std::max({unit_s_, op.one_s, op.all_s});
    }
    if (unit_s_ == 0.0) unit_s_ = 1.0;
    const double horizon = horizon_s / unit_s_;
    makespan_ = model_.add_continuous(0.0, horizon, "T");
    model_.minimize(makespan_);
    for (std::size_t i = 0; i < problem.size(); ++i) {
        const double one = problem.operators[i].one_s / unit_s_;
        const double all = problem.operators[i].all_s / unit_s_;
        start_.push_back(model_.add_continuous(0.0, horizon, label("t", i)));
        duration_.push_back(model_.add_continuous(0.0, std::max(one, all), label("p", i)));
        all_.push_back(model_.add_binary(label("y", i)));
        model_.add_constraint(makespan_ >= start_[i] + duration_[i], label("end", i));
        model_.add_constraint(duration_[i] == all * all_[i] + one * (1.0 - all_[i]), label("duration", i));
    }
    add_order();
    add_transitivity();
    // (9) and (10): one row, since H (1 - x_ij) vanishes where precedence fixes x_ij to 1.
    for (std::size_t i = 0; i < problem.size(); ++i)
        for (std::size_t j = 0; j < problem.size(); ++j)
            if (i != j && known(i, j) != 0.0)
                model_.add_constraint(start_[i] + duration_[i] - horizon * (1.0 - before(i, j)) <= start_[j],
                                      label("apart", i, j));
}

inline void phaze_pairwise::add_order() {
    const std::size_t n = problem_->size();
    before_.resize(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (i == j) continue;
            const double x = known(i, j);
            const bool open = free_pair(i, j);
            before_[i * n + j] =
                model_.add_variable(ilp::domain::binary, open ? 0.0 : x, open ? 1.0 : x, label("x", i, j));
        }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (!free_pair(i, j)) continue;
            if (i < j) model_.add_constraint(before(i, j) + before(j, i) <= 1.0, label("order", i, j));
            model_.add_constraint(before(i, j) + before(j, i) >= all_[i], label("alone", i, j));
        }
}

inline void phaze_pairwise::add_transitivity() {
    const std::size_t n = problem_->size();
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k) {
                if (i == j || j == k || i == k) continue;
                if (known(i, j) == 0.0 || known(j, k) == 0.0 || known(i, k) == 1.0) continue;
                model_.add_constraint(before(i, k) >= before(i, j) + before(j, k) - 1.0,
                                      label("chain", i, j) + "_" + to_text(k));
            }
}

inline void phaze_pairwise::add_core_rows(core_type type) {
    DOVETAIL_ASSERT(type != core_type::fused, "a core is a tensor core or a vector core");
    DOVETAIL_ASSERT(!has_core_rows(type), "the rows of a type are added once");
    const bool tensor = type == core_type::tensor;
    const auto cores = static_cast<std::size_t>(tensor ? problem_->num_tc : problem_->num_vc);
    const char* const z_name = tensor ? "tc" : "vc";
    cores_of_operators& z = tensor ? on_tensor_ : on_vector_;
    z.resize(problem_->size());
    for (std::size_t i = 0; i < z.size(); ++i) {
        const phaze_operator& op = problem_->operators[i];
        if (tensor ? !op.uses_tensor() : !op.uses_vector()) continue;
        ilp::expression somewhere = all_[i];
        for (std::size_t c = 0; c < cores; ++c) {
            z[i].push_back(model_.add_binary(label(z_name, i, c)));
            somewhere += z[i][c];
        }
        model_.add_constraint(somewhere == 1.0, label(tensor ? "on_tc" : "on_vc", i));
        for (std::size_t j = 0; j < i; ++j) {
            if (z[j].empty() || !free_pair(i, j)) continue;
            for (std::size_t c = 0; c < cores; ++c)
                model_.add_constraint(before(i, j) + before(j, i) >= z[i][c] + z[j][c] - 1.0,
                                      label(tensor ? "share_tc" : "share_vc", i, j) + "_" + to_text(c));
        }
    }
    if (on_tensor_.empty() || on_vector_.empty()) return;
    for (std::size_t i = 0; i < z.size(); ++i)
        for (std::size_t c = 0; c < std::min(on_tensor_[i].size(), on_vector_[i].size()); ++c)
            model_.add_constraint(on_tensor_[i][c] == on_vector_[i][c], label("pair", i, c));
}

inline phaze_schedule phaze_pairwise::decode(const ilp::solution& found) const {
    DOVETAIL_ASSERT(found.has_values(), "a solution without values is no schedule");
    const std::size_t n = problem_->size();
    const auto ends_before = [&](std::size_t i, std::size_t j) {
        return i != j && found[before(i, j)] > 0.5;
    };
    phaze_schedule plan;
    plan.start_s.assign(n, 0.0);
    plan.on_all_cores.assign(n, 0);
    plan.tensor_core.assign(n, phaze_schedule::no_core);
    plan.vector_core.assign(n, phaze_schedule::no_core);
    // x is transitive, so that whoever comes before has fewer before itself.
    std::vector<std::size_t> earlier(n, 0), order(n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) earlier[j] += ends_before(i, j) ? 1U : 0U;
    std::iota(order.begin(), order.end(), std::size_t{0});
    sort_stably(order.begin(), order.end(),
                [&](std::size_t a, std::size_t b) { return earlier[a] < earlier[b]; });
    for (const std::size_t i : order) {
        plan.on_all_cores[i] = found[on_all_cores(i)] > 0.5 ? 1 : 0;
        const phaze_operator& op = problem_->operators[i];
        const double end_s = plan.start_s[i] + (plan.on_all_cores[i] != 0 ? op.all_s : op.one_s);
        plan.makespan_s = std::max(plan.makespan_s, end_s);
        for (std::size_t j = 0; j < n; ++j)
            if (ends_before(i, j)) plan.start_s[j] = std::max(plan.start_s[j], end_s);
    }
    if (!has_all_core_rows()) return plan;
    const auto core_of = [&](core_type type, std::size_t i) {
        const std::int32_t cores = type == core_type::tensor ? problem_->num_tc : problem_->num_vc;
        for (std::int32_t c = 0; c < cores; ++c)
            if (found[on_core(type, i, c)] > 0.5) return c;
        return phaze_schedule::no_core;
    };
    for (std::size_t i = 0; i < n; ++i) {
        if (problem_->operators[i].uses_tensor()) plan.tensor_core[i] = core_of(core_type::tensor, i);
        if (problem_->operators[i].uses_vector()) plan.vector_core[i] = core_of(core_type::vector, i);
    }
    return plan;
}

/// The whole program at once, cores included: to be written as text, or solved without laziness.
class phaze_program : public phaze_pairwise {
public:
    /// Equations (3) to (18).
    explicit phaze_program(const phaze_problem& problem) : phaze_pairwise(problem) {
        add_core_rows(core_type::tensor);
        add_core_rows(core_type::vector);
    }
};

static_assert(ilp::formulation<phaze_program>);

} // namespace dovetail::schedule::formulation
