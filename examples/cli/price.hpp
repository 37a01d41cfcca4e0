#pragma once
/// \file
/// The parts of `dovetail price`.

#include "command_syntax.hpp"

#include <dovetail/hardware/accelerator.hpp>
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/platform.hpp>
#include <dovetail/hardware/technology_n7.hpp>
#include <dovetail/hardware/technology_phaze.hpp>

#include <optional>
#include <string_view>

namespace cli {

/// The energies of `chip` in the technology of `family`; nothing where it has a buffer of an unknown size.
template <dovetail::hardware::platform P>
[[nodiscard]] std::optional<dovetail::hardware::event_energies>
energies_in(std::string_view family, const dovetail::hardware::accelerator& chip) {
    namespace hardware = dovetail::hardware;
    return family == "n7" ? hardware::energies_of<hardware::n7_technology, P>(chip)
                          : hardware::energies_of<hardware::phaze_technology, P>(chip);
}

/// `price --model`: every operator of a pass through a layer. It runs where no part of `price` is named.
void add_price_layer(command_syntax price, int& status);
/// `price systolic`: cycles of a matrix product on one systolic array.
void add_price_systolic(command_syntax price, int& status);
/// `price mapping`: the best mapping of a matrix product to tensor cores and their memories.
void add_price_mapping(command_syntax price, int& status);
/// `price vector`: a vector operator, row by row.
void add_price_vector(command_syntax price, int& status);

} // namespace cli
