#pragma once
/// \file
/// The placement with the least latency as an integer program.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/graph/digraph.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/latency_plan.hpp>
#include <dovetail/placement/verify_latency.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dovetail::placement::formulation {

/// The problem of `latency_program`, one contiguous set an accelerator: the latency program of Tarnawski et
/// al. (NeurIPS 2020) with the accelerators in an order in which they could run. Per node v and accelerator a
/// = 1
/// ... k: b_va and e_va (1: v comes before a starts; before a has ended, or with it), so that x_va = e_va -
/// b_va puts v on a, and h_v = 1 - sum_a x_va on the host; C_v, when v is done; S_a and F_a, when a starts
/// and is done; in_ua and out_ua (u's output enters, leaves a); D_v, a bound on C_v; T, the latency. U is the
/// latency all on the host.
///
///     (1)  min T,   T >= C_v
///     (2)  b_v1 <= e_v1 <= b_v2 <= ... <= e_vk;   b_wa <= b_va,  e_wa <= e_va            edge v -> w
///     (3)  x equal over a colour,  x_va = 0 where a cannot run v,  sum_v bytes_v x_va <= memory
///     (4)  C_v >= cpu_v h_v,   C_w >= C_v + cpu_w h_w                                     edge v -> w
///     (5)  S_a >= C_v - U (1 - x_wa + x_va)                                               edge v -> w
///     (6)  F_a >= S_a + sum_v acc_v x_va + sum_v c_v (in_va + out_va)
///          in_va >= x_wa - x_va,   out_va >= x_va - x_wa                                  edge v -> w
///     (7)  C_v >= F_a - U (1 - x_va)
///     (8)  C_v >= D_v >= cpu_v h_v + acc_v (1 - h_v)
///          D_w >= D_v + cpu_w h_w + acc_w (1 - h_w) + c_v (h_v - h_w),   + c_v (h_w - h_v)  edge v -> w
///
/// (2) are the contiguity rows: what comes before a and what has come by its end are downsets, so that a
/// holds a contiguous set and no accelerators wait for one another, even where they take no time. (8) follows
/// every path by itself: whoever shares an accelerator takes longer than each node alone. It gives the
/// relaxation its bound, the longest path on the devices that the memory allows, since half an x is enough
/// to switch (5) and (7) off.
///
/// Size, for n nodes, e edges and k accelerators: 2 n + 2 k + 1 columns of times, 2 n k binary ones and at
/// most 2 n k of transfers; 4 n + 3 e + k (3 n + 5 e + 2) - n rows, and k for every node that shares its
/// colour.
class latency {
public:
    using problem_type = device_graph;
    using answer_type = latency_plan;
    static constexpr std::string_view name = "latency";

    /// \param problem a valid one (`validate`) \complexity linear in the coefficients.
    explicit latency(const device_graph& problem);

    /// The program. Always feasible: all on the host.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of the objective.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// The plan that the values stand for, with the latency of `latency_of`; all on the host without values.
    [[nodiscard]] latency_plan decode(const ilp::solution& found) const;

    /// No plan is shorter, in seconds.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        return std::max(0.0, found.bound * unit_s_);
    }

private:
    struct accelerator {
        ilp::variable start, end;
        std::vector<ilp::variable> before, until; ///< b and e, by node
    };

    void add_accelerator(std::size_t number);
    void add_times(const accelerator& a, std::size_t number);
    void add_memory_and_colours();
    void add_paths();

    [[nodiscard]] static ilp::expression holds(const accelerator& a, std::size_t v) {
        return ilp::expression(a.until[v]) - a.before[v];
    }
    [[nodiscard]] bool can_hold(const device_node& node) const {
        return node.supported && node.size_bytes <= problem_->memory_bytes;
    }
    [[nodiscard]] double units(double seconds) const { return seconds / unit_s_; }
    static std::string label(const char* what, std::size_t i, std::size_t j) {
        return joined(what, '_', i, '_', j);
    }
    static std::string label(const char* what, std::size_t i, std::size_t j, std::size_t k) {
        return joined(what, '_', i, '_', j, '_', k);
    }

    const device_graph* problem_; // outlives the formulation
    ilp::model model_;
    double unit_s_ = 0.0;
    double horizon_ = 0.0; // U
    ilp::variable latency_;
    std::vector<ilp::variable> done_;      // C, by node
    std::vector<ilp::expression> on_host_; // h, by node
    std::vector<accelerator> accelerators_;
};

inline latency::latency(const device_graph& problem) : problem_(&problem) {
    const std::size_t n = problem.nodes.size();
    unit_s_ = latency_of(problem, std::vector<graph::index>(n, graph::none)).value();
    horizon_ = unit_s_ > 0.0 ? 1.0 : 0.0;
    if (unit_s_ == 0.0) unit_s_ = 1.0;
    latency_ = model_.add_continuous(0.0, horizon_, "T");
    model_.minimize(latency_);
    for (std::size_t v = 0; v < n; ++v) {
        done_.push_back(model_.add_continuous(0.0, horizon_, "C_" + to_text(v)));
        model_.add_constraint(ilp::expression(latency_) >= done_[v], "end_" + to_text(v));
    }
    on_host_.assign(n, 1.0);
    const auto movable = std::count_if(problem.nodes.begin(), problem.nodes.end(),
                                       [&](const device_node& node) { return can_hold(node); });
    for (std::int64_t a = 0; a < std::min<std::int64_t>(problem.accelerators, movable); ++a)
        add_accelerator(static_cast<std::size_t>(a));
    for (std::size_t a = 0; a < accelerators_.size(); ++a) add_times(accelerators_[a], a);
    add_memory_and_colours();
    add_paths();
}

// (2)
inline void latency::add_accelerator(std::size_t number) {
    accelerator a{.start = model_.add_continuous(0.0, horizon_, "S_" + to_text(number)),
                  .end = model_.add_continuous(0.0, horizon_, "F_" + to_text(number)),
                  .before = {},
                  .until = {}};
    for (std::size_t v = 0; v < problem_->nodes.size(); ++v) {
        a.before.push_back(model_.add_binary(label("b", v, number)));
        if (number > 0)
            model_.add_constraint(ilp::expression(accelerators_.back().until[v]) <= a.before[v],
                                  label("next", v, number));
        // One column for both keeps the node off.
        if (!can_hold(problem_->nodes[v])) {
            a.until.push_back(a.before[v]);
            continue;
        }
        a.until.push_back(model_.add_binary(label("e", v, number)));
        model_.add_constraint(ilp::expression(a.before[v]) <= a.until[v], label("hold", v, number));
        on_host_[v] -= holds(a, v);
    }
    for (const auto& [v, w] : problem_->edges) {
        model_.add_constraint(ilp::expression(a.before[w]) <= a.before[v], label("down_b", v, w, number));
        model_.add_constraint(ilp::expression(a.until[w]) <= a.until[v], label("down_e", v, w, number));
    }
    accelerators_.push_back(std::move(a));
}

// (5) to (7)
inline void latency::add_times(const accelerator& a, std::size_t number) {
    ilp::expression load;
    std::vector<bool> crosses(problem_->nodes.size(), false);
    for (const graph::arc& e : problem_->edges) {
        const auto& [v, w] = e;
        model_.add_constraint(a.start >= done_[v] - horizon_ * (1.0 - holds(a, w) + holds(a, v)),
                              label("wait", v, w, number));
        crosses[v] = problem_->nodes[v].output_s > 0.0;
    }
    for (std::size_t v = 0; v < problem_->nodes.size(); ++v) {
        if (can_hold(problem_->nodes[v])) {
            load += units(problem_->nodes[v].accelerator_s) * holds(a, v);
            model_.add_constraint(done_[v] >= a.end - horizon_ * (1.0 - holds(a, v)),
                                  label("done", v, number));
        }
        if (!crosses[v]) continue;
        const ilp::variable in = model_.add_continuous(0.0, 1.0, label("in", v, number));
        const ilp::variable out = model_.add_continuous(0.0, 1.0, label("out", v, number));
        load += units(problem_->nodes[v].output_s) * (ilp::expression(in) + out);
        for (const auto& [source, w] : problem_->edges) {
            if (source != v) continue;
            model_.add_constraint(in >= holds(a, w) - holds(a, v), label("enter", v, w, number));
            model_.add_constraint(out >= holds(a, v) - holds(a, w), label("leave", v, w, number));
        }
    }
    model_.add_constraint(a.end >= a.start + load, "run_" + to_text(number));
}

// (3)
inline void latency::add_memory_and_colours() {
    const std::size_t n = problem_->nodes.size();
    double all_bytes = 0.0;
    for (const device_node& node : problem_->nodes) all_bytes += node.size_bytes;
    std::vector<std::size_t> last_of; // by colour
    for (std::size_t a = 0; a < accelerators_.size(); ++a) {
        last_of.assign(n, n);
        for (std::size_t v = 0; v < n; ++v) {
            const graph::index colour = problem_->nodes[v].colour;
            if (colour == graph::none) continue;
            if (last_of[colour] < n)
                model_.add_constraint(holds(accelerators_[a], v) == holds(accelerators_[a], last_of[colour]),
                                      label("colour", v, a));
            last_of[colour] = v;
        }
        if (all_bytes <= problem_->memory_bytes || problem_->memory_bytes == 0.0) continue;
        // In parts of the memory: bytes are large numbers.
        model_.add_constraint(ilp::sum(n,
                                       [&](std::size_t v) {
                                           return can_hold(problem_->nodes[v])
                                                      ? problem_->nodes[v].size_bytes /
                                                            problem_->memory_bytes *
                                                            holds(accelerators_[a], v)
                                                      : ilp::expression(0.0);
                                       }) <= 1.0,
                              "memory_" + to_text(a));
    }
}

// (4) and (8)
inline void latency::add_paths() {
    std::vector<ilp::variable> path;
    std::vector<ilp::expression> alone;
    for (std::size_t v = 0; v < problem_->nodes.size(); ++v) {
        const device_node& node = problem_->nodes[v];
        path.push_back(model_.add_continuous(0.0, horizon_, "D_" + to_text(v)));
        // Without an accelerator that could hold it, h is the number 1.
        alone.push_back(units(node.cpu_s) * on_host_[v]);
        if (can_hold(node)) alone[v] += units(node.accelerator_s) * (1.0 - on_host_[v]);
        model_.add_constraint(done_[v] >= units(node.cpu_s) * on_host_[v], "first_" + to_text(v));
        model_.add_constraint(path[v] >= alone[v], "alone_" + to_text(v));
        model_.add_constraint(ilp::expression(done_[v]) >= path[v], "path_" + to_text(v));
    }
    for (const auto& [v, w] : problem_->edges) {
        model_.add_constraint(done_[w] >= done_[v] + units(problem_->nodes[w].cpu_s) * on_host_[w],
                              label("after", v, w));
        const ilp::expression moved = units(problem_->nodes[v].output_s) * (on_host_[v] - on_host_[w]);
        model_.add_constraint(path[w] >= path[v] + alone[w] + moved, label("to_a", v, w));
        if (!moved.terms().empty())
            model_.add_constraint(path[w] >= path[v] + alone[w] - moved, label("to_host", v, w));
    }
}

inline latency_plan latency::decode(const ilp::solution& found) const {
    latency_plan plan;
    plan.device.assign(problem_->nodes.size(), graph::none);
    std::vector<graph::index> read = plan.device;
    for (std::size_t v = 0; v < read.size() && found.has_values(); ++v)
        for (graph::index a = 0; a < accelerators_.size(); ++a)
            if (found[accelerators_[a].until[v]] - found[accelerators_[a].before[v]] > 0.5) read[v] = a;
    // Bytes that a solver's tolerance lets past the memory are no plan.
    const result<double> read_s = latency_of(*problem_, read);
    if (read_s) plan.device = std::move(read);
    plan.latency_s = read_s ? *read_s : latency_of(*problem_, plan.device).value();
    const bool proved = read_s && found.has_values() && found.ending == ilp::verdict::optimal;
    plan.outcome = proved ? status::optimal : status::budget;
    plan.lower_bound_s = proved ? plan.latency_s : std::min(bound(found), plan.latency_s);
    return plan;
}

static_assert(ilp::formulation<latency>);

} // namespace dovetail::placement::formulation
