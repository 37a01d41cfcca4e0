#pragma once
/// \file
/// The energy of a schedule: what its tasks switch, and what the chip draws while they run and wait.

#include <dovetail/core/assert.hpp>
#include <dovetail/core/result.hpp>
#include <dovetail/core/text.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/task_graph.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace dovetail::schedule {

/// What a chip draws whatever runs on it.
struct static_power {
    double always_w = 0.0;                      ///< from the start of the schedule to its end
    std::array<double, max_resources> busy_w{}; ///< a unit of each resource while a task holds it
    std::array<double, max_resources> idle_w{}; ///< a unit of each resource while none does
};

/// Where the energy of a schedule goes, in joules.
struct energy {
    double switched_j = 0.0; ///< of the tasks, in the modes that were chosen
    double busy_j = 0.0;     ///< static, of units that are held
    double idle_j = 0.0;     ///< static, of units that wait for the end
    double always_j = 0.0;   ///< static, of the rest of the chip

    /// All of it.
    [[nodiscard]] constexpr double total_j() const noexcept {
        return switched_j + busy_j + idle_j + always_j;
    }
};

/// The energy that every mode of every task switches, and what the chip draws beside it.
class energy_model {
public:
    /// \param mode_energy_j one entry a mode: those of task 0, then those of task 1, …
    /// \returns errc::out_of_range for another number of entries, and for an energy or a power that is
    /// negative or not finite.
    [[nodiscard]] static result<energy_model>
    make(const task_graph& problem, std::vector<double> mode_energy_j, const static_power& power);

    /// E = sum_i e(i, m_i) + sum_r (busy_r B_r + idle_r (C_r T - B_r)) + always T, with the unit seconds
    /// B_r = sum_i u(i, m_i, r) d(i, m_i), capacities C and makespan T. \param plan a schedule of the
    /// problem, or of one with the same tasks and modes \complexity O(tasks).
    [[nodiscard]] energy operator()(const task_graph& problem, const schedule& plan) const {
        DOVETAIL_ASSERT(plan.mode.size() + 1 == first_.size(), "a schedule of another problem");
        energy spent{.always_j = power_.always_w * plan.makespan_s};
        std::array<double, max_resources> held_s{};
        for (graph::index v = 0; v < plan.mode.size(); ++v) {
            const mode& m = problem.modes(v)[plan.mode[v]];
            spent.switched_j += mode_energy_j_[first_[v] + plan.mode[v]];
            for (std::size_t r = 0; r < max_resources; ++r) held_s[r] += m.use[r] * m.duration_s;
        }
        for (std::size_t r = 0; r < max_resources; ++r) {
            spent.busy_j += power_.busy_w[r] * held_s[r];
            spent.idle_j += power_.idle_w[r] * (problem.capacity()[r] * plan.makespan_s - held_s[r]);
        }
        return spent;
    }

private:
    std::vector<std::size_t> first_; // of every task: where its modes begin; the last entry is their number
    std::vector<double> mode_energy_j_;
    static_power power_;
};

inline result<energy_model> energy_model::make(const task_graph& problem, std::vector<double> mode_energy_j,
                                               const static_power& power) {
    const auto bad = [](std::string place, double value, const char* unit, const char* expected) {
        return error{errc::out_of_range, "energy: " + std::move(place), "it is " + to_text(value) + unit,
                     expected};
    };
    const auto sound = [](double value) {
        return value >= 0.0 && value <= std::numeric_limits<double>::max();
    };
    energy_model made;
    made.first_.push_back(0);
    for (graph::index v = 0; v < problem.task_count(); ++v)
        made.first_.push_back(made.first_.back() + problem.modes(v).size());
    if (mode_energy_j.size() != made.first_.back())
        return error{errc::out_of_range, "energy: modes",
                     "there are " + to_text(mode_energy_j.size()) + " energies",
                     "one a mode, of which the problem has " + to_text(made.first_.back())};
    for (graph::index v = 0; v < problem.task_count(); ++v)
        for (std::size_t k = made.first_[v]; k < made.first_[v + 1]; ++k)
            if (!sound(mode_energy_j[k]))
                return bad("task " + to_text(v) + ", mode " + to_text(k - made.first_[v]), mode_energy_j[k],
                           " J", "an energy is finite and at least 0");
    if (!sound(power.always_w))
        return bad("power of the chip", power.always_w, " W", "a power is finite and at least 0");
    for (std::size_t r = 0; r < max_resources; ++r)
        for (const double watts : {power.busy_w[r], power.idle_w[r]})
            if (!sound(watts))
                return bad("power of resource " + to_text(r), watts, " W",
                           "a power is finite and at least 0");
    made.mode_energy_j_ = std::move(mode_energy_j);
    made.power_ = power;
    return made;
}

} // namespace dovetail::schedule
