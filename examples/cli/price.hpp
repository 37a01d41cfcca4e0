#pragma once
/// \file
/// The parts of `dovetail price`.

#include <CLI/CLI.hpp>

namespace cli {

/// `price systolic`: cycles of a matrix product on one systolic array.
void add_price_systolic(CLI::App& price, int& status);

} // namespace cli
