#pragma once
/// \file
/// The parts of `dovetail price`.

#include <CLI/CLI.hpp>

namespace cli {

/// `price --model`: every operator of a pass through a layer. It runs where no part of `price` is named.
void add_price_layer(CLI::App& price, int& status);
/// `price systolic`: cycles of a matrix product on one systolic array.
void add_price_systolic(CLI::App& price, int& status);
/// `price mapping`: the best mapping of a matrix product to tensor cores and their memories.
void add_price_mapping(CLI::App& price, int& status);
/// `price vector`: a vector operator, row by row.
void add_price_vector(CLI::App& price, int& status);

} // namespace cli
