#pragma once
/// \file
/// All of Dovetail, in the order of its layers; a third party only where its macro is defined.

#include <dovetail/version.hpp>

// clang-format off
#include <dovetail/core.hpp>
#include <dovetail/graph.hpp>
#include <dovetail/ilp.hpp>
#include <dovetail/workload.hpp>
#include <dovetail/hardware.hpp>
#include <dovetail/cost.hpp>
#include <dovetail/schedule.hpp>
#include <dovetail/placement.hpp>
#include <dovetail/search.hpp>
#include <dovetail/report.hpp>
// clang-format on

#if defined(DOVETAIL_HANA)
#include <dovetail/ext/hana.hpp>
#endif

#if defined(DOVETAIL_GLPK)
#include <dovetail/ext/glpk.hpp>
#endif

#if defined(DOVETAIL_EIGEN)
#include <dovetail/ext/eigen.hpp>
#endif

#if defined(DOVETAIL_JSON)
#include <dovetail/ext/json.hpp>
#endif

#if defined(DOVETAIL_ONNX)
#include <dovetail/ext/onnx.hpp>
#endif
