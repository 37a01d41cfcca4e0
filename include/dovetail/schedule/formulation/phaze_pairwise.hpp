#pragma once
/// \file
/// PHAZE's integer program: who ends before whom, pair by pair, without time-indexed variables.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/schedule/formulation/phaze_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
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
    /// Equations (3) to (11): rows grow with the cube of the operators.
    explicit phaze_pairwise(const phaze_problem& problem);

    /// Adds (12) to (14) and (18) for the tensor cores or the vector cores, and (17) when both are there.
    void add_core_rows(core_type type);

    /// Whether `add_core_rows` was called for the type.
    [[nodiscard]] bool has_core_rows(core_type type) const {
        return !(type == core_type::tensor ? on_tensor_ : on_vector_).empty();
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
    static std::string name(const char* what, std::size_t i) { return what + ("_" + to_text(i)); }
    static std::string name(const char* what, std::size_t i, std::size_t j) {
        return name(what, i) + "_" + to_text(j);
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
        start_.push_back(model_.add_continuous(0.0, horizon, name("t", i)));
        duration_.push_back(model_.add_continuous(0.0, std::max(one, all), name("p", i)));
        all_.push_back(model_.add_binary(name("y", i)));
        model_.add_constraint(makespan_ >= start_[i] + duration_[i], name("end", i));
        model_.add_constraint(duration_[i] == all * all_[i] + one * (1.0 - all_[i]), name("duration", i));
    }
    add_order();
    add_transitivity();
    // (9) and (10): one row, since H (1 - x_ij) vanishes where precedence fixes x_ij to 1.
    for (std::size_t i = 0; i < problem.size(); ++i)
        for (std::size_t j = 0; j < problem.size(); ++j)
            if (i != j && known(i, j) != 0.0)
                model_.add_constraint(start_[i] + duration_[i] - horizon * (1.0 - before(i, j)) <= start_[j],
                                      name("apart", i, j));
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
                model_.add_variable(ilp::domain::binary, open ? 0.0 : x, open ? 1.0 : x, name("x", i, j));
        }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (!free_pair(i, j)) continue;
            if (i < j) model_.add_constraint(before(i, j) + before(j, i) <= 1.0, name("order", i, j));
            model_.add_constraint(before(i, j) + before(j, i) >= all_[i], name("alone", i, j));
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
                                      name("chain", i, j) + "_" + to_text(k));
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
            z[i].push_back(model_.add_binary(name(z_name, i, c)));
            somewhere += z[i][c];
        }
        model_.add_constraint(somewhere == 1.0, name(tensor ? "on_tc" : "on_vc", i));
        for (std::size_t j = 0; j < i; ++j) {
            if (z[j].empty() || !free_pair(i, j)) continue;
            for (std::size_t c = 0; c < cores; ++c)
                model_.add_constraint(before(i, j) + before(j, i) >= z[i][c] + z[j][c] - 1.0,
                                      name(tensor ? "share_tc" : "share_vc", i, j) + "_" + to_text(c));
        }
    }
    if (on_tensor_.empty() || on_vector_.empty()) return;
    for (std::size_t i = 0; i < z.size(); ++i)
        for (std::size_t c = 0; c < std::min(on_tensor_[i].size(), on_vector_[i].size()); ++c)
            model_.add_constraint(on_tensor_[i][c] == on_vector_[i][c], name("pair", i, c));
}

} // namespace dovetail::schedule::formulation
