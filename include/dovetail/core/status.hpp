#pragma once
/// \file
/// How a solver ended. Infeasible and out of budget are answers, not errors.

#include <cstdint>
#include <string_view>

namespace dovetail {

/// The outcome of a search, in the words of the command line's JSON.
enum class status : std::uint8_t {
    optimal,    ///< the answer is proved best
    feasible,   ///< an answer, not proved best
    infeasible, ///< proved that there is none
    budget,     ///< the budget ended first; the answer, if any, is the best so far
};

/// The word that the command line prints for it.
[[nodiscard]] constexpr std::string_view to_string(status s) noexcept {
    switch (s) {
    case status::optimal:
        return "optimal";
    case status::feasible:
        return "feasible";
    case status::infeasible:
        return "infeasible";
    case status::budget:
        return "budget";
    }
    return "unknown";
}

} // namespace dovetail
