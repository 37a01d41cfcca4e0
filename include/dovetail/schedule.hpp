#pragma once
/// \file
/// When and on which core every operator runs.

#include <dovetail/schedule/block_search.hpp>
#include <dovetail/schedule/bounds.hpp>
#include <dovetail/schedule/cores.hpp>
#include <dovetail/schedule/exact.hpp>
#include <dovetail/schedule/formulation/phaze_lazy.hpp>
#include <dovetail/schedule/formulation/phaze_pairwise.hpp>
#include <dovetail/schedule/formulation/phaze_problem.hpp>
#include <dovetail/schedule/formulation/resource_flow.hpp>
#include <dovetail/schedule/list_scheduler.hpp>
#include <dovetail/schedule/mode_table.hpp>
#include <dovetail/schedule/profile.hpp>
#include <dovetail/schedule/schedule.hpp>
#include <dovetail/schedule/serial.hpp>
#include <dovetail/schedule/task_graph.hpp>
#include <dovetail/schedule/verify.hpp>
