#pragma once
/// \file
/// The best accelerator together with its plan.

#include <dovetail/search/admitted.hpp>
#include <dovetail/search/area_ordered.hpp>
#include <dovetail/search/breakdown.hpp>
#include <dovetail/search/campaign.hpp>
#include <dovetail/search/evaluate.hpp>
#include <dovetail/search/exhaustive.hpp>
#include <dovetail/search/infeasible.hpp>
#include <dovetail/search/observer.hpp>
#include <dovetail/search/options.hpp>
#include <dovetail/search/outcome.hpp>
#include <dovetail/search/pass_memory.hpp>
#include <dovetail/search/pass_order.hpp>
#include <dovetail/search/pass_timer.hpp>
#include <dovetail/search/profile.hpp>
#include <dovetail/search/profiler.hpp>
#include <dovetail/search/random_sample.hpp>
#include <dovetail/search/step_energy.hpp>
#include <dovetail/search/strategy.hpp>
#include <dovetail/search/winner.hpp>
