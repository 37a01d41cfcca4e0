#pragma once
/// \file
/// The rows of one block in the disjunctive program.

#include <dovetail/core/text.hpp>
#include <dovetail/ilp/expression.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/schedule/formulation/block_paths.hpp>
#include <dovetail/schedule/formulation/block_variables.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dovetail::schedule::formulation::detail {

/// Writes the equations (1) to (8) of `disjunctive` for one block into a model. Tasks are called by their
/// positions in the block.
class disjunctive_block {
public:
    /// \param whole_extent every duration is a whole number of units
    disjunctive_block(ilp::model& m, const task_graph& problem, const block_paths& paths, double unit_s,
                      bool whole_extent)
        : model_(m), problem_(problem), paths_(paths), unit_s_(unit_s) {
        const double bound = units(paths.bound_s()), horizon = units(paths.horizon_s());
        const std::string label = "E_" + to_text(problem.block(paths.task(0)));
        added_.extent = whole_extent ? model_.add_integer(std::ceil(bound - 1e-9), std::round(horizon), label)
                                     : model_.add_continuous(bound, horizon, label);
        for (std::size_t i = 0; i < paths.size(); ++i) add_task(i);
        for (std::size_t r = 0; r < max_resources; ++r) rivals_[r] = rivals(r);
        add_precedence();
        add_orders();
        add_chains();
        for (std::size_t r = 0; r < max_resources; ++r) {
            add_flow(r);
            add_intervals(r);
            add_neighbours(r);
        }
    }

    /// The columns to read a schedule from.
    [[nodiscard]] block_variables variables() && { return std::move(added_); }

private:
    void add_task(std::size_t i);
    void add_precedence();
    void add_orders();
    void add_conflicts(std::size_t i, std::size_t j);
    void add_chains();
    void add_flow(std::size_t resource);
    void add_intervals(std::size_t resource);
    void add_interval(std::size_t from, std::size_t to, std::size_t resource,
                      const std::vector<std::size_t>& inside);
    void add_neighbours(std::size_t resource);

    [[nodiscard]] const task_variables& task(std::size_t i) const { return added_.tasks[i]; }
    [[nodiscard]] double units(double seconds) const { return seconds / unit_s_; }

    // Whether two modes cannot run at one time.
    [[nodiscard]] bool clash(std::size_t i, const mode_variable& of_i, std::size_t j,
                             const mode_variable& of_j) const {
        const mode& a = problem_.modes(paths_.task(i))[of_i.mode];
        const mode& b = problem_.modes(paths_.task(j))[of_j.mode];
        if (a.duration_s == 0.0 || b.duration_s == 0.0) return false;
        for (std::size_t r = 0; r < max_resources; ++r)
            if (a.use[r] > problem_.capacity()[r] - b.use[r]) return true;
        return false;
    }
    [[nodiscard]] bool never_together(std::size_t i, std::size_t j) const {
        for (const mode_variable& a : task(i).choices)
            for (const mode_variable& b : task(j).choices)
                if (!clash(i, a, j, b)) return false;
        return true;
    }
    // Whether a schedule within the horizon can run i before j.
    [[nodiscard]] bool possible(std::size_t i, std::size_t j) const {
        return paths_.head_s(i) + paths_.shortest_s(i) + paths_.shortest_s(j) + paths_.tail_s(j) <=
               paths_.horizon_s() * (1.0 + 1e-9);
    }
    // The users of a resource that they could exceed; none where they could not.
    [[nodiscard]] std::vector<std::size_t> rivals(std::size_t resource) const {
        std::vector<std::size_t> users;
        std::int64_t most = 0;
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            if (task(i).largest[resource] == 0) continue;
            users.push_back(i);
            most += task(i).largest[resource];
        }
        if (most <= problem_.capacity()[resource]) users.clear();
        return users;
    }

    // Units of time that a task takes the whole resource, by its mode.
    [[nodiscard]] ilp::expression busy(std::size_t i, std::size_t resource) const {
        return ilp::sum(task(i).choices, [&](const mode_variable& c) { return c.busy[resource] * c.chosen; });
    }
    // The least and the most of it.
    [[nodiscard]] std::pair<double, double> busy_range(std::size_t i, std::size_t resource) const {
        std::pair range(std::numeric_limits<double>::infinity(), 0.0);
        for (const mode_variable& c : task(i).choices)
            range = {std::min(range.first, c.busy[resource]), std::max(range.second, c.busy[resource])};
        return range;
    }

    // The two ends of what lies between two moments.
    [[nodiscard]] ilp::expression end_of(std::size_t from) const {
        return from == paths_.source() ? ilp::expression(0.0) : task(from).start + task(from).duration;
    }
    [[nodiscard]] ilp::expression start_of(std::size_t to) const {
        return to == paths_.sink() ? added_.extent : task(to).start;
    }

    // x of a pair: a column, its complement, or a number. Empty where there is none.
    [[nodiscard]] const ilp::expression& before(std::size_t i, std::size_t j) const {
        return before_[i * paths_.size() + j];
    }
    [[nodiscard]] bool has_order(std::size_t i, std::size_t j) const {
        return has_order_[i * paths_.size() + j];
    }
    [[nodiscard]] std::string name(const char* what, std::size_t i) const {
        return joined(what, '_', paths_.task(i));
    }
    [[nodiscard]] std::string name(const char* what, std::size_t i, std::size_t j) const {
        return joined(what, '_', paths_.task(i), '_', paths_.task(j));
    }
    // A row between numbers says nothing.
    void add(const ilp::constraint& c, std::string row_name) {
        if (!c.difference.terms().empty()) model_.add_constraint(c, std::move(row_name));
    }

    ilp::model& model_;
    const task_graph& problem_;
    const block_paths& paths_;
    double unit_s_;
    block_variables added_;
    std::array<std::vector<std::size_t>, max_resources> rivals_;
    std::vector<ilp::expression> before_;
    std::vector<bool> has_order_;
};

// (1)
inline void disjunctive_block::add_task(std::size_t i) {
    const graph::index v = paths_.task(i);
    const double latest_s = paths_.horizon_s() - paths_.tail_s(i) - paths_.shortest_s(i);
    task_variables t{.task = v,
                     .start = model_.add_continuous(
                         units(paths_.head_s(i)), units(std::max(paths_.head_s(i), latest_s)), name("t", i)),
                     .choices = {},
                     .duration = {}};
    for (std::uint32_t k = 0; k < problem_.modes(v).size(); ++k) {
        const mode& m = problem_.modes(v)[k];
        if (!fits(m.use, problem_.capacity())) continue;
        mode_variable c{.mode = k, .chosen = model_.add_binary(name("y", i) + "_" + to_text(k))};
        t.duration += units(m.duration_s) * c.chosen;
        for (std::size_t r = 0; r < max_resources && m.duration_s > 0.0; ++r) {
            if (m.use[r] == 0) continue;
            c.busy[r] = units(m.duration_s) * m.use[r] / problem_.capacity()[r];
            t.largest[r] = std::max(t.largest[r], m.use[r]);
        }
        t.choices.push_back(c);
    }
    model_.add_constraint(ilp::sum(t.choices, &mode_variable::chosen) == 1.0, name("mode", i));
    added_.tasks.push_back(std::move(t));
}

// (2): other pairs follow, through those between them.
inline void disjunctive_block::add_precedence() {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        bool last = true;
        for (std::size_t j = i + 1; j < paths_.size(); ++j) {
            if (!paths_.precedes(i, j)) continue;
            last = false;
            bool implied = false;
            for (std::size_t k = i + 1; k < j; ++k) implied |= paths_.precedes(i, k) && paths_.precedes(k, j);
            if (!implied) model_.add_constraint(start_of(j) >= end_of(i), name("after", i, j));
        }
        if (last) model_.add_constraint(added_.extent >= end_of(i), name("end", i));
    }
}

// (3)
inline void disjunctive_block::add_orders() {
    const std::size_t n = paths_.size();
    before_.resize(n * n);
    has_order_.resize(n * n, false);
    for (const std::vector<std::size_t>& users : rivals_)
        for (const std::size_t i : users)
            for (const std::size_t j : users) {
                if (i >= j || !paths_.incomparable(i, j) || has_order(i, j)) continue;
                has_order_[i * n + j] = has_order_[j * n + i] = true;
                ilp::expression& x_ij = before_[i * n + j];
                ilp::expression& x_ji = before_[j * n + i];
                const bool apart = never_together(i, j);
                if (possible(i, j))
                    x_ij =
                        apart && !possible(j, i) ? 1.0 : ilp::expression(model_.add_binary(name("x", i, j)));
                if (possible(j, i))
                    x_ji = apart ? 1.0 - x_ij : ilp::expression(model_.add_binary(name("x", j, i)));
                if (!apart) {
                    if (possible(i, j) && possible(j, i)) add(x_ij + x_ji <= 1.0, name("order", i, j));
                    add_conflicts(i, j);
                }
                for (const auto& [a, b] : {std::pair(i, j), std::pair(j, i)}) {
                    if (!possible(a, b)) continue;
                    const double slack = units(paths_.horizon_s() - paths_.tail_s(a) - paths_.head_s(b));
                    model_.add_constraint(start_of(b) >= end_of(a) - slack * (1.0 - before(a, b)),
                                          name("apart", a, b));
                }
            }
}

// (4), for every set of modes of j that does not fit beside some mode of i.
inline void disjunctive_block::add_conflicts(std::size_t i, std::size_t j) {
    std::vector<std::vector<bool>> kept_out;
    for (const mode_variable& a : task(i).choices) {
        kept_out.emplace_back();
        for (const mode_variable& b : task(j).choices) kept_out.back().push_back(clash(i, a, j, b));
    }
    std::vector<std::vector<bool>> sets = kept_out;
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    for (const std::vector<bool>& set : sets) {
        if (std::find(set.begin(), set.end(), true) == set.end()) continue;
        ilp::expression both;
        for (std::size_t k = 0; k < set.size(); ++k)
            if (set[k]) both += task(j).choices[k].chosen;
        for (std::size_t k = 0; k < kept_out.size(); ++k) {
            bool contains = true;
            for (std::size_t l = 0; l < set.size(); ++l) contains &= !set[l] || kept_out[k][l];
            if (contains) both += task(i).choices[k].chosen;
        }
        add(both <= 1.0 + before(i, j) + before(j, i), name("clash", i, j));
    }
}

// (5)
inline void disjunctive_block::add_chains() {
    for (std::size_t i = 0; i < paths_.size(); ++i)
        for (std::size_t k = i + 1; k < paths_.size(); ++k) {
            if (!paths_.precedes(i, k)) continue;
            for (std::size_t j = 0; j < paths_.size(); ++j) {
                if (!has_order(i, j) || !has_order(k, j)) continue;
                add(before(k, j) <= before(i, j), name("chain", k, j) + "_" + to_text(paths_.task(i)));
                add(before(j, i) <= before(j, k), name("chain", j, i) + "_" + to_text(paths_.task(k)));
            }
        }
}

// (6)
inline void disjunctive_block::add_flow(std::size_t resource) {
    const std::vector<std::size_t>& users = rivals_[resource];
    const auto side_by_side = [&](std::size_t i, std::size_t j) {
        return paths_.incomparable(i, j) && !never_together(i, j);
    };
    bool decided = true;
    for (const std::size_t i : users)
        for (const std::size_t j : users) decided &= !side_by_side(i, j);
    if (decided) return;
    const std::string suffix = "_r" + to_text(resource);
    std::vector<ilp::expression> taken(paths_.size()), passed(paths_.size());
    ilp::expression supplied;
    for (const std::size_t i : users) {
        const auto largest = static_cast<double>(task(i).largest[resource]);
        const ilp::variable from_source = model_.add_continuous(0.0, largest, name("source", i) + suffix);
        const ilp::variable to_sink = model_.add_continuous(0.0, largest, name("sink", i) + suffix);
        supplied += from_source;
        taken[i] += from_source;
        passed[i] += to_sink;
        for (const std::size_t j : users) {
            const bool free = paths_.incomparable(i, j);
            if (free ? !possible(i, j) : !paths_.precedes(i, j)) continue;
            const double most = std::min(task(i).largest[resource], task(j).largest[resource]);
            const ilp::variable flow = model_.add_continuous(0.0, most, name("f", i, j) + suffix);
            passed[i] += flow;
            taken[j] += flow;
            if (free) model_.add_constraint(flow <= most * before(i, j), name("only_if", i, j) + suffix);
        }
    }
    for (const std::size_t i : users) {
        const ilp::expression use = ilp::sum(task(i).choices, [&](const mode_variable& c) {
            const mode& m = problem_.modes(task(i).task)[c.mode];
            return (m.duration_s > 0.0 ? m.use[resource] : 0) * ilp::expression(c.chosen);
        });
        model_.add_constraint(taken[i] == use, name("take", i) + suffix);
        model_.add_constraint(passed[i] == use, name("pass", i) + suffix);
    }
    model_.add_constraint(supplied <= problem_.capacity()[resource],
                          "capacity_" + to_text(problem_.block(paths_.task(0))) + suffix);
}

// (7) of one interval, unless the shortest path through it is as long as its work can get.
inline void disjunctive_block::add_interval(std::size_t from, std::size_t to, std::size_t resource,
                                            const std::vector<std::size_t>& inside) {
    if (inside.size() < 2) return;
    double lead_s = std::numeric_limits<double>::infinity(), rest_s = lead_s;
    double most = 0.0;
    ilp::expression work;
    for (const std::size_t i : inside) {
        lead_s = std::min(lead_s, paths_.gap_s(from, i));
        rest_s = std::min(rest_s, paths_.gap_s(i, to));
        most += busy_range(i, resource).second;
        work += busy(i, resource);
    }
    const bool whole = from == paths_.source() && to == paths_.sink();
    const double known = units(whole ? paths_.bound_s() : paths_.gap_s(from, to));
    if (units(lead_s + rest_s) + most <= known) return;
    model_.add_constraint(start_of(to) >= end_of(from) + units(lead_s + rest_s) + work,
                          "energy_" + to_text(model_.rows().size()));
}

inline void disjunctive_block::add_intervals(std::size_t resource) {
    const std::vector<std::size_t>& users = rivals_[resource];
    const auto between = [&](std::size_t from, std::size_t to) {
        std::vector<std::size_t> inside;
        for (const std::size_t i : users)
            if (paths_.precedes(from, i) && paths_.precedes(i, to)) inside.push_back(i);
        return inside;
    };
    if (users.empty()) return;
    for (std::size_t from = 0; from <= paths_.size(); ++from) // the source is the last one
        for (std::size_t k = 0; k <= paths_.size(); ++k) {
            const std::size_t to = k < paths_.size() ? k : paths_.sink();
            if (!paths_.precedes(from, to) || (from == paths_.source() && to == paths_.sink())) continue;
            const std::vector<std::size_t> inside = between(from, to);
            // A task between the two that has the same users behind it, or before it, gives the same row.
            bool closer = false;
            for (std::size_t i = 0; i < paths_.size() && !closer; ++i)
                closer = paths_.precedes(from, i) && paths_.precedes(i, to) &&
                         (between(i, to) == inside || between(from, i) == inside);
            if (!closer) add_interval(from, to, resource, inside);
        }
    // Between the ends of the block, by the least head and the least tail of the tasks that count.
    for (const std::size_t first : users)
        for (const std::size_t last : users) {
            std::vector<std::size_t> inside;
            for (const std::size_t i : users)
                if (paths_.head_s(i) >= paths_.head_s(first) && paths_.tail_s(i) >= paths_.tail_s(last))
                    inside.push_back(i);
            const bool has_both = std::count(inside.begin(), inside.end(), first) == 1 &&
                                  std::count(inside.begin(), inside.end(), last) == 1;
            if (has_both) add_interval(paths_.source(), paths_.sink(), resource, inside);
        }
}

// (8)
inline void disjunctive_block::add_neighbours(std::size_t resource) {
    for (std::size_t j = 0; j < paths_.size(); ++j) {
        double lead_s = paths_.head_s(j), rest_s = paths_.tail_s(j);
        ilp::expression earlier, later;
        bool conditional = false;
        for (const std::size_t i : rivals_[resource]) {
            if (paths_.precedes(i, j)) earlier += busy(i, resource);
            if (paths_.precedes(j, i)) later += busy(i, resource);
            if (has_order(i, j)) {
                const double least = busy_range(i, resource).first;
                earlier += least * before(i, j);
                later += least * before(j, i);
                conditional = true;
            }
            if (paths_.precedes(i, j) || has_order(i, j)) lead_s = std::min(lead_s, paths_.head_s(i));
            if (paths_.precedes(j, i) || has_order(i, j)) rest_s = std::min(rest_s, paths_.tail_s(i));
        }
        if (!conditional) continue;
        const std::string suffix = "_r" + to_text(resource);
        add(task(j).start >= units(lead_s) + earlier, name("earlier", j) + suffix);
        add(added_.extent >= end_of(j) + units(rest_s) + later, name("later", j) + suffix);
    }
}

} // namespace dovetail::schedule::formulation::detail
