#pragma once
/// \file
/// What the exit statuses mean to people.

#include "command.hpp"

#include <array>

namespace cli {

/// An exit status in words.
struct exit_meaning {
    exit_status status;
    const char* meaning;
};

/// All of them.
inline constexpr std::array exit_meanings{
    exit_meaning{solved, "solved: the answer is what was asked for"},
    exit_meaning{defect, "a defect of the program itself"},
    exit_meaning{bad_input, "bad input, told in one line: where, what is wrong, what would be right"},
    exit_meaning{proven_infeasible,
                 "proven infeasible: nothing satisfies the limits; the answer names the one "
                 "that binds"},
    exit_meaning{budget_ended, "the budget ended first: the answer is the best so far, and a bound"}};

} // namespace cli
