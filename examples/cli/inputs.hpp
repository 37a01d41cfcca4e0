#pragma once
/// \file
/// What a command reads, and by what it is known again: the hash of its bytes.

#include <dovetail/report/origin.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// The SHA-256 of `bytes`, in hexadecimal.
[[nodiscard]] std::string sha256(std::string_view bytes);

/// The file `path`, or the tables (*.csv) of the folder `path` in the order of their names. A pipe, which can
/// be read once only, has no hash. Nothing where there is nothing: its reader says so in its own words.
[[nodiscard]] std::vector<dovetail::report::input_source> sources_of(const std::string& path);

/// A model of the zoo, with the hash of its graph; a file otherwise.
[[nodiscard]] std::vector<dovetail::report::input_source> sources_of_model(const std::string& model);

} // namespace cli
