#pragma once
/// \file
/// What people and shells read about the commands, from their descriptions.

#include "command_description.hpp"

#include <string>

namespace cli {

/// The page of `--help`, for a terminal of 80 columns. \param program  the name that people call it by
[[nodiscard]] std::string help_page(const command_description& command, const std::string& program);

/// The manual of all commands, for `man`. \param version  name and number
[[nodiscard]] std::string manual_page(const command_description& top, const std::string& program,
                                      const std::string& version);

/// The script that completes commands, options and names in `shell`: "bash", "zsh" or "fish".
[[nodiscard]] std::string completion(const command_description& top, const std::string& program,
                                     const std::string& shell);

} // namespace cli
