#pragma once
/// \file
/// What a workload costs on a piece of hardware.

#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/core_mode.hpp>
#include <dovetail/cost/grid_prices.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/refetch.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/tensor_core.hpp>
