#pragma once
/// \file
/// From the words of a caller to a command and its values.

#include "command_description.hpp"

#include <dovetail/core/error.hpp>

#include <string>
#include <vector>

namespace cli {

/// A bad word on its way out of the command.
struct refusal {
    dovetail::error problem;
};

/// What the words name.
struct named_command {
    command_description* command = nullptr;
    bool wants_help = false;
    bool wants_version = false;
};

/// Reads `words` and hands every value over. Throws a `refusal` where a word is unknown, missing, given
/// twice, or without effect. \param program  the name that people call it by
[[nodiscard]] named_command read_words(command_description& top, const std::string& program,
                                       const std::vector<std::string>& words);

/// The part of `command` that `word` names. Throws a `refusal` that lists what is near.
[[nodiscard]] command_description& part_named(command_description& command, const std::string& program,
                                              const std::string& word);

} // namespace cli
