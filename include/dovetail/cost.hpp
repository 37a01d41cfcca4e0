#pragma once
/// \file
/// What a workload costs on a piece of hardware.

#include <dovetail/cost/attention.hpp>
#include <dovetail/cost/collective.hpp>
#include <dovetail/cost/core_mode.hpp>
#include <dovetail/cost/grid_prices.hpp>
#include <dovetail/cost/latency_model.hpp>
#include <dovetail/cost/mapped_operator.hpp>
#include <dovetail/cost/mapping.hpp>
#include <dovetail/cost/mapping_bound.hpp>
#include <dovetail/cost/mapping_objective.hpp>
#include <dovetail/cost/mapping_search.hpp>
#include <dovetail/cost/optimizer.hpp>
#include <dovetail/cost/phaze_hardware.hpp>
#include <dovetail/cost/phaze_model.hpp>
#include <dovetail/cost/refetch.hpp>
#include <dovetail/cost/remembered_phaze_model.hpp>
#include <dovetail/cost/sound_mapping_hardware.hpp>
#include <dovetail/cost/sound_model.hpp>
#include <dovetail/cost/systolic.hpp>
#include <dovetail/cost/tensor_core.hpp>
