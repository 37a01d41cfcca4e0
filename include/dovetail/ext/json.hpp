#pragma once
/// \file
/// The door to nlohmann's JSON library, which reads.

#include <dovetail/ext/json/phaze_placement.hpp>
#include <dovetail/ext/json/reading.hpp>
