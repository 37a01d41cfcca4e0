#pragma once
/// \file
/// The placement with the least largest load as an integer program.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/status.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/ilp/formulation.hpp>
#include <dovetail/ilp/model.hpp>
#include <dovetail/ilp/solution.hpp>
#include <dovetail/ilp/sum.hpp>
#include <dovetail/placement/device_classes.hpp>
#include <dovetail/placement/device_graph.hpp>
#include <dovetail/placement/device_plan.hpp>
#include <dovetail/placement/device_share.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::placement::formulation {

/// The problem of `max_load_program`: the throughput program of Tarnawski et al. (NeurIPS 2020) with devices
/// in the order of the pipeline. Over classes v (`contract`) and places s = 1 ... D of the pipeline: a_vs (1:
/// v is in place s, which is an accelerator), c_vs (likewise, a CPU), g_s (1: place s is an accelerator); per
/// transfer r over the classes C_r the cost k_r, pay_rs, and all_rs where C_r has more than two classes; L
/// the largest load.
///
///     (1)  min L,   sum_s a_vs + c_vs = 1
///     (2)  sum_v acc_v a_vs + sum_r k_r pay_rs <= L,   sum_v cpu_v c_vs <= L
///     (3)  pay_rs >= a_vs - a_ws,  a_ws - a_vs          C_r = {v, w}
///          pay_rs >= a_vs - all_rs,   all_rs <= a_vs    else, all v of C_r
///     (4)  sum_{s' <= s} a_ws' + c_ws' <= sum_{s' <= s} a_vs' + c_vs'        v before w, s < D
///     (5)  sum_v bytes_v a_vs <= memory g_s,   sum_s g_s <= accelerators,   sum_s 1 - g_s <= cpus
///     (6)  a_vs <= g_s,   c_vs <= 1 - g_s
///     (7)  L >= the dearest class on its cheapest device
///
/// (4) are the contiguity rows: what places 1 to s hold is a downset, so every device holds the difference of
/// two nested ones, which is contiguous, and no two devices wait for one another. The published rows
/// constrain each device alone and leave the latter open. Classes that no accelerator can run have no a;
/// without CPUs there is no c, without accelerators no a. D is the number of devices, or of classes if less.
///
/// Size, for n classes with e arcs and t transfers of c classes together: D (2 n + 2 t + 1) columns at most,
/// n + 2 + D (2 n + 2 c + e + 3) rows. The relaxation shares everything out evenly and pays for no transfer:
/// its bound is the work over the devices, or (7).
class max_load {
public:
    using problem_type = device_graph;
    using answer_type = device_plan;
    static constexpr std::string_view name = "max-load";

    /// \param problem a valid one (`validate`) \complexity linear in the coefficients.
    explicit max_load(const device_graph& problem);

    /// The program. Infeasible where the problem is.
    [[nodiscard]] const ilp::model& model() const noexcept { return model_; }
    /// Seconds in one unit of the objective.
    [[nodiscard]] double unit_s() const noexcept { return unit_s_; }

    /// The plan that the values stand for, with loads from the nodes themselves. Its outcome is `optimal`
    /// where the solver proved it, else `budget`; without values there are no devices.
    [[nodiscard]] device_plan decode(const ilp::solution& found) const;

    /// No plan has a smaller largest load, in seconds.
    [[nodiscard]] double bound(const ilp::solution& found) const {
        return std::max(0.0, found.bound * unit_s_);
    }

private:
    /// A class in a place: on an accelerator, on a CPU.
    struct choice {
        std::optional<ilp::variable> accelerator, cpu;
    };

    void add_choices(bool accelerators, bool cpus);
    void add_loads(std::size_t place);
    void add_transfers(std::size_t place, ilp::expression& load);
    void add_order();
    void add_kinds(bool accelerators, bool cpus);

    [[nodiscard]] const choice& at(std::size_t place, std::size_t of_class) const {
        return choices_[place * contracted_.classes.size() + of_class];
    }
    [[nodiscard]] static ilp::expression either(const choice& c) {
        ilp::expression sum;
        if (c.accelerator) sum += *c.accelerator;
        if (c.cpu) sum += *c.cpu;
        return sum;
    }
    [[nodiscard]] static ilp::expression on_accelerator(const choice& c) {
        return c.accelerator ? ilp::expression(*c.accelerator) : 0.0;
    }
    static std::string label(const char* what, std::size_t i, std::size_t place) {
        return joined(what, '_', i, '_', place);
    }

    const device_graph* problem_; // outlives the formulation
    device_classes contracted_;
    ilp::model model_;
    double unit_s_ = 0.0;
    std::size_t places_ = 0;
    ilp::variable load_;
    std::vector<choice> choices_; // by place, then class
};

inline max_load::max_load(const device_graph& problem) : problem_(&problem), contracted_(contract(problem)) {
    const auto fewer = [&](std::int64_t devices) {
        return std::min(devices, static_cast<std::int64_t>(contracted_.classes.size()));
    };
    const bool accelerators = problem.accelerators > 0, cpus = problem.cpus > 0;
    places_ = static_cast<std::size_t>(fewer(fewer(problem.accelerators) + fewer(problem.cpus)));
    double dearest_s = 0.0;
    for (const device_class& c : contracted_.classes) {
        double cheapest_s = cpus ? c.cpu_s : std::numeric_limits<double>::infinity();
        if (accelerators && c.supported) cheapest_s = std::min(cheapest_s, c.accelerator_s);
        if (std::isfinite(cheapest_s)) dearest_s = std::max(dearest_s, cheapest_s);
        unit_s_ =
            std::max({unit_s_, cpus ? c.cpu_s : 0.0, accelerators && c.supported ? c.accelerator_s : 0.0});
    }
    for (const transfer& t : contracted_.transfers) unit_s_ = std::max(unit_s_, t.cost_s);
    if (unit_s_ == 0.0) unit_s_ = 1.0;
    load_ = model_.add_continuous(dearest_s / unit_s_, ilp::infinity, "L");
    model_.minimize(load_);
    add_choices(accelerators, cpus);
    for (std::size_t s = 0; s < places_; ++s) add_loads(s);
    add_order();
    add_kinds(accelerators, cpus);
}

inline void max_load::add_choices(bool accelerators, bool cpus) {
    choices_.resize(places_ * contracted_.classes.size());
    for (std::size_t v = 0; v < contracted_.classes.size(); ++v) {
        const device_class& c = contracted_.classes[v];
        ilp::expression once;
        for (std::size_t s = 0; s < places_; ++s) {
            choice& here = choices_[s * contracted_.classes.size() + v];
            if (accelerators && c.supported && c.size_bytes <= problem_->memory_bytes)
                here.accelerator = model_.add_binary(label("a", v, s));
            if (cpus) here.cpu = model_.add_binary(label("c", v, s));
            once += either(here);
        }
        model_.add_constraint(once == 1.0, "once_" + to_text(v));
    }
}

inline void max_load::add_loads(std::size_t place) {
    ilp::expression accelerator, cpu;
    for (std::size_t v = 0; v < contracted_.classes.size(); ++v) {
        const device_class& c = contracted_.classes[v];
        const choice& here = at(place, v);
        if (here.accelerator) accelerator += c.accelerator_s / unit_s_ * *here.accelerator;
        if (here.cpu) cpu += c.cpu_s / unit_s_ * *here.cpu;
    }
    if (!accelerator.terms().empty()) {
        add_transfers(place, accelerator);
        model_.add_constraint(accelerator <= load_, "accelerator_" + to_text(place));
    }
    if (!cpu.terms().empty()) model_.add_constraint(cpu <= load_, "cpu_" + to_text(place));
}

inline void max_load::add_transfers(std::size_t place, ilp::expression& load) {
    for (std::size_t r = 0; r < contracted_.transfers.size(); ++r) {
        const transfer& t = contracted_.transfers[r];
        const ilp::variable pay = model_.add_continuous(0.0, 1.0, label("pay", r, place));
        load += t.cost_s / unit_s_ * pay;
        const std::string row_name = label("cross", r, place);
        if (t.classes.size() == 2) {
            const ilp::expression difference =
                on_accelerator(at(place, t.classes[0])) - on_accelerator(at(place, t.classes[1]));
            model_.add_constraint(pay >= difference, row_name);
            model_.add_constraint(pay >= -difference, row_name);
            continue;
        }
        const ilp::variable all = model_.add_continuous(0.0, 1.0, label("all", r, place));
        for (const graph::index v : t.classes) {
            model_.add_constraint(pay >= on_accelerator(at(place, v)) - all, row_name);
            model_.add_constraint(all <= on_accelerator(at(place, v)), row_name);
        }
    }
}

inline void max_load::add_order() {
    std::vector<ilp::expression> held(contracted_.classes.size());
    for (std::size_t s = 0; s + 1 < places_; ++s) {
        for (std::size_t v = 0; v < held.size(); ++v) held[v] += either(at(s, v));
        for (const graph::arc& a : contracted_.order.arcs())
            model_.add_constraint(held[a.target] <= held[a.source],
                                  label("before", a.source, a.target) + "_" + to_text(s));
    }
}

inline void max_load::add_kinds(bool accelerators, bool cpus) {
    const std::size_t n = contracted_.classes.size();
    double all_bytes = 0.0;
    for (const device_class& c : contracted_.classes) all_bytes += c.size_bytes;
    std::vector<ilp::expression> kind(places_, accelerators ? 1.0 : 0.0);
    if (accelerators && cpus) {
        for (std::size_t s = 0; s < places_; ++s) {
            kind[s] = model_.add_binary("g_" + to_text(s));
            for (std::size_t v = 0; v < n; ++v) {
                if (at(s, v).accelerator)
                    model_.add_constraint(*at(s, v).accelerator <= kind[s], label("on_a", v, s));
                model_.add_constraint(*at(s, v).cpu <= 1.0 - kind[s], label("on_c", v, s));
            }
        }
        const ilp::expression used = ilp::sum(kind);
        const auto places = static_cast<double>(places_);
        model_.add_constraint(used <= static_cast<double>(problem_->accelerators), "accelerators");
        model_.add_constraint(places - used <= static_cast<double>(problem_->cpus), "cpus");
    }
    if (!accelerators || all_bytes <= problem_->memory_bytes) return;
    for (std::size_t s = 0; s < places_; ++s) {
        // In parts of the memory: bytes are large numbers.
        const ilp::expression held = ilp::sum(n, [&](std::size_t v) {
            return contracted_.classes[v].size_bytes / problem_->memory_bytes * on_accelerator(at(s, v));
        });
        if (!held.terms().empty()) model_.add_constraint(held <= kind[s], "memory_" + to_text(s));
    }
}

inline device_plan max_load::decode(const ilp::solution& found) const {
    device_plan plan;
    plan.outcome = found.ending == ilp::verdict::infeasible ? status::infeasible
                   : found.ending == ilp::verdict::optimal  ? status::optimal
                                                            : status::budget;
    plan.lower_bound_s = bound(found);
    if (!found.has_values()) return plan;
    for (std::size_t s = 0; s < places_; ++s)
        for (const device_kind kind : {device_kind::accelerator, device_kind::cpu}) {
            std::vector<graph::index> nodes;
            for (std::size_t v = 0; v < contracted_.classes.size(); ++v) {
                const std::optional<ilp::variable>& here =
                    kind == device_kind::cpu ? at(s, v).cpu : at(s, v).accelerator;
                if (!here || found[*here] < 0.5) continue;
                const std::vector<graph::index>& of_class = contracted_.classes[v].nodes;
                nodes.insert(nodes.end(), of_class.begin(), of_class.end());
            }
            if (!nodes.empty()) plan.devices.push_back(share_of(*problem_, kind, std::move(nodes)));
        }
    // Bytes that a solver's tolerance lets past the memory are no plan.
    if (std::any_of(plan.devices.begin(), plan.devices.end(), [&](const device_share& device) {
            return device.kind == device_kind::accelerator && device.memory_bytes > problem_->memory_bytes;
        })) {
        plan.outcome = status::budget;
        plan.devices.clear();
        return plan;
    }
    for (const device_share& device : plan.devices)
        plan.max_load_s = std::max(plan.max_load_s, device.load_s);
    // Loads summed in another order differ in the last digits.
    plan.lower_bound_s =
        plan.outcome == status::optimal ? plan.max_load_s : std::min(plan.lower_bound_s, plan.max_load_s);
    return plan;
}

static_assert(ilp::formulation<max_load>);

} // namespace dovetail::placement::formulation
