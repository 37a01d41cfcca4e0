#pragma once
/// \file
/// Which devices hold which layers.

#include <dovetail/placement/chain_program.hpp>
#include <dovetail/placement/chain_stages.hpp>
#include <dovetail/placement/downset_stages.hpp>
#include <dovetail/placement/exact_program.hpp>
#include <dovetail/placement/layer_graph.hpp>
#include <dovetail/placement/objective.hpp>
#include <dovetail/placement/pipeline.hpp>
#include <dovetail/placement/plan.hpp>
#include <dovetail/placement/smallest_hbm.hpp>
#include <dovetail/placement/stage_program.hpp>
#include <dovetail/placement/stage_rules.hpp>
#include <dovetail/placement/stage_table.hpp>
#include <dovetail/placement/storage.hpp>
#include <dovetail/placement/verify.hpp>
