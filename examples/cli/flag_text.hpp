#pragma once
/// \file
/// A flag and a command in words, the same on every page.

#include "command_description.hpp"

#include <string>
#include <vector>

namespace cli {

/// The flag as it is written: "--family phaze|n7", "--devices NUMBER".
[[nodiscard]] std::string signature(const flag_description& flag);

/// What it means: with the words that it takes, what it goes with and its default.
[[nodiscard]] std::string full_meaning(const flag_description& flag);

/// The ways to call a command.
[[nodiscard]] std::vector<std::string> usage(const command_description& command, const std::string& program);

} // namespace cli
