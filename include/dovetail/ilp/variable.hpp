#pragma once
/// \file
/// A handle of a variable that knows which model it belongs to.

#include <cstdint>

namespace dovetail::ilp {

/// The values that a variable may take, within its bounds.
enum class domain : std::uint8_t { continuous, integer, binary };

/// The identity of a model. Copies of a model share it, so that a variable serves them all.
using model_id = std::uint32_t;

/// A variable of a model: made by `model::add_variable`, worth as much as its position.
struct variable {
    std::uint32_t index = 0; ///< position among the columns of its model
    model_id owner = 0;      ///< 0 belongs to no model
};

} // namespace dovetail::ilp
