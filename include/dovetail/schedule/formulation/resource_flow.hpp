#pragma once
/// \file
/// The library's own scheduling problem as an integer program: units of a resource flow from task to task.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::schedule::formulation {

/// The flow formulation of Artigues, Michelon and Reusser (EJOR 149, 2003), here with several modes. Per task
/// i a start t_i and y_im (1: mode m); per ordered pair without precedence x_ij (1: i ends before j starts);
/// per resource r a flow f_ijr of units that j takes over from i; the makespan T.
///
///     sum_m y_im = 1,   p_i = sum_m y_im d_im,   u_ir = sum_m y_im use_imr
///     T >= t_i + p_i + tail_i
///     t_j >= t_i + p_i                              i before j by precedence
///     t_j >= t_i + p_i - (H - tail_i - head_j) (1 - x_ij)   else
///     x_ij + x_ji <= 1
///     sum_j f_ijr = sum_j f_jir = u_ir              the source's share among the latter
///     sum_j f_source,j,r <= capacity_r
///     f_ijr <= min(largest u_ir, largest u_jr) x_ij
///
/// H is the makespan of a list schedule: no start after H - tail_i - p_i is of use, which makes each factor
/// of (1 - x_ij) valid. Modes of no duration hold nothing. Times in the model are multiples of `unit_s`.
class resource_flow {
public:
    using problem_type = task_graph;
    using answer_type = schedule;
    static constexpr std::string_view name = "flow";

    /// \complexity O(tasks^2 * resources) rows and columns.
    explicit resource_flow(const task_graph& problem);

    /// The program.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of time of the model.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// The schedule that the values of the model stand for, each task as early as their order allows.
    [[nodiscard]] schedule decode(const ilp::solution& found) const {
        DOVETAIL_ASSERT(found.has_values(), "a solution without values is no schedule");
        std::vector<double> start(problem_->task_count());
        std::vector<std::uint32_t> modes(start.size());
        for (std::size_t i = 0; i < start.size(); ++i) {
            start[i] = found[tasks_[i].start];
            for (const choice& c : tasks_[i].choices)
                if (found[c.chosen] > 0.5) modes[i] = c.mode;
        }
        return serial_schedule(*problem_, order_by(*problem_, start), modes);
    }

    /// No schedule is shorter, in seconds.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        return std::max(0.0, found.bound * unit_s_);
    }

private:
    struct choice {
        std::uint32_t mode;
        ilp::variable chosen;
    };
    struct task {
        ilp::variable start;
        std::vector<choice> choices;
        ilp::expression duration;
        std::array<ilp::expression, max_resources> use;
        demand largest{};
    };

    void add_tasks(const relaxation& relaxed, double horizon_s);
    void add_order(const relaxation& relaxed, double horizon_s);
    void add_flow(std::size_t resource);

    [[nodiscard]] ilp::variable before(std::size_t i, std::size_t j) const {
        return before_[i * tasks_.size() + j];
    }
    static std::string label(const char* what, std::size_t i) { return joined(what, '_', i); }
    static std::string label(const char* what, std::size_t i, std::size_t j) {
        return joined(what, '_', i, '_', j);
    }

    const task_graph* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 1.0;
    ilp::variable makespan_;
    std::vector<task> tasks_;
    std::vector<ilp::variable> before_;
};

inline resource_flow::resource_flow(const task_graph& problem) : problem_(&problem) {
    const certificate listed = list_scheduler{}(problem);
    const double horizon_s = listed.best.makespan_s;
    for (graph::index i = 0; i < problem.task_count(); ++i)
        for (const mode& m : problem.modes(i))
            unit_s_ = i == 0 ? m.duration_s : std::max(unit_s_, m.duration_s);
    if (!(unit_s_ > 0.0)) unit_s_ = 1.0;
    makespan_ =
        model_.add_continuous(std::min(listed.lower_bound_s, horizon_s) / unit_s_, horizon_s / unit_s_, "T");
    model_.minimize(makespan_);
    const relaxation relaxed(problem);
    add_tasks(relaxed, horizon_s);
    add_order(relaxed, horizon_s);
    for (std::size_t r = 0; r < max_resources; ++r) add_flow(r);
}

inline void resource_flow::add_tasks(const relaxation& relaxed, double horizon_s) {
    tasks_.resize(problem_->task_count());
    for (graph::index i = 0; i < tasks_.size(); ++i) {
        task& t = tasks_[i];
        const double head = relaxed.head_s()[i] / unit_s_;
        const double tail = relaxed.tail_s()[i] / unit_s_;
        const double latest = horizon_s / unit_s_ - tail - relaxed.shortest_s()[i] / unit_s_;
        t.start = model_.add_continuous(std::max(0.0, std::min(head, latest)), std::max(head, latest),
                                        label("t", i));
        ilp::expression one;
        for (std::uint32_t k = 0; k < problem_->modes(i).size(); ++k) {
            const mode& m = problem_->modes(i)[k];
            if (!fits(m.use, problem_->capacity())) continue;
            const ilp::variable y = model_.add_binary(label("y", i, k));
            t.choices.push_back({k, y});
            one += y;
            t.duration += m.duration_s / unit_s_ * y;
            if (m.duration_s == 0.0) continue;
            for (std::size_t r = 0; r < max_resources; ++r) {
                if (m.use[r] == 0) continue;
                t.use[r] += m.use[r] * y;
                t.largest[r] = std::max(t.largest[r], m.use[r]);
            }
        }
        model_.add_constraint(one == 1.0, label("mode", i));
        model_.add_constraint(makespan_ >= t.start + t.duration + tail, label("end", i));
    }
    for (const graph::arc& a : problem_->precedence().arcs())
        model_.add_constraint(tasks_[a.target].start >= tasks_[a.source].start + tasks_[a.source].duration,
                              label("after", a.source, a.target));
}

inline void resource_flow::add_order(const relaxation& relaxed, double horizon_s) {
    const std::size_t n = tasks_.size();
    before_.resize(n * n);
    const auto share = [&](std::size_t i, std::size_t j) {
        for (std::size_t r = 0; r < max_resources; ++r)
            if (tasks_[i].largest[r] > 0 && tasks_[j].largest[r] > 0) return true;
        return false;
    };
    for (graph::index i = 0; i < n; ++i)
        for (graph::index j = 0; j < i; ++j) {
            if (!problem_->reaches().incomparable(i, j) || !share(i, j)) continue;
            for (const auto& [a, b] : {graph::arc{i, j}, graph::arc{j, i}}) {
                const ilp::variable x = before_[a * n + b] = model_.add_binary(label("x", a, b));
                const double slack = (horizon_s - relaxed.tail_s()[a] - relaxed.head_s()[b]) / unit_s_;
                model_.add_constraint(tasks_[b].start >=
                                          tasks_[a].start + tasks_[a].duration - slack * (1.0 - x),
                                      label("apart", a, b));
            }
            model_.add_constraint(before(i, j) + before(j, i) <= 1.0, label("order", j, i));
        }
}

inline void resource_flow::add_flow(std::size_t resource) {
    const std::string suffix = "_r" + to_text(resource);
    std::vector<graph::index> users;
    for (graph::index i = 0; i < tasks_.size(); ++i)
        if (tasks_[i].largest[resource] > 0) users.push_back(i);
    if (users.empty()) return;
    std::vector<ilp::expression> taken(tasks_.size()), passed(tasks_.size());
    ilp::expression supplied;
    for (const graph::index i : users) {
        const auto largest = static_cast<double>(tasks_[i].largest[resource]);
        const ilp::variable from_source = model_.add_continuous(0.0, largest, label("source", i) + suffix);
        const ilp::variable to_sink = model_.add_continuous(0.0, largest, label("sink", i) + suffix);
        supplied += from_source;
        taken[i] += from_source;
        passed[i] += to_sink;
        for (const graph::index j : users) {
            if (i == j || problem_->reaches().reaches(j, i)) continue;
            const double most = std::min(tasks_[i].largest[resource], tasks_[j].largest[resource]);
            const ilp::variable flow = model_.add_continuous(0.0, most, label("f", i, j) + suffix);
            passed[i] += flow;
            taken[j] += flow;
            if (problem_->reaches().incomparable(i, j))
                model_.add_constraint(flow <= most * before(i, j), label("only_if", i, j) + suffix);
        }
    }
    for (const graph::index i : users) {
        model_.add_constraint(taken[i] == tasks_[i].use[resource], label("take", i) + suffix);
        model_.add_constraint(passed[i] == tasks_[i].use[resource], label("pass", i) + suffix);
    }
    model_.add_constraint(supplied <= problem_->capacity()[resource], "capacity" + suffix);
}

static_assert(ilp::formulation<resource_flow>);

} // namespace dovetail::schedule::formulation
