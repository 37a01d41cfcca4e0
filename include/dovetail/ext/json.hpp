#pragma once
/// \file
/// The door to nlohmann/json.

#include <dovetail/ext/json/device_placement.hpp>
#include <dovetail/ext/json/document.hpp>
#include <dovetail/ext/json/members.hpp>
#include <dovetail/ext/json/phaze_placement.hpp>
#include <dovetail/ext/json/piper_placement.hpp>
#include <dovetail/ext/json/reading.hpp>
