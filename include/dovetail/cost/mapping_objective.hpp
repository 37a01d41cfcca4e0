#pragma once
/// \file
/// What a mapping is chosen by.

#include <dovetail/core/error.hpp>
#include <dovetail/core/result.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dovetail::cost {

/// What a mapping is chosen by. Ties go to the lower energy, or to fewer cycles where energy decides.
enum class mapping_objective : std::uint8_t { latency, energy, edp };

/// Every objective by its name.
inline constexpr std::array<std::pair<std::string_view, mapping_objective>, 3> mapping_objective_names{
    {{"latency", mapping_objective::latency},
     {"energy", mapping_objective::energy},
     {"edp", mapping_objective::edp}}};

/// The objective called `name`. \returns errc::unknown_name.
[[nodiscard]] inline result<mapping_objective> find_mapping_objective(std::string_view name) {
    for (const auto& [known, goal] : mapping_objective_names)
        if (known == name) return goal;
    return error{errc::unknown_name, "objective '" + std::string(name) + "'", "it is not known",
                 "known are latency, energy, edp"};
}

/// A cost as the objective orders it: first, then second.
struct objective_value {
    double first = std::numeric_limits<double>::infinity();
    double second = std::numeric_limits<double>::infinity();

    friend constexpr bool operator<(const objective_value& a, const objective_value& b) noexcept {
        return a.first < b.first || (a.first == b.first && a.second < b.second);
    }
};

/// `cycles` and `energy_pj` as `goal` orders them.
[[nodiscard]] constexpr objective_value value_of(mapping_objective goal, double cycles, double energy_pj) {
    switch (goal) {
    case mapping_objective::latency:
        return {cycles, energy_pj};
    case mapping_objective::energy:
        return {energy_pj, cycles};
    case mapping_objective::edp:
        break;
    }
    return {cycles * energy_pj, cycles};
}

} // namespace dovetail::cost
