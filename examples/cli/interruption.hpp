#pragma once
/// \file
/// When a search ends with its best so far: `--time-limit`, and a signal.

#include "command_syntax.hpp"

#include <dovetail/core/budget.hpp>
#include <dovetail/core/option.hpp>

#include <limits>
#include <tuple>

namespace cli {

/// The flag of every command that searches. Its help, range and refusals are the same everywhere.
struct time_limit {
    double seconds = std::numeric_limits<double>::infinity();

    static constexpr auto table() {
        return std::tuple{
            dovetail::option<time_limit, double>{"time-limit",
                                                 "seconds after which the search ends with its best so far; "
                                                 "0 is no time at all, and gives what is "
                                                 "known without a search",
                                                 &time_limit::seconds, 0}};
    }

    /// \returns the flag, to tell whether it is given.
    flag_syntax add_to(command_syntax command);
    /// Begins a search: from here on the first SIGINT, SIGTERM or SIGHUP asks it to stop, unless the caller
    /// has the signal ignored. Another one ends the process as if there was no search, but not within 50 ms
    /// of the first: a terminal, or `timeout`, may send one and the same twice. \returns the limits of the
    /// search, counted from now on.
    [[nodiscard]] dovetail::budget begin() const;
};

} // namespace cli
