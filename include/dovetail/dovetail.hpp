#pragma once
/// \file
/// All of Dovetail, in the order of its layers; a third party only where its macro is defined.

#include <dovetail/version.hpp>

// clang-format off
#include <dovetail/core.hpp>
#include <dovetail/graph.hpp>
#include <dovetail/workload.hpp>
#include <dovetail/schedule.hpp>
#include <dovetail/report.hpp>
// clang-format on
